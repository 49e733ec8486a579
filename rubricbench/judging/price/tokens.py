"""How many tokens a text is: by the model's own tokenizer where one is at hand, else estimated.

Nothing is fetched: a tokenizer is a local folder, an entry of the Hub cache, or an encoding that
``tiktoken`` has in its own cache. `token_counter` says in `TokenCounter.name` what it found.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rubricbench.errors import InputError

BYTES_PER_TOKEN = 4.0
"""What a token of English prose has; scripts that need more bytes a character come out near it."""

_TOKENIZER_FILES = ["*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken"]
_OPENAI_GAPS = (3, 4, 4)  # tokens around the contents of a system and a user message


class TokenCounter(Protocol):
    """Counts tokens."""

    @property
    def name(self) -> str:
        """What counts, for people."""
        ...

    @property
    def exact(self) -> bool:
        """Whether it is the model's own tokenizer."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text."""
        ...

    def gaps(self, roles: Sequence[str], options: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the tokens before, between and behind the contents of messages.

        Args:
            roles: of the messages.
            options: what the request hands to the chat template.
        """
        ...


class EstimatedCounter:
    """Counts bytes and divides them: for models whose tokenizer is not at hand."""

    name = f"estimated at {BYTES_PER_TOKEN:g} bytes a token"
    exact = False

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens that texts have by their UTF-8 bytes, rounded up."""
        return [math.ceil(byte_length(text) / BYTES_PER_TOKEN) for text in texts]

    def gaps(self, roles: Sequence[str], options: Mapping[str, Any]) -> tuple[int, ...]:
        """Return what OpenAI's models put there."""
        return openai_gaps(len(roles))


class TiktokenCounter:
    """Counts with an encoding of OpenAI's.

    Args:
        encoding: a ``tiktoken.Encoding``.
    """

    exact = True

    def __init__(self, encoding: Any) -> None:
        self._encoding = encoding
        self.name = f"tiktoken {encoding.name}"

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text; what looks like a special token is plain text."""
        return [len(self._encoding.encode_ordinary(_clean(text))) for text in texts]

    def gaps(self, roles: Sequence[str], options: Mapping[str, Any]) -> tuple[int, ...]:
        """Return what OpenAI states for its chat format: 4 a message, 3 to open the answer."""
        return openai_gaps(len(roles))


class ChatTokenizer:
    """Counts with a tokenizer of transformers and its chat template.

    Args:
        tokenizer: as ``AutoTokenizer.from_pretrained`` returns it.
        source: where it comes from, for people.
    """

    exact = True

    def __init__(self, tokenizer: Any, source: str) -> None:
        self._tokenizer = tokenizer
        self._fast = getattr(tokenizer, "backend_tokenizer", None)
        self.name = f"tokenizer of {source}"

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text, none added at its ends."""
        clean = [_clean(text) for text in texts]
        if self._fast is not None:
            found = self._fast.encode_batch_fast(clean, add_special_tokens=False)
            return [len(encoding) for encoding in found]
        return [len(self._tokenizer.encode(text, add_special_tokens=False)) for text in clean]

    def gaps(self, roles: Sequence[str], options: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the tokens of what the chat template writes around contents.

        A template that moves, repeats or drops contents cannot be taken apart, and a tokenizer
        without one shows nothing: then it is what OpenAI's models put there.
        """
        marks = [f"content{i}mark" for i in range(len(roles))]
        messages = [{"role": r, "content": m} for r, m in zip(roles, marks, strict=True)]
        pieces = _between(self._rendered(messages, options), marks)
        return tuple(self.count(pieces)) if pieces else openai_gaps(len(roles))

    def _rendered(self, messages: list[dict[str, str]], options: Mapping[str, Any]) -> str:
        try:
            text = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, **options
            )
        except Exception:  # templates are programs of strangers, and raise what they like
            return ""
        return text if isinstance(text, str) else ""


def openai_gaps(messages: int) -> tuple[int, ...]:
    """Return the tokens OpenAI states around contents: 3 + 1 (the role) a message, 3 at the end."""
    # <start> role <separator> content <end>, and <start> assistant <separator> for the answer.
    return (3, *[4] * messages)


def byte_length(text: str) -> int:
    """Return the length of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _clean(text: str) -> str:
    # Half a surrogate pair has no UTF-8, which tokenizers read.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _between(text: str, marks: Sequence[str]) -> list[str]:
    pieces = []
    for mark in marks:
        before, found, text = text.partition(mark)
        if not found or mark in text:
            return []
        pieces.append(before)
    return [*pieces, text]


def token_counter(model: str, tokenizer: str = "") -> TokenCounter:
    """Return what counts a model's tokens, the best that is at hand.

    Args:
        model: the judge's model, as the endpoint names it.
        tokenizer: a folder or a name on the Hub, where the tokenizer is not under the model's name.

    Raises:
        InputError: the tokenizer that was named is not there; or it needs an extra.
    """
    if tokenizer:
        found = _tiktoken(tokenizer) or _transformers(tokenizer)
        if found is None:
            raise InputError(
                f"there is no tokenizer {tokenizer!r:.100} here",
                hint="name a folder that holds one, or fetch it into the Hub cache first",
            )
        return found
    return _tiktoken(model) or _transformers(model) or EstimatedCounter()


def _tiktoken(model: str) -> TokenCounter | None:
    try:
        import tiktoken.load
        from tiktoken.model import encoding_name_for_model
    except ImportError:
        return None
    name = model.rpartition("/")[2]
    with _offline(tiktoken.load), contextlib.suppress(KeyError, ValueError, OSError):
        if name not in tiktoken.list_encoding_names():
            name = encoding_name_for_model(name)
        return TiktokenCounter(tiktoken.get_encoding(name))
    return None


@contextlib.contextmanager
def _offline(module: Any) -> Iterator[None]:
    """Let tiktoken read its cache, and fetch nothing: it has no setting for that."""
    before = module.read_file

    def refuse(path: str) -> bytes:
        raise OSError(f"not in the cache: {path}")

    module.read_file = refuse
    try:
        yield
    finally:
        module.read_file = before


def _transformers(name: str) -> TokenCounter | None:
    folder = _folder(name)
    if folder is None:
        return None
    try:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except ImportError:
        return None
    except Exception:  # whatever makes a folder no tokenizer
        return None
    return ChatTokenizer(tokenizer, name)


def _folder(name: str) -> Path | None:
    """Return the folder of a model's tokenizer: named itself, or in the Hub cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    folder = Path(name)
    with contextlib.suppress(OSError, ValueError):
        if folder.is_dir():
            return folder
    try:
        return Path(snapshot_download(name, local_files_only=True, allow_patterns=_TOKENIZER_FILES))
    except (HFValidationError, LocalEntryNotFoundError, OSError, ValueError):
        return None
