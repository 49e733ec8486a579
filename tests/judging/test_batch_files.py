"""Batch files: what is exported, what comes back in whatever state, and what is made of it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from batch_provider import completion, done, failed, replied, requests, write
from judging_samples import config as at_server
from judging_samples import items, make_rubric
from simserver.latent import truth
from simserver.server import SimServer

from rubricbench.errors import InputError, RunError
from rubricbench.judging import Item, Judge, JudgeConfig
from rubricbench.judging.batch import (
    BatchImport,
    BatchLimits,
    Importer,
    OutputIndex,
    export_batch,
)
from rubricbench.judging.batch.ids import custom_id
from rubricbench.judging.faults import Failure
from rubricbench.schema import Cause, Status
from rubricbench.store import Store

SECRET = b"0123456789abcdef"
CONFIG = JudgeConfig(base_url="http://127.0.0.1:1/v1", model="m", max_tokens=77)


def judge(store: Store, config: JudgeConfig = CONFIG, secret: bytes = SECRET) -> Judge:
    return Judge(config, store, secret=secret)


def export(store: Store, given: list[Item], folder: Path, **limits: int) -> Any:
    return export_batch([judge(store).stored(given)], folder, BatchLimits(**limits))


def bring(
    store: Store, given: list[Item], *paths: Path, config: JudgeConfig = CONFIG
) -> tuple[BatchImport, dict[str, Failure]]:
    lost: dict[str, Failure] = {}
    asked = judge(store, config)
    with OutputIndex(paths) as index:
        importer = Importer(index, store, note=lost.__setitem__)
        importer.take(lambda: asked.stored(given), config)
        return importer.report(), lost


def right(store: Store, given: list[Item], config: JudgeConfig = CONFIG) -> list[bool]:
    """For each item, whether all its verdicts are known and those of the latent judge."""
    asked = judge(store, config, b"another secret..")
    found = [asked.judged(outcome).verdicts for outcome in asked.stored(given)]
    return [
        [verdict.status for verdict in verdicts]
        == [
            Status.MET if truth(c.criterion, item.response) else Status.UNMET
            for c in item.rubric.criteria
        ]
        for item, verdicts in zip(given, found, strict=True)
    ]


# Export


def test_a_line_is_the_request_that_a_call_would_send(store, tmp_path):
    given = items(3)
    report = export(store, given, tmp_path / "b")
    assert (report.files, report.requests) == (["batch-00001.jsonl"], 3)
    lines = requests(tmp_path / "b")
    for line, outcome in zip(lines, judge(store).stored(given), strict=True):
        [asked] = outcome.answers
        assert set(line) == {"custom_id", "method", "url", "body"}
        assert line["custom_id"] == custom_id(asked.key, asked.question.labels.shown)
        assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
        body = asked.question.request(outcome.item.response).body
        assert line["body"] == json.loads(body)
        assert line["body"]["max_tokens"] == 77
    assert report.bytes == (tmp_path / "b" / "batch-00001.jsonl").stat().st_size


def test_what_the_store_has_and_what_is_equal_is_not_exported(store, tmp_path):
    given = items(10) + items(4)
    export(store, given, tmp_path / "b")
    bring(store, given[:3], write(tmp_path / "o", *map(done, requests(tmp_path / "b")[:3])))
    report = export(store, given, tmp_path / "c")
    # Ten distinct ones; three are in the store, and so are three of the four equal ones
    assert (report.requests, report.stored, report.shared) == (7, 6, 1)
    ids = [line["custom_id"] for line in requests(tmp_path / "c")]
    assert len(set(ids)) == 7


def test_nothing_left_leaves_no_folder(store, tmp_path):
    export(store, items(2), tmp_path / "b")
    bring(store, items(2), write(tmp_path / "o", *map(done, requests(tmp_path / "b"))))
    report = export(store, items(2), tmp_path / "c")
    assert (report.requests, report.files) == (0, [])
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("most", [1, 3, 7, 100])
def test_files_hold_at_most_so_many_requests(store, tmp_path, most):
    report = export(store, items(10), tmp_path / "b", requests=most)
    sizes = [len((tmp_path / "b" / f).read_bytes().splitlines()) for f in report.files]
    assert sizes == [most] * (10 // most) + [10 % most] * (10 % most > 0)


def test_files_hold_at_most_so_many_bytes(store, tmp_path):
    given = [Item(make_rubric(), f"{i}" + "x" * 150_000) for i in range(20)]
    report = export(store, given, tmp_path / "b", megabytes=1)
    sizes = [(tmp_path / "b" / name).stat().st_size for name in report.files]
    assert max(sizes) <= 1_000_000
    # About 152 kB a line: six in a file, twenty in four
    assert len(sizes) == 4
    assert len(requests(tmp_path / "b")) == 20


def test_a_request_larger_than_a_file_is_refused_and_leaves_nothing(store, tmp_path):
    given = [*items(2), Item(make_rubric(), "x" * 1_000_000)]
    with pytest.raises(InputError, match="more than a batch file may have"):
        export(store, given, tmp_path / "b", megabytes=1)
    assert not list(tmp_path.glob("*b*"))


def test_a_folder_with_anything_in_it_is_refused(store, tmp_path):
    export(store, items(1), tmp_path / "b")
    with pytest.raises(InputError, match="import what came back of the batches in it"):
        export(store, items(1), tmp_path / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a file, not a folder"):
        export(store, items(1), tmp_path / "file")
    with pytest.raises(RunError):
        export(store, items(1), tmp_path / "file" / "b")
    with pytest.raises(InputError):
        BatchLimits(requests=0)


def test_an_empty_folder_and_what_a_killed_export_left_are_used(store, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".b.partial").mkdir()
    (tmp_path / ".b.partial" / "batch-00001.jsonl").write_text("half a li")
    export(store, items(2), tmp_path / "b")
    assert len(requests(tmp_path / "b")) == 2
    assert not (tmp_path / ".b.partial").exists()


# Import


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"format": "reasoned"},
        {"format": "compact"},
        {"layout": "paper"},
        {"criteria_per_call": 1},
    ],
)
def test_what_comes_back_is_what_calls_would_have_brought(store, tmp_path, changes):
    given = items(12)
    fields = {"base_url": CONFIG.base_url, "model": "m", **changes}
    config = JudgeConfig(**fields)
    export_batch([judge(store, config).stored(given)], tmp_path / "b")
    answers = [done(line) for line in requests(tmp_path / "b")]
    random.Random(1).shuffle(answers)
    output = [
        write(tmp_path / "1", *answers[: len(answers) // 2]),
        write(tmp_path / "2", *answers[len(answers) // 2 :]),
    ]
    report, lost = bring(store, given, *output, config=config)
    assert (report.added, report.missing, lost) == (len(answers), 0, {})
    assert all(right(store, given, config))
    # A run with another secret, and at a server, finds all of it.
    with SimServer() as server:
        live = at_server(server, **changes)
        asked = Judge(live, store)
        assert all(judged.score.coverage == 1 for judged in asked.grade_all(given))
        assert server.requests == 0


def test_bad_lines_lose_themselves_alone(store, tmp_path):
    given = items(12)
    export(store, given, tmp_path / "b")
    asked = requests(tmp_path / "b")
    others = tmp_path / "other"
    export(store, [Item(make_rubric(99), "of another run")], others)
    output = write(
        tmp_path / "o",
        done(asked[0]),
        b"",
        b"{not json",
        b"[]",
        b'{"custom_id": 5}',
        b"\xff\xfe\x00",
        b'{"custom_id": "x", "response": {"status_code": ',
        done(asked[1]),
        done(asked[1], "another text"),
        done(requests(others)[0]),
        {**done(asked[2]), "custom_id": "by hand"},
        failed(asked[3], "batch_expired", "it took too long"),
        failed(asked[4], "batch_cancelled"),
        replied(asked[5], 429, {"error": {"message": "slow down"}}),
        replied(asked[6], 400, {"error": {"code": "context_length_exceeded", "message": "long"}}),
        replied(asked[7], 500, "<html>"),
        replied(asked[8], 200, {"object": "nothing"}),
        {**done(asked[9]), "response": None},
        failed(asked[10], "expired"),
        done(asked[10]),
    )
    keys = [outcome.answers[0].key for outcome in judge(store).stored(given)]
    report, lost = bring(store, given, output)
    assert report.lines == 19  # an empty line is none
    assert report.damaged == 5
    assert report.examples[0].startswith(f"{output}:3: ")
    assert len(report.examples) == 5
    assert (report.added, report.repeated, report.strangers) == (3, 2, 2)
    assert report.missing == 2  # 2 came under another name, 11 not at all
    causes = {3: "timeout", 4: "cancelled", 5: "rate_limited", 6: "overflow"}
    causes |= {7: "server_error", 8: "server_error", 9: "server_error"}
    assert {k: str(f.cause) for k, f in lost.items()} == {
        keys[i]: cause for i, cause in causes.items()
    }
    assert report.failed == {
        "timeout": 1,
        "cancelled": 1,
        "rate_limited": 1,
        "overflow": 1,
        "server_error": 3,
    }
    assert "it took too long" in report.faults["timeout"]
    # The first answer of a request counts; an answer counts for more than an error before it.
    known = right(store, given)
    assert [i for i, fine in enumerate(known) if fine] == [0, 1, 10]


def test_an_answer_in_the_store_stays(store, tmp_path):
    given = items(3)
    export(store, given, tmp_path / "b")
    asked = requests(tmp_path / "b")
    bring(store, given, write(tmp_path / "o", done(asked[0])))
    report, _ = bring(
        store, given, write(tmp_path / "p", done(asked[0], "rubbish"), *map(done, asked[1:]))
    )
    assert (report.present, report.added, report.strangers) == (1, 2, 0)
    assert all(right(store, given))
    again, _ = bring(store, given, tmp_path / "p")
    assert (again.present, again.added) == (3, 0)


def test_a_second_round_repairs_what_could_not_be_read(store, tmp_path):
    given = items(4)
    export(store, given, tmp_path / "b")
    asked = requests(tmp_path / "b")
    output = write(tmp_path / "o", done(asked[0], "I think so"), *map(done, asked[1:]))
    report, _ = bring(store, given, output)
    assert report.added == 4
    second = export(store, given, tmp_path / "c")
    assert second.requests == 1
    [repair] = requests(tmp_path / "c")
    assert "earlier answer" in repair["body"]["messages"][-1]["content"]
    report, _ = bring(store, given, output, write(tmp_path / "p", done(repair)))
    assert (report.added, report.present, report.strangers) == (1, 4, 0)
    assert all(right(store, given))


def test_both_rounds_may_be_imported_at_once(store, tmp_path):
    given = items(3)
    first, second = tmp_path / "first", tmp_path / "second"
    export(store, given, first)
    texts = [done(line, "no JSON") for line in requests(first)]
    with Store.open(tmp_path / "elsewhere") as elsewhere:
        bring(elsewhere, given, write(tmp_path / "o", *texts))
        export(elsewhere, given, second)
    repaired = write(tmp_path / "p", *map(done, requests(second)))
    report, _ = bring(store, given, repaired, tmp_path / "o")
    assert (report.added, report.strangers) == (6, 0)
    assert all(right(store, given))


def test_a_label_that_was_not_shown_stays_no_label(store, tmp_path):
    # The canonical label, which a judge never sees, must not pass for one in a batch either.
    given = items(1)
    export(store, given, tmp_path / "b")
    [asked] = requests(tmp_path / "b")
    forged = json.dumps({f"<criterion {i}>": True for i in (1, 2, 3)})
    bring(store, given, write(tmp_path / "o", done(asked, forged)))
    [outcome] = judge(store).stored(given)
    verdicts = judge(store).judged(outcome).verdicts
    assert {verdict.status for verdict in verdicts} == {Status.UNKNOWN}


def test_token_counts_and_reasoning_are_kept(store, tmp_path):
    given = items(1)
    export(store, given, tmp_path / "b")
    [asked] = requests(tmp_path / "b")
    body = completion(asked)
    body["choices"][0]["message"]["reasoning_content"] = "well \ud800"
    body["usage"] = {"prompt_tokens": 9, "completion_tokens": 4}
    bring(store, given, write(tmp_path / "o", replied(asked, 200, body)))
    [outcome] = judge(store).stored(given)
    [answer] = outcome.answers
    assert answer.completion is not None
    assert answer.completion.usage == {"prompt_tokens": 9, "completion_tokens": 4}
    assert answer.completion.reasoning.startswith("well ")
    assert answer.completion.url == CONFIG.url
    assert store.verify().ok


def test_a_response_without_an_envelope_is_read_too(store, tmp_path):
    given = items(2)
    export(store, given, tmp_path / "b")
    lines = [
        {"custom_id": line["custom_id"], "response": completion(line)}
        for line in requests(tmp_path / "b")
    ]
    bring(store, given, write(tmp_path / "o", *lines))
    assert all(right(store, given))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "no line of it is a batch's output"),
        (b"{}\n", "no line of it is a batch's output (FILE:1: "),
        (b"hello\nworld\n", "no line of it is a batch's output (FILE:1: "),
        (b"\x00" * 100, "no line of it is a batch's output (FILE:1: "),
        (b"[" * 100_000, "no line of it is a batch's output"),
    ],
)
def test_a_file_that_is_no_output_is_one_clear_line(tmp_path, data, says):
    path = tmp_path / "o.jsonl"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        OutputIndex([path])
    assert says.replace("FILE", str(path)) in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{path}: ")


def test_files_that_are_not_there_or_went_out_themselves_are_refused(store, tmp_path):
    export(store, items(2), tmp_path / "b")
    for path, says in (
        (tmp_path / "none", "no such file"),
        (tmp_path, "this is a folder"),
        (tmp_path / "b" / "batch-00001.jsonl", "exported, not what came of it"),
    ):
        with pytest.raises(InputError, match=says):
            OutputIndex([path])


def test_what_another_runs_labels_were_answered_with_is_not_taken(store, tmp_path):
    # Equal requests have one key in all runs; read by the wrong labels, an answer would be stored
    # as one that says nothing, for good.
    given = items(3)
    theirs = judge(store, secret=b"of another run..")
    export_batch([theirs.stored(given)], tmp_path / "b")
    output = write(tmp_path / "o", *map(done, requests(tmp_path / "b")))
    report, _ = bring(store, given, output)
    assert (report.added, report.strangers, report.missing) == (0, 3, 3)
    assert all(o.answers[0].completion is None for o in theirs.stored(given))
    with OutputIndex([output]) as index:
        Importer(index, store).take(lambda: theirs.stored(given), CONFIG)
    assert right(store, given) == [True] * 3  # read by its own labels, it serves every run


def test_a_refusal_of_the_account_is_the_services_fault(store, tmp_path):
    given = items(2)
    export(store, given, tmp_path / "b")
    asked = requests(tmp_path / "b")
    quota = {"error": {"code": "insufficient_quota", "message": "pay"}}
    output = write(tmp_path / "o", replied(asked[0], 401, {}), replied(asked[1], 429, quota))
    _, lost = bring(store, given, output)
    assert {failure.cause for failure in lost.values()} == {Cause.REJECTED}


def test_lines_are_found_among_many_files_and_repeats(tmp_path):
    draws = random.Random(2)
    paths, expected = [], {}
    for number in range(70):  # more than are kept open
        lines = []
        for _ in range(draws.randrange(1, 20)):
            key = f"key {draws.randrange(300)}"
            lines.append({"custom_id": key, "response": {"body": {"n": len(expected)}}})
            expected.setdefault(key, []).append(json.dumps(lines[-1]["response"]["body"]))
        paths.append(write(tmp_path / f"{number:02d}", *lines))
    with OutputIndex(paths) as index:
        assert len(index) == sum(map(len, expected.values()))
        assert index.repeated == len(index) - len(expected)
        assert index.strangers == len(index)
        keys = list(expected)
        draws.shuffle(keys)
        for key in keys:
            found = [json.loads(line.response)["body"] for line in index.lines(key)]
            assert [json.dumps(body) for body in found] == expected[key]
        assert index.strangers == 0
        assert list(index.lines("key 300")) == []
        assert not index.has("key 300")
