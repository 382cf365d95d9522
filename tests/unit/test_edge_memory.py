"""The dedup law: whatever a network repeats or reorders within the window, the same set of readings comes out."""

from hypothesis import given
from hypothesis import strategies as st
from smartpark_edge.memory import PointMemory, Verdict

readings = st.dictionaries(st.integers(0, 50), st.tuples(st.integers(), st.integers(0, 2)), min_size=1, max_size=16)


def accepted(said):
    memory = PointMemory(16)
    return [one for one in said if memory.judge(one[0], *one[1]) is Verdict.NEW]


@given(readings, st.data())
def test_any_repetition_and_reordering_gives_the_same_readings_once(truth, data):
    said = list(truth.items())
    repeats = data.draw(st.lists(st.sampled_from(said), max_size=40))
    network = data.draw(st.permutations(said + repeats))
    assert sorted(accepted(network)) == sorted(truth.items())


@given(readings, st.data())
def test_another_value_at_a_known_time_is_a_conflict_and_changes_nothing(truth, data):
    memory = PointMemory(16)
    for time, (value, status) in truth.items():
        memory.judge(time, value, status)
    time = data.draw(st.sampled_from(sorted(truth)))
    value, status = truth[time]
    assert memory.judge(time, value + 1, status) is Verdict.CONFLICT
    assert memory.judge(time, value, status + 1) is Verdict.CONFLICT
    assert memory.judge(time, value, status) is Verdict.DUPLICATE


def test_at_least_the_window_is_remembered_and_at_most_twice_as_much():
    memory = PointMemory(100)
    for time in range(1_000):
        memory.judge(time, 0, 0)
    assert all(memory.judge(time, 0, 0) is Verdict.DUPLICATE for time in range(900, 1_000))
    assert memory.judge(700, 0, 0) is Verdict.NEW
