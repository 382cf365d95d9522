"""What will go wrong, when and to whom: a pure function of the seed. It starts and breaks nothing itself.

Faults come from a shuffled deck that holds every kind once, dealt again and again, so that a short run meets each
kind at least once and a long one meets them in ever other orders and overlaps. The same seed and length give the
same plan, on every machine.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from smartpark.errors import SmartparkError

from smartpark_simulators.demo.layout import EDGES

SPACING_S = 2.6
"""Mean time between the beginnings of two faults; many last longer, so they overlap. [s]"""
_FIRST_S = 1.0
_QUIET_S = 4.0
"""No fault begins so close to the end. [s]"""
_SHARDS = ("ingest-0", "ingest-1")
DERIVERS = ("derive-0", "derive-1")
API = "api"


class UnknownKindError(SmartparkError):
    """There is no fault of that name."""


class Kind(StrEnum):
    """What can happen to the park."""

    KILL_EDGE = "kill_edge"
    KILL_BROKER = "kill_broker"
    KILL_INGEST = "kill_ingest"
    KILL_DATABASE = "kill_database"
    CUT = "cut"
    FREEZE = "freeze"
    DELAY = "delay"
    FILL_DISK = "fill_disk"
    FILL_SPOOL = "fill_spool"
    CORRUPT_SPOOL = "corrupt_spool"
    TURN_CLOCK = "turn_clock"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    RELOAD_EDGE = "reload_edge"
    LOAD_CATALOGUE = "load_catalogue"
    # Younger than the others; without them (`--faults`) a seed means what it meant before.
    KILL_DERIVE = "kill_derive"
    KILL_API = "kill_api"


class Line(StrEnum):
    """Connections that can be troubled; those of an edge carry its name behind a colon."""

    PUBLISH = "publish"
    """From an agent to the platform's broker."""
    METERS = "meters"
    """From an agent to the devices' broker."""
    PLC = "plc"
    INTAKE = "intake"
    """From ingest to the broker."""
    DATABASE = "database"
    """From ingest, derive and the API to the database."""


def line_name(line: Line, edge: str | None = None) -> str:
    """Name of one connection.

    Examples
    --------
    >>> line_name(Line.PUBLISH, "edge-a"), line_name(Line.DATABASE)
    ('publish:edge-a', 'database')
    """
    return line.value if edge is None else f"{line.value}:{edge}"


LINES = (
    *(line_name(line, edge) for edge in EDGES for line in (Line.PUBLISH, Line.METERS)),
    line_name(Line.PLC, EDGES[1]),
    line_name(Line.INTAKE),
    line_name(Line.DATABASE),
)
MQTT_LINES = tuple(name for name in LINES if name.split(":")[0] in {Line.PUBLISH, Line.METERS, Line.INTAKE})
"""Those on which messages can be doubled and shuffled one by one."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault."""

    at_s: float
    """After the park has gone live. [s]"""
    kind: Kind
    target: str
    length_s: float
    """How long it lasts, or how long what was killed stays away. [s]"""
    amount: float = 0.0
    """Delay [s], turn of the clock [s], share of messages; what the kind says."""
    token: int = 0
    """For whatever else is drawn within the fault."""

    @property
    def ends_s(self) -> float:
        """Seconds after the park has gone live at which it is over."""
        return self.at_s + self.length_s

    def as_json(self) -> dict[str, Any]:
        """For `--plan`."""
        return asdict(self)


def draw(seed: int, seconds: float, kinds: Sequence[Kind] = tuple(Kind)) -> tuple[Strike, ...]:
    """Plan of a run of so many seconds.

    Examples
    --------
    >>> draw(7, 60) == draw(7, 60)
    True
    >>> {strike.kind for strike in draw(7, 60)} == set(Kind)
    True
    """
    return tuple(_strikes(random.Random(seed), seconds, kinds))  # noqa: S311  replayable


def _strikes(chance: random.Random, seconds: float, kinds: Sequence[Kind]) -> Iterator[Strike]:
    deck: list[Strike] = []
    apart = _Spacing()
    at = _FIRST_S
    while at < seconds - _QUIET_S:
        if not deck:
            deck = [_deal(chance, at, kind) for kind in chance.sample(kinds, len(kinds))]
        # The first that may begin now; when none may, time passes.
        ready = next((card for card in deck if apart.earliest(card) <= at), None)
        if ready is None:
            at += 0.5
            continue
        deck.remove(ready)
        strike = replace(ready, at_s=round(at, 2))
        apart.note(strike)
        yield strike
        at += SPACING_S * chance.uniform(0.5, 1.5)


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a kind strikes: whom, for how long, and how much."""

    targets: tuple[str, ...]
    shortest_s: float
    longest_s: float
    amount: Callable[[random.Random], float] = lambda _chance: 0.0


_MANNERS = {
    Kind.KILL_EDGE: _Manner(EDGES, 0.1, 3.0),
    Kind.KILL_BROKER: _Manner(("broker",), 0.1, 3.0),
    Kind.KILL_INGEST: _Manner(_SHARDS, 0.1, 3.0),
    Kind.KILL_DATABASE: _Manner(("database",), 0.5, 4.0),
    Kind.CUT: _Manner(LINES, 0.5, 6.0),
    Kind.FREEZE: _Manner(LINES, 0.5, 6.0),
    Kind.DELAY: _Manner(LINES, 2.0, 6.0, lambda chance: chance.uniform(0.05, 1.0)),
    Kind.FILL_DISK: _Manner(EDGES, 2.0, 5.0),
    Kind.FILL_SPOOL: _Manner(EDGES, 6.0, 9.0),
    Kind.CORRUPT_SPOOL: _Manner(EDGES, 2.5, 4.0),
    # From a second to a year, either way.
    Kind.TURN_CLOCK: _Manner(EDGES, 2.0, 6.0, lambda chance: chance.choice((-1, 1)) * 10 ** chance.uniform(0, 7.5)),
    Kind.DUPLICATE: _Manner(MQTT_LINES, 3.0, 6.0, lambda chance: chance.uniform(0.2, 0.8)),
    Kind.REORDER: _Manner(MQTT_LINES, 3.0, 6.0, lambda chance: chance.uniform(0.2, 0.8)),
    Kind.RELOAD_EDGE: _Manner(EDGES, 0.0, 0.0),
    Kind.LOAD_CATALOGUE: _Manner(("catalogue",), 0.0, 0.0),
    Kind.KILL_DERIVE: _Manner(DERIVERS, 0.1, 3.0),
    Kind.KILL_API: _Manner((API,), 0.1, 3.0),
}


def _deal(chance: random.Random, at: float, kind: Kind) -> Strike:
    manner = _MANNERS[kind]
    return Strike(
        at,
        kind,
        chance.choice(manner.targets),
        round(chance.uniform(manner.shortest_s, manner.longest_s), 2),
        round(manner.amount(chance), 3),
        chance.getrandbits(32),
    )


class _Spacing:
    """Keeps apart what must not meet: two faults of one process, and what a damaged spool cannot answer for.

    A damaged spool takes with it the memory by which repeated messages are recognised (docs/reliability.md says so).
    A broker that is killed within seconds forgets what the agent acknowledged and delivers it again, so the two are
    kept apart: what such a meeting does is known, and is a limit, not a finding.
    """

    _FORGETS_S = 8.0
    """The broker saves every five seconds."""

    def __init__(self) -> None:
        self._busy_until: dict[str, float] = {}

    def earliest(self, strike: Strike) -> float:
        """Seconds after the park has gone live from which a strike may begin."""
        return max(self._busy_until.get(one, 0.0) for one in _claims(strike))

    def note(self, strike: Strike) -> None:
        """It will happen."""
        rest = self._FORGETS_S if strike.kind in {Kind.CORRUPT_SPOOL, Kind.KILL_BROKER} else 0.5
        for one in _claims(strike):
            self._busy_until[one] = max(self._busy_until.get(one, 0.0), strike.ends_s + rest)


def _claims(strike: Strike) -> tuple[str, ...]:
    """What a strike needs for itself."""
    match strike.kind:
        case Kind.CORRUPT_SPOOL:
            edge = strike.target
            return (edge, "memory", line_name(Line.PUBLISH, edge), line_name(Line.METERS, edge))
        case Kind.FILL_SPOOL:
            return (strike.target, line_name(Line.PUBLISH, strike.target))
        case Kind.KILL_BROKER:
            return ("broker", "memory")
        case _:
            return (strike.target,)
