"""Names of values that may not reach a disk: API keys, headers, passwords."""

from __future__ import annotations

import functools

# Whole names, letters only: a schema may well have a property "header_count" or "max_tokens".
_WHOLE = frozenset(
    {"accesstoken", "authorization", "authtoken", "bearer", "clientsecret", "cookie", "cookies"}
    | {"credentials", "defaultheaders", "extraheaders", "headers", "hftoken", "httpheaders"}
    | {"proxyauthorization", "token"}
)
_ENDINGS = ("apikey", "password", "secret", "secretkey")


@functools.lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Tell whether a key of this name holds a secret.

    ``api_key_env`` does not: it names the variable that holds the key, which is how to give one.
    """
    letters = "".join(filter(str.isalpha, name.lower()))
    return letters in _WHOLE or letters.endswith(_ENDINGS)
