"""Bad input to the command line: one clear line on standard error, the documented exit code."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rubricbench import cli
from rubricbench.store import Completion, Store, request_key
from rubricbench.store.database import APPLICATION_ID

RUBRIC = {"prompt": "Name a river.", "rubrics": [{"criterion": "It names a river.", "weight": 1}]}
RESPONSE = {"prompt": "Name a river.", "generator": "m", "response": "The Rhine."}
CHECKED = {**RUBRIC["rubrics"][0], "check": {"name": "no_commas", "params": {}}}  # type: ignore[dict-item]
BOM = b"\xef\xbb\xbf"


def _store(path: Path) -> None:
    with Store.open(path) as store:
        for number in range(3):
            key, request = request_key({"number": number})
            store.put(Completion(key=key, request=request, text="yes", created=1e300))


def _database(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()


def _strange(path: Path) -> None:
    """Make a database that has our mark and table, but nothing in it is what we write."""
    _database(path, version=1)
    connection = sqlite3.connect(path)
    columns = "key, digest, created, finish_reason, model, url, usage, text, reasoning, request"
    connection.execute(f"CREATE TABLE completions (id INTEGER PRIMARY KEY, {columns})")
    usage = json.dumps({"prompt_tokens": 2**62})
    for key in "abc":
        connection.execute(
            f"INSERT INTO completions ({columns}) VALUES (?, 1, 'soon', 2, NULL, 3, ?, 4, 5, 6)",
            (key, usage),
        )
    connection.commit()
    connection.close()


def _lines(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


TEXTS = {
    "empty.db": b"",
    "text.db": b"not a database\n" * 100,
    "header.db": b"SQLite format 3\x00" + b"\xff" * 200,
    "empty.parquet": b"",
    "text.parquet": b"not parquet",
    "rubrics.jsonl": _lines({**RUBRIC, "rubrics": [CHECKED]}),
    "responses.jsonl": _lines(RESPONSE),
    "blank.jsonl": b"\n\n",
    "list.jsonl": b"[1, 2]\n",
    "broken.jsonl": b'{"prompt": "a"\n',
    "nan.jsonl": b'{"prompt": "a", "response": NaN}\n',
    "twice.jsonl": b'{"prompt": "a", "prompt": "b", "response": "c"}\n',
    "deep.jsonl": b"[" * 100_000 + b"\n",
    "digits.jsonl": b'{"prompt": "a", "response": ' + b"1" * 5_000 + b"}\n",
    "utf16.jsonl": '{"prompt": "a"}'.encode("utf-16"),
    "latin1.jsonl": '{"prompt": "é"}'.encode("latin-1"),
    "nul.jsonl": _lines({**RESPONSE, "response": "a\x00b"}),
    "surrogate.jsonl": _lines({**RESPONSE, "response": "\ud800"}),
    "null.jsonl": _lines({**RESPONSE, "response": None}),
    "number.jsonl": _lines({**RESPONSE, "response": 5}),
    "columns.jsonl": _lines({"question": "a", "answer": "b"}),
    "foreign.jsonl": _lines({**RESPONSE, "prompt": "Name a lake."}),
    "long.jsonl": _lines({**RESPONSE, "response": "x" * 2_000_001}),
    "ragged.csv": b"prompt,response\na,b,c\n",
    "semicolons.csv": b"prompt;response\na;b\n",
    "quote.csv": b'prompt,response\n"a,b\n',
    "nameless.csv": b",prompt,response\n1,a,b\n",
    "doubled.csv": b"prompt,prompt,response\na,b,c\n",
    "notes.txt": b"hello",
    "weight0.jsonl": _lines({**RUBRIC, "rubrics": [{"criterion": "a", "weight": 0}]}),
    "heavy.jsonl": _lines({**RUBRIC, "rubrics": [{"criterion": "a", "weight": 10**400}]}),
    "worded.jsonl": _lines({**RUBRIC, "rubrics": [{"criterion": "a", "weight": "high"}]}),
    "penalty.jsonl": _lines({**RUBRIC, "rubrics": [{"criterion": "a", "weight": -1}]}),
    "nocriteria.jsonl": _lines({**RUBRIC, "rubrics": []}),
    "same.jsonl": _lines({**RUBRIC, "rubrics": RUBRIC["rubrics"] * 2}),  # type: ignore[operator]
    "stranger.jsonl": _lines({**RUBRIC, "rubric": 1}),
    "sum.jsonl": _lines({**RUBRIC, "total_weight": 9}),
    "doubled.jsonl": _lines(RUBRIC, RUBRIC),
    "infinite.jsonl": _lines({**RUBRIC, "rubrics": [CHECKED]}).replace(b"{}", b'{"v": 1e999}'),
    "half.jsonl": _lines({**RUBRIC, "rubrics": [CHECKED]}).replace(b"{}", b'{"v": "\\ud800"}'),
    "nocheck.jsonl": _lines({**RUBRIC, "rubrics": [CHECKED]}).replace(b"no_commas", b"no_comma"),
    "blank.yaml": b"",
    "list.yaml": b"- 1\n",
    "bytes.yaml": b"\xff\xfe",
    "key.yaml": b"model: m\nbase_url: http://h/v1\napi_key: sk-0123456789\n",
    "none.yaml": b"[]\n",
    "same.yaml": b"- {model: m, base_url: http://h/v1}\n" * 2,
    "id.jsonl": _lines({**RUBRIC, "prompt_id": "\ud800"}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with one file of each kind that goes wrong; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("bad")
    for name, content in TEXTS.items():
        (folder / name).write_bytes(content)
    _store(folder / "good.db")
    _database(folder / "newer.db", version=99)
    _database(folder / "bare.db", version=1)
    _strange(folder / "strange.db")
    foreign = sqlite3.connect(folder / "foreign.db")
    foreign.execute("CREATE TABLE t (a)")
    foreign.close()
    torn = (folder / "good.db").read_bytes()
    (folder / "torn.db").write_bytes(torn[: len(torn) // 2])
    pq.write_table(pa.table({"a": pa.array([], pa.string())}), folder / "rowless.parquet")
    pq.write_table(pa.table({"a": ["b"]}), folder / "columns.parquet")
    (folder / "bom.csv").write_bytes(BOM + b"prompt,response\nName a river.,The Rhine.\n")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "thesis").mkdir()
    (folder / "thesis" / "thesis.tex").write_text("x")
    return folder


STORE = [
    ("store stats missing.db", 1, "no such store; check the path"),
    ("store stats empty.db", 1, "not a completion store"),
    ("store stats text.db", 1, "not a completion store"),
    ("store stats header.db", 1, "header.db: "),
    ("store stats foreign.db", 1, "not a completion store"),
    ("store stats newer.db", 1, "store version 99, this rubricbench knows [0-9]+;"),
    ("store stats bare.db", 1, "no such table"),
    ("store verify bare.db", 1, "no such table"),
    ("store stats torn.db", 1, "torn.db: cannot .*: the file is damaged"),
    ("store stats folder", 1, "this is (a folder|not a file)"),
    ("store stats pipe", 1, "this is not a file"),
    ("store stats /dev/null", 1, "this is not a file"),
    ("store stats folder/none/x.db", 1, "no such store"),
    ("store export missing.db out.parquet", 1, "no such store"),
    ("store export good.db folder", 1, "this is a folder; name a file"),
    ("store export good.db pipe", 1, "not a regular file"),
    ("store export good.db /dev/null", 1, "not a regular file"),
    ("store export good.db nowhere/out.parquet", 1, "No such file or directory"),
    ("store export good.db /proc/out.parquet", 1, "cannot write the file"),
    ("store export good.db good.db", 2, "would replace the store"),
    ("store import new.db missing.parquet", 2, "missing.parquet: no such file"),
    ("store import new.db empty.parquet", 2, "not a readable parquet file"),
    ("store import new.db text.parquet", 2, "not a readable parquet file"),
    ("store import new.db columns.parquet", 2, "column 'key' is missing"),
    ("store import new.db rowless.parquet", 2, "column 'key' is missing"),
    ("store import new.db folder", 2, "this is not a file"),
    ("store import new.db pipe", 2, "this is not a file"),
    ("store stats", 2, "Missing argument 'STORE'; see: rubricbench store stats --help"),
    ("store stats good.db more", 2, "unexpected extra argument"),
    ("store stats good.db --fast", 2, "No such option '--fast'"),
    ("store repair good.db", 2, "No such command 'repair'"),
]
OTHER = [
    ("grade", 2, "No such command 'grade'"),
    ("--fast", 2, "No such option '--fast'"),
    ("doctor --endpoint", 2, "requires an argument"),
    ("doctor now", 2, "unexpected extra argument"),
    ("tasks validate missing", 2, "missing: "),
    ("tasks validate folder", 2, "no task files"),
    ("tasks path here", 2, "unexpected extra argument"),
    ("models get gpt", 2, "no model 'gpt'; choose from"),
    ("models path gpt", 2, "no model 'gpt'"),
    ("quickstart --limit 0", 2, "--limit"),
    ("quickstart --limit many", 2, "not a valid integer"),
]
DATA = [
    ("data validate missing.jsonl", 2, "missing.jsonl: no such file"),
    ("data validate folder", 2, "this is a folder"),
    ("data validate lakes", 2, "dataset 'lakes' does not exist; embedded: "),
    ("data validate verifiable:dev", 2, "no split 'dev'; choose from train, test"),
    ("data validate weight0.jsonl", 2, r"weight0.jsonl:1, rubrics\[0\].weight: .*weight_zero"),
    ("data validate nocheck.jsonl", 2, "did you mean no_commas"),
    ("data validate responses.jsonl", 2, "unknown key 'generator'"),
    ("data show rubrics.jsonl --index 7", 2, "no row 7 among 1 rows"),
    ("data show rubrics.jsonl --id p_0", 2, "no prompt 'p_0' among 1 rows"),
    ("data stats rowless.parquet", 2, "the file has no rows"),
    ("data checks here", 2, "unexpected extra argument"),
    ("build lakes", 2, "No such command 'lakes'"),
    ("build verifiable --out {out} --seed one", 2, "'one' is not a valid integer"),
]
JUDGE = "judge --out {out} "
FILES = JUDGE + "--responses {0} --rubrics {1}"


def _responses(file: str, message: str) -> tuple[str, int, str]:
    return FILES.format(file, "rubrics.jsonl", out="{out}"), 2, message


def _rubrics(file: str, message: str) -> tuple[str, int, str]:
    return FILES.format("responses.jsonl", file, out="{out}"), 2, message


GOOD = FILES.format("responses.jsonl", "rubrics.jsonl", out="{out}")
RESPONSES = [
    _responses("missing.jsonl", "missing.jsonl: no such file"),
    _responses("folder", "this is a folder"),
    _responses("pipe.jsonl", "not a regular file"),
    _responses("notes.txt", "cannot read a .txt file; use .parquet"),
    _responses("empty.parquet", "the file is empty"),
    _responses("rowless.parquet", "the file has no rows"),
    _responses("text.parquet", "not a readable parquet file"),
    _responses("columns.parquet", "no column with the answer"),
    _responses("columns.jsonl", "no column with the answer"),
    _responses("blank.jsonl", "the file has no rows"),
    _responses("list.jsonl", r"list.jsonl:1: .* \[wrong_type\]"),
    _responses("broken.jsonl", r"broken.jsonl:1: not JSON: .* \[bad_json\]"),
    _responses("nan.jsonl", r"NaN is not JSON \[bad_json\]"),
    _responses("twice.jsonl", r"a key appears twice \[bad_json\]"),
    _responses("deep.jsonl", r"\[bad_json\]"),
    _responses("digits.jsonl", r"\[bad_json\]"),
    _responses("utf16.jsonl", r"UTF-8"),
    _responses("latin1.jsonl", r"byte 0xe9 is not UTF-8 \[bad_encoding\]"),
    _responses("nul.jsonl", r"\[nul_character\]"),
    _responses("surrogate.jsonl", r"\[lone_surrogate\]"),
    _responses("null.jsonl", r"response: no answer: an empty one is '', not null"),
    _responses("number.jsonl", r"response: expected text, got int \[wrong_type\]"),
    _responses("long.jsonl", r"2,000,001 characters, the limit is 2,000,000"),
    _responses("foreign.jsonl", "none of 1 responses has a rubric in rubrics.jsonl"),
    _responses("ragged.csv", r"ragged.csv:2: 3 fields, the header has 2 \[ragged_row\]"),
    _responses("semicolons.csv", "separate columns by commas"),
    _responses("quote.csv", r"a quote opened here is never closed \[bad_csv\]"),
    _responses("nameless.csv", "column 1 has no name"),
    _responses("doubled.csv", "column 'prompt' stands twice"),
]
RUBRICS = [
    _rubrics("missing.jsonl", "missing.jsonl: no such file"),
    _rubrics("weight0.jsonl", r"weight0.jsonl:1, rubrics\[0\].weight: .* \[weight_zero\]"),
    _rubrics("heavy.jsonl", r"rubrics\[0\].weight: .* \[weight_not_finite\]"),
    _rubrics("worded.jsonl", r"\[weight_not_a_number\]"),
    _rubrics("penalty.jsonl", r"\[no_positive_weight\]"),
    _rubrics("nocriteria.jsonl", r"\[no_criteria\]"),
    _rubrics("same.jsonl", r"\[duplicate_criterion\]"),
    _rubrics("stranger.jsonl", r"unknown key 'rubric' \[unknown_key\]"),
    _rubrics("sum.jsonl", r"it says 9, the positive weights add up to 1"),
    _rubrics("doubled.jsonl", r"doubled.jsonl:2, .* \[duplicate_prompt\]"),
    _rubrics("infinite.jsonl", r"check.params: .* \[bad_json\]"),
    _rubrics("half.jsonl", r"check.params: .* \[bad_json\]"),
    _rubrics("nocheck.jsonl", r"did you mean no_commas"),
    _rubrics("id.jsonl", r"prompt_id: .* \[lone_surrogate\]"),
    _rubrics("nonsense", "nonsense"),
]
OPTIONS = [
    ("judge", 2, "Missing option '--responses'"),
    (GOOD + " --judge-model m", 2, "--judge-base-url is missing"),
    (GOOD + " --judge-base-url http://h/v1", 2, "--judge-model is missing"),
    (GOOD + " --judge-model m --judge-base-url h:1", 2, "http"),
    (GOOD + " --judge-model m --judge-base-url ftp://h", 2, "http"),
    (GOOD + " --judge-model m --judge-base-url http://h/v1 --concurrency 0", 2, "concurrency"),
    (GOOD + " --judge-model m --judge-base-url http://h/v1 --timeout nan", 2, "timeout"),
    (GOOD + " --judge-model m --judge-base-url http://h/v1 --temperature -1", 2, "temperature"),
    (GOOD + " --judge-model m --judge-base-url http://h/v1 --retries -1", 2, "retries"),
    (GOOD + " --concurrency many", 2, "not a valid integer"),
    (GOOD + " --format xml", 2, "'xml' is not one of"),
    (GOOD + " --strategy best", 2, "unknown aggregation 'best'; choose from"),
    (GOOD + " --limit -1", 2, "limit"),
    (GOOD + " --store text.db", 1, "not a completion store"),
    (GOOD.replace("{out}", "rubrics.jsonl"), 1, "this is a file, not a folder"),
    (GOOD.replace("{out}", "thesis"), 1, r"files that are no run's, such as 'thesis\.tex'"),
    (GOOD.replace("{out}", "/proc/run"), 1, "cannot use the run directory"),
]
JUDGED = GOOD + " --judge-base-url http://127.0.0.1:9/v1 --judge-model m "
JUDGES = [  # what describes one judge, or several
    (GOOD + " --judge-config missing.yaml", 2, "missing.yaml: No such file"),
    (GOOD + " --judge-config folder", 2, "is a directory"),
    (GOOD + " --judge-config blank.yaml", 2, "blank.yaml: not a mapping of fields"),
    (GOOD + " --judge-config list.yaml", 2, "list.yaml: not a mapping of fields"),
    (GOOD + " --judge-config bytes.yaml", 2, "bytes.yaml: not YAML"),
    (GOOD + " --judge-config key.yaml", 2, "key.yaml: .*unknown field `api_key`; fields: model"),
    (GOOD + " --judges missing.yaml", 2, "missing.yaml: No such file"),
    (GOOD + " --judges key.yaml", 2, "not a list of judges; write each as an entry"),
    (GOOD + " --judges none.yaml", 2, "not a list of judges"),
    (GOOD + " --judges same.yaml", 2, "m replicate 0 is in the panel twice"),
    (GOOD + " --judges same.yaml --judge-model m", 2, "--judge-model stands beside --judges"),
    (GOOD + " --judges same.yaml --timeout 9", 2, "--timeout stands beside --judges"),
    (GOOD + " --replicates 2", 2, "no judge to ask several times"),
    (JUDGED + "--replicates 2", 2, "replicates at temperature 0 all say the same"),
    (JUDGED + "--replicates 1 --temperature 1", 2, "whole number from 2 on, got 1"),
    (JUDGED + "--vote most", 2, "'most' is not one of"),
    (JUDGED + "--judge-base-url ftp://h", 2, "'ftp://h' is not an http:// or https://"),
    (JUDGED + "--judge-backend vllm", 2, "runs here by vllm has no base URL"),
    (JUDGED + "--format reasoned --layout paper", 2, "do not go together"),
    (JUDGED + "--criteria-per-call 0", 2, "criteria_per_call must be a whole number from 1"),
    (JUDGED + "--criteria-per-call some", 2, "neither a whole number nor 'all'"),
    (JUDGED + "--logprobs 21", 2, "logprobs must be a whole number from 0 to 20"),
    (JUDGED + "--temperature cold", 2, "neither a number nor 'none'"),
    (JUDGED + "--temperature inf", 2, "temperature must be a number from 0 to 2"),
    (JUDGED + "--max-answer-tokens 0", 2, "max_tokens must be a whole number from 1"),
    (JUDGED + "--deadline 0", 2, "deadline must be a number"),
    (JUDGED + "--replicate -1", 2, "replicate must be a whole number from 0"),
    (JUDGED + "--judge-api-key-env NO_SUCH_KEY", 2, "variable NO_SUCH_KEY is not set or empty"),
    (JUDGED + "--extra-body {{", 2, "--extra-body is not JSON"),
    (JUDGED + "--extra-body 5", 2, "--extra-body is not a JSON object"),
    (JUDGED + '--extra-body {{"model":"k"}}', 2, "extra_body may not hold 'model'"),
    (JUDGED + '--extra-body {{"api_key":"k"}}', 2, "a key goes into an environment variable"),
    (JUDGED + '--extra-body {{"a":NaN}}', 2, "extra_body is not plain JSON"),
]
RUN = [  # what a run does with them
    (JUDGED + "--rejudge changed", 2, "name them by --previous-rubrics"),
    (JUDGED + "--previous-rubrics rubrics.jsonl", 2, "add --rejudge changed"),
    (JUDGED + "--rejudge changed --previous-rubrics weight0.jsonl", 2, r"\[weight_zero\]"),
    (JUDGED + "--strategy best --plan", 2, "unknown aggregation 'best'"),
    (JUDGED + "--strategy implicit --plan", 2, "the implicit strategy needs an overall grade"),
    (JUDGED + "--strategy implicit --batch-export {out}/b", 2, "needs an overall grade"),
    (JUDGED + "--plan --tokenizer nonsense", 2, "there is no tokenizer 'nonsense' here"),
    (JUDGED + "--plan --prefix-cache 0:0", 2, "unknown prefix cache '0:0'; choose from"),
    (JUDGED + "--plan --prices missing.yaml", 2, "missing.yaml: No such file"),
    (JUDGED + "--plan --prices key.yaml", 2, "a price file needs a list `models`"),
    (JUDGED + "--plan --store text.db", 1, "not a completion store"),
    (JUDGED + "--max-calls 0", 2, "the cap of calls is 0"),
    (JUDGED + "--max-tokens -5", 2, "the cap of tokens is -5"),
    (JUDGED + "--max-tokens 9 --max-answer-tokens none", 2, "limit the answers"),
    (JUDGED + "--max-cost nan", 2, "the cap of cost is nan"),
    (JUDGED + "--max-cost 1", 2, "the price of the judge's model is not known; .*--prices"),
]
BATCH = [
    (GOOD + " --batch-export b", 2, "batch files ask a judge, and none is named"),
    (GOOD + " --batch-import missing.jsonl", 2, "batch files ask a judge"),
    (JUDGED + "--plan --batch-export b", 2, "--plan and --batch-export do not go together"),
    (JUDGED + "--batch-export b --batch-import b", 2, "do not go together"),
    (JUDGED + "--batch-export folder/../thesis", 2, "the folder is not empty"),
    (JUDGED + "--batch-export notes.txt", 2, "this is a file, not a folder"),
    (JUDGED + "--batch-export b --batch-max-requests 0", 2, "at most 0 requests"),
    (JUDGED + "--batch-export b --batch-max-megabytes 0", 2, "at most 0 megabytes"),
    (JUDGED + "--batch-export b --max-calls 5", 2, "--max-calls caps calls as they are made"),
    (JUDGED + "--batch-export b --max-tokens 5", 2, "--max-tokens caps calls as they are made"),
    (JUDGED + "--batch-import missing.jsonl", 2, "missing.jsonl: no such file"),
    (JUDGED + "--batch-import pipe.jsonl", 2, "pipe.jsonl: this is not a file"),
    (JUDGED + "--batch-import folder", 2, "there is no .jsonl file in the folder"),
    (JUDGED + "--batch-import notes.txt", 2, "no line of it is a batch's output"),
    (JUDGED + "--batch-import empty.parquet", 2, "the file is empty"),
    (JUDGED + "stray.jsonl", 2, "unexpected argument 'stray.jsonl'"),
]


@pytest.fixture
def call(folder, tmp_path, monkeypatch, capsys):
    """Return a function that runs a command line and gives exit code, output and error output."""

    def run(line: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            cli.main(line.format(out=tmp_path / "out").split())
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [*STORE, *OTHER, *DATA, *RESPONSES, *RUBRICS, *OPTIONS, *JUDGES, *RUN, *BATCH],
)
def test_bad_input_is_one_clear_line(call, folder, line, code, message):
    before = sorted(os.listdir(folder))
    status, out, err = call(line)
    assert (status, out) == (code, ""), err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert re.search(message, err), err
    assert sorted(os.listdir(folder)) == before  # nothing made for a command that failed


def test_an_option_that_cannot_be_used_leaves_no_run_behind(call, tmp_path):
    # Its manifest would refuse the next start, with the option put right.
    assert call(JUDGED + "--strategy implicit")[0] == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("line", [STORE[0][0], STORE[20][0], STORE[27][0], RESPONSES[0][0]])
def test_the_line_is_json_where_json_was_asked_for(call, line):
    status, out, err = call(line + " --json")
    assert status != 0
    assert out == ""
    assert set(json.loads(err)) == {"error", "where", "hint"}


def test_csv_with_a_byte_order_mark_is_fine(call, tmp_path):
    status, out, err = call(FILES.format("bom.csv", "rubrics.jsonl", out="{out}") + " --json")
    assert status == 0, err
    assert json.loads(out)["complete"] is True
    assert (tmp_path / "out" / "scores.parquet").is_file()


def test_store_that_holds_strange_values_is_counted_and_found_damaged(call):
    status, out, err = call("store stats strange.db --json")
    assert status == 0, err
    found = json.loads(out)
    assert (found["completions"], found["first"]) == (3, None)
    assert found["prompt_tokens"] == 3 * 2**62
    status, out, _ = call("store verify strange.db")
    assert status == 1
    assert "3 damaged: 'a', 'b', 'c'" in out


def test_time_that_no_calendar_has_is_shown_as_seconds(call):
    status, out, _ = call("store stats good.db")
    assert status == 0
    assert "from 1e+300 s to 1e+300 s" in out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder_is_one_clear_line(call, tmp_path):
    tmp_path.chmod(0o500)
    status, _, err = call(GOOD)
    assert status == 1
    assert "Permission denied" in err
