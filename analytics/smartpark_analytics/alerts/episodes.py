"""From verdicts to episodes: spans in which something was wrong, when each fired and ended, and its worst.

One flat machine for all objects, without a loop over verdicts or rows. It knows no rules and no clock: the caller
says until when nothing more can come. Used live, step after step with what was carried over, or at once over the
past; both come to the same, wherever the stream is cut.

    carry = episodes.fresh_carry(rows)
    for verdicts, until_us in ...:
        changed, carry = episodes.step(verdicts, carry, for_us=…, clear_for_us=…, holds_us=…, until_us=until_us)

**The machine, for one object.** BREACH turns it bad, CLEAR turns it good, HOLD leaves it as it is and UNKNOWN is as
if nothing had been said (a Schmitt trigger). An episode begins with the first BREACH of a bad stretch. It *fires*
when that stretch has lasted `for_us`; interrupted by CLEAR before that, it is over without having fired, at that
CLEAR. Once fired, it ends when a good stretch has lasted `clear_for_us`, and its end is the first CLEAR of that
stretch; a shorter good stretch is part of the episode.

**How long something lasted** when verdicts come only now and then: a verdict is believed until the next one, for
`holds_us` at most. So time alone fires (or ends) an episode when the last verdict is still believed at the moment it
has lasted; `until_us` tells how far time has come. Where verdicts lie further apart than `holds_us` - the device was
silent, or its values not known - it is the next verdict that proves or refutes: still bad, and it has lasted, but it
fires only then, for only then could anybody know; CLEAR, and it did not last. A person on call is thus never woken by
a single reading that nothing confirms, nor kept asleep because a device speaks seldom. Silence never ends what has
fired: a device that no longer speaks is not well. Sensible: three sampling steps for what is sampled, `NEVER_US`
where the next verdict comes only when something changes (presence, or readings sent on change), 0 where only
verdicts count.

**After a restart** `resumed` takes the alerts on record that are still open; verdicts of the last `lookback_us` bring
it to where it was, without those that `rows.is_late` finds at or before each row's `seen_us`.
"""

from enum import IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartpark_analytics.alerts.rows import (
    Bools,
    Index,
    durations,
    in_order,
    later,
    opens_row,
    per_row_us,
    seen_after,
    some_verdicts,
)
from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Floats, Ints, Level, Levels, Verdicts


class Change(IntFlag):
    """What a step did to an episode."""

    BEGAN = 1
    FIRED = 2
    CLEARED = 4
    """It is over, whether it had fired or not."""
    GREW = 8
    """More breaches; perhaps a new worst."""


class Episodes(NamedTuple):
    """Spans of breach; sorted by row and time. `row` and `since_us` together tell one from another."""

    row: Ints
    since_us: Ints
    """First BREACH. [µs]"""
    fired_us: Ints
    """When it had lasted; `NEVER_US`: it has not. [µs]"""
    cleared_us: Ints
    """First CLEAR of the stretch that ended it; `NEVER_US`: it still is. [µs]"""
    worst: Floats
    """Value furthest beyond its limit, above or below; the first of several. NaN: no breach had one."""
    worst_limit: Floats
    """The limit that it broke."""
    worst_us: Ints
    """When it did. [µs]"""
    n_breaches: Ints
    """BREACH verdicts so far."""
    change: NDArray[np.int8]
    """`Change` by this step: the only thing here that depends on how the stream is cut."""


class EpisodeCarry(NamedTuple):
    """What is remembered of each object; all of shape (rows,)."""

    since_us: Ints
    """First BREACH of the episode that is open; `NEVER_US`: none is."""
    fired_us: Ints
    clear_since_us: Ints
    """First CLEAR of the good stretch it is in; `NEVER_US`: it is in none."""
    last_us: Ints
    """Last verdict of the stretch it is in, good or bad."""
    worst: Floats
    worst_limit: Floats
    worst_us: Ints
    n_breaches: Ints
    seen_us: Ints
    """Latest moment judged; verdicts must come later. `NOT_YET_US`: nothing was."""


def fresh_carry(rows: int) -> EpisodeCarry:
    """Nothing seen so far, of so many objects."""

    def never() -> Ints:
        return np.full(rows, NEVER_US, np.int64)

    return EpisodeCarry(
        since_us=never(),
        fired_us=never(),
        clear_since_us=never(),
        last_us=np.full(rows, NOT_YET_US, np.int64),
        worst=np.full(rows, np.nan),
        worst_limit=np.full(rows, np.nan),
        worst_us=never(),
        n_breaches=np.zeros(rows, np.int64),
        seen_us=np.full(rows, NOT_YET_US, np.int64),
    )


def resumed(rows: int, recorded: Episodes) -> EpisodeCarry:
    """What to remember after a restart: alerts on record that are still open.

    Parameters
    ----------
    rows : int
        Number of objects.
    recorded : Episodes
        At most one open episode per object, in any order; `change` says nothing.

    Raises
    ------
    ValueError
        When an object has two, or one that is over.
    """
    at = recorded.row
    if len(np.unique(at)) != len(at):
        row = int(np.flatnonzero(np.bincount(at) > 1)[0])
        raise ValueError(f"row {row} has two open episodes; an object has one at a time")
    if (recorded.cleared_us != NEVER_US).any():
        raise ValueError(f"the episode of row {at[np.argmax(recorded.cleared_us != NEVER_US)]} is over")
    carry = fresh_carry(rows)
    for name in ("since_us", "fired_us", "worst", "worst_limit", "worst_us", "n_breaches"):
        getattr(carry, name)[at] = getattr(recorded, name)
    carry.last_us[at] = carry.seen_us[at] = recorded.since_us
    return carry


def lookback_us(for_us: ArrayLike, clear_for_us: ArrayLike) -> int:
    """How far back, in µs, verdicts are needed to take up again beside the alerts on record."""
    return int(max(np.max(for_us), np.max(clear_for_us)))


def step(
    verdicts: Verdicts,
    carry: EpisodeCarry,
    *,
    for_us: ArrayLike,
    clear_for_us: ArrayLike,
    holds_us: ArrayLike,
    until_us: ArrayLike = NOT_YET_US,
) -> tuple[Episodes, EpisodeCarry]:
    """Episodes that began or changed, and what to carry on.

    Parameters
    ----------
    verdicts : Verdicts
        Later than those before, row by row.
    carry : EpisodeCarry
        From the step before, `fresh_carry` or `resumed`. Not changed.
    for_us, clear_for_us : int or ndarray of int64, shape (rows,)
        How long a breach must last to fire, and how long fine must last to end it. [µs]
    holds_us : int or ndarray of int64, shape (rows,)
        How long a verdict is believed when none follows. [µs]
    until_us : int or ndarray of int64, shape (rows,), optional
        No more verdicts before this moment; by default time tells nothing. [µs]

    Returns
    -------
    changed : Episodes
        New or changed, pending and finished ones included.
    carry : EpisodeCarry
        For the next step.

    Raises
    ------
    ValueError
        When verdicts are out of order or not later than those judged before, or parameters do not fit.

    Examples
    --------
    Too high for two minutes at least, read every minute:

    >>> minute = 60_000_000
    >>> level = np.array([2, 2, 2, 0, 0], np.int8)
    >>> value, limit = np.array([11.0, 14.0, 12.0, 9.0, 9.0]), np.full(5, 10.0)
    >>> verdicts = Verdicts(np.zeros(5, np.int64), np.arange(5) * minute, level, value, limit)
    >>> found, carry = step(verdicts, fresh_carry(1), for_us=2 * minute, clear_for_us=minute, holds_us=3 * minute)
    >>> [int(moment[0]) // minute for moment in (found.since_us, found.fired_us, found.cleared_us, found.worst_us)]
    [0, 2, 3, 1]
    >>> found.worst.tolist(), Change(int(found.change[0]))
    ([14.0], <Change.BEGAN|FIRED|CLEARED|GREW: 15>)
    """
    rows = len(carry.since_us)
    times = _Times(
        durations(for_us, rows, "for_us"),
        durations(clear_for_us, rows, "clear_for_us"),
        durations(holds_us, rows, "holds_us"),
        per_row_us(until_us, rows, "until_us"),
    )
    opens = in_order(verdicts.row, verdicts.time_us, rows, carry.seen_us)
    seen_us = seen_after(verdicts.row, verdicts.time_us, opens, carry.seen_us, times.until_us)
    said, opens = _said(verdicts, opens)
    stretches = _stretches(said, opens, _bad(said, opens, carry), carry)
    runs = _runs(stretches, times, carry)
    found = _with_worst(_episodes(stretches, runs, said.time_us, times, carry), stretches, runs, said, carry)
    is_changed = found.change != 0
    after = _carried(found, stretches, runs, seen_us)
    return (found if is_changed.all() else some_episodes(found, is_changed)), after


def some_episodes(found: Episodes, which: Bools | Index | slice) -> Episodes:
    """Episodes chosen by a mask, places or a slice."""
    return Episodes(
        found.row[which],
        found.since_us[which],
        found.fired_us[which],
        found.cleared_us[which],
        found.worst[which],
        found.worst_limit[which],
        found.worst_us[which],
        found.n_breaches[which],
        found.change[which],
    )


class _Times(NamedTuple):
    for_us: Ints
    clear_for_us: Ints
    holds_us: Ints
    until_us: Ints


class _Stretches(NamedTuple):
    """Neighbouring verdicts of the same mind; those of a row take turns, the first is bad. Shape (n_stretches,)."""

    row: Ints
    start_us: Ints
    last_us: Ints
    """Last verdict in it."""
    is_bad: Bools
    first: Index
    """Its verdicts of this step are first … stop - 1; none where it was only carried over."""
    stop: Index
    was_open: Bools
    """It began in a step before."""
    head_us: Ints
    """Last verdict in it of a step before."""


class _Runs(NamedTuple):
    """Episodes as groups of bad stretches, each with the good one behind it. Shape (n_runs,)."""

    first: Index
    """First stretch, a bad one."""
    last: Index
    """Last bad stretch."""
    is_fired: Bools
    is_over: Bools
    is_fading: Bools
    """Open, and in a good stretch."""


def _said(verdicts: Verdicts, opens: Bools) -> tuple[Verdicts, Bools]:
    """Verdicts that say something."""
    says = verdicts.level != Level.UNKNOWN
    if says.all():
        return verdicts, opens
    kept = some_verdicts(verdicts, says)
    return kept, opens_row(kept.row)


def _bad(said: Verdicts, opens: Bools, carry: EpisodeCarry) -> Bools:
    """Whether each verdict finds its object bad; HOLD finds it as it was."""
    bad = said.level == Level.BREACH
    hold = said.level == Level.HOLD
    if not hold.any():
        return bad
    was_bad = (carry.since_us != NEVER_US) & (carry.clear_since_us == NEVER_US)
    first = np.flatnonzero(hold & opens)
    bad[first] = was_bad[said.row[first]]
    hold[first] = False
    source = np.arange(len(bad))
    source[hold] = 0
    np.maximum.accumulate(source, out=source)
    return bad[source]


def _stretches(said: Verdicts, opens: Bools, bad: Bools, carry: EpisodeCarry) -> _Stretches:
    edge = opens.copy()
    edge[1:] |= bad[1:] != bad[:-1]
    first = np.flatnonzero(edge)
    stop = np.append(first[1:], len(bad)).astype(np.intp)[: len(first)]
    is_open = carry.since_us != NEVER_US
    # Rows that are good and have been so are most of them, and of no interest.
    matters = is_open.copy()
    matters[said.row[first[bad[first]]]] = True
    wanted = matters[said.row[first]]
    first, stop = first[wanted], stop[wanted]
    head, fading = np.flatnonzero(is_open), np.flatnonzero(carry.clear_since_us != NEVER_US)
    n_heads = len(head) + len(fading)
    nowhere = np.zeros(n_heads, np.intp)
    row = np.concatenate([head, fading, said.row[first]])
    parts = _Stretches(
        row,
        np.concatenate([carry.since_us[head], carry.clear_since_us[fading], said.time_us[first]]),
        np.concatenate([carry.last_us[head], carry.last_us[fading], said.time_us[stop - 1]]),
        np.concatenate([np.ones(len(head), np.bool_), np.zeros(len(fading), np.bool_), bad[first]]),
        np.concatenate([nowhere, first]),
        np.concatenate([nowhere, stop]),
        np.arange(len(row)) < n_heads,
        np.concatenate([carry.last_us[head], carry.last_us[fading], np.full(len(first), NOT_YET_US, np.int64)]),
    )
    return _taking_turns(parts, np.argsort(row, kind="stable"))


def _taking_turns(unsorted: _Stretches, order: Index) -> _Stretches:
    """What was carried over joined with what continues it; good ones that end nothing left out."""
    row, is_bad = unsorted.row[order], unsorted.is_bad[order]
    opens = opens_row(row)
    new = opens.copy()
    new[1:] |= is_bad[1:] != is_bad[:-1]
    begin = np.flatnonzero(new)
    end = np.append(begin[1:], len(new)).astype(np.intp)[: len(begin)] - 1
    useful = is_bad[begin] | ~opens[begin]
    begin, end = order[begin[useful]], order[end[useful]]
    return _Stretches(
        unsorted.row[begin],
        unsorted.start_us[begin],
        unsorted.last_us[end],
        unsorted.is_bad[begin],
        unsorted.first[end],
        unsorted.stop[end],
        unsorted.was_open[begin],
        unsorted.head_us[begin],
    )


def _is_long(stretches: _Stretches, times: _Times, carry: EpisodeCarry) -> Bools:
    """Whether each stretch has lasted: bad ones to fire, good ones to end what has fired."""
    row = stretches.row
    end = np.empty(len(row), np.int64)
    end[:-1] = stretches.start_us[1:]
    is_last = np.ones(len(row), np.bool_)
    is_last[:-1] = row[1:] != row[:-1]
    end[is_last] = times.until_us[row[is_last]]
    believed = np.minimum(end, later(stretches.last_us, times.holds_us[row]))
    lasted = np.maximum(stretches.last_us, believed)
    needed = np.where(stretches.is_bad, times.for_us[row], times.clear_for_us[row])
    has_fired = stretches.is_bad & stretches.was_open & (carry.fired_us[row] != NEVER_US)
    return (later(stretches.start_us, needed) <= lasted) | has_fired


def _runs(stretches: _Stretches, times: _Times, carry: EpisodeCarry) -> _Runs:
    """Which bad stretches belong to one episode.

    Between them, "has fired" is a flag: a good stretch that is long takes it down, a bad one that is long sets it,
    all others leave it. So its value is that of the last stretch pair that had a say.
    """
    is_long = _is_long(stretches, times, carry)
    bad = np.flatnonzero(stretches.is_bad)
    opens = opens_row(stretches.row[bad])
    behind = np.minimum(bad + 1, max(len(stretches.row) - 1, 0))
    has_good = ~stretches.is_bad[behind]
    long_bad, long_good = is_long[bad], has_good & is_long[behind]
    has_say = opens | long_bad | long_good
    said = np.maximum.accumulate(np.where(has_say, np.arange(len(bad)), 0))
    fired_after = (long_bad & ~long_good)[said]
    starts = opens.copy()
    starts[1:] |= ~fired_after[:-1]
    first = np.flatnonzero(starts)
    last = np.append(first[1:], len(bad)).astype(np.intp)[: len(first)] - 1
    is_over = has_good[last] & ~fired_after[last]
    return _Runs(bad[first], bad[last], long_bad[first], is_over, has_good[last] & fired_after[last])


def _episodes(stretches: _Stretches, runs: _Runs, time_us: Ints, times: _Times, carry: EpisodeCarry) -> Episodes:
    """The episodes, but for their worst."""
    row, since_us = stretches.row[runs.first], stretches.start_us[runs.first]
    is_old = stretches.was_open[runs.first]
    had_fired = is_old & (carry.fired_us[row] != NEVER_US)
    fired_us = np.full(len(row), NEVER_US, np.int64)
    fired_us[had_fired] = carry.fired_us[row[had_fired]]
    fires = runs.is_fired & ~had_fired
    fired_us[fires] = _fired_us(stretches, runs.first[fires], time_us, times)
    cleared_us = np.full(len(row), NEVER_US, np.int64)
    cleared_us[runs.is_over] = stretches.start_us[runs.last[runs.is_over] + 1]
    change = np.where(is_old, 0, Change.BEGAN) | np.where(fires, Change.FIRED, 0)
    change |= np.where(runs.is_over, Change.CLEARED, 0)
    nothing = np.full(len(row), np.nan)
    return Episodes(
        row,
        since_us,
        fired_us,
        cleared_us,
        nothing,
        nothing.copy(),
        np.full(len(row), NEVER_US, np.int64),
        np.zeros(len(row), np.int64),
        change.astype(np.int8),
    )


def _fired_us(stretches: _Stretches, at: Index, time_us: Ints, times: _Times) -> Ints:
    """When stretches had lasted: on time where the verdict before is believed till then, else with the next one."""
    row, first, stop = stretches.row[at], stretches.first[at], stretches.stop[at]
    due = later(stretches.start_us[at], times.for_us[row])
    proof = _first_not_before(time_us, first, stop, due)
    before = stretches.head_us[at].copy()
    inside = proof > first
    before[inside] = time_us[proof[inside] - 1]
    # A stretch that begins here and is due at once has no verdict before.
    is_late = (proof < stop) & (before != NOT_YET_US) & (due > later(before, times.holds_us[row]))
    due[is_late] = time_us[proof[is_late]]
    return due


def _first_not_before(time_us: Ints, first: Index, stop: Index, moment: Ints) -> Index:
    """Index of the first of time_us[first:stop] that is not before the moment, else stop; by halving, all at once."""
    low, high = first.copy(), stop.copy()
    while (open_ := np.flatnonzero(low < high)).size:
        middle = (low[open_] + high[open_]) // 2
        is_before = time_us[middle] < moment[open_]
        low[open_[is_before]] = middle[is_before] + 1
        high[open_[~is_before]] = middle[~is_before]
    return low


def _with_worst(found: Episodes, stretches: _Stretches, runs: _Runs, said: Verdicts, carry: EpisodeCarry) -> Episodes:
    """Fill in the worst of each episode and its count, in place."""
    old = np.flatnonzero(stretches.was_open[runs.first])
    for name in ("worst", "worst_limit", "worst_us", "n_breaches"):
        getattr(found, name)[old] = getattr(carry, name)[found.row[old]]
    breach = np.flatnonzero(said.level == Level.BREACH)
    if not breach.size:
        return found
    # All breaches lie in runs, and both are in the same order.
    begin = np.flatnonzero(stretches.is_bad & (stretches.stop > stretches.first))
    run_of = np.searchsorted(runs.first, begin, side="right") - 1
    number = np.diff(np.searchsorted(breach, np.append(stretches.first[begin], len(said.row))))
    n_new = np.bincount(run_of, weights=number, minlength=len(runs.first)).astype(np.int64)
    grown = np.flatnonzero(n_new)
    worst, beyond = _worst_of(said, breach, n_new[grown])
    known = _beyond(found.worst[grown], found.worst_limit[grown])
    is_worse = (beyond > known) | (found.n_breaches[grown] == 0)
    worse, worst = grown[is_worse], worst[is_worse]
    found.worst[worse] = said.value[worst]
    found.worst_limit[worse] = said.limit[worst]
    found.worst_us[worse] = said.time_us[worst]
    found.n_breaches[grown] += n_new[grown]
    found.change[grown] |= np.int8(Change.GREW)
    return found


def _worst_of(said: Verdicts, breach: Index, sizes: Ints) -> tuple[Index, Floats]:
    """Of each group of breaches the first that is furthest beyond its limit, and how far that is."""
    beyond = _beyond(said.value[breach], said.limit[breach])
    starts = np.cumsum(sizes) - sizes
    furthest = np.maximum.reduceat(beyond, starts)
    group = np.repeat(np.arange(len(sizes)), sizes)
    hit = np.flatnonzero(beyond == furthest[group])
    first = np.ones(len(hit), np.bool_)
    first[1:] = group[hit[1:]] != group[hit[:-1]]
    return breach[hit[first]], furthest


def _beyond(value: Floats, limit: Floats) -> Floats:
    """How far values are beyond their limits, above or below; by themselves where there is none, -1 without value."""
    distance = np.abs(value - np.where(np.isnan(limit), 0.0, limit))
    return np.where(np.isnan(distance), -1.0, distance)


def _carried(found: Episodes, stretches: _Stretches, runs: _Runs, seen_us: Ints) -> EpisodeCarry:
    after = fresh_carry(len(seen_us))._replace(seen_us=seen_us)
    is_open = found.cleared_us == NEVER_US
    row = found.row[is_open]
    for name in ("since_us", "fired_us", "worst", "worst_limit", "worst_us", "n_breaches"):
        getattr(after, name)[row] = getattr(found, name)[is_open]
    fading = runs.is_fading[is_open]
    newest = runs.last[is_open] + fading
    after.last_us[row] = stretches.last_us[newest]
    after.clear_since_us[row[fading]] = stretches.start_us[newest[fading]]
    return after


def levels_of(breach: Bools, known: Bools) -> Levels:
    """BREACH or CLEAR, and UNKNOWN where it is not known; for detectors without hysteresis. Shape (n,)."""
    return np.where(known, np.where(breach, Level.BREACH, Level.CLEAR), Level.UNKNOWN).astype(np.int8)
