"""What goes wrong in the park, when, and what the platform must make of it.

Two kinds of trouble. Those of a register (rollover, reset) change what a meter shows from an instant on; they are
drawn once, noted in the ledger, and hold for ever. The others come and go: within each slot of wall-clock time the
seed picks a device and a moment, so a run can be repeated.

====================  =======================================================================================
dropout               nothing is sent: no reading, and the energy flows all the same
stuck                 gauges repeat their last value while the registers go on
duplicates            a message is sent twice: one reading each
garbage               an extra message nobody can read: one dead letter
clock_skew            a message stamped in 1970 or 2049: one dead letter for each of its readings
sensor_failure        an OPC UA value is missing or doubtful, and its status code says so
rollover              a register passes its last digit during the history
reset                 a meter is replaced right after a reading and begins again at zero
====================  =======================================================================================
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from smartpark.clock import MICROSECONDS
from smartpark.errors import SmartparkError

SLOT_US = 20 * MICROSECONDS
"""Each passing fault of the mix occurs once within every slot."""
HISTORY_SLOT_US = 2 * 86_400 * MICROSECONDS
_TROUBLE_US = 6 * MICROSECONDS
_QUARTER_US = 900 * MICROSECONDS


class UnknownFaultError(SmartparkError):
    """There is no fault of that name."""


class FaultKind(StrEnum):
    """What can go wrong."""

    DROPOUT = "dropout"
    STUCK = "stuck"
    DUPLICATES = "duplicates"
    GARBAGE = "garbage"
    CLOCK_SKEW = "clock_skew"
    SENSOR_FAILURE = "sensor_failure"
    ROLLOVER = "rollover"
    RESET = "reset"


SPANS = frozenset({FaultKind.DROPOUT, FaultKind.STUCK, FaultKind.SENSOR_FAILURE})
MOMENTS = frozenset({FaultKind.DUPLICATES, FaultKind.GARBAGE, FaultKind.CLOCK_SKEW})
IN_HISTORY = frozenset({FaultKind.DROPOUT, FaultKind.STUCK, FaultKind.DUPLICATES, FaultKind.GARBAGE})


def parse_faults(text: str) -> frozenset[FaultKind]:
    """Read a list such as ``dropout,garbage``; ``all`` and ``none`` are understood."""
    if text == "all":
        return frozenset(FaultKind)
    names = [name.strip() for name in text.split(",") if name.strip() not in {"", "none"}]
    unknown = [name for name in names if name not in set(FaultKind)]
    if unknown:
        raise UnknownFaultError(f"no fault is called {', '.join(unknown)}; there are {', '.join(FaultKind)}")
    return frozenset(FaultKind(name) for name in names)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One fault of one device; a moment has start = end."""

    kind: FaultKind
    device: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Which faults befall which devices, by seed."""

    seed: int
    kinds: frozenset[FaultKind]
    devices: Sequence[str]
    """Devices that speak MQTT and may be troubled; the boundary meters are spared by who builds the plan."""

    def passing(self, slot: int) -> list[Trouble]:
        """Passing faults of one slot of wall-clock time while the park is live."""
        return list(self._draw(slot, SLOT_US, _TROUBLE_US, SPANS | MOMENTS))

    def in_history(self, slot: int) -> list[Trouble]:
        """Passing faults of one slot of history: loggers fail for hours, not seconds."""
        return list(self._draw(slot, HISTORY_SLOT_US, 12 * _QUARTER_US, IN_HISTORY))

    def _draw(self, slot: int, slot_us: int, length_us: int, among: frozenset[FaultKind]) -> Iterator[Trouble]:
        generator = np.random.default_rng([self.seed, slot_us // MICROSECONDS, slot])
        # One device each, so that two faults never meet in one message.
        order = generator.permutation(len(self.devices))
        starts = slot * slot_us + generator.integers(0, slot_us - length_us, len(FaultKind))
        chosen = [kind for kind in FaultKind if kind in self.kinds & among]
        for device, kind, moment in zip(order.tolist(), chosen, starts.tolist(), strict=False):
            start = moment // MICROSECONDS * MICROSECONDS
            yield Trouble(kind, str(self.devices[device]), start, start + (length_us if kind in SPANS else 0))


@dataclass(frozen=True, slots=True)
class RegisterEvents:
    """Instants at which registers roll over or begin again, by device [us since the epoch]."""

    rollover: dict[str, int]
    reset: dict[str, int]

    @staticmethod
    def draw(
        kinds: frozenset[FaultKind], *, rolls: str, resets: str, history_start: int, live_start: int
    ) -> "RegisterEvents":
        """Put them into the history when there is one, else into the first seconds of the live run.

        A reset falls on an instant at which the logger reads: the meter was read, then replaced, as fitters do;
        so the energy on both sides is in the readings and nothing has to be guessed.
        """
        span = live_start - history_start
        if span < 8 * _QUARTER_US:
            roll, reset = live_start + 8 * MICROSECONDS, live_start + 12 * MICROSECONDS
        else:
            roll, reset = (history_start + int(span * share) for share in (0.4, 0.6))
            reset = reset // _QUARTER_US * _QUARTER_US
        return RegisterEvents(
            {rolls: roll} if FaultKind.ROLLOVER in kinds else {},
            {resets: reset} if FaultKind.RESET in kinds else {},
        )
