"""How fast values rise or fall: the change over a span of time, held against limits.

The rate at a sample is what the value moved since the sample that lies nearest to `span_us` before it, by the time
that really lies between the two; so samples that come a little early or late change nothing. Where no sample lies
within `slack_us` of that moment the rate is not known. A single wild value makes two breaches, one when it comes and
one when it is the base; `for_us` of `episodes` is against that. What a counter moves is `registers`' to say.

    verdicts, carry = rates.judge(samples, carry, limits.band(fall, rise), span_us=…, per_us=rates.HOUR_US)

What is remembered is samples, not numbers per object: those of the last span, which may be many.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from smartpark_analytics.alerts import limits as held
from smartpark_analytics.alerts.rows import Index, durations, in_order, last_not_after, seen_after, some_samples
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Samples, Verdicts

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 3_600_000_000


class RateCarry(NamedTuple):
    """What is remembered."""

    recent: Samples
    """Of all objects, those with a value that later samples may be compared with."""
    seen_us: Ints
    """Latest moment judged, shape (rows,)."""


def fresh_carry(rows: int) -> RateCarry:
    """Nothing seen so far."""
    nothing = np.zeros(0, np.int64)
    return RateCarry(Samples(nothing, nothing, np.zeros(0)), np.full(rows, NOT_YET_US, np.int64))


def lookback_us(span_us: ArrayLike, slack_us: ArrayLike | None = None) -> int:
    """How far back, in µs, samples are needed before one can be judged."""
    slack = np.asarray(span_us) // 2 if slack_us is None else slack_us
    return int(np.max(np.asarray(span_us) + slack))


def judge(
    samples: Samples,
    carry: RateCarry,
    limits: held.Limits,
    *,
    span_us: ArrayLike,
    slack_us: ArrayLike | None = None,
    per_us: int = HOUR_US,
) -> tuple[Verdicts, RateCarry]:
    """Rates of change against limits.

    Parameters
    ----------
    samples : Samples
        Later than those before.
    carry : RateCarry
        From the step before or `fresh_carry`. Not changed.
    limits : Limits
        Of the rate: `above` is for rising, `below`, less than zero, for falling. [unit of the object per `per_us`]
    span_us : int or ndarray of int64, shape (rows,)
        Over how long. [µs]
    slack_us : int or ndarray of int64, shape (rows,), optional
        How far from the span's begin its sample may lie; less than the span, by default half of it. [µs]
    per_us : int
        Unit of time of the rates. [µs]

    Returns
    -------
    verdicts : Verdicts
        One per sample; `value` is the rate. UNKNOWN where either value is.
    carry : RateCarry
        For the next step.

    Raises
    ------
    ValueError
        When samples are out of order or not later than those before, or parameters do not fit.

    Examples
    --------
    A bearing that warms by 2 K a minute, then 6; more than 200 K/h is too fast:

    >>> samples = Samples(np.zeros(4, np.int64), np.arange(4) * MINUTE_US, np.array([40.0, 42.0, 44.0, 50.0]))
    >>> too_fast = held.above(np.array([200.0]))
    >>> verdicts, _ = judge(samples, fresh_carry(1), too_fast, span_us=2 * MINUTE_US, slack_us=MINUTE_US // 2)
    >>> verdicts.value.tolist(), verdicts.level.tolist()
    ([nan, nan, 120.0, 240.0], [-1, -1, 0, 2])
    """
    rows = len(carry.seen_us)
    span = durations(span_us, rows, "span_us")
    slack = span // 2 if slack_us is None else durations(slack_us, rows, "slack_us")
    if (slack >= span).any():
        row = int(np.argmax(slack >= span))
        raise ValueError(f"slack_us of row {row} is {slack[row]} µs: it must be less than the span, {span[row]} µs")
    opens = in_order(samples.row, samples.time_us, rows, carry.seen_us)
    known = some_samples(samples, np.isfinite(samples.value))
    recent = _joined(carry.recent, known)
    rate = _rates(samples, recent, span, slack) * per_us
    verdicts = held.judge(Samples(samples.row, samples.time_us, rate), limits)
    never = np.full(rows, NOT_YET_US, np.int64)
    seen = seen_after(samples.row, samples.time_us, opens, carry.seen_us, never)
    needed = recent.time_us >= (seen - np.where(seen > NOT_YET_US, span + slack, 0))[recent.row]
    return verdicts, RateCarry(some_samples(recent, needed), seen)


def _joined(recent: Samples, new: Samples) -> Samples:
    if not recent.row.size:
        return new
    row = np.concatenate([recent.row, new.row])
    both = Samples(row, np.concatenate([recent.time_us, new.time_us]), np.concatenate([recent.value, new.value]))
    return some_samples(both, np.argsort(row, kind="stable"))


def _rates(samples: Samples, recent: Samples, span_us: Ints, slack_us: Ints) -> Floats:
    """Change per µs; NaN where there is nothing to compare with."""
    if not recent.row.size:
        return np.full(len(samples.row), np.nan)
    wanted = samples.time_us - span_us[samples.row]
    earlier = last_not_after(samples.row, wanted, recent.row, recent.time_us)
    # Where an object has nothing so early, its first sample is the one behind the last of the objects before.
    first = np.searchsorted(recent.row, np.arange(len(span_us)))
    behind = np.where(earlier < 0, first[samples.row], earlier + 1)
    behind = np.minimum(behind, len(recent.row) - 1)
    far_earlier = _distance(earlier, samples.row, wanted, recent)
    far_behind = _distance(behind, samples.row, wanted, recent)
    base = np.where(far_behind < far_earlier, behind, earlier)
    is_near = np.minimum(far_behind, far_earlier) <= slack_us[samples.row]
    between = np.where(is_near, samples.time_us - recent.time_us[base], 1)
    return np.where(is_near, (samples.value - recent.value[base]) / between, np.nan)


def _distance(place: Index, row: Ints, wanted_us: Ints, recent: Samples) -> Ints:
    """How far samples are from the moments wanted; endless where they are of another object. [µs]."""
    is_own = (place >= 0) & (recent.row[place] == row)
    return np.where(is_own, np.abs(recent.time_us[place] - wanted_us), np.iinfo(np.int64).max)
