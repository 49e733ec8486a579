"""An endpoint that answers nonsense gets one line; the API key goes to nobody else."""

from __future__ import annotations

import socket
import threading

import pytest

from rubricbench.endpoints import ask

OK = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture
def serve():
    """Return a function that serves raw bytes once and gives the base URL and what was asked."""
    sockets = []

    def start(raw: bytes) -> tuple[str, list[bytes]]:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)
        asked: list[bytes] = []

        def answer() -> None:
            try:
                connection, _ = listening.accept()
            except OSError:  # closed at the end of a test that asked for nothing
                return
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(raw)

        threading.Thread(target=answer, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/v1", asked

    yield start
    for listening in sockets:
        listening.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0 hello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        OK,
        OK + b"<html>",
        OK + b"\xff\xfe",
        OK + b"[" * 100_000,
        OK + b"[]",
        OK + b'{"data": 1}',
        OK + b'{"data": ["gpt"]}',
    ],
)
def test_an_answer_that_lists_no_models_is_said_to_be_none(serve, raw):
    found = ask(serve(raw)[0])
    assert (found.ok, found.detail) == (False, "it answers, but with no list of models")


@pytest.mark.parametrize(
    "url",
    [
        *("", "foo", "file:///etc", "ftp://127.0.0.1/x", "http://", "http://[::1", "http://h:port"),
        *("http://h:99999/v1", "http://a b/v1", "http://a\tb", "http://a\x00b", "http://\ud800"),
    ],
)
def test_what_is_no_http_url_is_not_asked(url):
    found = ask(url)
    assert (found.ok, found.detail) == (False, "not an http(s) URL")


def test_names_of_models_are_one_line_without_terminal_codes(serve):
    found = ask(serve(OK + b'{"data": [{"id": "a\\n\\u001b[31mred"}]}')[0])
    assert (found.ok, found.detail) == (True, "models: a [31mred")


def test_key_is_not_carried_to_where_the_endpoint_redirects(serve, monkeypatch):
    monkeypatch.setenv("RUBRICBENCH_JUDGE_API_KEY", "sk-secret")
    elsewhere, asked = serve(OK + b'{"data": []}')
    first, asked_first = serve(f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\n\r\n".encode())
    assert ask(first).detail == "HTTP 302: Found"
    assert b"sk-secret" in asked_first[0]
    assert asked == []


@pytest.mark.parametrize("key", ["sk-secret\nX: y", "sk-secret”", "sk-\x01secret"])
def test_a_malformed_key_is_named_but_not_shown(serve, monkeypatch, key):
    monkeypatch.setenv("RUBRICBENCH_JUDGE_API_KEY", key)
    found = ask("http://127.0.0.1:9/v1")
    assert "API key" in found.detail
    assert "secret" not in str(found)


def test_white_space_around_a_key_is_dropped(serve, monkeypatch):
    monkeypatch.setenv("RUBRICBENCH_JUDGE_API_KEY", "sk-secret\n")
    url, asked = serve(OK + b'{"data": []}')
    assert ask(url).ok
    assert b"Authorization: Bearer sk-secret\r\n" in asked[0]


def test_password_in_a_url_is_not_shown():
    found = ask("http://me:secret@127.0.0.1:9/v1")
    assert "password" in found.detail
    assert "secret" not in str(found)
