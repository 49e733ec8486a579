"""Publishing to a Hub on loopback, by unmodified clients: whole or not at all, and only once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hubserver.server import Call, HubServer

from rubricbench.errors import InputError
from rubricbench.hub import embedded
from rubricbench.publish import Target, read_package
from rubricbench.publish.benchmark import eval_yaml
from rubricbench.publish.card import card


def some(split: str, rows: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pq.read_table(embedded("verifiable") / f"{split}.parquet").slice(0, rows), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "package"
    some("test", 20, found / "health" / "test.parquet")
    some("train", 30, found / "health" / "train.parquet")
    some("test", 10, found / "finance" / "test.parquet")
    (found / "ABOUT.md").write_text("Written for a test.")
    return found


def run(hub: HubServer, home: Path, *words: str, token: str = "") -> tuple[int, str]:
    found = subprocess.run(
        [sys.executable, "-m", "rubricbench", "data", "publish", *words],
        env={**os.environ, **hub.environment(home, token)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return found.returncode, found.stdout + found.stderr


LOAD = """
import sys, datasets
repo, *rest = sys.argv[1:]
for name in ("health", "finance", None):
    rows = datasets.load_dataset(repo, *([name] if name else []), split="test", revision="v1.0.0")
    print(name, len(rows), rows[0]["rubrics"][0]["weight"])
"""


def test_what_is_published_loads_by_config_split_and_tag(folder: Path, tmp_path: Path) -> None:
    words = (str(folder), "--repo", "org/bench", "--tag", "v1.0.0", "--default", "health")
    with HubServer(token="hf_right") as hub:
        code, text = run(hub, tmp_path / "h", *words)
        assert code == 0, text
        assert "5 files downloaded and found equal" in text
        files = hub.repositories["org/bench"].resolve("v1.0.0").files
        assert files["health/test.parquet"].data == (folder / "health/test.parquet").read_bytes()
        loaded = subprocess.run(
            [sys.executable, "-c", LOAD, "org/bench"],
            env={**os.environ, **hub.environment(tmp_path / "other")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\n")
        first = pq.read_table(folder / "health/test.parquet")["rubrics"][0].as_py()[0]["weight"]
        assert loaded[0] == f"health 20 {first}"
        assert loaded[2] == f"None 20 {first}"
        code, text = run(hub, tmp_path / "h", *words)
        assert (code, "nothing to do" in text) == (0, True)
        assert len(hub.repositories["org/bench"].commits) == 2


def test_published_splits_do_not_change_unasked(folder: Path, tmp_path: Path) -> None:
    words = (str(folder), "--repo", "org/bench")
    with HubServer() as hub:
        run(hub, tmp_path, *words, "--tag", "v1.0.0")
        some("test", 19, folder / "health" / "test.parquet")
        code, text = run(hub, tmp_path, *words)
        assert (code, "published splits would change: health/test.parquet" in text) == (2, True)
        code, text = run(hub, tmp_path, *words, "--tag", "v1.0.0", "--yes")
        assert (code, "tag v1.0.0 is on another version" in text) == (2, True)
        code, text = run(hub, tmp_path, *words, "--dry-run", "--json")
        assert json.loads(text)["changed"] == ["README.md"]  # which named the tag that failed
        code, text = run(hub, tmp_path, *words, "--tag", "v1.1.0", "--yes")
        assert code == 0, text
        assert set(hub.repositories["org/bench"].tags) == {"v1.0.0", "v1.1.0"}


def test_a_pull_request_leaves_main_alone_and_is_opened_once(folder: Path, tmp_path: Path) -> None:
    with HubServer() as hub:
        words = (str(folder), "--repo", "org/bench", "--pr")
        first, second = (run(hub, tmp_path, *words) for _ in range(2))
        repository = hub.repositories["org/bench"]
        assert first[0] == second[0] == 0, first
        assert repository.resolve("main").files == {}
        assert list(repository.pulls) == ["refs/pr/1"]
        assert "discussions/1" in second[1]


def test_a_token_without_rights_publishes_nothing(folder: Path, tmp_path: Path) -> None:
    with HubServer(token="hf_right") as hub:
        code, text = run(hub, tmp_path, str(folder), "--repo", "org/bench", token="hf_wrong")
        assert code == 2
        assert "hf auth login" in text
        assert "hf_wrong" not in text
        assert hub.repositories == {}


KINDS = ("create", "info", "tree", "preupload", "commit", "tag", "refs", "download", "head")
FAULTS = ("500", "429", "drop", "done_then_drop")
CASES = [f"{kind}-{fault}" for kind in KINDS for fault in FAULTS] + ["commit-412", "commit-409"]
MANY = """
import json, sys, time
from rubricbench.errors import RubricbenchError
from rubricbench.publish import Target, publish, read_package
waits, time.sleep = time.sleep, lambda seconds: waits(min(seconds, 0.01))  # the client's own, too
package = read_package(sys.argv[1])
found = {}
for name in sys.argv[2:]:
    try:
        done = publish(package, Target(f"org/{name}", tag="v1"), sleep=lambda seconds: None)
        found[name] = [done.commit, done.verified, bool(done.changes)]
    except RubricbenchError as error:
        found[name] = str(error)
print(json.dumps(found))
"""


def many(hub: HubServer, home: Path, folder: Path, names: list[str]) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", MANY, str(folder), *names],
        env={**os.environ, **hub.environment(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def first_fails(call: Call) -> str:
    """The first call of a kind fails as the name of the repository says."""
    for case in CASES:
        kind, fault = case.split("-")
        if call.kind == kind and call.attempt == 1 and f"/{case}" in f"{call.path}/":
            return fault
    return "drop" if call.kind == "create" and call.attempt == 1 else ""


def test_faults_that_pass_leave_one_whole_version(folder: Path, tmp_path: Path) -> None:
    with HubServer(fault=first_fails) as hub:
        first = many(hub, tmp_path, folder, CASES)
        second = many(hub, tmp_path, folder, CASES)
        for case in CASES:
            repository = hub.repositories[f"org/{case}"]
            assert isinstance(first[case], list), first[case]
            assert len(repository.commits) == 2, case  # the first, empty one, and ours
            assert repository.tags == {"v1": first[case][0]}, case
            assert first[case][1:] == [5, True]
            assert second[case] == [first[case][0], 5, False], case


def test_a_hub_that_stays_away_leaves_nothing_half_visible(folder: Path, tmp_path: Path) -> None:
    def fault(call: Call) -> str:
        return (
            {"org/a": "503", "org/b": "drop"}.get(call.path.split("/datasets/")[-1][:5], "")
            if (call.kind == "commit")
            else ""
        )

    with HubServer(fault=fault) as hub:
        found = many(hub, tmp_path, folder, ["a", "b"])
        assert "cannot commit: the Hub answers 503; nothing is half published" in found["a"]
        assert "cannot commit: the Hub cannot be reached" in found["b"]
        assert all(r.resolve("main").files == {} for r in hub.repositories.values())


# What is refused before anything leaves the machine.


def test_a_prompt_in_two_splits_is_refused(folder: Path) -> None:
    shutil.copy(folder / "health/test.parquet", folder / "health/train.parquet")
    rows = pq.read_table(folder / "health/train.parquet")
    at = rows.column_names.index("split")
    train = rows.set_column(at, "split", pa.array(["train"] * len(rows)))
    pq.write_table(train, folder / "health/train.parquet")
    with pytest.raises(InputError, match="is in test and in train"):
        read_package(folder)


def test_splits_of_one_config_need_the_same_columns(folder: Path) -> None:
    pq.write_table(pa.table({"other": [1]}), folder / "health/train.parquet")
    with pytest.raises(InputError, match="its columns are not those of test"):
        read_package(folder)


def test_bad_packages_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_package(tmp_path / "none")
    with pytest.raises(InputError, match="no table"):
        read_package(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "test.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not a readable parquet file"):
        read_package(tmp_path)
    (tmp_path / "a" / "test.parquet").rename(tmp_path / "a" / "mine.parquet")
    with pytest.raises(InputError, match="split 'mine'"):
        read_package(tmp_path)


@pytest.mark.parametrize("name", ["bench", "org/a/b", "org/..", "org/b b", ""])
def test_names_the_hub_does_not_take_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="ORG/NAME"):
        Target(name)


def test_the_card_says_what_the_hub_reads(folder: Path) -> None:
    from huggingface_hub import DatasetCard

    package = read_package(folder, default="health")
    found = DatasetCard(card(package, "org/bench", tag="v1"))
    assert found.data.license == "cc-by-4.0"
    configs = {c["config_name"]: c for c in found.data.configs}
    assert configs["health"]["default"] is True
    assert configs["finance"]["data_files"] == [{"split": "test", "path": "finance/test.parquet"}]
    sizes = {i["config_name"]: i["splits"] for i in found.data.dataset_info}
    assert [s["num_examples"] for s in sizes["health"]] == [20, 30]
    assert "Written for a test." in found.text
    assert 'revision="v1"' in found.text
    assert card(package, "org/bench") == card(read_package(folder, default="health"), "org/bench")


def test_the_benchmark_names_a_task_for_each_test_split(folder: Path) -> None:
    import yaml

    tasks = yaml.safe_load(eval_yaml(read_package(folder), "org/bench"))["tasks"]
    assert [t["config"] for t in tasks] == ["finance", "health"]
