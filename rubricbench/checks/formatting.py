"""Families about Markdown formatting: tables, code blocks, bold, none at all."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rubricbench.checks.bounds import amount, counted, within
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import count_phrase, fences, headings, list_items, searchable
from rubricbench.checks.text.inline import bold_runs, has_code_span
from rubricbench.checks.text.tables import Table, tables
from rubricbench.checks.wording import quoted_series, sentence, series, short_series

# Names that people use for the same language in an info string.
_LANGUAGES = {
    alias: names.split()[0]
    for names in (
        "python py python3 python2",
        "javascript js node",
        "typescript ts",
        "bash sh shell zsh console shell-session",
        "c++ cpp cc",
        "c# csharp cs",
        "go golang",
        "rust rs",
        "ruby rb",
        "yaml yml",
        "markdown md",
        "html htm",
        "kotlin kt",
        "text txt plaintext plain",
        "json jsonc json5",
        "sql postgresql mysql sqlite",
        "latex tex",
    )
    for alias in names.split()
}


def _bad_table(params: Params) -> str | None:
    low, high = params["min_rows"], params["max_rows"]
    if low is not None and high is not None and low > high:
        return f"min_rows {low} is above max_rows {high}"
    headers, columns = params["headers"], params["columns"]
    if headers is not None and columns is not None and len(headers) != columns:
        return f"{len(headers)} headers for {columns} columns"
    return None


@family(
    "table_shape",
    describe=lambda p: f"The response contains a Markdown table{_table_shape(p)}.",
    params={
        "columns": Param("int", "number of columns", None, minimum=1, maximum=100),
        "min_rows": Param("int", "fewest rows, the header aside", None, minimum=0, maximum=10_000),
        "max_rows": Param("int", "most rows, the header aside", None, minimum=0, maximum=10_000),
        "headers": Param("list[str]", "column headers, in order", None, minimum=1, maximum=100),
    },
    validate=_bad_table,
    passes=[
        ({"columns": 2, "min_rows": 1}, "| A | B |\n|---|:-:|\n| 1 | 2 |"),
        ({"headers": ["Name", "Age"], "max_rows": 2}, "Name|**Age**\n--|--\nAda|36\nAlan|41\nEnd"),
        ({}, "x\n\n| A |\n| - |"),
    ],
    fails=[
        ({"columns": 2, "min_rows": 2}, "| A | B |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |"),
        ({"headers": ["Name", "Age"]}, "| Age | Name |\n|---|---|\n| 36 | Ada |"),
        ({}, "```\n| A |\n| - |\n```\nA | B\n1 | 2"),
    ],
)
def table_shape(text: str, params: Params) -> Outcome:
    """One table has the columns, data rows and headers asked for (any table if none is).

    A table is a Markdown pipe table outside code: a header row, a delimiter row of dashes with as
    many cells, then data rows, up to a line without a pipe. Header and delimiter row are not
    counted as rows. Headers are compared whole, without case and emphasis.
    """
    found = tables(text)
    met = any(_has_shape(table, params) for table in found)
    shapes = [f"{len(table.headers)}×{len(table.rows)}" for table in found[:5]]
    return Outcome(met, f"columns × rows: {', '.join(shapes)}" if shapes else "no table")


def _has_shape(table: Table, params: Params) -> bool:
    rows = {"minimum": params["min_rows"], "maximum": params["max_rows"]}
    has_columns = params["columns"] in (None, len(table.headers))
    wanted = params["headers"]
    has_headers = wanted is None or _titles(wanted) == _titles(table.headers)
    return has_columns and has_headers and within(len(table.rows), rows)


def _titles(headers: Iterable[str]) -> list[str]:
    return [searchable(header) for header in headers]


def _table_shape(params: Params) -> str:
    parts = []
    columns, headers = params["columns"], params["headers"]
    if headers is not None:
        parts.append(f"the column{'' if len(headers) == 1 else 's'} {quoted_series(headers)}")
    elif columns is not None:
        parts.append(amount({"minimum": columns, "maximum": columns}, "column"))
    rows = {"minimum": params["min_rows"] or None, "maximum": params["max_rows"]}
    if rows["minimum"] is not None or rows["maximum"] is not None:
        parts.append(f"{amount(rows, 'row')} below the header")
    return f" with {series(parts)}" if parts else ""


@family(
    "code_block",
    describe=lambda p: (
        f"The response contains {amount(p, 'code block')} fenced by "
        f"{'```' if p['language'] is None else '```' + p['language'] + ' and ```'}."
    ),
    params={
        "language": Param(
            "str", "language named after the opening ```", None, minimum=1, maximum=40
        ),
        "minimum": Param("int", "fewest code blocks", 1, minimum=1, maximum=1000),
        "maximum": Param("int", "most code blocks", None, minimum=1, maximum=1000),
    },
    validate=lambda p: (
        "minimum is above maximum" if p["maximum"] and p["minimum"] > p["maximum"] else None
    ),
    passes=[
        ({"language": "python"}, "```py\nprint(1)\n```"),
        ({"minimum": 2}, "```\na\n```\n~~~sql\nselect 1\n~~~"),
    ],
    fails=[
        ({"language": "python"}, "```\nprint(1)\n```"),
        ({}, "`print(1)`"),
        ({}, "```python\nprint(1)"),
        ({}, "```python\n\n```"),
    ],
)
def code_block(text: str, params: Params) -> Outcome:
    """How many fenced code blocks (``` or ~~~) are closed, not empty and of this language.

    The language is the first word after the opening fence, in any case; common names of one
    language are the same ("py" and "python", "sh" and "bash").
    """
    wanted = params["language"]
    found = [
        block
        for block in fences(text)
        if block.closed and block.body.strip() and (not wanted or _same(block.language, wanted))
    ]
    return counted(len(found), params, "code block")


def _same(language: str, wanted: str) -> bool:
    names = (language.strip("{}.").lower(), wanted.strip().lower())
    return _LANGUAGES.get(names[0], names[0]) == _LANGUAGES.get(names[1], names[1])


@family(
    "bold_terms",
    describe=lambda p: sentence(f"The response sets {_terms(p['terms'])} in bold, as in **bold**"),
    params={"terms": Param("list[str]", "words or phrases", minimum=1, maximum=50)},
    validate=lambda p: None if all(map(searchable, p["terms"])) else "an empty term",
    passes=[
        ({"terms": ["dose", "risk"]}, "The **Dose** is low, the __high risk__ is not."),
        ({"terms": ["side effects"]}, "***Side effects:*** none"),
    ],
    fails=[
        ({"terms": ["dose", "risk"]}, "The **dose** is low, the *risk* is not."),
        ({"terms": ["art"]}, "A **party** ** art **"),
    ],
)
def bold_terms(text: str, params: Params) -> Outcome:
    """Each term occurs, as whole words and in whatever case, inside ``**…**`` or ``__…__``."""
    # The bar keeps a phrase from being found across two runs.
    bold = " | ".join(bold_runs(text))
    missing = [term for term in params["terms"] if not count_phrase(bold, term, limit=1)]
    return Outcome(not missing, f"not bold: {short_series(missing)}" if missing else "all bold")


def _terms(terms: list[str]) -> str:
    return f"the term{'s' if len(terms) > 1 else ''} {quoted_series(terms)}"


_MARKS = (
    ("emphasis", re.compile(r"(?<![\w*])\*(?=[^\s*])[^*\n]{1,400}(?<=[^\s*])\*(?![\w*])")),
    ("a link", re.compile(r"!?\[[^\[\]\n]{1,200}\]\([^\s()]{1,1000}\)")),
    ("a block quote", re.compile(r"^ {0,3}>", re.MULTILINE)),
)  # fmt: skip


@family(
    "no_markdown",
    describe=lambda p: (
        "The response is plain text without Markdown: no headings, bold or italic marks, bullet "
        "points, code formatting, block quotes, links or tables."
    ),
    passes=[
        ({}, "First, 2 * 3 * 4 is 24.\n\n1. Numbered lines are plain text.\n-5 degrees"),
        ({}, "snake_case_names, #hashtags and 5 > 3 are no Markdown"),
    ],
    fails=[
        ({}, "This is **important**."),
        ({}, "- one\n- two"),
        ({}, "# Title\nText."),
        ({}, "Call `f`."),
        ({}, "A|B\n-|-\n1|2"),
    ],
)
def no_markdown(text: str, params: Params) -> Outcome:
    """No heading, list bullet, emphasis, code, table, link or block quote in Markdown.

    Numbered lines ("1. …") and "•" are written in plain text as well and are allowed.
    """
    found = _markdown(text)
    return Outcome(not found, f"contains {found}" if found else "plain text")


def _markdown(text: str) -> str:
    if fences(text) or has_code_span(text):
        return "code formatting"
    if headings(text):
        return "a heading"
    if any(item.marker in ("-", "*", "+") for item in list_items(text)):
        return "a bullet"
    if bold_runs(text):
        return "emphasis"
    if tables(text):
        return "a table"
    return next((name for name, mark in _MARKS if mark.search(text)), "")
