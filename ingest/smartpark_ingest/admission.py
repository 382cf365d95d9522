"""Who may in: judges readings before they come near the hypertable, and says why not.

Pure: readings, registry and the time of arrival in; accepted rows and refusals out. Every reading is one or the
other. The order of the questions is the order of `Verdict`: the first that fails is the reason.

What is refused, and why here: an unknown point has no row to belong to; a clock of 1970 or 2262 would make a chunk of
its own; a value that no park can show would poison every average it is in. A reading that its own device calls bad is
stored as it came, whatever its value: nobody computes with it, and its status is the news.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import MICROSECONDS, from_us
from smartpark.wire import MISSING
from smartpark_storage import READING_DTYPE, DeadReason

from smartpark_ingest.bindings import UNKNOWN, Bindings
from smartpark_ingest.values import Values, convert

_SEVERITY: Final = np.uint32(0xC000_0000)
_BAD: Final = np.uint32(0x8000_0000)
_YEAR_2000_US: Final = 946_684_800 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Limits:
    """What a clock may say."""

    max_future_us: int = 5 * 60 * MICROSECONDS
    """How far ahead of its arrival a reading may claim to be. [us]"""
    max_age_us: int = 400 * 86_400 * MICROSECONDS
    """How late it may be: what the database would drop at once need not be stored. [us]"""

    def window(self, received_us: int) -> tuple[int, int]:
        """Earliest and latest time of a reading that arrives now."""
        return max(_YEAR_2000_US, received_us - self.max_age_us), received_us + self.max_future_us


class Verdict(IntEnum):
    """Outcome of admission, in the order of the questions."""

    ACCEPTED = 0
    UNKNOWN_ALIAS = 1
    UNKNOWN_POINT = 2
    CLOCK = 3
    NO_VALUE = 4
    """No value, although the status says good: a missing value needs a reason."""
    NOT_FINITE = 5
    IMPOSSIBLE = 6

    @property
    def reason(self) -> DeadReason:
        """Under which reason the refused are filed."""
        return _REASONS[self]


_REASONS: Final = {
    Verdict.UNKNOWN_ALIAS: DeadReason.UNKNOWN_ALIAS,
    Verdict.UNKNOWN_POINT: DeadReason.UNKNOWN_POINT,
    Verdict.CLOCK: DeadReason.CLOCK_OUT_OF_RANGE,
    Verdict.NO_VALUE: DeadReason.IMPOSSIBLE_VALUE,
    Verdict.NOT_FINITE: DeadReason.IMPOSSIBLE_VALUE,
    Verdict.IMPOSSIBLE: DeadReason.IMPOSSIBLE_VALUE,
}


@dataclass(frozen=True, slots=True)
class Given:
    """Readings of one message as they came, by slot; columns of equal length."""

    bindings: Bindings
    slot: NDArray[np.intp]
    """-1: alias never declared."""
    time: NDArray[np.int64]
    """[us since the epoch]"""
    status: NDArray[np.uint32]
    values: Values


@dataclass(frozen=True, slots=True)
class Judged:
    """Every reading of a message: either a row to store or a verdict against it."""

    verdict: NDArray[np.uint8]
    """Shape (n,), of `Verdict`."""
    rows: NDArray[np.void]
    """The accepted, of `READING_DTYPE`, in the order they came."""

    def refused(self) -> NDArray[np.intp]:
        """Indices of the readings that are not let in."""
        return np.flatnonzero(self.verdict)


def given_columns(
    bindings: Bindings,
    alias: NDArray[np.uint32],
    status: NDArray[np.uint32],
    time: NDArray[np.int64],
    bits: NDArray[np.int64],
) -> Given:
    """Readings of a data message."""
    slot = bindings.slots_of(alias)
    if (slot >= 0).all():
        return Given(bindings, slot, time, status, convert(bindings, slot, bits))
    known = np.flatnonzero(slot >= 0)
    values, found = Values.without(len(bits)), convert(bindings, slot[known], bits[known])
    for column in ("scaled", "raw", "magnitude"):
        getattr(values, column)[known] = getattr(found, column)
    return Given(bindings, slot, time, status, values)


def judge(given: Given, limits: Limits, *, received_us: int) -> Judged:
    """Sort readings into those to store and those to explain."""
    slot, status, magnitude = given.slot, given.status, given.values.magnitude
    earliest, latest = limits.window(received_us)
    good = (status & _SEVERITY) == 0
    believed = (status & _BAD) == 0
    # A double that is no number, from a device that does not call it good, is its way of saying "no value".
    has_bits = (given.values.scaled != MISSING) | ~np.isnan(given.values.raw)
    finite = np.isfinite(magnitude)
    verdict = np.zeros(len(slot), dtype=np.uint8)
    questions = (
        (Verdict.IMPOSSIBLE, finite & believed & _outside(given.bindings, slot, magnitude)),
        (Verdict.NOT_FINITE, has_bits & ~finite & good),
        (Verdict.NO_VALUE, ~has_bits & good),
        (Verdict.CLOCK, (given.time < earliest) | (given.time > latest)),
        (Verdict.UNKNOWN_POINT, _point_ids(given.bindings, slot) == UNKNOWN),
        (Verdict.UNKNOWN_ALIAS, slot < 0),
    )
    for answer, refused in questions:
        verdict[refused] = answer
    return Judged(verdict, _rows(given, np.flatnonzero(verdict == Verdict.ACCEPTED)))


def explain(given: Given, index: int, verdict: Verdict, limits: Limits, *, received_us: int) -> str:
    """Tell a person why this reading was refused."""
    slot = int(given.slot[index])
    match verdict:
        case Verdict.UNKNOWN_ALIAS:
            return "no birth of this edge declares the alias"
        case Verdict.UNKNOWN_POINT:
            return given.bindings.why_unknown(slot)
        case Verdict.CLOCK:
            return _explain_clock(int(given.time[index]), limits, received_us)
        case Verdict.NO_VALUE:
            return "no value, although the status says good; say why with a status such as 0x809B0000 (BadNoData)"
        case Verdict.NOT_FINITE:
            return f"{given.values.magnitude[index]} is not a number that can be stored"
        case _:
            low, high = given.bindings.low[slot], given.bindings.high[slot]
            return f"{given.values.magnitude[index]:.15g} is outside {low:g} to {high:g}, which physics allows"


def _explain_clock(time_us: int, limits: Limits, received_us: int) -> str:
    distance = timedelta(microseconds=abs(time_us - received_us))
    side = "ahead of" if time_us > received_us else "behind"
    allowed = limits.max_future_us if time_us > received_us else limits.max_age_us
    return (
        f"its clock is {distance} {side} the arrival at {from_us(received_us):%Y-%m-%d %H:%M:%S}Z; "
        f"allowed are {timedelta(microseconds=allowed)}, and nothing before 2000"
    )


def _outside(bindings: Bindings, slot: NDArray[np.intp], magnitude: NDArray[np.float64]) -> NDArray[np.bool_]:
    if not bindings.low.size:
        return np.zeros(len(slot), dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        return (magnitude < bindings.low[slot]) | (magnitude > bindings.high[slot])


def _point_ids(bindings: Bindings, slot: NDArray[np.intp]) -> NDArray[np.int32]:
    if not bindings.point_id.size:
        return np.full(len(slot), UNKNOWN, dtype=np.int32)
    return bindings.point_id[slot]


def _rows(given: Given, chosen: NDArray[np.intp]) -> NDArray[np.void]:
    rows = np.empty(len(chosen), dtype=READING_DTYPE)
    if not chosen.size:
        return rows
    rows["point_id"] = given.bindings.point_id[given.slot[chosen]]
    rows["time"] = given.time[chosen]
    rows["scaled"] = given.values.scaled[chosen]
    raw = given.values.raw[chosen]
    rows["raw"] = np.where(np.isfinite(raw), raw, np.nan)
    rows["status"] = given.status[chosen].view(np.int32)
    return rows
