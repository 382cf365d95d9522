"""What the publisher sends next: live first, backlog behind at its rate, unacknowledged batches again."""

from hypothesis import given
from hypothesis import strategies as st
from smartpark_edge.window import Window


def window(**options):
    return Window(**{"size": 8, "ack_timeout_s": 10.0, "rate": 1000.0} | options)


def test_backlog_leaves_room_for_live_batches():
    w = window()
    sequence = 0
    while w.backlog_room(0.0):
        sequence += 1
        w.note_sent(sequence, 1, 0.0, backlog=True)
    assert len(w.sent) == 4
    assert w.live_room == 4


def test_backlog_keeps_to_its_rate():
    w = window(size=10_000)
    sent = 0
    for tenth in range(100):
        while w.backlog_room(tenth / 10):
            sent += 1
            w.note_sent(sent, 100, tenth / 10, backlog=True)
        w.acknowledge(range(sent + 1))
    assert 100 <= sent <= 112  # 1,000 readings a second for 9.9 s, and the allowance it starts with


def test_what_nobody_acknowledges_is_sent_again_and_ever_more_patiently():
    w = window()
    w.note_sent(1, 1, 0.0, backlog=False)
    assert w.overdue(9.9) == []
    assert w.overdue(10.0) == [1]
    w.note_sent(1, 1, 10.0, backlog=False)
    assert w.overdue(29.9) == []
    assert w.overdue(30.0) == [1]
    w.acknowledge([2])
    w.note_sent(1, 1, 30.0, backlog=False)
    assert w.overdue(40.0) == [1]


def test_when_somebody_is_there_again_what_is_on_its_way_is_sent_again_at_once():
    w = window()
    w.note_sent(1, 1, 0.0, backlog=False)
    w.note_sent(2, 1, 4.5, backlog=True)
    w.hurry(5.0)
    assert w.overdue(5.0) == [1], "the second was sent a moment ago: it may still be on its way"
    w.note_sent(1, 1, 5.0, backlog=False)
    assert w.overdue(5.5) == [2]
    w.note_sent(2, 1, 5.5, backlog=True)
    assert w.overdue(14.9) == [], "asked once, sent once: from here on it is the time-out again"
    assert w.overdue(15.0) == [1]


def test_many_who_ask_at_once_get_one_answer():
    w = window()
    w.note_sent(1, 1, 0.0, backlog=False)
    sent = []
    for now in (n / 100 for n in range(200, 500)):
        w.hurry(now)
        for sequence in w.overdue(now):
            w.note_sent(sequence, 1, now, backlog=False)
            sent.append(now)
    assert sent == [2.0, 3.0, 4.0]


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=40))
def test_the_window_never_holds_more_than_its_size(steps):
    w = window()
    live = 0
    for now, (count, acknowledges) in enumerate(steps):
        for _ in range(min(count, w.live_room)):
            live += 1
            w.note_sent(live, 1, float(now), backlog=False)
        assert len(w.sent) <= w.size
        if acknowledges and w.sent:
            w.acknowledge([min(w.sent)])


def test_live_batches_that_waited_too_long_are_found_again_as_backlog():
    w = window(live_cursor=10, backlog_cursor=40)
    w.skip_to(21)
    assert (w.live_cursor, w.backlog_cursor) == (20, 10)
