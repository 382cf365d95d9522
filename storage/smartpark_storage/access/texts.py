"""What a secret looks like as text: its kind, the id by which people speak of it, the secret itself and a checksum.

``spk_ab12cd34ef56_…43 characters…``: the prefix and the fixed length let scanners find a secret that got into a
repository, and the checksum tells a typing mistake from a wrong secret without asking the database. Nothing here
keeps or prints a secret; what is kept is `digest_of`.
"""

import re
import secrets
import zlib
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Final


class SecretKind(StrEnum):
    """What a secret is for."""

    API_KEY = "api_key"
    """Sent with each request."""
    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a kind
    """Exchanged for access tokens."""
    ACCESS_TOKEN = "access_token"  # noqa: S105 - likewise
    """What a client secret is exchanged for."""


PREFIXES: Final[dict[SecretKind, str]] = {
    SecretKind.API_KEY: "spk",
    SecretKind.CLIENT_SECRET: "spc",
    SecretKind.ACCESS_TOKEN: "spt",
}
PATTERN: Final = r"sp[kct]_[a-z0-9]{12}_[0-9A-Za-z]{43}"
"""What a secret scanner should look for."""

_KINDS: Final = {prefix: kind for kind, prefix in PREFIXES.items()}
_IDS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH: Final = 37
"""Of an alphabet of 62: 220 bits."""
_CHECKSUM_LENGTH: Final = 6


@dataclass(frozen=True, slots=True)
class SecretText:
    """A secret somebody showed, well formed: whether it is the right one, only the database knows."""

    kind: SecretKind
    secret_id: str
    digest: bytes = field(repr=False)


def make_text(kind: SecretKind) -> tuple[str, str]:
    """Make a new secret: its id, and its text, which is shown once and kept nowhere."""
    secret_id = _draw(_IDS, 12)
    body = f"{PREFIXES[kind]}_{secret_id}_{_draw(_ALPHABET, _RANDOM_LENGTH)}"
    return secret_id, body + _checksum(body)


def parse_text(text: str) -> SecretText | None:
    """Take apart what was shown; None when it is none of our secrets, or a letter in it is wrong.

    Examples
    --------
    >>> secret_id, text = make_text(SecretKind.API_KEY)
    >>> shown = parse_text(text)
    >>> shown is not None and (shown.kind.value, shown.secret_id == secret_id)
    ('api_key', True)
    >>> parse_text(text[:-1] + ("a" if text[-1] != "a" else "b")) is None
    True
    """
    if re.fullmatch(PATTERN, text) is None:
        return None
    body, checksum = text[:-_CHECKSUM_LENGTH], text[-_CHECKSUM_LENGTH:]
    if _checksum(body) != checksum:
        return None
    prefix, secret_id, _ = text.split("_", 2)
    return SecretText(_KINDS[prefix], secret_id, digest_of(text))


def digest_of(text: str) -> bytes:
    """What is kept of a secret. It is random and long: there is nothing to guess, so a plain digest suffices."""
    return sha256(text.encode()).digest()


def make_token() -> str:
    """A secret that travels in an address or a cookie: 256 random bits, without a form of its own."""
    return secrets.token_urlsafe(32)


def _draw(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _checksum(body: str) -> str:
    number, letters = zlib.crc32(body.encode()), ""
    while len(letters) < _CHECKSUM_LENGTH:
        number, digit = divmod(number, len(_ALPHABET))
        letters = _ALPHABET[digit] + letters
    return letters
