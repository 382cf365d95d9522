"""The paper that is signed when a period is submitted: which rows, by their digest, and whose word it is.

The text is JSON in one fixed form, so that a manifest has one text and a text one manifest; what is signed and
verified is that text, to the byte. Keys and signatures themselves are none of this module's business.
"""

import json
import re
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Self
from uuid import UUID

from smartpark.aggregates.rows import instant_text
from smartpark.clock import parse_instant, to_us
from smartpark.errors import SmartparkError
from smartpark.periods import Grain, Period, period_containing

KIND: Final = "smartpark-submission-1"
"""What the text says it is, and in which form."""
_KEY_DIGITS: Final = 16
_COUNTS: Final = frozenset({"sequence", "rows"})
_PERIOD: Final = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


class BadManifestError(SmartparkError):
    """A text is no manifest as this platform writes them."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is said about a submission, and signed."""

    instance: UUID
    """The instance that sealed it."""
    park: str
    region: str
    """GB/T 2260 code of the park."""
    period: str
    """``2026``, ``2026-10`` or ``2026-10-31``: a year, month or day of the park's calendar."""
    sequence: int
    """1 for the first submission of the period, and so on."""
    rows: int
    digest: str
    """SHA-256 over the canonical lines of the rows, in the order of their keys; 64 hexadecimal digits."""
    sealed_by: str
    sealed_at: datetime
    note: str
    key_id: str
    """Of the key that signs."""

    @property
    def code(self) -> str:
        """By which people and files speak of the submission."""
        return f"{self.park}/{self.period}/{self.sequence}"

    @property
    def text(self) -> str:
        """The exact text that is signed, as UTF-8."""
        said: dict[str, Any] = {"kind": KIND}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, datetime):
                said[field.name] = instant_text(to_us(value))
            else:
                said[field.name] = str(value) if isinstance(value, UUID) else value
        return json.dumps(said, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `text` wrote; anything else, were it a blank more, is a `BadManifestError`."""
        try:
            said: dict[str, Any] = json.loads(text)
            if said.pop("kind") != KIND:
                raise BadManifestError(f"the manifest is not of kind {KIND}")
            wrong = [name for name, value in said.items() if type(value) is not (int if name in _COUNTS else str)]
            if wrong:
                raise BadManifestError(f"the manifest has something else than text or a count in {', '.join(wrong)}")
            said |= {"instance": UUID(said["instance"]), "sealed_at": parse_instant(said["sealed_at"])}
            manifest = cls(**said)
            is_ours = manifest.text == text
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadManifestError(f"this is no manifest of a submission: {error}") from None
        if not is_ours:
            raise BadManifestError("the manifest is not in the one form that is signed")
        period_named(manifest.period)
        return manifest


def key_id_of(public: bytes) -> str:
    """Name of a key that seals: the beginning of the SHA-256 of its public half, so that whoever has one has both.

    Examples
    --------
    >>> key_id_of(bytes(32))
    'ed25519-66687aadf862bd77'
    """
    return f"ed25519-{sha256(public).hexdigest()[:_KEY_DIGITS]}"


def period_named(name: str) -> Period:
    """Period of the park's calendar of this name.

    Examples
    --------
    >>> period_named("2026-10").start.isoformat()
    '2026-09-30T16:00:00+00:00'
    """
    found = _PERIOD.fullmatch(name)
    if found is None:
        raise BadManifestError(f"{name!r} is no period; write a year 2026, a month 2026-10 or a day 2026-10-31")
    year, month, day = found.groups()
    grain = Grain.YEAR if month is None else Grain.MONTH if day is None else Grain.DAY
    try:
        first = parse_instant(f"{year}-{month or '01'}-{day or '01'}T00:00:00+08:00")
    except ValueError as error:
        raise BadManifestError(f"{name!r} is no period: {error}") from None
    return period_containing(first, grain)


def name_of_period(period: Period) -> str:
    """Name of a day, month or year.

    Examples
    --------
    >>> name_of_period(period_named("2026-02"))
    '2026-02'
    """
    lengths = {Grain.YEAR: 4, Grain.MONTH: 7, Grain.DAY: 10}
    if period.grain not in lengths:
        raise BadManifestError(f"a {period.grain} is not submitted; days, months and years are")
    return period.day.isoformat()[: lengths[period.grain]]
