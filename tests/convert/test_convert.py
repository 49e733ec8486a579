"""What is converted reads back the same, and the tools it is for can read it."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubricbench.certify.labels import Labelled, Reference
from rubricbench.certify.readers.calibration import calibration_row
from rubricbench.cli.data import command
from rubricbench.convert import convert
from rubricbench.errors import InputError
from rubricbench.readers import read_rubrics
from rubricbench.schema import Criterion, Message, Prompt, Response, Rubric

TEXT = st.text(
    st.sampled_from(string.ascii_letters + " ,;\"'\n\té漢😀=+-"), min_size=1, max_size=30
).filter(lambda text: bool(text.strip()))
TURNS = st.lists(TEXT, min_size=1, max_size=3).map(
    lambda texts: tuple(
        Message("user" if (len(texts) - i) % 2 else "assistant", text)
        for i, text in enumerate(texts)
    )
)


@st.composite
def rubrics(draw: st.DrawFn) -> Rubric:
    texts = draw(
        st.lists(TEXT, min_size=1, max_size=4, unique_by=lambda t: " ".join(t.split()).lower())
    )
    weights = [1, *draw(st.lists(st.sampled_from([-3, -1, 1, 2, 3]), min_size=3, max_size=3))]
    criteria = tuple(
        Criterion(criterion=text, weight=weight, tags=("axis:safety",))
        for text, weight in zip(texts, weights, strict=False)
    )
    return Rubric(prompt=Prompt(messages=draw(TURNS), domain="health"), criteria=criteria)


def write(path: Path, rubric: Rubric, form: str) -> None:
    from rubricbench.convert.forms import RUBRIC_FORMS

    path.write_text(json.dumps(RUBRIC_FORMS[form].row(rubric)))


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
@given(rubric=rubrics())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_our_own_form_comes_back_exactly(kind: str, rubric: Rubric, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rubric, "rubricbench")
    convert(str(tmp_path / "in.jsonl"), "rubricbench", tmp_path / f"out.{kind}")
    (found,) = (r for _, r in read_rubrics(tmp_path / f"out.{kind}"))
    assert found == rubric


@pytest.mark.parametrize(
    ("form", "kind"), [("paper", "parquet"), ("paper", "csv"), ("healthbench", "jsonl")]
)
@given(rubric=rubrics())
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_foreign_forms_keep_what_they_have_columns_for(
    form: str, kind: str, rubric: Rubric, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", rubric, "rubricbench")
    convert(str(tmp_path / "in.jsonl"), form, tmp_path / f"out.{kind}")
    (found,) = (r for _, r in read_rubrics(tmp_path / f"out.{kind}"))
    assert [(c.criterion, c.weight) for c in found.criteria] == [
        (c.criterion, c.weight) for c in rubric.criteria
    ]
    if form == "healthbench":
        assert found.prompt.messages == rubric.prompt.messages
        assert [c.tags for c in found.criteria] == [c.tags for c in rubric.criteria]
    else:
        assert found.prompt.text == rubric.prompt.text


def graded(path: Path, tiers: list[str], attack: str = "") -> Path:
    rubric = Rubric(
        prompt=Prompt.from_text("How hot?", domain="health"),
        criteria=tuple(Criterion(criterion=f"States {i}", weight=1) for i in range(4)),
    )
    lines = []
    for i, tier in enumerate(tiers):
        met = {"poor": 1, "good": 2, "great": 3, "excellent": 4}[tier]
        response = Response(prompt_id=rubric.prompt_id, text=f"{tier} {i}", generator=f"g{i}")
        references = tuple(Reference(j < met) for j in range(4))
        row = calibration_row(Labelled(rubric, response, references))
        lines.append(json.dumps({**row, "tier": tier, "attack": attack}))
    path.write_text("\n".join(lines))
    return path


ALL = ["poor", "excellent", "great", "good"]


def rows(path: Path, form: str, out: Path) -> list[dict]:
    convert(str(path), form, out)
    return pq.read_table(out).to_pylist()


def test_preferences_are_all_pairs_of_tiers_with_their_margin(tmp_path: Path) -> None:
    found = rows(graded(tmp_path / "c.jsonl", ALL), "trl-preference", tmp_path / "o.parquet")
    pairs = {
        (r["chosen"][0]["content"][:4], r["rejected"][0]["content"][:4]): r["margin"] for r in found
    }
    assert len(found) == 6
    assert pairs["exce", "poor"] == pytest.approx(0.75)  # 4 of 4 against 1 of 4
    assert ("poor", "exce") not in pairs


def test_supervised_rows_are_the_excellent_ones(tmp_path: Path) -> None:
    (found,) = rows(graded(tmp_path / "c.jsonl", ALL), "trl-sft", tmp_path / "o.parquet")
    assert found["completion"] == [{"role": "assistant", "content": "excellent 1"}]
    assert found["prompt"] == [{"role": "user", "content": "How hot?"}]


def test_best_of_four_has_one_right_response(tmp_path: Path) -> None:
    (found,) = rows(graded(tmp_path / "c.jsonl", ALL), "rewardbench2", tmp_path / "o.parquet")
    assert found["chosen"] == ["excellent 1"]
    assert found["rejected"] == ["great 2", "good 3", "poor 0"]
    assert found["models"] == ["g1", "g2", "g3", "g0"]
    with pytest.raises(InputError, match="nothing in it makes a row of rewardbench2"):
        rows(graded(tmp_path / "d.jsonl", ["poor", "good"]), "rewardbench2", tmp_path / "p.parquet")
    assert not (tmp_path / "p.parquet").exists()


def test_attacks_are_no_training_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no response has a tier"):
        convert(
            str(graded(tmp_path / "c.jsonl", ALL, "overclaim")), "trl-sft", tmp_path / "o.jsonl"
        )


def test_trl_takes_the_rows(tmp_path: Path) -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    from rubricbench.reward.rubrics import RubricFinder

    path = graded(tmp_path / "c.jsonl", ALL)
    preference, supervised = (
        rows(path, form, tmp_path / f"{form}.parquet")[0] for form in ("trl-preference", "trl-sft")
    )
    assert data_utils.is_conversational(preference)
    assert data_utils.is_conversational(supervised)
    convert("verifiable:test", "trl-prompt", tmp_path / "p.parquet")
    row = pq.read_table(tmp_path / "p.parquet").slice(0, 1).to_pylist()[0]
    found = RubricFinder().find(row["prompt"], row)
    (first, *_) = (r for _, r in read_rubrics("verifiable:test"))
    assert [c.id for c in found.criteria] == [c.id for c in first.criteria]


def run(*words: object) -> str:
    result = CliRunner().invoke(command, ["convert", *map(str, words)], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.output


def test_the_command_says_how_many(tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    assert run("verifiable:test", "--to", "paper", "--out", out) == f"wrote {out}: 500 rows\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("verifiable:test", "--to", "xml", "--out", "o.csv"), "no form 'xml'"),
        (("verifiable:test", "--to", "paper", "--out", "o.txt"), "end it in .parquet"),
        (("verifiable:test", "--to", "healthbench", "--out", "o.csv"), "written as JSON lines"),
        (("none.jsonl", "--to", "paper", "--out", "o.csv"), "no such file"),
    ],
)
def test_bad_input_is_one_clear_line(
    words: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=told):
        run(*words)
    assert list(tmp_path.iterdir()) == []
