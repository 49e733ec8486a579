"""YAML that people write: typed, and wrong in one line."""

from __future__ import annotations

import os
import threading

import msgspec
import pytest

from rubricbench.errors import InputError
from rubricbench.yaml_file import MAX_BYTES, read_yaml, typed


class Form(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    size: int = 1


def test_a_document_becomes_a_struct(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("name: x\nsize: 3\n")
    assert typed(read_yaml(file), Form, "a.yaml") == Form("x", 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [", "not YAML"),
        ("a: !!python/object/apply:os.system ['true']", "not YAML"),
        ("a: &x [1]\nb: [*x, *x]", "aliases"),
        ("#" * (MAX_BYTES + 1), "larger than 1 MiB"),
        ("\x00", "not YAML"),
        ("[" * 100_000, "nested more than 50 deep"),
        ("".join(" " * i + "a:\n" for i in range(60)), "nested more than 50 deep"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_in_a_line(tmp_path, text, said):
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_yaml(file)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_pipe_is_read_to_its_end(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("a: [{b: [1, 2]}]\n",))
    writer.start()
    assert read_yaml(pipe) == {"a": [{"b": [1, 2]}]}
    writer.join()


def test_what_never_ends_is_too_large():
    with pytest.raises(InputError, match="larger than 1 MiB"):
        read_yaml("/dev/zero")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_yaml(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("document", "said"),
    [({"name": 3}, "Expected `str`"), ({}, "name"), ({"nam": "x"}, "nam.*fields: name, size")],
)
def test_a_wrong_field_is_named(document, said):
    with pytest.raises(InputError, match=said):
        typed(document, Form, "a.yaml")
