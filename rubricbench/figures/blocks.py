"""Blocks of pages about metrics: results in tables, cautions and reasons in plain sight.

Cautions stand beside the figures they concern, each said once with all that it applies to; nothing
has to be opened or pointed at to be read. The page's style sheets must include ``figures.css``.

    results_table(walk(study.tail), caption="Tail accuracy", anchor="tail")
    figure_block(figure, anchor="gold", results=walk(study.best_of_n))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from markupsafe import Markup, escape

from rubricbench.figures.data import short
from rubricbench.figures.figure import Figure
from rubricbench.figures.inline import inline
from rubricbench.figures.styles import look
from rubricbench.metrics.result import CAUTIONS, Caution, Method, Result
from rubricbench.report.charts.markers import SHAPES
from rubricbench.report.formats import DASH, MINUS, plural, span
from rubricbench.report.svg import element, join

MOST_DETAILS = 4  # of one kind of caution in one list
MOST_NAMED = 6  # figures named behind a caution; the others are counted
_NUMBER = re.compile(r"(?<![\w.,])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]\w)")

# What a caution or a reason is about: a figure, or a figure and whose it is.
Named = str | tuple[str, str]
_WORDS = {
    "kl": "KL",
    "auc": "AUC",
    "ess": "ESS",
    "r2": "R²",
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "bon": "best-of-n",
    "rl": "RL",
    "eos": "EOS",
    "ci": "CI",
}
METHODS = {
    Method.T: "t over prompts",
    Method.PERCENTILE: "bootstrap over prompts",
    Method.BCA: "BCa bootstrap over prompts",
    Method.WILSON: "Wilson",
    Method.SEEDS: "t over seeds",
    Method.MAX_T: "max-t over checkpoints",
    Method.SIMULTANEOUS: "simultaneous bootstrap",
    Method.NONE: DASH,
}


def label(name: str) -> str:
    """Return a metric's name for people: ``gold_peak`` is Gold peak."""
    words = [_WORDS.get(word, word) for word in name.replace("_", " ").split()]
    text = " ".join(words) or "?"
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def shown(value: float) -> str:
    """Return a number with about three digits that count, and a true minus sign."""
    size = abs(value)
    if size >= 1e7 or 0 < size < 5e-4:
        mantissa, exponent = f"{value:.2e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    elif size >= 1000 or (size >= 100 and float(value).is_integer()):
        text = f"{value:,.0f}"
    else:
        places = 1 if size >= 100 else 2 if size >= 10 else 3
        text = f"{value:.{places}f}"
    return text.replace("-", MINUS)


def ends(result: Result, form: Callable[[float], str] = shown) -> str:
    """Return a result's interval as text; of a one-sided one, its bound; else a dash."""
    if result.interval:
        return span(*result.interval, form)
    if result.low is not None:
        return f"at least {form(result.low)}"
    if result.high is not None:
        return f"at most {form(result.high)}"
    return DASH


def units(result: Result) -> str:
    """Return how much is behind a result: ``120 prompts, 1,920 items``."""
    if not result.n:
        return plural(result.items, "item") if result.items else DASH
    text = plural(result.n, result.unit.removesuffix("s"), result.unit)
    return f"{text}, {plural(result.items, 'item')}" if result.items > result.n else text


def cell(result: Result | None, form: Callable[[float], str] = shown) -> Markup:
    """Return a result as the content of a table cell: estimate, interval below it.

    A star stands for cautions, which the table's `cautions_list` says; what is censored shows the
    bound that is known.
    """
    if result is None:
        return Markup(DASH)
    interval = ends(result, form)
    below = element("small", interval) if interval != DASH else Markup()
    if result.estimate is None:
        return join([element("span", "none", class_="none"), _after(result, form)])
    return join([escape(_point(result.estimate, result, form)), _star(result), below])


def _point(value: float, result: Result, form: Callable[[float], str]) -> str:
    """Return an estimate as text; what is censored is a lower bound, and looks like one."""
    bound = any(c.code == "censored" for c in result.warnings) and not result.interval
    return f"≥ {form(value)}" if bound else form(value)


def _after(result: Result, form: Callable[[float], str]) -> Markup:
    """Say up to where an event did not happen."""
    return element("small", f"up to {form(result.low)}") if result.low is not None else Markup()


def _star(result: Result) -> Markup:
    return element("span", "*", class_="starred") if result.warnings else Markup()


def results_table(
    results: Iterable[Result],
    *,
    caption: str,
    anchor: str,
    names: Mapping[str, str] | None = None,
) -> Markup:
    """Return a table, one result a row, and below it the cautions of its rows.

    Args:
        results: in the order of the rows; nothing to show gives an empty text.
        caption: of the table.
        anchor: prefix of the element ids, unique in the page.
        names: what to call a result instead of its name made readable.
    """
    found = list(results)
    if not found:
        return Markup()
    called = [(names or {}).get(r.name) or label(r.name) for r in found]
    rows = [_row(name, r) for name, r in zip(called, found, strict=True)]
    level = f"{100 * found[0].level:g}% interval"
    heads = ("Figure", "Estimate", level, "From", "Interval by")
    table = _table(caption, heads, rows, words=(0, 4), id_=anchor)
    return join([table, cautions_list(zip(called, found, strict=True), anchor=anchor)])


def _row(name: str, result: Result) -> Markup:
    head = element("th", element("bdi", short(name, 160)), scope="row")
    if result.estimate is None:
        reason = element("bdi", short(result.reason, 400))
        return element("tr", head, element("td", "Not computable: ", reason, colspan=4))
    point = _point(result.estimate, result, shown)
    return element(
        "tr",
        head,
        element("td", element("b", point), _star(result), class_="number"),
        element("td", ends(result), class_="number"),
        element("td", units(result), class_="number"),
        element("td", METHODS.get(result.method, result.method.value.replace("_", " "))),
    )


def matrix(
    rows: Sequence[tuple[Markup, str, Sequence[Markup]]],
    *,
    caption: str,
    heads: Sequence[str],
    anchor: str,
) -> Markup:
    """Return a table of things by figures.

    Args:
        rows: a sign before the name (may be empty), the name, and the cells.
        caption: of the table.
        heads: of the columns, the first that of the names.
        anchor: id of the table, unique in the page.
    """
    if not rows:
        return Markup()
    body = [
        element(
            "tr",
            element("th", sign, element("bdi", short(name, 160)), scope="row"),
            *(element("td", content, class_="number") for content in cells),
        )
        for sign, name, cells in rows
    ]
    return _table(caption, heads, body, words=(0,), id_=anchor)


def _table(
    caption: str, heads: Sequence[str], rows: Iterable[Markup], *, words: Sequence[int], id_: str
) -> Markup:
    columns = (
        element("th", head, scope="col", class_=None if i in words else "number")
        for i, head in enumerate(heads)
    )
    table = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *columns)),
        element("tbody", *rows),
        class_="results",
    )
    # Wide tables scroll by themselves, which the keyboard can do if they take the focus.
    return element(
        "div", table, class_="scroll", tabindex=0, role="region", aria_label=caption, id=id_
    )


def cautions_list(named: Iterable[tuple[Named, Result | Caution]], *, anchor: str = "") -> Markup:
    """Return every caution once, with what it applies to; an empty text where there is none.

    Cautions about the same thing that differ in their numbers alone are one line, with the range of
    the numbers. So are those about several things, beyond `MOST_DETAILS`. That an event was not
    seen is for `reasons_list` to say.

    Args:
        named: results, or cautions themselves, each with what to call it (may be empty).
        anchor: prefix of the list's id; none gives no id.
    """
    kinds: dict[str, dict[str, list[Named]]] = {}
    for name, thing in named:
        for c in thing.warnings if isinstance(thing, Result) else (thing,):
            if isinstance(thing, Result) and c.code == "censored" and unseen(thing):
                continue
            _add(kinds.setdefault(c.code, {}).setdefault(c.text, []), name)
    items = []
    for code, texts in kinds.items():
        told = _ranged(texts, of_same=True)
        if len(told) > MOST_DETAILS:
            told = _ranged(texts, of_same=False)
        if len(told) > MOST_DETAILS:
            everything = _together(texts.values())
            told = [(f"{CAUTIONS[code]} ({len(texts)} cases that differ in degree)", everything)]
        items += [_note(text, names) for text, names in told]
    return _notes(items, "Cautions", "cautions", anchor)


def unseen(result: Result) -> bool:
    """Return whether a result is none because an event did not happen within the data."""
    return result.estimate is None and any(c.code == "censored" for c in result.warnings)


def _add(names: list[Named], name: Named) -> None:
    if name and name not in names:
        names.append(name)


def _together(lists: Iterable[Sequence[Named]]) -> list[Named]:
    found: list[Named] = []
    for names in lists:
        for name in names:
            _add(found, name)
    return found


def _ranged(texts: Mapping[str, list[Named]], *, of_same: bool) -> list[tuple[str, list[Named]]]:
    """Put texts together that differ in their numbers alone, and of whom the same is said."""
    alike: dict[tuple[str, tuple[Named, ...]], list[str]] = {}
    for text, names in texts.items():
        key = (_NUMBER.sub("#", text), tuple(names) if of_same else ())
        alike.setdefault(key, []).append(text)
    return [(_range(found), _together(texts[text] for text in found)) for found in alike.values()]


def _range(texts: Sequence[str]) -> str:
    """Return a text of which others differ in their numbers, with the least and the greatest."""
    columns = zip(*(_NUMBER.findall(text) for text in texts), strict=True)
    spans = iter([sorted(set(column), key=_value) for column in columns])

    def shown_span(_: re.Match[str]) -> str:
        found = next(spans)
        return found[0] if len(found) == 1 else f"{found[0]} to {found[-1]}"

    return _NUMBER.sub(shown_span, texts[0])


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def reasons_list(named: Iterable[tuple[Named, Result]], *, anchor: str = "") -> Markup:
    """Return what was not seen within the data, and what could not be computed, by reason.

    An empty text where there is nothing of either kind.
    """
    missed: dict[str, list[Named]] = {}
    failed: dict[str, list[Named]] = {}
    for name, result in named:
        if result.estimate is None:
            found = missed if unseen(result) else failed
            text = _why_unseen(result) if unseen(result) else result.reason
            _add(found.setdefault(text, []), name)
    lists = ((missed, "Not seen within the data", "unseen"), (failed, "Not computable", "reasons"))
    return join(
        _notes([_note(text, names) for text, names in found.items()], title, kind, anchor)
        for found, title, kind in lists
    )


def _why_unseen(result: Result) -> str:
    """Return the reason, with what the caution knows more."""
    common = CAUTIONS["censored"]
    texts = (
        c.text.removesuffix(common).strip(": ") for c in result.warnings if c.code == "censored"
    )
    return ": ".join([result.reason, *(text for text in texts if text)])


def _note(text: str, names: Sequence[Named]) -> Markup:
    return element("li", _about(names), element("bdi", signed(short(text, 400))))


def _about(names: Sequence[Named]) -> Markup:
    """Name the first of them in bold, count the others."""
    if not names:
        return Markup()
    parts = _grouped(names)
    text = ("; " if any("," in part for part in parts) else ", ").join(parts[:MOST_NAMED])
    if len(parts) > MOST_NAMED:
        text += f" and {len(parts) - MOST_NAMED:,} more"
    return element("b", element("bdi", text), ": ")


def _grouped(names: Sequence[Named]) -> list[str]:
    """Return names as texts: figures of the same things together, the things in brackets."""
    whose: dict[str, list[str]] = {}
    for name in names:
        figure, of = (name, "") if isinstance(name, str) else name
        whose.setdefault(figure, []).append(of)
    figures: dict[tuple[str, ...], list[str]] = {}
    for figure, things in whose.items():
        figures.setdefault(tuple(things), []).append(short(figure, 80))
    parts = []
    for same, found in figures.items():
        told = [short(thing, 60) for thing in same if thing]
        if told:
            more = f" and {len(told) - MOST_NAMED:,} more" if len(told) > MOST_NAMED else ""
            parts.append(f"{_listed(found)} ({_listed(told[:MOST_NAMED])}{more})")
        else:
            parts += found
    return parts


def _listed(names: Sequence[str]) -> str:
    return ("; " if any("," in name for name in names) else ", ").join(names)


def signed(text: str) -> str:
    """Return a text with true minus signs before its numbers."""
    return re.sub(r"(?<![\w.])-(?=\d)", MINUS, text)


def _notes(items: Sequence[Markup], title: str, kind: str, anchor: str) -> Markup:
    if not items:
        return Markup()
    head = element("p", title, class_="notes-title")
    id_ = f"{anchor}-{kind}" if anchor else None
    return element("div", head, element("ul", *items), class_=f"notes {kind}", id=id_)


def figure_block(
    figure: Figure, *, anchor: str, named: Iterable[tuple[Named, Result | Caution]] = ()
) -> Markup:
    """Return a figure with the cautions of what it shows right below it.

    Args:
        figure: the figure.
        anchor: prefix of the element ids, unique in the page.
        named: the results it is drawn from, each with what to call it.
    """
    drawn = inline(figure, anchor=anchor)
    return element("div", drawn, cautions_list(named, anchor=anchor), class_="figure-block")


def swatch(style: int) -> Markup:
    """Return the marker of a style number, for a table or a heading."""
    seen = look(style)
    shape = element("path", d=SHAPES[seen.shape], transform="translate(8 8)")
    return element(
        "svg", shape, class_=f"sign {seen.classes}", width=16, height=16, aria_hidden="true"
    )


def verdict(
    headline: str, texts: Sequence[str], *, tone: str, word: str, name: str, style: int | None
) -> Markup:
    """Return a verdict: whose it is, in a word, in a line, in sentences.

    Args:
        headline: in a line.
        texts: paragraphs.
        tone: ``good``, ``bad`` or ``unsure``.
        word: the verdict in a word or two, which says what the tone's colour says.
        name: whose verdict it is.
        style: style number of its marker; None for no marker.
    """
    sign = swatch(style) if style is not None else Markup()
    who = element("h3", sign, element("bdi", short(name, 160) or "?"))
    line = signed(headline[:1].upper() + headline[1:])
    what = element("p", element("span", word, class_=f"word {tone}"), " ", element("b", line))
    return element(
        "div", who, what, *(element("p", signed(text)) for text in texts), class_="verdict-block"
    )
