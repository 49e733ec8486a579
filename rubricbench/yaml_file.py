"""YAML that people write, read into typed structs; a fault is one line with file and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rubricbench.errors import InputError

MAX_BYTES = 1 << 20
Form = TypeVar("Form")


def read_yaml(path: str | Path) -> Any:
    """Return the document in a YAML (or JSON) file, read safely.

    Raises:
        InputError: it cannot be read, is larger than a MiB, or is no YAML.
    """
    import yaml

    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"larger than {MAX_BYTES >> 20} MiB", where=str(path))
        text = path.read_text("utf-8")
        # Aliases can make a few lines stand for more than memory holds; nobody needs them here.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise InputError("aliases (*name) are not supported", where=str(path))
        return yaml.safe_load(text)
    except OSError as error:
        raise InputError(error.strerror or str(error), where=str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"not YAML: {' '.join(str(error).split())}", where=str(path)) from None


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
