"""What a source hands to the recorder, whatever the protocol; and the dead letter that it may become."""

from collections.abc import Iterable
from typing import Final, Protocol

from smartpark_edge.health import SourceHealth
from smartpark_edge.readings import Mapped
from smartpark_edge.spool_records import Letter

LETTER_LIMIT: Final = 1_000_000
"""Bytes of a message that a dead letter keeps."""
_DETAILS: Final = 3


class Work(Protocol):
    """Something a source has heard."""

    @property
    def health(self) -> SourceHealth:
        """Counters of its source."""
        ...

    @property
    def topic(self) -> str:
        """Where it was said."""
        ...

    @property
    def arrival(self) -> int:
        """When it came in."""
        ...

    @property
    def repeated(self) -> bool:
        """Whether it may have been delivered before."""
        ...

    def map(self) -> Iterable[Mapped]:
        """What it holds, for each device it concerns."""
        ...

    def raw(self) -> bytes:
        """Its bytes, for a dead letter."""
        ...

    def done(self) -> None:
        """It is safe: tell who sent it."""
        ...


def letter_of(work: Work, reason: str, details: list[str]) -> Letter:
    """A message, or what is left of a large one, with why it could not be taken."""
    payload = work.raw()
    text = "; ".join(details[:_DETAILS])
    if len(details) > _DETAILS:
        text += f"; and {len(details) - _DETAILS} more"
    if len(payload) > LETTER_LIMIT:
        text += f"; only the first {LETTER_LIMIT} of {len(payload)} bytes are kept"
        payload = payload[:LETTER_LIMIT]
    return Letter(work.arrival, work.health.name, _writable(work.topic), _writable(f"{reason}: {text}"), payload)


def _writable(text: str) -> str:
    """Text that UTF-8 has: JSON may hold half of a surrogate pair, and a detail quotes what it holds."""
    return text.encode("utf-8", "replace").decode()
