"""How patiently an agent knocks again: ever longer, never quite the same, and never longer than ten seconds."""

from smartpark_edge.mqtt_client import Backoff


def test_waits_grow_to_ten_seconds_and_never_beyond():
    backoff = Backoff()
    waits = [backoff.next() for _ in range(200)]
    assert waits[0] <= 0.5
    assert max(waits[-100:]) <= 10.0
    assert min(waits[-100:]) >= 5.0


def test_two_agents_do_not_wait_alike():
    one, other = Backoff(), Backoff()
    assert [one.next() for _ in range(8)] != [other.next() for _ in range(8)]


def test_it_starts_anew_when_a_connection_held():
    backoff = Backoff()
    for _ in range(20):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 0.5
