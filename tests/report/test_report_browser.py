"""The page as a reader meets it, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from chromium import BINARY, Page, browser
from report_samples import report_data
from test_report_escaping import HOSTILE, everywhere

from rubricbench.report import write_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BINARY is None, reason="no Chromium here"),
    pytest.mark.asyncio(loop_scope="module"),
]

OVERFLOWING = """
[...document.querySelectorAll("body *")]
  .filter((e) => !e.closest(".hidden, .skip, .scroll, .definitions, thead, .quiet, .preview bdi"))
  .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((e) => `${e.tagName}.${e.getAttribute("class")}`)
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def page() -> AsyncIterator[Page]:
    async with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    made = {
        "plain": report_data(40),
        "unknown": report_data(12, unknowns=True),
        "hostile": everywhere(" ".join(HOSTILE.values())),
        "long": everywhere("x" * 3000),
    }
    return {name: write_report(data, folder / f"{name}.html") for name, data in made.items()}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("name", ["plain", "unknown", "hostile", "long"])
async def test_renders_quietly_and_fits(
    page: Page, files: dict[str, Path], name: str, width: int, dark: bool
) -> None:
    await page.show(files[name], width=width, dark=dark)
    await page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.evaluate(OVERFLOWING) == []
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(21, 24, 27)" if dark else "rgb(252, 251, 248)")
    assert page.complaints() == []
    assert page.requests() == []


async def test_hostile_text_runs_nothing(page: Page, files: dict[str, Path]) -> None:
    await page.show(files["hostile"], width=1280)
    assert await page.evaluate("document.title.includes('<script>')")
    assert await page.evaluate("document.scripts.length") == 2
    assert await page.evaluate("document.images.length") == 0


async def test_charts_are_drawn(page: Page, files: dict[str, Path]) -> None:
    await page.show(files["plain"], width=375)
    boxes = "[...document.querySelectorAll('svg.track .bar')].map((e) => e.getBBox().width)"
    widths = await page.evaluate(boxes)
    assert max(widths) > 200  # of the 343 that a phone has
    shown = "document.querySelector('.points use').getBoundingClientRect().width"
    assert await page.evaluate(shown) > 5
    fill = "getComputedStyle(document.querySelector('.points use')).fill"
    assert await page.evaluate(fill) not in ("none", "rgb(0, 0, 0)")


async def test_the_theme_button_turns_the_page_dark_and_says_so(
    page: Page, files: dict[str, Path]
) -> None:
    await page.show(files["plain"], width=1280)
    state = """[document.getElementById("theme").getAttribute("aria-pressed"),
                getComputedStyle(document.body).backgroundColor]"""
    assert await page.evaluate(state) == ["false", "rgb(252, 251, 248)"]
    await page.evaluate("document.getElementById('theme').click()")
    assert await page.evaluate(state) == ["true", "rgb(21, 24, 27)"]
    await page.evaluate("document.getElementById('theme').click()")
    assert await page.evaluate(state) == ["false", "rgb(252, 251, 248)"]


async def test_the_keyboard_reaches_everything(page: Page, files: dict[str, Path]) -> None:
    await page.show(files["plain"], width=1280)
    active = "document.activeElement.className + '#' + document.activeElement.id"
    await page.press("Tab", 9)
    assert await page.evaluate(active) == "skip#"
    skip = "document.activeElement.getBoundingClientRect().top >= 0"
    assert await page.evaluate(skip)
    await page.press("Enter", 13)
    assert await page.evaluate("location.hash") == "#main"
    seen = []
    for _ in range(12):
        await page.press("Tab", 9)
        seen.append(await page.evaluate("document.activeElement.tagName"))
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
    assert {"SUMMARY", "BUTTON", "SELECT"} <= set(seen)
    await page.evaluate("document.querySelector('details.data summary').focus()")
    await page.press("Enter", 13)
    assert await page.evaluate("document.querySelector('details.data').open")


async def test_samples_are_filtered(page: Page, files: dict[str, Path]) -> None:
    await page.show(files["plain"], width=1280)
    visible = "[...document.querySelectorAll('details.sample')].filter((c) => !c.hidden).length"
    assert await page.evaluate(visible) == 40
    await page.evaluate("document.querySelector('button[data-group=lowest]').click()")
    assert await page.evaluate(visible) == 10
    pressed = "document.querySelector('button[data-group=lowest]').getAttribute('aria-pressed')"
    assert await page.evaluate(pressed) == "true"
    status = "document.querySelector('#sample-tools [role=status]').textContent"
    assert await page.evaluate(status) == "10 of 40 samples shown"
    await page.evaluate(
        """(() => {
          const select = document.querySelector('#sample-tools select');
          select.selectedIndex = 1;
          select.dispatchEvent(new Event('change'));
        })()"""
    )
    family = await page.evaluate("document.querySelector('#sample-tools select').value")
    failed = f"""[...document.querySelectorAll('details.sample')].filter((c) => !c.hidden)
                 .every((c) => c.dataset.failed.split(' ').includes({family!r}))"""
    assert await page.evaluate(failed)
    await page.evaluate("document.querySelector('[data-unfold]').click()")
    unfolded = """[...document.querySelectorAll('details.sample')].filter((c) => !c.hidden)
                  .every((c) => c.open)"""
    assert await page.evaluate(unfolded)


async def test_works_without_scripts(page: Page, files: dict[str, Path]) -> None:
    await page.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        await page.show(files["plain"], width=375)
    finally:
        await page.send("Emulation.setScriptExecutionDisabled", value=False)
    shown = """[...document.querySelectorAll('#theme, #sample-tools')]
               .every((e) => getComputedStyle(e).display === 'none')"""
    assert await page.evaluate(shown)
    assert await page.evaluate("document.querySelectorAll('details.sample').length") == 40


async def test_on_paper_everything_is_unfolded(page: Page, files: dict[str, Path]) -> None:
    await page.show(files["plain"], width=1280, dark=True)
    await page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    closed = "document.querySelectorAll('details:not([open])').length"
    assert await page.evaluate(closed) == 0
    await page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert await page.evaluate(closed) > 30
    await page.send("Emulation.setEmulatedMedia", media="print")
    try:
        paper = "getComputedStyle(document.body)"
        assert await page.evaluate(f"{paper}.backgroundColor") == "rgb(255, 255, 255)"
        assert await page.evaluate(f"{paper}.color") == "rgb(28, 33, 38)"
    finally:
        await page.send("Emulation.setEmulatedMedia", media="")
