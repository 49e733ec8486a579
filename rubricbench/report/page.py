"""The chrome that every report page shares: template engine, styles, scripts, content policy.

A report brings a template that extends ``base.html``, its own style sheet and, if it must, a
script. `render_page` puts all of it into one file that loads nothing: styles and scripts are
inlined and allowed by their hashes alone, so text that slips past escaping still could not run.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

import rubricbench
from rubricbench.report import formats
from rubricbench.report.text import visible

BASE_STYLES = ("base.css",)
BASE_SCRIPTS = ("theme.js",)
MAX_TEXT = 8000  # characters of one text; reports cut long ones themselves, and say so


def render_page(
    template: str,
    context: Mapping[str, Any],
    *,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
) -> str:
    """Return a self-contained HTML page.

    Args:
        template: a file of ``templates/`` that extends ``base.html``.
        context: what the template shows; every text in it is made visible and escaped.
        styles: style sheets of ``templates/`` to add to the chrome's.
        scripts: scripts of ``templates/`` to add to the chrome's.
    """
    css = "\n".join(asset(name) for name in (*BASE_STYLES, *styles))
    code = [asset(name) for name in (*BASE_SCRIPTS, *scripts)]
    return (
        _environment()
        .get_template(template)
        .render(
            context,
            chrome={
                "css": Markup(css),
                "scripts": [Markup(text) for text in code],
                "policy": content_policy([css], code),
                "version": rubricbench.__version__,
            },
        )
    )


def asset(name: str) -> str:
    """Return the text of a style sheet or script of the package."""
    return (resources.files("rubricbench.report") / "templates" / name).read_text("utf-8")


def content_policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Return a policy that allows these inline texts, an empty icon, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hashes(styles)}",
            f"script-src {_hashes(scripts)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hashes(texts: Sequence[str]) -> str:
    digests = (hashlib.sha256(text.encode("utf-8")).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(d).decode()}'" for d in digests) or "'none'"


def _shown(value: Any) -> Any:
    """Make any text visible and bounded on its way into the page; markup of ours already is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return visible(value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}…")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rubricbench.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": formats.count,
        "decimal": formats.decimal,
        "interval": formats.interval,
        "moment": formats.moment,
        "percent": formats.percent,
        "plural": formats.plural,
        "number": formats.number,
        "point": formats.point,
        "signed": formats.signed,
        "span": formats.span,
        "span_of": lambda estimate: formats.span(estimate.low, estimate.high),
        "weight": formats.weight,
    }
    environment.globals |= {"percent": formats.percent, "signed": formats.signed}
    return environment
