"""YAML that people write, read into typed structs; a fault is one line with file and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rubricbench.errors import InputError

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
Form = TypeVar("Form")


def read_yaml(path: str | Path) -> Any:
    """Return the document in a YAML (or JSON) file, read safely.

    Raises:
        InputError: it cannot be read, is larger than a MiB, is no YAML, or such as nobody needs
            here: with aliases, or nested deeply.
    """
    import yaml

    path = Path(path)
    try:
        with path.open("rb") as file:  # it may be a pipe, whose size nobody knows before
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(f"larger than {MAX_BYTES >> 20} MiB", where=str(path))
        text = data.decode("utf-8")
        _require_plain(text, path)
        return yaml.safe_load(text)
    except OSError as error:
        raise InputError(error.strerror or str(error), where=str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"not YAML: {' '.join(str(error).split())}", where=str(path)) from None


def _require_plain(text: str, path: Path) -> None:
    # Aliases can make a few lines stand for more than memory holds, and the time that brackets in
    # brackets take is the square of their number.
    import yaml

    opening = (
        *(yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken),
        *(yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken),
    )
    closing = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
    depth = 0
    for token in yaml.scan(text):
        if isinstance(token, yaml.AliasToken):
            raise InputError("aliases (*name) are not supported", where=str(path))
        depth += isinstance(token, opening) - isinstance(token, closing)
        if depth > MAX_DEPTH:
            raise InputError(f"nested more than {MAX_DEPTH} deep", where=str(path))


def typed(document: Any, form: type[Form], where: str) -> Form:
    """Return a document as a struct.

    Args:
        document: what `read_yaml` returned, or a part of it.
        form: the struct's type.
        where: file, and place in it, for the error message.

    Raises:
        InputError: a field is unknown, missing, or cannot be used; it is named.
    """
    try:
        return msgspec.convert(document, form)
    except msgspec.ValidationError as error:
        fields = getattr(form, "__struct_fields__", ())
        hint = f"fields: {', '.join(fields)}" if fields else ""
        raise InputError(str(error), where=where, hint=hint) from None
    except InputError as error:
        raise InputError(error.what, where=where, hint=error.hint) from None
