"""Lines of a text file: UTF-8, bounded, each with its number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rubricbench.errors import SchemaError

MAX_LINE_BYTES = 64 << 20


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield ``(line, text)`` with the line's ending kept and a byte-order mark dropped.

    Raises:
        SchemaError: ``bad_encoding``, ``nul_character`` or ``text_too_long``, with the line.
    """
    with path.open("rb") as file:
        line = 0
        while data := file.readline(MAX_LINE_BYTES + 1):
            line += 1
            try:
                yield line, _text(data, "utf-8-sig" if line == 1 else "utf-8")
            except SchemaError as error:
                raise error.at(file=str(path), line=line) from None


def _text(data: bytes, encoding: str) -> str:
    if len(data) > MAX_LINE_BYTES:
        raise SchemaError(
            "text_too_long", f"a line of more than {MAX_LINE_BYTES >> 20} MiB", hint="is it text?"
        )
    if b"\x00" in data:
        raise SchemaError(
            "nul_character", "a NUL byte", hint="is the file UTF-16? save it as UTF-8"
        )
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SchemaError(
            "bad_encoding",
            f"byte {data[error.start]:#04x} is not UTF-8",
            hint="save the file as UTF-8",
        ) from None
