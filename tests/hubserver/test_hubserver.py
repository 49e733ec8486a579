"""Unmodified clients take the loopback Hub for the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hubserver.server import Call, HubServer

PUBLISH = """
import sys
from huggingface_hub import CommitOperationAdd, HfApi
api = HfApi()
api.create_repo("org/name", repo_type="dataset", exist_ok=True)
rows = "".join('{"n": %d}\\n' % i for i in range(200)).encode()
card = "---\\nconfigs:\\n- config_name: a\\n  data_files: data/*.jsonl\\n---\\nHi\\n".encode()
operations = [
    CommitOperationAdd("data/train.jsonl", rows),
    CommitOperationAdd("README.md", card),
]
made = api.create_commit("org/name", operations, commit_message="first", repo_type="dataset")
try:
    api.create_tag("org/name", tag="v1", repo_type="dataset")
except Exception as error:
    print(type(error).__name__)
print(made.oid)
"""
LOAD = """
import sys, datasets
rows = datasets.load_dataset("org/name", "a", split="train", revision=sys.argv[1])
stream = datasets.load_dataset("org/name", "a", split="train", streaming=True)
print(len(rows), sum(rows["n"]), sum(r["n"] for r in stream))
"""


def client(code: str, hub: HubServer, home: Path, *words: str, token: str = "") -> str:
    found = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, **hub.environment(home, token)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return found.stdout.strip() if found.returncode == 0 else found.stderr[-2000:]


def test_published_files_load_by_config_split_and_tag(tmp_path: Path) -> None:
    with HubServer() as hub:
        sha = client(PUBLISH, hub, tmp_path / "a")
        assert hub.repositories["org/name"].tags == {"v1": sha}
        assert client(LOAD, hub, tmp_path / "b", "v1") == "200 19900 19900"
        assert "doesn't exist" in client(LOAD, hub, tmp_path / "c", "v9")


def test_large_files_go_through_lfs_and_come_back(tmp_path: Path) -> None:
    with HubServer(lfs=True) as hub:
        client(PUBLISH, hub, tmp_path / "a")
        assert hub.calls["lfs_put"] == 1
        assert hub.repositories["org/name"].resolve("v1").files["data/train.jsonl"].lfs
        assert client(LOAD, hub, tmp_path / "b", "main") == "200 19900 19900"


def test_a_commit_is_whole_or_not_there(tmp_path: Path) -> None:
    def fault(call: Call) -> str:
        return "drop" if call.kind == "commit" else ""

    with HubServer(fault=fault) as hub:
        client(PUBLISH, hub, tmp_path)
        assert len(hub.repositories["org/name"].commits) == 1  # the empty first one


def test_writing_wants_the_token(tmp_path: Path) -> None:
    with HubServer(token="hf_right") as hub:
        assert "401" in client(PUBLISH, hub, tmp_path, token="hf_wrong")
        assert hub.repositories == {}


def test_an_equal_publish_makes_no_second_commit(tmp_path: Path) -> None:
    with HubServer() as hub:
        first = client(PUBLISH, hub, tmp_path)
        second = client(PUBLISH, hub, tmp_path)
        assert len(hub.repositories["org/name"].commits) == 2
        assert second.split()[-1] == first.split()[-1]
        assert second.startswith("HfHubHTTPError")  # the tag is there already
