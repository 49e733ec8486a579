"""What doctor finds is what is installed, and an endpoint that fails is said to fail."""

from __future__ import annotations

import http.server
import importlib.metadata
import json
import threading

import pytest
from click.testing import CliRunner

from rubricbench.cli.doctor import command
from rubricbench.doctor import EXTRAS, diagnose


def test_versions_are_those_installed():
    found = diagnose(devices=False)
    assert found.core["numpy"] == importlib.metadata.version("numpy")
    assert {extra.name for extra in found.extras} == set(EXTRAS)
    dev = next(extra for extra in found.extras if extra.name == "dev")
    assert dev.installed["pytest"] == pytest.__version__
    assert dev.missing == ()


def test_missing_extra_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(EXTRAS, "dev", (("no_such_package",), "testing"))
    result = CliRunner().invoke(command, ["--no-devices"])
    assert "pip install 'rubricbench[dev]'" in result.output


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        good = self.path == "/good/models"
        body = json.dumps({"data": [{"id": "m"}]}).encode() if good else b"<html>"
        self.send_response(401 if self.path == "/locked/models" else 200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def base():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "ok", "detail"),
    [("good", True, "models: m"), ("locked", False, "HTTP 401"), ("html", False, "no list")],
)
def test_endpoint_is_asked(base, path, ok, detail):
    (endpoint,) = diagnose((f"{base}/{path}",), devices=False).endpoints
    assert endpoint.ok is ok
    assert detail in endpoint.detail


def test_unreachable_endpoint_fails_the_command():
    result = CliRunner().invoke(
        command,
        ["--no-devices", "--json", "--endpoint", "http://127.0.0.1:9"],
        standalone_mode=False,
    )
    assert result.return_value == 1
    assert json.loads(result.output)["endpoints"][0]["ok"] is False


def test_key_is_never_printed(base, monkeypatch):
    monkeypatch.setenv("RUBRICBENCH_JUDGE_API_KEY", "sk-very-secret")
    result = CliRunner().invoke(command, ["--no-devices", "--endpoint", f"{base}/good"])
    assert "sk-very-secret" not in result.output
