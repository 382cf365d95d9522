"""What a kind of uplink must do, and which kinds there are.

A kind is a class for one protocol, made from a file of settings. It may keep a connection and what it needs of the
platform's words in memory; the queue is not its business. It raises `RetryableError` where the other side is away or
not willing to talk (the worker waits and comes back), and says item by item what was taken where it answered.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from smartpark.errors import InvalidFileError, Problem
from smartpark.exposition import Family
from smartpark.tomlfile import load_toml
from smartpark.uplinks import Delivery
from smartpark_storage.uplinks import DueNumber, QueuedNumber

State = Mapping[str, Any]
"""What the platform said of itself, kept in the database as JSON; never a secret."""


@dataclass(frozen=True, slots=True)
class Series:
    """A published series and its name on the other side."""

    item: str
    """Unique within the uplink; part of the queue's key, so it stays when settings change."""
    form: str
    """Digest of all settings that decide how it is told: when it changes, everything is compared anew."""
    park: str
    boundary: str
    indicator: str
    grain: str
    packet: str = ""
    """Items of one packet and start travel together; empty: each for itself."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of a current number."""

    digest: str
    """Of what would be told; one that the platform knows already is not told again."""
    withheld: str = ""
    """Why it is not told at all; words for `uplink status`."""


@dataclass(slots=True)
class Reply:
    """What the platform said to some numbers; those it says nothing of are told again."""

    taken: list[QueuedNumber] = field(default_factory=list[QueuedNumber])
    refused: list[tuple[QueuedNumber, str]] = field(default_factory=list[tuple[QueuedNumber, str]])
    """With why."""


class Uplink(Protocol):
    """One uplink, as its file says. All calls come from one thread."""

    @property
    def name(self) -> str:
        """Under which the queue is kept."""
        ...

    @property
    def kind(self) -> str:
        """Which protocol."""
        ...

    @property
    def delivery(self) -> Delivery:
        """How what is queued leaves."""
        ...

    @property
    def series(self) -> Sequence[Series]:
        """What is told."""
        ...

    @property
    def tells_whole_packets(self) -> bool:
        """Whether a packet is told with all its items when one of them is to be told."""
        ...

    @property
    def resting(self) -> Collection[str]:
        """Packets that are not told just now, because whose they are is being left alone; the others are."""
        ...

    def judge(self, number: DueNumber) -> Verdict:
        """What is to become of a current number. Decides by the number and the settings alone."""
        ...

    def connect(self, state: State, now: datetime) -> State:
        """Be ready to send: register, log in, fetch what must be known. Cheap where that is done already.

        Returns the state to be kept; `RetryableError` when it does not work.
        """
        ...

    def ready(self, state: State, now: datetime) -> Mapping[str, datetime]:
        """For each grain the start before which a period may be told by now; upload times are kept here."""
        ...

    def send(self, numbers: Sequence[QueuedNumber], state: State, now: datetime) -> Reply:
        """Tell numbers, and say what became of each; `RetryableError` when nobody knows.

        With `tells_whole_packets`, all numbers are of one packet and start.
        """
        ...

    def idle(self, now: datetime) -> bool:
        """Called in each round: heartbeats, questions from the other side, what does not go through the queue.

        Whether there is more of it at once; `RetryableError` when the other side has gone.
        """
        ...

    def preview(self, numbers: Sequence[QueuedNumber], state: State, now: datetime) -> Iterator[Mapping[str, Any]]:
        """What `send` would tell, as documents for people, without secrets; nothing is sent."""
        ...

    def families(self) -> Iterator[Family]:
        """What this kind counts beyond what the worker does."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


KINDS: Final[Mapping[str, str]] = {
    "nhjc": "smartpark_ingest.uplinks.nhjc:nhjc_uplink",
    "hj212": "smartpark_ingest.uplinks.hj212:hj212_uplink",
}
"""Of each kind the function that makes an `Uplink` of a file's path. It connects nowhere, and raises
`InvalidFileError` with every problem of the file and of the secrets that it names."""


def load_uplink(path: Path) -> Uplink:
    """Uplink of a file; `InvalidFileError` lists all problems."""
    head = load_toml(path).get("uplink")
    kind = head.get("kind") if isinstance(head, dict) else None
    where = KINDS.get(str(kind))
    if where is None:
        raise InvalidFileError([Problem(str(path), "uplink.kind", f"is one of {', '.join(KINDS)}; got {kind!r}")])
    module, _, function = where.partition(":")
    make: Any = getattr(import_module(module), function)
    return make(path)
