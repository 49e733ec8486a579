"""The frame of the command line: light, one line per error, documented exit codes."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys

import click
import pytest

from rubricbench import cli
from rubricbench.cli.output import Output, output_options
from rubricbench.errors import EndpointError, InputError

HEAVY = ("torch", "vllm", "trl", "lm_eval", "datasets", "pandas", "transformers")


@pytest.mark.parametrize(
    "code",
    ["import rubricbench", "import rubricbench.cli", "from rubricbench.cli import cli, COMMANDS"],
)
def test_importing_loads_nothing_heavy(code):
    script = f"import sys; {code}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_help_loads_nothing_heavy_and_lists_every_command():
    script = (
        "import sys, atexit; from rubricbench.cli import main;"
        f"atexit.register(lambda: print([m for m in {HEAVY!r} if m in sys.modules]));"
        "main(['--help'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith("[]")
    for name in cli.COMMANDS:
        assert name in done.stdout


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_loads_and_has_help(name):
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    assert command.help or isinstance(command, click.Group)


def run(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    return int(caught.value.code or 0)


@pytest.fixture
def failing(monkeypatch):
    """Register a command `fail` that raises what the test wants."""

    def install(error: BaseException) -> None:
        @click.command()
        @output_options
        def command(output: object) -> None:
            raise error

        module = type(sys)("fake_command")
        module.command = command
        monkeypatch.setitem(sys.modules, "fake_command", module)
        monkeypatch.setitem(cli.COMMANDS, "fail", ("fake_command", "fails"))

    return install


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("bad value", where="f.csv:3", hint="fix it"), 2),
        (EndpointError("refused"), 1),
        (KeyboardInterrupt(), 130),
        (click.UsageError("no such option"), 2),
    ],
)
def test_exit_codes(failing, capsys, error, code):
    failing(error)
    assert run(["fail"]) == code
    assert capsys.readouterr().out == ""


def test_error_is_one_line_what_where_what_to_do(failing, capsys):
    failing(InputError("bad\nvalue", where="f.csv:3", hint="fix it"))
    run(["fail"])
    assert capsys.readouterr().err == "error: f.csv:3: bad value; fix it\n"


def test_error_as_json(failing, capsys):
    failing(InputError("bad value", where="f.csv:3", hint="fix it"))
    run(["fail", "--json"])
    assert json.loads(capsys.readouterr().err) == {
        "error": "bad value",
        "where": "f.csv:3",
        "hint": "fix it",
    }


def test_a_bug_keeps_its_traceback(failing):
    failing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        cli.main(["fail"])


def test_unknown_command_is_a_usage_error(capsys):
    assert run(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["--nonsense"], ["doctor", "extra"], ["doctor", "--endpoint"]]
)
def test_usage_error_is_one_line_that_says_where_help_is(capsys, arguments):
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.endswith("--help\n")
    assert captured.err.count("\n") == 1


def test_usage_error_as_json(capsys):
    assert run(["doctor", "extra", "--json"]) == 2
    assert json.loads(capsys.readouterr().err)["hint"] == "see: rubricbench doctor --help"


@pytest.fixture
def printing(monkeypatch):
    """Register a command `show` that prints a result."""

    def install(value: dict[str, object], text: str) -> None:
        @click.command()
        @output_options
        def command(output: Output) -> None:
            output.result(value, text)

        module = type(sys)("fake_command")
        module.command = command
        monkeypatch.setitem(sys.modules, "fake_command", module)
        monkeypatch.setitem(cli.COMMANDS, "show", ("fake_command", "shows"))

    return install


def test_names_do_not_steer_the_terminal(printing, capsys):
    printing({"arm": "a\x1b[2J\u202eb"}, "arm a\x1b[2J\r\u202eb\tc\nnext\x9b")
    assert run(["show"]) == 0
    assert capsys.readouterr().out == "arm a\\x1b[2J\\r\\u202eb\tc\nnext\\x9b\n"
    assert run(["show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"arm": "a\x1b[2J\u202eb"}


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_result_that_cannot_be_written_is_one_line(printing, monkeypatch, capsys):
    printing({}, "done")
    monkeypatch.setattr(sys, "stdout", FullDisk())
    assert run(["show"]) == 1
    assert capsys.readouterr().err == (
        "error: standard output: cannot write the result: No space left on device\n"
    )


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "cp1252"])
def test_result_that_the_terminal_cannot_show_is_escaped(printing, monkeypatch, encoding):
    value = {"path": "\udcff", "name": "猫😀é"}
    printing(value, "\udcff 猫😀é")
    for arguments in (["show"], ["show", "--json"]):
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
        assert run(arguments) == 0
        sys.stdout.flush()
        text = written.getvalue().decode(encoding)
        assert "\\udcff" in text
    assert json.loads(text) == value
