"""What the desk may answer to a message; the worker acts on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.wire import Birth, Death, Status
from smartpark_storage import READING_DTYPE, DeadLetterRow

from smartpark_ingest.letters import Envelope

NO_ROWS: NDArray[np.void] = np.empty(0, dtype=READING_DTYPE)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A batch to store under its number: the readings let in, and letters for the rest."""

    envelope: Envelope
    floor: int
    rows: NDArray[np.void]
    letters: tuple[DeadLetterRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message without a number that could be acknowledged: kept as a letter, and that is all."""

    edge: str
    letter: DeadLetterRow | None
    """None: the same bytes were kept already."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A batch waits for a birth."""

    edge: str


@dataclass(frozen=True, slots=True)
class AskBirth:
    """The edge should say its birth again."""

    edge: str


@dataclass(frozen=True, slots=True)
class Born:
    """An edge has said who it is."""

    edge: str
    birth: Birth
    received_us: int
    retained: bool


@dataclass(frozen=True, slots=True)
class Died:
    """The present session of an edge has ended."""

    edge: str
    death: Death
    received_us: int


@dataclass(frozen=True, slots=True)
class Reported:
    """An edge has told how it fares."""

    edge: str
    status: Status
    received_us: int


@dataclass(frozen=True, slots=True)
class Stranger:
    """An edge of this shard has been heard of for the first time."""

    edge: str


Outcome = Admitted | Unreadable | Parked | AskBirth | Born | Died | Reported | Stranger
