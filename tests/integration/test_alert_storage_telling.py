"""What people are to be told, once; what they are not told; and whom to tell."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from alert_cases import HOUR, MINUTE, NOW
from fix_ingest import as_ingest
from smartpark.alerts.routes import Contact, Route
from smartpark.alerts.silences import Matchers, Silence
from smartpark.alerts.words import Severity
from smartpark.errors import SmartparkError
from smartpark_storage import Connection, connect, load_catalogue, transaction
from smartpark_storage.alerts import (
    NewIntent,
    active_silences,
    claim_intents,
    create_silence,
    end_silence,
    give_up_intents,
    intent_state,
    next_due,
    plan_intents,
    put_contact,
    put_route,
    read_contacts,
    read_intents,
    read_placed_routes,
    read_routes,
    read_silences,
    retry_intents,
    sent_intents,
    withdraw_intents,
)
from storage_cases import park
from waiting import wait_until


@pytest.fixture(scope="module")
def telling_dsn(shared_database_dsn: str) -> str:
    """A database with a park."""
    with connect(shared_database_dsn, application="test") as connection:
        load_catalogue(connection, park(), source="test", loaded_by="test", at=NOW)
    return shared_database_dsn


@pytest.fixture
def connection(telling_dsn: str) -> Iterator[Connection]:
    """As ingest has it, with nothing that waits."""
    with connect(as_ingest(telling_dsn), application="test") as opened:
        waiting = [one.intent_id for one in read_intents(opened, is_waiting=True, limit=None)]
        withdraw_intents(opened, waiting, at=NOW, reason="another test")
        yield opened
        opened.rollback()


def intent(key: str, **changes) -> NewIntent:
    one = NewIntent(key, "on-call", "fired", (7, 9), "demand@device:hill/M0", NOW, {"值": 1.5}, "hill")
    return replace(one, **changes)


def keys(found) -> list[str]:
    return [one.key for one in found]


def test_what_is_planned_again_is_told_once(connection: Connection):
    assert plan_intents(connection, [intent("a"), intent("b"), intent("a")], at=NOW) == ["a", "b"]
    assert plan_intents(connection, [intent("b", body={"值": 2}), intent("c")], at=NOW + HOUR) == ["c"]
    assert plan_intents(connection, [], at=NOW) == []
    found = {one.key: one for one in read_intents(connection, alert_id=9)}
    assert found["b"].body == {"值": 1.5}
    assert (found["b"].planned_at, found["b"].alerts, found["b"].is_waiting) == (NOW, (7, 9), True)
    assert not read_intents(connection, alert_id=8)


def test_what_is_not_committed_is_not_told(telling_dsn: str, connection: Connection):
    dying = connect(as_ingest(telling_dsn), application="dying")
    dying.execute("SELECT 1")
    plan_intents(dying, [intent("never")], at=NOW)
    dying.close()
    assert not claim_intents(connection, 10, NOW)


def test_a_claimed_intent_comes_back_when_its_sender_dies(telling_dsn: str, connection: Connection):
    plan_intents(connection, [intent("later", due_at=NOW + HOUR), intent("lease"), intent("lease-2")], at=NOW)
    assert next_due(connection) == NOW
    with connect(as_ingest(telling_dsn), application="dying") as dying:
        assert keys(claim_intents(dying, 1, NOW, lease=5 * MINUTE)) == ["lease"]
        dying.commit()
        # This one dies before it has committed: nobody waits for a lease that never was.
        dying.execute("SELECT 1")
        assert keys(claim_intents(dying, 5, NOW, lease=5 * MINUTE)) == ["lease-2"]
        assert keys(claim_intents(connection, 5, NOW)) == []
        dying.close()
    came_back: list[str] = []
    # The server notices in its own time that the sender is gone.
    wait_until(
        lambda: came_back.extend(keys(claim_intents(connection, 5, NOW, lease=5 * MINUTE))) or came_back,
        what="the intent comes back",
    )
    assert came_back == ["lease-2"]
    assert keys(claim_intents(connection, 5, NOW + 4 * MINUTE)) == []
    assert next_due(connection) == NOW + 5 * MINUTE
    again = claim_intents(connection, 5, NOW + 5 * MINUTE)
    assert [(one.key, one.attempts) for one in again] == [("lease", 2), ("lease-2", 2)]


def test_senders_never_have_the_same_in_hand(telling_dsn: str, connection: Connection):
    plan_intents(connection, [intent(f"many-{n}") for n in range(200)], at=NOW)

    def claim_all(number: int) -> list[str]:
        mine: list[str] = []
        with connect(as_ingest(telling_dsn), application=f"sender {number}") as sender:
            while found := claim_intents(sender, 7, NOW):
                mine += keys(found)
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [key for mine in pool.map(claim_all, range(4)) for key in mine]
    assert sorted(claimed) == sorted(f"many-{n}" for n in range(200))


def test_what_is_settled_stays_so(connection: Connection):
    at = NOW + 10 * HOUR
    plan_intents(connection, [intent(f"end-{n}", contact="settled") for n in range(5)], at=at)
    sent, tried, given_up, withdrawn, _ = (one.intent_id for one in claim_intents(connection, 5, at))
    assert sent_intents(connection, [sent], at=at) == 1
    assert retry_intents(connection, [tried], at + HOUR, "no route to host " + "x" * 1000) == 1
    assert give_up_intents(connection, [given_up], at=at, error="refused") == 1
    assert withdraw_intents(connection, [withdrawn], at=at, reason="taken note of") == 1
    settled = [sent, given_up, withdrawn]
    assert sent_intents(connection, settled, at=at) == 0
    assert retry_intents(connection, settled, at, "") == 0
    assert give_up_intents(connection, settled, at=at, error="") == 0
    assert withdraw_intents(connection, settled, at=at, reason="") == 0
    assert keys(claim_intents(connection, 9, at + HOUR / 2, lease=HOUR)) == ["end-4"]
    assert keys(claim_intents(connection, 9, at + HOUR)) == ["end-1"]
    (state,) = (one for one in intent_state(connection, planned_from=at) if one.contact == "settled")
    assert (state.waiting, state.sent, state.given_up, state.withdrawn) == (2, 1, 1, 1)
    assert (state.oldest_waiting, state.last_sent_at, state.newest_error) == (at, at, "refused")


def test_silences_hold_until_their_end_or_until_somebody_ends_them(connection: Connection):
    silence = Silence(
        park="hill",
        kind="maintenance",
        matchers=Matchers(objects=("point:hill/M0/*",), severities=(Severity.WARNING,)),
        starts_at=NOW,
        ends_at=NOW + 8 * HOUR,
        reason="换表",
    )
    number = create_silence(connection, silence, by="甲", at=NOW - HOUR)
    stored = silence.model_copy(update={"silence_id": number})
    assert active_silences(connection, NOW - MINUTE) == []
    assert active_silences(connection, NOW) == [stored]
    assert active_silences(connection, NOW + 8 * HOUR) == []
    assert end_silence(connection, number, by="乙", at=NOW + HOUR)
    assert not end_silence(connection, number, by="丙", at=NOW + 2 * HOUR)
    assert active_silences(connection, NOW + MINUTE) == [stored]
    assert active_silences(connection, NOW + HOUR) == []
    (found,) = read_silences(connection, silence_id=number)
    assert (found.silence, found.created_by, found.ended_by, found.ends_at) == (stored, "甲", "乙", NOW + HOUR)
    with pytest.raises(SmartparkError, match="there is no park nowhere"):
        create_silence(connection, silence.model_copy(update={"park": "nowhere"}), by="甲", at=NOW)


def test_contacts_and_routes_come_back_as_they_were_written(connection: Connection):
    contact = Contact.model_validate(
        {"code": "on-call", "name": "值班", "channel": "dingtalk", "address": "duty-robot", "digest_at": ["08:00"]}
    )
    night = Route.model_validate(
        {
            "code": "night",
            "park": "hill",
            "severities": ["critical"],
            "hours": {"start": "20:00", "end": "08:00"},
            "contacts": ["on-call"],
            "escalation": [{"after_min": 15, "contacts": ["on-call"]}],
        }
    )
    rest = Route.model_validate({"code": "rest", "contacts": ["on-call"], "is_active": False})
    with transaction(connection):
        put_contact(connection, contact)
        put_route(connection, rest, 2)
        put_route(connection, night, 1)
    assert read_contacts(connection) == [contact]
    assert read_routes(connection) == [night, rest]
    put_route(connection, rest, 0)
    put_contact(connection, contact.model_copy(update={"language": "en"}))
    assert read_placed_routes(connection) == [(0, rest), (1, night)]
    assert read_contacts(connection)[0].language == "en"
    with pytest.raises(SmartparkError, match="night: there is no park nowhere"):
        put_route(connection, night.model_copy(update={"park": "nowhere"}), 1)
