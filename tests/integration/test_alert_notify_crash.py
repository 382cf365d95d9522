"""Senders that are killed at any moment: everything is told, and twice only what was in the very act, by its name."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from alert_notices import SIGNS, Desk, at, due, firing
from fix_hooks import CUT
from fix_ingest import as_ingest, fetch
from smartpark import webhooks
from smartpark.clock import utc_now
from smartpark.webhooks import IDEMPOTENCY
from smartpark_ingest import mail
from smartpark_ingest.alerting.notify import by_apprise
from smartpark_ingest.alerting.notify.facts import body_of, facts_of
from smartpark_ingest.alerting.notify.sending import LEASE, Sender
from smartpark_storage import connect
from smartpark_storage.alerts import NewIntent, plan_intents
from waiting import wait_until

MAIL, HOOK = {"code": "mail", "channel": "mail"}, {"code": "hook", "channel": "webhook"}
_CHILD = """
import sys, threading
from datetime import timedelta
from pathlib import Path
from smartpark import webhooks
from smartpark.clock import utc_now
from smartpark_ingest.alerting.notify.channels import ways_from_environment
from smartpark_ingest.alerting.notify.sending import Sender
ahead = timedelta(seconds=float(sys.argv[2]))
sender = Sender(sys.argv[1], ways_from_environment(), threading.Event(), clock=lambda: utc_now() + ahead)
sender.start()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def desk(plain_database_dsn, tmp_path, mail_server, receiver_of_hooks):
    desk = Desk(plain_database_dsn, tmp_path)
    desk.mail(mail_server)
    for n in range(3):
        desk.keep(f"mail{n}", f"mail{n}@example.org")
        desk.keep(f"hook{n}", receiver_of_hooks.url, SIGNS)
    contacts = [{"code": f"{kind['code']}{n}", "channel": kind["channel"]} for n in range(3) for kind in (MAIL, HOOK)]
    desk.load(contacts, [{"contacts": [one["code"] for one in contacts]}])
    return desk


def plan_many(desk, count):
    """Messages of matters of their own, for each contact; keys of them all."""
    now = utc_now()
    item = facts_of(due(1, firing(at("10:00"))), at("10:01"), lambda _: None)
    intents = [
        NewIntent(f"{kind}{who}/{n}", f"{kind}{who}", "fired", (n,), f"g{n}", now, body_of("fired", [item]))
        for n in range(count)
        for who in range(3)
        for kind in ("mail", "hook")
    ]
    with connect(as_ingest(desk.dsn), application="test") as connection:
        plan_intents(connection, intents, at=now)
    return len(intents)


def told(mail_server, receiver):
    """How often each message was taken, by its name."""
    return Counter(str(message["Message-ID"]) for _, message in mail_server.box.messages) + Counter(
        one.headers[IDEMPOTENCY] for one in receiver.taken
    )


def left(desk):
    return fetch(desk.dsn, "SELECT count(*) FROM smartpark.alert_intent WHERE sent_at IS NULL")[0][0]


def test_eight_threads_of_two_senders_tell_everything_once(desk, mail_server, receiver_of_hooks):
    count, stop = plan_many(desk, 10), threading.Event()
    senders = [Sender(as_ingest(desk.dsn), desk.ways, stop) for _ in range(2)]
    for one in senders:
        one.start()
    wait_until(lambda: left(desk) == 0, what="everything is sent")
    stop.set()
    for one in senders:
        one.join()
    taken = told(mail_server, receiver_of_hooks)
    assert len(taken) == count == 60
    assert set(taken.values()) == {1}
    assert sum((one.tally.sent for one in senders), Counter()) == {"mail": 30, "webhook": 30}


def test_a_sender_that_is_woken_sends_at_once(desk, receiver_of_hooks):
    stop = threading.Event()
    sender = Sender(as_ingest(desk.dsn), desk.ways, stop, threads=1)
    sender.start()
    plan_many(desk, 1)
    sender.wake()
    wait_until(lambda: left(desk) == 0, what="it is sent")
    stop.set()
    sender.join(30.0)
    assert len(receiver_of_hooks.taken) == 3


def test_a_sender_outlives_what_nobody_had_thought_of(desk, receiver_of_hooks, monkeypatch):
    monkeypatch.setattr("smartpark_ingest.alerting.notify.sending._AFTER_FAULT_S", 0.05)
    monkeypatch.setattr("smartpark_ingest.alerting.notify.sending.claim_next", _fault)
    stop = threading.Event()
    sender = Sender(as_ingest(desk.dsn), desk.ways, stop, threads=2)
    sender.start()
    wait_until(lambda: sender.faults >= 3, what="several turns have failed")
    plan_many(desk, 1)
    monkeypatch.undo()
    wait_until(lambda: left(desk) == 0, what="everything is sent all the same")
    stop.set()
    sender.join(30.0)
    assert len(receiver_of_hooks.taken) == 3


def _fault(*_args, **_more):
    raise LookupError


class Killed(BaseException):
    """Stands for the end of the process between handing over and noting."""


def test_a_crash_between_sending_and_noting_tells_that_one_message_once_more_under_its_name(
    desk, mail_server, receiver_of_hooks, monkeypatch
):
    plan_many(desk, 1)
    monkeypatch.setattr("smartpark_ingest.alerting.notify.sending.sent_intents", _killed)
    for _ in range(6):
        with pytest.raises(Killed):
            Sender(as_ingest(desk.dsn), desk.ways, threading.Event()).send_due()
    monkeypatch.undo()
    soon = Sender(as_ingest(desk.dsn), desk.ways, threading.Event(), clock=lambda: utc_now() + LEASE / 2)
    assert soon.send_due() == 0, "all are in the hand of whoever died"
    later = Sender(as_ingest(desk.dsn), desk.ways, threading.Event(), clock=lambda: utc_now() + 2 * LEASE)
    assert later.send_due() == 6
    assert later.send_due() == 0
    assert set(told(mail_server, receiver_of_hooks).values()) == {2}
    assert len(told(mail_server, receiver_of_hooks)) == 6


def _killed(*_args, **_more):
    raise Killed


def test_a_receiver_that_takes_a_message_and_is_cut_off_before_it_says_so_hears_it_twice_by_the_same_name(
    desk, receiver_of_hooks
):
    desk.fire("09:59")
    desk.load([HOOK | {"code": "hook0"}], [{"contacts": ["hook0"]}])
    desk.plan("10:00")
    receiver_of_hooks.answers = [CUT]
    desk.send("10:01")
    desk.send("10:02")
    assert list(told(mail_server=_Nobody, receiver=receiver_of_hooks).values()) == [2]


class _Nobody:
    class box:  # noqa: N801  stands for a mailbox
        messages = ()


def kill_again_and_again(desk, mail_server, receiver, *, messages, kills, seed):
    """Plan, kill senders at random moments, and let the last one end; how often each message was taken."""
    rng = random.Random(seed)
    count = plan_many(desk, messages)
    environment = os.environ | mail_server.environment | {"SMARTPARK_ALERT_SECRETS": str(desk.folder)}
    for generation in range(kills + 1):
        # Each is ahead of the one before by more than a lease, so that what that one held is free.
        ahead_s = str(generation * 2 * LEASE.total_seconds())
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, as_ingest(desk.dsn), ahead_s],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert child.stdout.readline() == b"ready\n"
            if generation < kills:
                time.sleep(rng.uniform(0.0, 0.15))
            else:
                receiver.answers.clear()
                wait_until(lambda: left(desk) == 0, what="the last sender tells everything that is left")
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdin.close()
            child.stdout.close()
    taken = told(mail_server, receiver)
    assert len(taken) == count, "everything was told"
    again = sum(taken.values()) - count
    # Each kill catches at most what its four threads have in hand.
    assert again <= 4 * kills
    assert max(taken.values()) <= 1 + kills
    return taken


def test_senders_killed_at_random_moments_tell_everything(desk, mail_server, receiver_of_hooks):
    receiver_of_hooks.answers = [500, 204, "reset", 503, 204, "reset"]
    kill_again_and_again(desk, mail_server, receiver_of_hooks, messages=8, kills=3, seed=7)


@pytest.mark.soak
def test_senders_killed_very_often_tell_everything(desk, mail_server, receiver_of_hooks):
    rng = random.Random(11)
    receiver_of_hooks.answers = [rng.choice([500, 204, 204, "reset", 503]) for _ in range(200)]
    kill_again_and_again(desk, mail_server, receiver_of_hooks, messages=150, kills=40, seed=12)


def test_a_lease_is_longer_than_any_way_takes() -> None:
    mail_s = 2 * mail.TIMEOUT_S + mail.AT_MOST_S
    assert max(webhooks.TIMEOUT_S, by_apprise.TIMEOUT_S, mail_s) < LEASE.total_seconds()
