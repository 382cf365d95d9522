"""Histories of a desk that nobody kept: they follow the rules, repeat by their seed, and leave out no stage."""

from datetime import UTC, datetime

from smartpark.load_requests.requests import replay
from smartpark.load_requests.rules import builtin_load_request_rules
from smartpark.load_requests.words import Outcome, Stage
from smartpark_simulators.desk import DeskPark, desk_histories

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PARKS = (DeskPark("hill", "chen", ("transformer/TR1", "feeder/F1")), DeskPark("coast", "lin"))


def histories(count, **options):
    return list(desk_histories(PARKS, count, now=NOW, **options))


def test_the_same_seed_tells_the_same_and_another_one_does_not():
    assert histories(20, seed=3) == histories(20, seed=3)
    assert histories(20, seed=3) != histories(20, seed=4)


def test_every_history_follows_the_rules_and_nothing_happens_later_than_now():
    for events in histories(200):
        replay(events, builtin_load_request_rules())
        assert events[-1].recorded_at <= NOW


def test_over_a_year_every_stage_and_every_common_end_is_met():
    states = [replay(events, builtin_load_request_rules()) for events in histories(600, span_days=150)]
    met = {span.stage for state in states for span in state.spans}
    assert met == set(Stage)
    assert {state.outcome for state in states} >= {None, Outcome.ARCHIVED, Outcome.WITHDRAWN}
    assert any(state.reworks for state in states)
    assert any(state.suspended for state in states)


def test_a_manager_acts_for_their_own_park_only():
    for events in histories(100):
        park = events[0].body.details.park
        assert {event.by for event in events} <= {"system", {"hill": "chen", "coast": "lin"}[park]}


def test_nobody_asks_for_more_than_the_largest():
    small = DeskPark("hill", "chen", largest_kva=500)
    asked = {events[0].body.details.applied_kva for events in desk_histories([small], 150, now=NOW)}
    assert max(asked) == 500
    assert min(asked) == 30
