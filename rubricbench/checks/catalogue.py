"""The check families as a table for people (Markdown) and as data for programs.

``docs/checks.md`` is what `markdown` returns; a test keeps the two equal.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

from rubricbench import checks
from rubricbench.checks.registry import Example, Family, Param
from rubricbench.schema import Check

_HEAD = """\
# Check families

A check is a criterion that a program decides, exactly and without a judge. Each family below takes
the parameters listed; a parameter without a default is required, and of `minimum` and `maximum` at
least one is given wherever both are optional. `description` is the criterion as it is put to a
model, here for the first example. All families see the response in Unicode NFC with `\\n` line
ends, ignore what stands in fenced code where that is no part of what they look for, and are not met
by a response without a word in it.

This file is generated: `rubricbench data checks --markdown`.
"""


def as_json() -> list[dict[str, Any]]:
    """Return one object per family, in order of registration.

    Keys: ``name``; ``summary`` (first line of its documentation) and ``notes`` (the rest);
    ``params`` (per parameter ``kind``, ``doc``, ``required``, ``default``, ``minimum``,
    ``maximum``, ``choices``); ``at_least_one_of``; ``description`` of the first example;
    ``passes`` and ``fails`` (lists of ``params`` and ``text``).
    """
    return [_entry(family) for family in checks.registered().values()]


def _entry(family: Family) -> dict[str, Any]:
    summary, _, notes = _documentation(family).partition("\n\n")
    return {
        "name": family.name,
        "summary": " ".join(summary.split()),
        "notes": notes,
        "params": {name: _param(param) for name, param in family.params.items()},
        "at_least_one_of": list(family.at_least_one_of),
        "description": checks.describe(Check(family.name, family.passes[0][0])),
        "passes": [_example(example) for example in family.passes],
        "fails": [_example(example) for example in family.fails],
    }


def _documentation(family: Family) -> str:
    return inspect.getdoc(family.evaluate) or ""


def _param(param: Param) -> dict[str, Any]:
    required = param.default is ...
    return {
        "kind": param.kind,
        "doc": param.doc,
        "required": required,
        "default": None if required else param.default,
        "minimum": param.minimum,
        "maximum": param.maximum,
        "choices": list(param.choices),
    }


def _example(example: Example) -> dict[str, Any]:
    params, text = example
    return {"params": params, "text": text}


def markdown() -> str:
    """Return the documentation of all families: a table of contents and one section each."""
    entries = as_json()
    names = ["| family | description, for example |", "| --- | --- |"]
    names += [f"| [`{e['name']}`](#{e['name']}) | {_cell(e['description'])} |" for e in entries]
    return "\n".join([_HEAD, f"{len(entries)} families.\n", *names, "", *map(_section, entries)])


def _section(entry: dict[str, Any]) -> str:
    lines = [f"## {entry['name']}", "", entry["summary"], ""]
    if entry["notes"]:
        lines += [entry["notes"].replace("``", "`"), ""]
    if entry["params"]:
        lines += [
            "| parameter | kind | default | allowed | meaning |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_param_row(name, param) for name, param in entry["params"].items()]
        lines.append("")
    lines += [f"> {_cell(entry['description'])}", ""]
    lines += ["| | parameters | response |", "| --- | --- | --- |"]
    for verdict in ("passes", "fails"):
        example = entry[verdict][0]
        lines.append(f"| {verdict} | {_code(example['params'])} | {_code(example['text'])} |")
    return "\n".join([*lines, ""])


def _param_row(name: str, param: dict[str, Any]) -> str:
    default = "none" if param["default"] is None else _code(param["default"])
    default = "required" if param["required"] else default
    cells = (f"`{name}`", param["kind"], default, _allowed(param), _cell(param["doc"]))
    return f"| {' | '.join(cells)} |"


def _allowed(param: dict[str, Any]) -> str:
    if param["choices"]:
        return ", ".join(_code(choice) for choice in param["choices"])
    low, high = param["minimum"], param["maximum"]
    if low is None and high is None:
        return ""
    unit = {"str": " characters", "list[str]": " items", "list[int]": " items", "object": " keys"}
    bounds = f"≥ {low:g}" if high is None else f"≤ {high:g}" if low is None else f"{low:g}–{high:g}"
    return bounds + unit.get(param["kind"], "")


def _code(value: Any) -> str:
    """Return a value as inline code in a table cell, whatever backticks and bars it holds."""
    text = json.dumps(value, ensure_ascii=False)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")


def _cell(text: str) -> str:
    """Return prose for a table cell: no line break, no bar, no mark-up of its own."""
    flat = " ".join(text.split())
    for mark in ("\\", "|", "*", "_", "<", "`", "#", "["):
        flat = flat.replace(mark, f"\\{mark}")
    return flat
