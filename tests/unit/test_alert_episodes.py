"""Verdicts to episodes: what fires and when, against a slow model that reads one verdict after the other."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts import episodes, rows
from smartpark_analytics.alerts.episodes import Change, EpisodeCarry, Episodes, fresh_carry, resumed, step
from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Level, Verdicts

MINUTE = 60_000_000
UNKNOWN, CLEAR, HOLD, BREACH = (int(level) for level in (Level.UNKNOWN, Level.CLEAR, Level.HOLD, Level.BREACH))
SIGNS = {"?": UNKNOWN, ".": CLEAR, "~": HOLD, "#": BREACH}


def told(text: str, *, row=0, begin=0, every=1, value=None, limit=10.0) -> Verdicts:
    """One verdict per minute: # breach, ~ hold, . clear, ? unknown, blank: none."""
    places = [place for place, sign in enumerate(text) if sign != " "]
    count = len(places)
    return Verdicts(
        np.full(count, row, np.int64),
        (begin + every * np.array(places, np.int64)) * MINUTE,
        np.array([SIGNS[text[place]] for place in places], np.int8),
        np.full(count, 11.0) if value is None else np.array(value, np.float64),
        np.full(count, limit),
    )


def unheard(verdicts: Verdicts, carry: EpisodeCarry) -> Verdicts:
    return rows.some_verdicts(verdicts, ~rows.is_late(verdicts.row, verdicts.time_us, carry.seen_us))


def spans(found: Episodes) -> list[tuple]:
    """(since, fired, cleared) in minutes; None: never."""
    moments = zip(found.since_us.tolist(), found.fired_us.tolist(), found.cleared_us.tolist(), strict=True)
    return [tuple(None if moment == NEVER_US else moment / MINUTE for moment in span) for span in moments]


def run(text: str, *, until=None, **times) -> list[tuple]:
    chosen = {"for_us": 2 * MINUTE, "clear_for_us": 0, "holds_us": MINUTE} | {
        f"{name}_us": minutes * MINUTE for name, minutes in times.items()
    }
    until_us = NOT_YET_US if until is None else until * MINUTE
    return spans(step(told(text), fresh_carry(1), **chosen, until_us=until_us)[0])


@pytest.mark.parametrize(
    ("text", "times", "expected"),
    [
        ("..###..", {}, [(2, 4, 5)]),
        ("..##...", {}, [(2, 4, 4)]),  # the last breach is believed until the next verdict
        ("..#....", {}, [(2, None, 3)]),
        ("..#....", {"for": 0}, [(2, 2, 3)]),
        ("..#~~..", {}, [(2, 4, 5)]),
        ("..~~~..", {}, []),
        ("..#?#..", {}, [(2, 4, 5)]),
        ("..#.#..", {}, [(2, None, 3), (4, None, 5)]),
        ("###..#..", {"clear_for": 3}, [(0, 2, None)]),
        ("###..#.~...", {"clear_for": 3}, [(0, 2, 6)]),
        ("###.", {"clear_for": 1}, [(0, 2, None)]),
        ("#", {"until": 60}, [(0, None, None)]),  # one reading that nothing confirms fires nothing
        ("#", {"until": 2, "holds": 3}, [(0, 2, None)]),
        ("#", {"until": 1, "holds": 3}, [(0, None, None)]),
        ("###", {"until": 60}, [(0, 2, None)]),  # silence ends nothing
        ("###.", {"until": 60, "clear_for": 5}, [(0, 2, None)]),
        ("###.", {"until": 8, "clear_for": 5, "holds": 5}, [(0, 2, 3)]),
        ("#         #", {}, [(0, 10, None)]),  # proved only then, so it fires only then
        ("#         .", {}, [(0, None, 10)]),
        ("#         .", {"holds": 5}, [(0, 2, 10)]),
        ("#         .", {"holds": 5, "until": 10}, [(0, 2, 10)]),
    ],
)
def test_what_fires_and_when(text, times, expected):
    assert run(text, **times) == expected


def test_a_verdict_that_is_believed_for_ever_needs_only_time():
    for cut in (0, 1):
        carry = fresh_carry(1)
        times = {"for_us": 5 * MINUTE, "clear_for_us": 5 * MINUTE, "holds_us": NEVER_US}
        if cut:
            _, carry = step(told("#"), carry, **times, until_us=MINUTE)
            found, carry = step(told(""), carry, **times, until_us=5 * MINUTE)
        else:
            found, carry = step(told("#"), carry, **times, until_us=5 * MINUTE)
        assert spans(found) == [(0, 5, None)]
        found, carry = step(told(".", begin=7), carry, **times, until_us=11 * MINUTE)
        assert not found.row.size
        found, carry = step(told(""), carry, **times, until_us=12 * MINUTE)
        assert spans(found) == [(0, 5, 7)]
        assert Change(int(found.change[0])) == Change.CLEARED


def test_the_worst_is_furthest_beyond_its_own_limit_above_or_below():
    verdicts = told("####", value=[11, 14, 2, 18])._replace(limit=np.array([10.0, 10.0, 8.0, 14.0]))
    found, carry = step(verdicts, fresh_carry(1), for_us=0, clear_for_us=0, holds_us=0)
    assert (found.worst[0], found.worst_limit[0], found.worst_us[0]) == (2.0, 8.0, 2 * MINUTE)
    assert found.n_breaches.tolist() == [4]
    found, _ = step(told("#", begin=9, value=[15.9]), carry, for_us=0, clear_for_us=0, holds_us=0)
    assert (found.worst[0], found.n_breaches[0]) == (2.0, 5)
    assert Change(int(found.change[0])) == Change.GREW


def test_a_breach_without_value_or_limit_is_still_one():
    verdicts = told("##", value=[np.nan, 3.0], limit=np.nan)
    found, _ = step(verdicts, fresh_carry(1), for_us=0, clear_for_us=0, holds_us=0)
    assert (found.worst[0], found.worst_us[0], found.n_breaches[0]) == (3.0, MINUTE, 2)
    found, _ = step(told("#", value=[np.nan]), fresh_carry(1), for_us=0, clear_for_us=0, holds_us=0)
    assert np.isnan(found.worst[0])
    assert found.worst_us[0] == 0


def test_an_alert_on_record_is_taken_up_where_it_was():
    times = {"for_us": 2 * MINUTE, "clear_for_us": 3 * MINUTE, "holds_us": MINUTE}
    whole = told("######..#...")
    early, _ = step(Verdicts(*(column[:4] for column in whole)), fresh_carry(1), **times)
    again = resumed(1, early)
    fed = unheard(whole, again)
    assert len(fed.row) == len(whole.row) - 1
    found, _ = step(fed, again, **times)
    assert spans(found) == [(0, 2, None)]
    found, _ = step(fed, again, **times, until_us=13 * MINUTE)
    assert spans(found) == spans(step(whole, fresh_carry(1), **times, until_us=13 * MINUTE)[0])


def test_two_open_alerts_of_one_object_cannot_be_taken_up():
    one, _ = step(told("###"), fresh_carry(1), for_us=0, clear_for_us=0, holds_us=0)
    with pytest.raises(ValueError, match="row 0 has two open episodes"):
        resumed(1, Episodes(*(np.concatenate([column, column]) for column in one)))
    over, _ = step(told("#."), fresh_carry(1), for_us=0, clear_for_us=0, holds_us=0)
    with pytest.raises(ValueError, match="row 0 is over"):
        resumed(1, over)


def test_a_stretch_told_twice_is_refused_by_name():
    times = {"for_us": 0, "clear_for_us": 0, "holds_us": 0}
    _, carry = step(told("##", row=1), fresh_carry(2), **times)
    with pytest.raises(ValueError, match="row 1 was judged up to 60000000 µs, and 60000000 µs is not later"):
        step(told("#", row=1, begin=1), carry, **times)
    _, carry = step(told(""), carry, **times, until_us=9 * MINUTE)
    with pytest.raises(ValueError, match="row 0 was judged up to"):
        step(told("#", begin=8), carry, **times)
    step(told("#", begin=9), carry, **times)


def test_disorder_and_unfit_parameters_are_refused():
    times = {"for_us": 0, "clear_for_us": 0, "holds_us": 0}
    backwards = Verdicts(*(column[::-1] for column in told("##")))
    with pytest.raises(ValueError, match=r"sample 1 \(row 0, 0 µs\) does not come after"):
        step(backwards, fresh_carry(1), **times)
    with pytest.raises(ValueError, match="samples of rows 3 to 3, of 2 rows"):
        step(told("#", row=3), fresh_carry(2), **times)
    with pytest.raises(ValueError, match="for_us has shape"):
        step(told("#"), fresh_carry(1), **(times | {"for_us": [1, 2]}))
    with pytest.raises(ValueError, match="clear_for_us of row 0 is -1 µs"):
        step(told("#"), fresh_carry(1), **(times | {"clear_for_us": -1}))


# --- laws -----------------------------------------------------------------------------------------


class Slow:
    """The machine for one object, as its docstring tells it."""

    def __init__(self, for_us, clear_for_us, holds_us):
        self.for_us, self.clear_for_us, self.holds_us = for_us, clear_for_us, holds_us
        self.is_bad, self.since, self.last = False, None, None
        self.open, self.done = None, []

    def time(self, moment):
        """Nothing said before `moment`: what the last verdict, still believed, comes to."""
        if self.last is None:
            return
        self._lasted(min(moment, self.last + self.holds_us))

    def _lasted(self, end, proof=None):
        if self.open is None:
            return
        if self.is_bad and self.open["fired"] is None and self.since + self.for_us <= end:
            due = self.since + self.for_us
            self.open["fired"] = due if proof is None else proof
        if not self.is_bad and self.since + self.clear_for_us <= end:
            self._close(self.since)

    def _close(self, moment):
        self.open["cleared"] = moment
        self.done.append(self.open)
        self.open = None

    def verdict(self, moment, level, value, limit):
        if level == UNKNOWN:
            return
        self.time(moment)
        bad = {BREACH: True, CLEAR: False, HOLD: self.is_bad}[level]
        if bad != self.is_bad or self.last is None:
            self.is_bad, self.since = bad, moment
            if not bad and self.open is not None and self.open["fired"] is None:
                self._close(moment)
        self.last = moment
        if bad and self.open is None and level == BREACH:
            self.since = moment
            self.open = {"since": moment, "fired": None, "cleared": None, "n": 0, "worst": None}
        self._lasted(moment, proof=moment if self.since + self.for_us < moment else None)
        if level == BREACH:
            self.open["n"] += 1
            beyond = abs(value - limit)
            if self.open["worst"] is None or beyond > abs(self.open["worst"][0] - self.open["worst"][1]):
                self.open["worst"] = (value, limit, moment)

    def all(self):
        return self.done + ([self.open] if self.open else [])


ROWS = 3
TIMES = st.fixed_dictionaries(
    {
        "for_us": st.lists(st.integers(0, 6), min_size=ROWS, max_size=ROWS),
        "clear_for_us": st.lists(st.integers(0, 6), min_size=ROWS, max_size=ROWS),
        "holds_us": st.lists(st.sampled_from([0, 1, 3, 20]), min_size=ROWS, max_size=ROWS),
    }
)
STREAM = st.lists(
    st.tuples(
        st.integers(0, ROWS - 1),
        st.integers(1, 3) | st.integers(1, 12),
        st.sampled_from([UNKNOWN, CLEAR, CLEAR, HOLD, BREACH, BREACH]),
        st.integers(-20, 20),
    ),
    max_size=40,
)


def columns(stream) -> Verdicts:
    """(row, distance, level, value) of many objects as sorted verdicts."""
    clock = [0] * ROWS
    flat = []
    for row, distance, level, value in stream:
        clock[row] += distance
        flat.append((row, clock[row], level, float(value), 5.0 if value >= 0 else -5.0))
    flat.sort()
    rest = list(zip(*flat, strict=True)) if flat else [()] * 5
    kinds = (np.int64, np.int64, np.int8, np.float64, np.float64)
    return Verdicts(*(np.array(column, kind) for column, kind in zip(rest, kinds, strict=True)))


def between(verdicts: Verdicts, low: int, high: int) -> Verdicts:
    inside = (verdicts.time_us >= low) & (verdicts.time_us < high)
    return Verdicts(*(column[inside] for column in verdicts))


def latest(steps: list[Episodes]) -> dict:
    """What is known in the end of each episode."""
    return {
        (row, since): rest
        for found in steps
        for row, since, *rest in zip(*(column.tolist() for column in found[:8]), strict=True)
    }


@settings(max_examples=400)
@given(STREAM, TIMES, st.integers(0, 15))
def test_it_does_what_the_slow_model_does(stream, times, wait):
    verdicts = columns(stream)
    until = int(verdicts.time_us.max(initial=0)) + wait
    found, _ = step(verdicts, fresh_carry(ROWS), **times, until_us=until)
    expected = {}
    for row in range(ROWS):
        slow = Slow(*(times[name][row] for name in ("for_us", "clear_for_us", "holds_us")))
        for at in np.flatnonzero(verdicts.row == row).tolist():
            slow.verdict(*(column[at].item() for column in verdicts[1:]))
        slow.time(until)
        for one in slow.all():
            fired, cleared = (NEVER_US if one[name] is None else one[name] for name in ("fired", "cleared"))
            expected[row, one["since"]] = [fired, cleared, *one["worst"], one["n"]]
    assert latest([found]) == expected


@settings(max_examples=300)
@given(STREAM, TIMES, st.lists(st.integers(0, 80), max_size=6), st.booleans())
def test_in_steps_it_finds_what_it_finds_at_once(stream, times, cuts, with_time):
    verdicts = columns(stream)
    end = int(verdicts.time_us.max(initial=0)) + 7
    whole, kept = step(verdicts, fresh_carry(ROWS), **times, until_us=end if with_time else NOT_YET_US)
    carry, steps = fresh_carry(ROWS), []
    bounds = [0, *sorted(cut for cut in cuts if cut < end), end]
    for low, high in pairwise(bounds):
        part = between(verdicts, low, high)
        found, carry = step(part, carry, **times, until_us=high if with_time else NOT_YET_US)
        steps.append(found)
    assert latest(steps) == latest([whole])
    for name, in_steps, at_once in zip(kept._fields, carry, kept, strict=True):
        np.testing.assert_array_equal(in_steps, at_once, err_msg=name)


@given(STREAM, TIMES, st.permutations(range(ROWS)))
def test_the_order_of_objects_does_not_matter(stream, times, places):
    verdicts = columns(stream)
    found, _ = step(verdicts, fresh_carry(ROWS), **times)
    moved = columns([(places[row], *rest) for row, *rest in stream])
    back = np.argsort(places)
    other, _ = step(moved, fresh_carry(ROWS), **{name: np.array(values)[back] for name, values in times.items()})
    assert latest([other]) == {(places[row], since): rest for (row, since), rest in latest([found]).items()}


@given(STREAM, TIMES, st.integers(0, 40))
def test_alerts_on_record_and_a_lookback_bring_it_to_where_it_was(stream, times, cut):
    """Restart: only open episodes are on record; everything else comes from verdicts told again."""
    verdicts = columns(stream)
    before, after = between(verdicts, 0, cut), between(verdicts, cut, 10**9)
    known, carry = step(before, fresh_carry(ROWS), **times, until_us=cut)
    still = Episodes(*(column[known.cleared_us == NEVER_US] for column in known))
    back = max(episodes.lookback_us(times["for_us"], times["clear_for_us"]), *times["holds_us"]) + 40
    again = resumed(ROWS, still)
    _, again = step(unheard(between(before, cut - back, cut), again), again, **times, until_us=cut)
    expected, _ = step(after, carry, **times, until_us=200)
    found, _ = step(after, again, **times, until_us=200)
    moments = [{key: rest[:2] for key, rest in latest([some]).items()} for some in (expected, found)]
    assert moments[1] == moments[0]


def test_of_equal_breaches_the_first_is_the_worst_in_steps_too():
    times = {"for_us": 0, "clear_for_us": 0, "holds_us": 0}
    _, carry = step(told("#", value=[14.0]), fresh_carry(1), **times)
    found, _ = step(told("#", begin=5, value=[14.0]), carry, **times)
    assert (found.worst_us[0], found.n_breaches[0]) == (0, 2)


def test_what_has_fired_stays_so_when_nothing_but_the_record_is_left():
    early, _ = step(told("###"), fresh_carry(1), for_us=2 * MINUTE, clear_for_us=0, holds_us=0)
    times = {"for_us": 60 * MINUTE, "clear_for_us": 3 * MINUTE, "holds_us": MINUTE}
    found, carry = step(told(".", begin=9), resumed(1, early), **times)
    assert not found.row.size
    found, _ = step(told("...", begin=10), carry, **times)
    assert spans(found) == [(0, 2, 9)]
