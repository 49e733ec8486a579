"""Bad tables at the command line: one line on standard error, the documented exit code."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rubricbench import cli

GOOD = "prompt_id,response_id,proxy,gold\na,1,1,2\na,2,2,1\nb,3,3,3\nb,4,1,5\n"
RUN = "step,prompt_id,gold,proxy,kl\n0,a,1,1,0\n0,b,2,1,0\n5,a,2,2,.5\n5,b,3,2,.4\n"
TEXTS = {
    "good.csv": GOOD,
    "run.csv": RUN,
    "empty.csv": "",
    "header.csv": "prompt_id,proxy,gold\n",
    "nogold.csv": "prompt_id,proxy\na,1\n",
    "noprompt.csv": "proxy,gold\n1,2\n",
    "word.csv": "prompt_id,proxy,gold\na,1,2\na,good,3\n",
    "vast.csv": "prompt_id,proxy,gold\na,1,2e300\n",
    "inf.csv": "prompt_id,proxy,gold\na,1,2\na,1,-inf\n",
    "nan.csv": "prompt_id,proxy,gold\na,1,2\na,nan,3\na,,4\n",
    "allnan.csv": "prompt_id,proxy,gold\na,,2\na,,3\n",
    "never.csv": "prompt_id,proxy,gold\na,,2\na,1,\n",
    "blankid.csv": "prompt_id,proxy,gold\na,1,2\n,1,3\n",
    "twice.csv": GOOD + "a,1,7,7\n",
    "blankresponse.csv": GOOD + "a,,7,7\n",
    "arms.csv": "prompt_id,proxy,gold,arm\na,1,2,x\na,2,3,y\n",
    "noarm.csv": "prompt_id,proxy,gold,arm\na,1,2,x\na,2,3,\n",
    "ragged.csv": "prompt_id,proxy,gold\na,1,2\na,1\n",
    "doubled.csv": "prompt_id,gold,gold\na,1,2\n",
    "unnamed.csv": ",prompt_id,proxy,gold\n0,a,1,2\n",
    "quote.csv": 'prompt_id,proxy,gold\n"a,1,2\n',
    "notes.txt": "hello",
    "list.jsonl": "[1]\n",
    "broken.jsonl": '{"prompt_id": "a", "proxy": 1, "gold": 2}\n{"prompt_id": "a", "prox',
    "float_id.jsonl": '{"prompt_id": 1.5, "proxy": 1, "gold": 2}\n',
    "nested.jsonl": '{"prompt_id": "a", "proxy": {"v": 1}, "gold": 2}\n',
    "huge.jsonl": '{"prompt_id": "a", "proxy": 1e999, "gold": 2}\n',
    "true_id.jsonl": '{"prompt_id": true, "proxy": 1, "gold": 2}\n',
    "length.csv": "prompt_id,proxy,gold,length\na,1,2,-5\n",
    "negative_kl.csv": RUN + "5,c,3,2,-.4\n",
    "half_step.csv": RUN + "7.5,a,3,2,.4\n",
    "minus_step.csv": RUN + "-1,a,3,2,.4\n",
    "seed.csv": "step,prompt_id,gold,seed\n0,a,1,one\n",
    "noseed.csv": "step,prompt_id,gold,seed\n0,a,1,\n",
    "win.csv": "step,prompt_id,gold,win\n0,a,1,2\n",
    "apart.csv": "step,prompt_id,gold\n0,a,1\n5,b,1\n",
    "lacks.csv": RUN + "5,c,,2,.4\n",
    "nothing.csv": "step,prompt_id,gold\n0,a,\n5,a,\n",
    "samerun.csv": "step,prompt_id,response_id,gold\n0,a,1,2\n0,a,1,3\n",
    "arm_a.csv": RUN.replace("step", "arm,step", 1).replace("\n0", "\nq,0").replace("\n5", "\nq,5"),
    "arm_b.csv": RUN.replace("step", "arm,step", 1).replace("\n0", "\nq,0").replace("\n5", "\nq,5"),
    "points.csv": "arm,step,gold\nx,0,1\nx,5,2\n",
    "point_twice.csv": "arm,step,gold\nx,0,1\nx,0,2\n",
    "point_gap.csv": "arm,step,gold\nx,0,1\nx,5,\n",
    "point_kl.csv": "arm,step,gold,kl\nx,0,1,0\nx,5,2,-3\n",
    "point_noarm.csv": "step,gold\n0,1\n",
    "proxy.csv": "prompt_id,response_id,value\na,1,1\na,2,2\nb,3,3\nb,4,4\n",
    "other.csv": "prompt_id,response_id,value\nz,9,1\n",
    "judges.csv": "prompt_id,response_id,value,judge\na,1,1,j\na,1,2,k\n",
    "noresponse.csv": "prompt_id,value\na,1\n",
    "fewer.csv": "prompt_id,response_id,gold\na,1,1\na,2,2\n",
    "bad\nname.csv": "",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables")
    for name, text in TEXTS.items():
        (path / name).write_text(text, encoding="utf-8")
    (path / "utf16.csv").write_bytes(GOOD.encode("utf-16"))
    (path / "latin.csv").write_bytes("prompt_id,proxy,gold\n\xe4,1,2\n".encode("latin-1"))
    (path / "fake.parquet").write_text(GOOD)
    table = pa.table({"prompt_id": ["a", "b"], "proxy": [1.0, 2.0], "gold": [1.0, 2.0]})
    pq.write_table(table, path / "cut.parquet")
    data = (path / "cut.parquet").read_bytes()
    (path / "cut.parquet").write_bytes(data[: len(data) // 2])
    texts = table.set_column(1, "proxy", pa.array(["high", "low"]))
    pq.write_table(texts, path / "text.parquet")
    pq.write_table(table.set_column(0, "prompt_id", pa.array([0.5, 1.5])), path / "floats.parquet")
    pq.write_table(table.set_column(1, "proxy", pa.array([[1.0], [2.0]])), path / "lists.parquet")
    pq.write_table(table.slice(0, 0), path / "norows.parquet")
    nan = np.array([1.0, np.nan])
    pq.write_table(table.set_column(2, "gold", pa.array(nan)), path / "nan.parquet")
    (path / "empty_folder").mkdir()
    (path / "runs").mkdir()
    (path / "runs" / "notes.txt").write_text("no run here")
    return path


ANY = [
    ("bon missing.parquet", 2, "missing.parquet: no such file"),
    ("bon empty.csv", 2, "empty.csv: the file is empty"),
    ("bon header.csv", 2, "header.csv: the file has no rows"),
    ("bon norows.parquet", 2, "norows.parquet: the file has no rows"),
    ("bon notes.txt", 2, r"cannot read a \.txt file; use \.parquet"),
    ("bon fake.parquet", 2, "fake.parquet: not a readable parquet file"),
    ("bon cut.parquet", 2, "cut.parquet: not a readable parquet file"),
    ("bon list.jsonl", 2, r"list.jsonl:1: expected one JSON object a line, got list"),
    ("bon broken.jsonl", 2, r"broken.jsonl:2: not JSON"),
    ("bon utf16.csv", 2, "utf16.csv:1: .*UTF-8"),
    ("bon latin.csv", 2, "latin.csv:2: byte 0xe4 is not UTF-8"),
    ("bon ragged.csv", 2, "ragged.csv:3: 2 fields, the header has 3"),
    ("bon quote.csv", 2, "quote.csv:2: .*never closed"),
    ("bon doubled.csv", 2, "column 'gold' stands twice"),
    ("bon unnamed.csv", 2, "column 1 has no name; pandas"),
    ("bon empty_folder", 2, "the folder holds no samples.parquet"),
    ("curve runs", 2, "runs: .*the folder holds no"),
]
SAMPLES = [
    ("bon", 2, "no file; name a file, or two with --proxy"),
    ("bon nogold.csv", 2, "no column 'gold'; its columns are: prompt_id, proxy"),
    ("bon noprompt.csv", 2, "no column 'prompt_id'"),
    ("bon good.csv --proxy reward", 2, "no column 'reward'"),
    ("bon good.csv --proxy gold", 2, "proxy and gold are the same column, 'gold'"),
    ("bon good.csv --proxy prompt_id", 2, "column 'prompt_id' is not a reward"),
    ("bon word.csv", 2, "column proxy, row 2: 'good' is not a number"),
    ("bon text.parquet", 2, "column proxy, row 1: 'high' is not a number"),
    ("bon lists.parquet", 2, r"column proxy, row 1: \[1.0\] is not a number"),
    ("bon nested.jsonl", 2, r"column proxy, row 1: \{'v': 1\} is not a number"),
    ("bon floats.parquet", 2, "column prompt_id, row 1: 0.5 is not text"),
    ("bon float_id.jsonl", 2, "column prompt_id, row 1: 1.5 is not text"),
    ("bon true_id.jsonl", 2, "column prompt_id, row 1: True is not text"),
    ("bon vast.csv", 2, "column gold, row 1: 2e\\+300 is beyond 1e\\+100"),
    ("bon inf.csv", 2, "column gold, row 2: the value is infinite"),
    ("bon huge.jsonl", 2, "infinite|not JSON|too big"),
    ("bon nan.csv", 2, "column proxy, row 2: 2 of 3 samples lack their proxy; .*--unknown drop"),
    ("bon nan.parquet", 2, "column gold, row 2: 1 of 2 samples lack their gold"),
    ("bon allnan.csv --unknown drop", 2, "no sample has a proxy; score"),
    ("bon never.csv --unknown drop", 2, "no sample has both rewards"),
    ("bon blankid.csv", 2, "column prompt_id, row 2: 1 of 2 rows have none"),
    ("bon twice.csv", 2, r"row 5: response '1' of prompt 'a' is there twice \(first in row 1\)"),
    ("bon blankresponse.csv", 2, "column response_id, row 5: 1 of 5 rows have none"),
    ("bon arms.csv --arm z", 2, "no rows of arm 'z'; there are: x, y"),
    ("bon noarm.csv", 2, "column arm, row 2: 1 of 2 rows have none"),
    ("bon good.csv --arm x", 2, "no column arm to find 'x' in"),
    ("bon length.csv", 2, "column length, row 1: -5 is below 0"),
    ("bon run.csv", 2, "this holds trajectory; the command takes samples"),
    ("bon good.csv good.csv", 2, "is named twice|two arms are called"),
]
JOINED = [
    ("bon --proxy proxy.csv", 2, "no file; name a file, or two"),
    ("bon --proxy proxy.csv --gold other.csv", 2, "no response is in both"),
    ("bon --proxy proxy.csv --gold fewer.csv", 2, "2 responses are in proxy.csv alone, 0 in"),
    ("bon --proxy judges.csv --gold good.csv", 2, "is there twice.*several judges or replicates"),
    ("bon --proxy noresponse.csv --gold good.csv", 2, "no column 'response_id'"),
    ("bon --proxy proxy.csv:score --gold good.csv", 2, "no column 'score'"),
    ("bon --proxy good.csv:gold --gold good.csv:gold", 2, "the same column"),
    ("bon --proxy fewer.csv:gold --gold missing.csv:gold", 2, "missing.csv: no such file"),
    ("bon --proxy run.csv:gold --gold good.csv", 2, "no column 'response_id'"),
]
RUNS = [
    ("curve", 2, "Missing argument"),
    ("curve good.csv", 2, "this holds samples; the command takes trajectory or points"),
    ("curve negative_kl.csv", 2, "column kl, row 5: -0.4 is below 0"),
    ("curve half_step.csv", 2, "column step, row 5: 7.5 is not a whole number"),
    ("curve minus_step.csv", 2, "column step, row 5: -1 is below 0"),
    ("curve seed.csv", 2, "column seed, row 1: 'one' is not a whole number"),
    ("curve noseed.csv", 2, "column seed, row 1: nothing is not a whole number"),
    ("curve win.csv", 2, "column win, row 1: 2 is above 1"),
    ("curve apart.csv", 2, "no prompt of arm 'apart', seed 0 is there at every checkpoint"),
    ("curve lacks.csv", 2, "column gold, row 5: 1 of 5 rows lack their gold"),
    ("curve nothing.csv", 2, "no row has a gold"),
    ("curve samerun.csv", 2, "response '1' of prompt 'a' is there twice.*a column seed or arm"),
    ("curve arm_a.csv arm_b.csv", 2, "arm 'q', seed 0 is also in arm_a.csv"),
    ("curve point_twice.csv", 2, "column step, row 2: arm 'x' has step 0 twice"),
    ("curve point_gap.csv", 2, "column gold, row 2: a point has no gold"),
    ("curve point_kl.csv", 2, "column kl, row 2: -3 is below 0"),
    ("curve point_noarm.csv", 2, "no column 'arm'"),
    ("compare run.csv", 2, "there is nothing to compare"),
    ("compare points.csv", 2, "this holds points; the command takes"),
    ("report good.csv", 2, "no folder for the report; name one with --out"),
    ("report --out {out}", 2, "no file; name a file"),
]
OPTIONS = [
    ("bon good.csv --level 1", 2, "a confidence level of 1"),
    ("bon good.csv --level 0.2", 2, "a confidence level of 0.2"),
    ("bon good.csv --resamples 5", 2, "5 resamples; at least 100"),
    ("bon good.csv --unknown guess", 2, "'guess' is not one of"),
    ("bon good.csv --figures gif --out {out}", 2, "'gif' is not one of"),
    ("bon good.csv --seed x", 2, "'x' is not a valid integer"),
    ("bon good.csv --out good.csv --figures none", 1, "good.csv"),
    ("nonsense", 2, "No such command 'nonsense'"),
]
CASES = [*ANY, *SAMPLES, *JOINED, *RUNS, *OPTIONS]


@pytest.fixture
def call(folder, tmp_path, monkeypatch, capsys):
    """Return a function that runs a command line and gives exit code, output and error output."""

    def run(line: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            cli.main(["overopt", *line.format(out=tmp_path / "out").split(), "-q"])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def test_there_are_forty_cases_and_more():
    assert len(CASES) >= 40
    assert len({line for line, _, _ in CASES}) == len(CASES)


@pytest.mark.parametrize(("line", "code", "message"), CASES)
def test_bad_table_is_one_clear_line(call, folder, tmp_path, line, code, message):
    before = sorted(os.listdir(folder))
    status, out, err = call(line)
    assert (status, out) == (code, ""), (out, err)
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert re.search(message, err), err
    assert sorted(os.listdir(folder)) == before
    assert not (tmp_path / "out").exists()


def test_the_line_is_json_where_json_was_asked_for(call):
    status, out, err = call("bon word.csv --json")
    assert (status, out) == (2, "")
    assert set(json.loads(err)) == {"error", "where", "hint"}


def test_validate_says_what_is_wrong_with_each_file_and_exits_1(call):
    status, out, err = call("validate good.csv word.csv missing.csv")
    assert (status, err) == (1, "")
    assert "good.csv\n  samples: 4 rows" in out
    assert "word.csv\n  cannot be used: word.csv, column proxy, row 2: 'good' is not" in out
    assert "missing.csv\n  cannot be used: missing.csv: no such file" in out


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bon good.csv", "unclear"),  # two prompts of two samples
        ("bon nan.csv --unknown drop", "unclear"),  # one sample
        ("curve run.csv", "holds|unclear|at risk"),
        ("curve points.csv", "unclear"),
    ],
)
def test_what_is_too_little_is_a_typed_answer_and_no_number_is_nan(call, line, expected):
    status, out, err = call(line)
    assert status == 0, err
    assert re.search(expected, out)
    status, out, err = call(line + " --json")
    assert status == 0, err
    json.loads(out, parse_constant=pytest.fail)
