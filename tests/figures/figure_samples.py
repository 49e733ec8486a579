"""Figures for the tests of their renderers, and a way to read what was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser

from rubricbench.figures import Axis, Figure, Mark, Series

VOID = {"meta", "link", "br", "img", "input", "hr"}


def line(
    y: Sequence[float | None], x: Sequence[float] | None = None, half: float = 0.0, **of: object
) -> Series:
    """A line, with a band if it has a half width."""
    fields: dict[str, object] = {"name": "gold", **of}
    if half:
        fields["low"] = [None if v is None else v - half for v in y]
        fields["high"] = [None if v is None else v + half for v in y]
    return Series(x=list(range(len(y))) if x is None else x, y=y, **fields)  # type: ignore[arg-type]


def chart(*series: Series, **of: object) -> Figure:
    """A figure of these series."""
    fields: dict[str, object] = {
        "name": "test",
        "title": "A title",
        "caption": "A caption.",
        "x": Axis(label="√KL"),
        "y": Axis(label="reward"),
        **of,
    }
    return Figure(series=series, **fields)  # type: ignore[arg-type]


def mark(x: float, text: str = "onset", style: int = 0) -> Mark:
    """A mark."""
    return Mark(x=x, text=text, style=style)


class Drawn(HTMLParser):
    """The elements of a page or figure; raises where they are not closed in order."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[tuple[str, str]] = []
        self.feed(markup)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag not in VOID:
            self._open.append((tag, found.get("class", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # HTML does not close its own elements by a slash: only SVG has those.
        assert tag in {"path", "line", "rect", "use", "text", "g", "svg", "defs"} | VOID, tag
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag, (opened, tag)

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.texts.append((self._open[-1][1] or self._open[-1][0], data.strip()))

    def of(self, tag: str, class_: str = "") -> list[dict[str, str]]:
        """Attributes of the elements of a kind."""
        return [
            found
            for name, found in self.elements
            if name == tag and (not class_ or class_ in found.get("class", "").split())
        ]

    def said(self, class_: str) -> list[str]:
        """Texts right inside elements of a class, or of a tag without a class."""
        return [text for where, text in self.texts if class_ in where.split()]
