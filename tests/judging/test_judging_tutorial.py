"""The tutorial in the module's docstring does what it says."""

from __future__ import annotations

import re
import textwrap

from judging_samples import make_rubric
from simserver.server import SimServer

from rubricbench.judging import Item
from rubricbench.judging import judge as judge_module
from rubricbench.judging.loops import run


def blocks() -> list[str]:
    """The code blocks of the docstring; what is only shown stays an expression."""
    found = re.findall(r"::\n\n((?:    .*\n|\n)+)", judge_module.__doc__ or "")
    return [textwrap.dedent(block) for block in found]


def test_all_examples_run_as_they_stand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second, third = blocks()
    with SimServer() as server:
        first = first.replace("http://127.0.0.1:8000/v1", server.base_url)
        names = {"rubric": make_rubric(), "texts": ["one", "two", "three"], "scores": {}}
        exec(first, names)
        assert names["judged"].score.value is not None
        assert names["judged"].score.low == names["judged"].score.high
        # The others go on where the first was, inside its `with`.
        names["items"] = [Item(names["rubric"], text) for text in names["texts"]]
        rest = f"{second}\n{third}\nkept.extend(rewards)"
        together = f"{first}\n{textwrap.indent(rest, '    ')}"
        names["kept"] = []
        body = textwrap.indent(together, "    ")
        exec(f"async def example():\n{body}", names)
        run(names["example"])
    assert sorted(names["scores"]) == [0, 1, 2]
    assert None not in names["scores"].values()
    assert sorted(names["kept"]) == sorted(names["scores"].values())
