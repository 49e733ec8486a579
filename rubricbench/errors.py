"""Expected failures: one line that says what is wrong, where, and what to do.

The command line prints ``str(error)`` and exits with ``error.exit_code``; anything that is not a
`RubricbenchError` is a bug of ours and keeps its traceback.
"""

from __future__ import annotations


class RubricbenchError(Exception):
    """Something went wrong that a user can act on.

    Args:
        what: the fault, in plain words, without a trailing period.
        where: file, line, field, URL or run directory it was found in.
        hint: what to do next.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        line = f"{line}; {self.hint}" if self.hint else line
        return " ".join(line.split())


class InputError(RubricbenchError):
    """The caller's input cannot be used: a file, an option, a value, a name. Exit code 2."""

    exit_code = 2


class SchemaError(InputError):
    """A row breaks the data model.

    Args:
        code: stable name of the fault, such as ``empty_criterion`` (the list: `validity.FAULTS`).
        field: path of the offending field, such as ``rubrics[2].weight``.
        file: file the row came from, if any.
        line: 1-based line or row number in that file, if any.
    """

    def __init__(
        self,
        code: str,
        what: str,
        *,
        field: str | None = None,
        file: str | None = None,
        line: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.code = code
        self.field = field
        self.file = file
        self.line = line
        place = [str(part) for part in (file, line) if part is not None]
        where = ", ".join(part for part in (":".join(place), field) if part)
        super().__init__(f"{what} [{code}]", where=where or None, hint=hint)

    def at(self, *, file: str | None = None, line: int | None = None) -> SchemaError:
        """Return the same fault with its place filled in (readers know file and line)."""
        return self._copy(field=self.field, file=file or self.file, line=line or self.line)

    def within(self, parent: str) -> SchemaError:
        """Return the same fault with ``parent`` put before its field path."""
        inner = self.field or ""
        joint = "" if not inner or inner.startswith("[") else "."
        return self._copy(field=f"{parent}{joint}{inner}", file=self.file, line=self.line)

    def _copy(self, *, field: str | None, file: str | None, line: int | None) -> SchemaError:
        what = self.what.removesuffix(f" [{self.code}]")
        return SchemaError(self.code, what, field=field, file=file, line=line, hint=self.hint)


class RunError(RubricbenchError):
    """A run directory cannot be used: locked, of another configuration, damaged."""


class StoreError(RubricbenchError):
    """A completion store cannot be opened, read or written."""


class EndpointError(RubricbenchError):
    """A model endpoint is unreachable, refuses us, or does not speak the expected protocol."""


class MissingExtraError(RubricbenchError):
    """An optional dependency is needed.

    Args:
        package: the package that could not be imported.
        extra: the extra of rubricbench that brings it.
    """

    exit_code = 2

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package {package!r}",
            hint=f"install it with: pip install 'rubricbench[{extra}]'",
        )
