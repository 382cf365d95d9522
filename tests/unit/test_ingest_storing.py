"""Groups are stored in order and answered for beside it; trouble is heard of, and nothing runs on behind it."""

import threading
import time
from collections.abc import Callable

import pytest
from smartpark_ingest.inbox import Arrival, Inbox
from smartpark_ingest.storing import Answer, Storing

PATIENCE_S = 60.0


def _nothing() -> None:
    """Nothing to be said."""


def _stores(log: list[str], name: str, answer: Answer = _nothing) -> Callable[[], Answer]:
    def store() -> Answer:
        log.append(name)
        return answer

    return store


def test_groups_are_stored_and_answered_for_in_their_order():
    log: list[str] = []
    with Storing(_nothing) as storing:
        for name in "abcdef":
            storing.submit(_stores(log, name, lambda name=name: log.append(f"{name}!")))
        storing.finish()
    assert [one for one in log if "!" not in one] == list("abcdef")
    assert [one for one in log if "!" in one] == [f"{name}!" for name in "abcdef"]
    assert all(log.index(name) < log.index(f"{name}!") for name in "abcdef"), "answered before it was stored"


def test_the_next_group_is_stored_while_the_one_before_is_answered_for():
    second_stored = threading.Event()

    def answer() -> None:
        assert second_stored.wait(PATIENCE_S)

    def second() -> Answer:
        second_stored.set()
        return _nothing

    with Storing(_nothing) as storing:
        storing.submit(lambda: answer)
        storing.submit(second)
        storing.finish()
    assert second_stored.is_set()


def test_one_group_may_wait_behind_the_one_being_stored_and_the_next_one_has_to_wait():
    may_end, log = threading.Event(), list[str]()

    def slow() -> Answer:
        assert may_end.wait(PATIENCE_S)
        return _nothing

    with Storing(_nothing) as storing:
        storing.submit(slow)
        storing.submit(_stores(log, "waits"))
        assert storing.is_busy
        third = threading.Thread(target=lambda: storing.submit(_stores(log, "third")))
        third.start()
        third.join(0.2)
        assert third.is_alive(), "memory would grow with every group that is taken"
        may_end.set()
        third.join(PATIENCE_S)
        storing.finish()
        assert not storing.is_busy
    assert log == ["waits", "third"]


def test_trouble_with_a_group_is_raised_and_what_nobody_has_begun_is_left_alone():
    may_fail, log = threading.Event(), list[str]()

    def fails() -> Answer:
        assert may_fail.wait(PATIENCE_S)
        raise LookupError("the database says no")

    def stores_later() -> Answer:
        # Begun or not when the trouble is heard of: both are right, and a group behind it must not run.
        return _nothing

    def store_all() -> None:
        with Storing(_nothing) as storing:
            storing.submit(fails)
            storing.submit(stores_later)
            may_fail.set()
            storing.submit(_stores(log, "behind"))

    with pytest.raises(LookupError, match="says no"):
        store_all()
    assert log == []


def test_trouble_with_an_answer_is_raised_too():
    def answer() -> None:
        raise LookupError("the broker says no")

    def store() -> None:
        with Storing(_nothing) as storing:
            storing.submit(lambda: answer)
            storing.finish()

    with pytest.raises(LookupError, match="says no"):
        store()


def test_whoever_waits_for_messages_is_woken_when_a_group_is_stored():
    inbox = Inbox(max_messages=10, max_bytes=1000)
    with Storing(inbox.wake) as storing:
        storing.submit(lambda: _nothing)
        until_s = time.monotonic() + PATIENCE_S
        assert inbox.take(until=until_s, readings=1) == []
        assert time.monotonic() < until_s, "nobody said that the group is stored"
        storing.finish()


def test_a_wake_that_comes_before_the_waiting_counts_and_only_once():
    inbox = Inbox(max_messages=10, max_bytes=1000)
    inbox.wake()
    until_s = time.monotonic() + PATIENCE_S
    assert inbox.take(until=until_s, readings=1) == []
    assert time.monotonic() < until_s
    assert inbox.put(Arrival("t", b"1", 0), patience_s=0)
    inbox.wake()
    assert len(inbox.take(until=0, readings=1)) == 1
    assert inbox.take(until=0, readings=1) == []
