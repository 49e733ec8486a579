"""The order of a prompt's parts; adding one is adding an entry to `LAYOUTS` and a template.

What calls share stands first, so that a server's prefix cache keeps it: the rubric, where it meets
many responses; the response, where many calls ask about it. The published order is there for
comparison.
"""

from __future__ import annotations

from rubricbench.errors import InputError

# layout -> template of the user message
LAYOUTS: dict[str, str] = {
    "rubric_first": "rubric_first",
    "response_first": "response_first",
    "paper": "paper",
}
AUTO = "auto"


def get_layout(name: str) -> str:
    """Return the name of a layout's template; that of ``auto`` is not known yet, and empty.

    Raises:
        InputError: there is no such layout.
    """
    if name == AUTO:
        return ""
    if name not in LAYOUTS:
        raise InputError(
            f"unknown layout {name!r:.40}", hint="choose from " + ", ".join((AUTO, *LAYOUTS))
        )
    return LAYOUTS[name]


def layout_of(layout: str, format: str, criteria_per_call: int | None) -> str:
    """Return the layout in use, ``auto`` resolved (`JudgeConfig.layout`)."""
    if layout != AUTO:
        return layout
    if format == "paper":
        return "paper"
    return "rubric_first" if criteria_per_call is None else "response_first"
