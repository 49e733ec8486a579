"""The frame of the command line: light, one line per error, documented exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from rubricbench import cli
from rubricbench.cli.output import output_options
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
