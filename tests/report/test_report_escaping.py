"""Hostile text anywhere in the data stays text."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from report_samples import report_data
from test_report_page import Outline

from rubricbench.report import ReportData, Responder, render_report
from rubricbench.schema import Message

HOSTILE = {
    "script": "<script>document.title='owned'</script>",
    "end of style": "</style></script></title></textarea>--><svg onload=alert(1)>",
    "comment": "<!-- <![CDATA[ ]]> --!>",
    "attribute": '" onmouseover="alert(1)" x=\'y\' `z`',
    "link": "<a href=javascript:alert(1)>javascript:alert(1)</a>",
    "template": "{{ 7 * 7 }} {% raw %} ${7*7} &lt;b&gt; &amp;",
    "bidi": "user\u202egnp.exe\u2066x\u2069",
    "controls": "a\x00b\x1b[2Jc\x7fd\x85e\x0cf",
    "surrogates": "half \ud800 and \udfff half",
    "noncharacters": "\ufffe\uffff\ufdd0",
    "right to left": "مرحبا بالعالم",
    "markup-like": "<img src=x onerror=alert(1)> | a | b |",
}


UNFIT = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0\ufffe\uffff]"


def everywhere(text: str) -> ReportData:
    """Put the text into every field that holds free text."""
    data = report_data(3)
    clean = text.replace("\x00", "").encode("utf-8", "ignore").decode()
    names = {r.name: f"{r.name} {text}" for r in data.responders}
    samples = tuple(
        replace(
            s,
            prompt_id=f"{s.prompt_id} {text}",
            responder=names[s.responder],
            response=text,
            finish_reason=text,
            messages=(Message("system", clean), Message("user", f"{clean} ?")),
            verdicts=tuple(
                replace(v, criterion=text, evidence=text, family=text, tags=(text,))
                for v in s.verdicts
            ),
        )
        for s in data.samples
    )
    return replace(
        data,
        title=text,
        created=text,
        dataset=text,
        command=text,
        notes=(text,),
        canary=text,
        responders=tuple(Responder(names[r.name], r.kind, text) for r in data.responders),
        samples=samples,
        configuration={"a": text, "b": {text: [text]}},
        versions={text: text},
    )


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_text_adds_no_markup(name: str) -> None:
    harmless, hostile = (Outline(render_report(everywhere(t))) for t in ("text", HOSTILE[name]))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
    for (_, a), (_, b) in zip(hostile.elements, harmless.elements, strict=True):
        assert a.keys() == b.keys()


@pytest.mark.parametrize("name", list(HOSTILE))
def test_the_page_is_clean_unicode(name: str) -> None:
    page = render_report(everywhere(HOSTILE[name]))
    page.encode("utf-8")
    assert re.findall(UNFIT, page) == []


def test_the_reader_sees_what_was_written() -> None:
    for name in ("script", "end of style", "attribute", "link", "template", "right to left"):
        assert HOSTILE[name] in html.unescape(render_report(everywhere(HOSTILE[name])))


def test_a_megabyte_on_one_line_is_cut() -> None:
    data, line = report_data(3), "x" * 1_000_000
    samples = tuple(
        replace(
            s,
            prompt_id=s.prompt_id + line,
            response=line,
            finish_reason=line,
            messages=(Message("user", line),),
            verdicts=tuple(replace(v, criterion=line, evidence=line) for v in s.verdicts),
        )
        for s in data.samples
    )
    page = render_report(replace(data, title=line, notes=(line,), samples=samples))
    assert len(page) < 400_000
    for omitted in ("994,000", "997,000", "999,300", "999,600"):  # response, turn, criterion, …
        assert f"{omitted} characters not shown" in page


def test_blank_responses_say_so() -> None:
    data = report_data(3)
    blank = tuple(replace(s, response=" \n\t") for s in data.samples)
    assert "white space only" in render_report(replace(data, samples=blank))
    empty = tuple(replace(s, response="") for s in data.samples)
    assert "The response is empty." in render_report(replace(data, samples=empty))
