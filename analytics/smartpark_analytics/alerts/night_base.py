"""Night base load: whether what runs at night has become more than in the weeks before.

The base of a night is a low value of its hours, so that neither a short stop nor a late shift decides it. It is
held against a resistant line through the nights of the same kind (work or rest days) some weeks back, so that the
slow drift of the seasons is expected and only what exceeds it counts; and it takes several nights in a row. A level
that stays is the new usual after those weeks: whoever wants to keep the old one keeps the alert, not this module.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.alerts.night_expected import Bools, expected_bases
from smartpark_analytics.alerts.samples import Floats, Ints, Level, Levels, Samples, Verdicts
from smartpark_analytics.alerts.waiting import chosen, joined, no_samples

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class NightSettings:
    """Choices of the method; the defaults are those scored in docs/methods/alerts.md."""

    start_h: float = 0.0
    """Start of the night, local time; after `end_h`: the evening before. [h]"""
    end_h: float = 5.0
    """End of the night. [h]"""
    utc_offset_us: int = 8 * HOUR_US
    """Of local time; the parks' zone has no summer time. [µs]"""
    low_quantile: float = 0.25
    """Of a night's samples that makes its base. [0-1]"""
    step_us: int = HOUR_US
    """Rhythm of the samples. [µs]"""
    least_known: float = 0.75
    """Share of a night's samples that must be known. [0-1]"""
    rise: float = 0.2
    """Share above the expected base that is too much. [1]"""
    clear_share: float = 0.5
    """Share of that rise at or below which it is over. [0-1]"""
    score: float = 4.0
    """Robust standard deviations above the expected base that it must be as well. [1]"""
    nights: int = 4
    """So many in a row make a breach: of all nights, or of those of one kind."""
    lag_nights: int = 14
    """Nights before this one that are not part of what it is held against."""
    weeks: int = 6
    """Weeks before those that are."""
    least_nights: int = 6
    """Nights of the same kind that must be known of them."""
    drift: float = 0.06
    """Change of the expected base in a week that counts as season; more is not followed. [1]"""
    ripens_after_us: int = 2 * HOUR_US
    """A night is judged so long after its end. [µs]"""

    def __post_init__(self) -> None:
        """Refuse what makes no night."""
        if self.length_us <= 0 or self.lag_nights < self.nights:
            raise ValueError("a night has some length, and the nights in a row are not more than lag_nights")

    @property
    def length_us(self) -> int:
        """Length of a night. [µs]."""
        return round((self.end_h - self.start_h) % 24.0 * HOUR_US)

    @property
    def history(self) -> int:
        """Nights that are remembered."""
        return self.lag_nights + 7 * self.weeks


class NightCarry(NamedTuple):
    """What is remembered."""

    waiting: Samples
    """Of nights that are not judged yet."""
    base: Floats
    """Of the nights before, the newest last, shape (n_rows, history). [unit]"""
    is_rest: Bools
    """Kind of their days, shape (history,)."""
    next_day: int
    """Day in whose morning the next night to be judged ends. [days since the epoch, local]"""
    streak: Ints
    """Nights in a row until now: of all kinds, of work days, of rest days. Shape (n_rows, 3)."""


class Nights(NamedTuple):
    """Verdicts on nights; arrays have shape (n,)."""

    verdicts: Verdicts
    """At each night's end. Value: base of the night; limit: what it must not exceed. [unit]"""
    expected: Floats
    """Base that the weeks before let expect. [unit]"""
    streak: Ints
    """Nights in a row above the limit: of all, or of those of its kind, whichever are more."""


def night_carry(n_rows: int, first_day: int, settings: NightSettings) -> NightCarry:
    """Carry of objects of which nothing was seen; `first_day` as `next_day` of `NightCarry`."""
    return NightCarry(
        no_samples(),
        np.full((n_rows, settings.history), np.nan),
        np.zeros(settings.history, np.bool_),
        first_day,
        np.zeros((n_rows, 3), np.int64),
    )


def night_lookback_us(settings: NightSettings) -> int:
    """History from which a carry is rebuilt: the nights compared, and those in a row. [µs]."""
    return (settings.history + settings.nights + 2) * DAY_US


def day_of_night(time_us: int, settings: NightSettings) -> int:
    """Day in whose morning (or evening) the night ends that a moment lies in or comes before. [days, local]."""
    return (time_us + settings.utc_offset_us - round(settings.end_h * HOUR_US)) // DAY_US + 1


def night_base(
    samples: Samples,
    carry: NightCarry,
    until_us: int,
    *,
    least: Floats,
    is_rest: NDArray[np.bool_],
    first_day: int,
    settings: NightSettings,
) -> tuple[Nights, NightCarry]:
    """Judge the nights that are over.

    Parameters
    ----------
    samples : Samples
        Mean power of intervals with the start of each, e.g. hours. [any unit]
    carry : NightCarry
        From `night_carry`, or from the step before.
    until_us : int
        Moment until which everything has come. [µs]
    least : ndarray of float64, shape (n_rows,)
        Rises up to this are nobody's concern. [unit of the samples]
    is_rest : ndarray of bool, shape (n_days,)
        Which days from `first_day` on are not worked; they cover the nights that are judged.
    first_day : int
        [days since the epoch, local]
    settings : NightSettings

    Returns
    -------
    nights : Nights
        For each object the nights of which it has any sample.
    carry : NightCarry

    Raises
    ------
    ValueError
        When the kinds of days do not cover the nights that are to be judged.

    References
    ----------
    Tukey (1977), Exploratory Data Analysis (resistant line); docs/methods/alerts.md, "Night base load".

    Examples
    --------
    Ten weeks at 100 kW, then 130: the fourth such night is a breach.

    >>> hours = np.arange(80 * 24)
    >>> power = np.where(hours < 70 * 24, 100.0, 130.0) + hours % 3
    >>> one = Samples(np.zeros(hours.size, np.int64), hours * HOUR_US - 8 * HOUR_US, power)
    >>> settings = NightSettings()
    >>> found, _ = night_base(
    ...     one, night_carry(1, 0, settings), 80 * DAY_US, least=np.zeros(1), is_rest=np.arange(81) % 7 > 4,
    ...     first_day=0, settings=settings,
    ... )
    >>> found.verdicts.level[69:75], found.streak[69:75]
    (array([0, 1, 1, 1, 2, 2], dtype=int8), array([0, 1, 2, 3, 4, 5]))
    """
    end = round(settings.end_h * HOUR_US) - settings.utc_offset_us
    past_day = max((until_us - settings.ripens_after_us - end) // DAY_US + 1, carry.next_day)
    known = joined(carry.waiting, samples)
    day = (known.time_us - end) // DAY_US + 1
    is_night = (known.time_us >= day * DAY_US + end - settings.length_us) & (day >= carry.next_day)
    is_ripe = is_night & (day < past_day)
    n_new = past_day - carry.next_day
    kinds = _kinds(is_rest, first_day, carry.next_day, n_new)
    ripe = chosen(known, is_ripe)
    base, has_come = _bases(ripe, day[is_ripe] - carry.next_day, (least.size, n_new), settings)
    bases = np.concatenate([carry.base, base], axis=1)
    rest = np.concatenate([carry.is_rest, kinds])
    ends = end + DAY_US * np.arange(carry.next_day, past_day)
    found = expected_bases(
        bases, rest, n_new, lag=settings.lag_nights, least_nights=settings.least_nights, drift=settings.drift
    )
    allowed = np.maximum(settings.rise * np.abs(found.expected), settings.score * found.spread)
    allowed = np.maximum(allowed, least[:, np.newaxis])
    above = base - found.expected
    streaks = _streaks(above, allowed, kinds, carry.streak)
    streak, level = _levels(above, allowed, kinds, streaks, settings)
    row, at = np.nonzero(has_come)
    verdicts = Verdicts(row, ends[at], level[row, at], base[row, at], (found.expected + allowed)[row, at])
    last = streaks[:, :, -1] if n_new else carry.streak
    after = NightCarry(
        chosen(known, is_night & ~is_ripe),
        bases[:, bases.shape[1] - settings.history :],
        rest[rest.size - settings.history :],
        past_day,
        last,
    )
    return Nights(verdicts, found.expected[row, at], streak[row, at]), after


def _kinds(is_rest: Bools, first_day: int, next_day: int, n_new: int) -> Bools:
    place = next_day - first_day
    if n_new and (place < 0 or place + n_new > is_rest.size):
        raise ValueError(
            f"kinds of days are given from {first_day} until {first_day + is_rest.size}, "
            f"nights from {next_day} until {next_day + n_new} are to be judged"
        )
    return is_rest[place : place + n_new] if n_new else np.zeros(0, np.bool_)


def _bases(ripe: Samples, night: Ints, shape: tuple[int, int], settings: NightSettings) -> tuple[Floats, Bools]:
    """Base of each night, NaN where too little is known; and whether anything has come of it."""
    n_cells = shape[0] * shape[1]
    cell = ripe.row * shape[1] + night
    has_come = np.bincount(cell, minlength=n_cells).reshape(shape) > 0
    known = np.isfinite(ripe.value)
    cell, value = cell[known], ripe.value[known]
    order = np.lexsort((value, cell))
    count = np.bincount(cell, minlength=n_cells)
    first = np.cumsum(count) - count
    is_enough = count >= max(settings.least_known * settings.length_us / settings.step_us, 1.0)
    place = (first + np.floor(settings.low_quantile * np.maximum(count - 1, 0)).astype(np.int64))[is_enough]
    base = np.full(n_cells, np.nan)
    base[is_enough] = value[order[place]]
    return base.reshape(shape), has_come


def _streaks(above: Floats, allowed: Floats, is_rest: Bools, before: Ints) -> Ints:
    """Nights in a row above what is allowed, shape (n_rows, 3, n_nights); one that is not known changes nothing."""
    of_kind = np.stack([np.ones_like(is_rest), ~is_rest, is_rest])
    is_known = (np.isfinite(above) & np.isfinite(allowed))[:, np.newaxis] & of_kind
    is_above = is_known & (above > allowed)[:, np.newaxis]
    total = np.cumsum(is_above, axis=2)
    at_reset = np.maximum.accumulate(np.where(is_known & ~is_above, total, -1), axis=2)
    return np.where(at_reset >= 0, total - at_reset, total + before[:, :, np.newaxis]).astype(np.int64)


def _levels(
    above: Floats, allowed: Floats, is_rest: Bools, streaks: Ints, settings: NightSettings
) -> tuple[Ints, Levels]:
    """Nights in a row that count, and the level of each night, both of shape (n_rows, n_nights)."""
    own, other = np.where(is_rest, streaks[:, ::-1][:, :2], streaks[:, 1:]).transpose(1, 0, 2)
    in_a_row = np.maximum(streaks[:, 0], own)
    # What stays on at week-ends only is not over because a work night is as usual.
    is_over = (above <= allowed * settings.clear_share) & (other < settings.nights)
    level = np.select(
        [np.isnan(above) | np.isnan(allowed), (above > allowed) & (in_a_row >= settings.nights), is_over],
        [Level.UNKNOWN, Level.BREACH, Level.CLEAR],
        Level.HOLD,
    ).astype(np.int8)
    return in_a_row, level
