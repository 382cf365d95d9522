"""A message on its way, the file that says where to, and the two ways in which handing it over may fail.

An address lies in a file of its own (first line) with what signs (second line), in the folder of secrets. Neither is
told in an error, a log or the database.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from smartpark.alerts.routes import Contact
from smartpark.errors import RetryableError, SmartparkError

from smartpark_ingest.mail import Words

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_OTHERS: Final = 0o007
_SHORTEST: Final = 4
"""Pieces of an address shorter than this give nothing away."""
_PUBLIC: Final = frozenset(
    {"http", "https", "robot", "send", "access_token", "webhook", "hook", "mqtt", "mqtts", "json"}
)
"""Words of addresses that everybody knows; an error stays readable when they stay in it."""


class NotTakenError(RetryableError):
    """The other side is away, or does not take the message now."""


class RefusedError(SmartparkError):
    """The message is refused for good."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is handed over."""

    key: str
    """Of the intent; said twice, it is the same."""
    contact: Contact
    words: Words
    body: dict[str, Any]
    planned_at: datetime
    now: datetime

    @property
    def name(self) -> str:
        """By which a receiver tells that it has it already."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a contact is."""

    target: str = field(repr=False)
    secret: str = field(default="", repr=False)
    """What signs."""

    def hidden_in(self, text: str) -> str:
        """A text without any piece of the address or the secret in it."""
        pieces = set(re.split(r"[^\w.~-]+", self.target)) - _PUBLIC
        pieces |= set(re.split(r"[^\w.~-]+", self.secret))
        for piece in sorted((one for one in pieces if len(one) >= _SHORTEST), key=len, reverse=True):
            text = text.replace(piece, "***")
        return text


def read_address(folder: Path | None, name: str) -> Address:
    """Address of a contact; what is wrong with its file can be mended, so it is tried again later."""
    if folder is None:
        raise NotTakenError("no folder of addresses is configured (SMARTPARK_ALERT_SECRETS)")
    if _NAME.fullmatch(name) is None:
        raise NotTakenError(f"{name!r} is not the name of a secret file")
    path = folder / name
    try:
        if path.stat().st_mode & _OTHERS:
            raise NotTakenError(f"others can read the secret file {name}; run: chmod 600 {name}")
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise NotTakenError(f"the secret file {name} cannot be read: {said}") from None
    told = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not told:
        raise NotTakenError(f"the secret file {name} says nothing; its first line is the address")
    return Address(told[0], told[1] if len(told) > 1 else "")
