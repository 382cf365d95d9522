"""Alerts over HTTP on a real database, where access is enforced: lists, evidence, deeds, silences, rules, news.

Everything is asked with real keys, of an operator of one of two parks; what lies in the other park there is none of.
"""

import json
import socket
import threading
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import httpx
import pytest
from fix_api import NOON, ParkHand
from fix_gate import CHIEF, OTHER, OWN
from inbox_hand import DEMAND, MINUTE, POWER, RULES, SILENT, STALE, InboxHand
from smartpark.access import Grant, Role
from smartpark.alerts.events import (
    Acknowledged,
    Cleared,
    Evidence,
    HiddenFrom,
    Measured,
    Resolved,
    Told,
)
from smartpark.alerts.words import Hidden, PageKind, Resolution, Severity
from smartpark_api.alerts import news, streaming
from smartpark_storage import connect
from smartpark_storage.access import AuditFilter, end_grant, read_audit, read_grants
from smartpark_storage.alerts import AlertFilter, NewIntent, plan_intents, read_alerts, sent_intents
from smartpark_storage.connections import open_pool
from smartpark_storage.reads import read_only
from waiting import wait_until

API = "/api/v1/alerts"
OVER = Evidence(value=450.0, limit=500.0, unit="kW")


@pytest.fixture(scope="module")
def inbox(access_server):
    """Rules, and a few alerts in each park."""
    hand = InboxHand(access_server.dsn)
    hand.rules()
    return hand


@pytest.fixture(scope="module")
def operator(access_server):
    return access_server.client("operator")


@pytest.fixture(scope="module")
def chen(access_server):
    """A person who is logged in and runs the park."""
    access_server.grant("chen", Grant(Role.OPERATOR, OWN))
    return access_server.session("chen")


def unique(n):
    """Objects that no other test has; the catalogue need not know them."""
    return f"point:{OWN}/X{n}/active_power"


def get(client, path, status=200, **query):
    answer = client.get(API + path, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def do(client, number, deed, *, seen=None, status=200, headers=None, **body):
    given = {} if seen is None else {"if-match": f'"{seen}"'}
    answer = client.post(f"{API}/{number}/{deed}", json=body, headers=given | (headers or {}))
    assert answer.status_code == status, answer.text
    return answer.json()


def slug(problem):
    return problem["type"].rpartition(":")[2]


# --- what there is -------------------------------------------------------------------------------------------------


def test_an_alert_is_listed_with_words_in_both_languages(inbox, operator):
    number = inbox.fires(unique(1))
    (one,) = get(operator, "", object=unique(1))["alerts"]
    assert one["alert"] == number
    assert (one["state"], one["tab"], one["severity"], one["cause"]) == ("firing", "firing", "critical", "demand")
    assert (one["value"], one["limit"], one["unit"]) == (523.5, 500.0, "kW")
    assert one["title"] == {
        "zh": f"严重 需量偏高:{OWN}/X1/active_power",
        "en": f"critical: Demand is high: {OWN}/X1/active_power",
    }
    assert one["version"] == 2


def test_pages_of_a_list_meet_and_filters_leave_out_the_rest(inbox, operator):
    numbers = [inbox.fires(unique(f"page{n}"), since=NOON - timedelta(hours=2, minutes=n)) for n in range(5)]
    found, after = [], None
    for _ in range(4):
        page = get(operator, "", text="xPAGE", limit=2, **({"after": after} if after else {}))
        found += [one["alert"] for one in page["alerts"]]
        after = page["next"]
        if after is None:
            break
    assert found == numbers
    asked = {"text": "xpage", "since": (NOON - timedelta(hours=2, minutes=3, seconds=1)).isoformat()}
    assert [one["alert"] for one in get(operator, "", **asked)["alerts"]] == numbers[:4]
    assert get(operator, "", text="xpage", severity="info")["alerts"] == []
    assert get(operator, "", text="xpage", state="resolved")["alerts"] == []
    assert slug(get(operator, "", after="nonsense", status=400)) == "bad-cursor"
    assert slug(get(operator, "", severity="dreadful", status=422)) == "invalid-request"


def test_one_alert_tells_its_rule_its_events_and_who_was_told(access_server, inbox, operator):
    number = inbox.fires(unique(2), Told(kind=PageKind.FIRED, contacts=("duty",)))
    with connect(access_server.dsn, application="test") as connection:
        intent = NewIntent(
            key="k2", contact="duty", kind="fired", alerts=(number,), group_key="g", due_at=NOON, body={}, park=OWN
        )
        plan_intents(connection, [intent], at=NOON)
        connection.commit()
    answer = operator.get(f"{API}/{number}")
    seen = answer.json()
    assert answer.headers["etag"] == '"3"'
    assert seen["advice"]["en"] == "Shift or shed what can wait."
    assert [one["body"]["type"] for one in seen["events"]] == ["began", "fired", "told"]
    assert seen["events"][0]["body"]["about"]["rule_version"] == 1
    (told,) = seen["notifications"]
    assert (told["contact"], told["state"], told["attempts"]) == ("duty", "waiting", 0)
    assert set(seen["possible"]) == {"acknowledge", "assign", "comment", "label", "resolve", "snooze"}
    with connect(access_server.dsn, application="test") as connection:
        sent_intents(connection, [told["notification"]], at=NOON)
        connection.commit()
    assert get(operator, f"/{number}")["notifications"][0]["state"] == "sent"


def test_evidence_shows_readings_with_their_quality_and_what_the_rule_saw(access_server, inbox, operator):
    hand = ParkHand(access_server.dsn)
    bad = 0x80000000
    moments = [NOON - n * 5 * MINUTE for n in range(24)]
    hand.store(
        *[("testpark/M0/active_power", at, 400.0 + n) for n, at in enumerate(moments)],
        ("testpark/M0/active_power", NOON - 3 * MINUTE, 9.0, bad),
    )
    number = inbox.fires(POWER, since=NOON - 40 * MINUTE)
    inbox.happens(
        number, Measured(evidence=OVER, worst=Evidence(value=530.0, limit=500.0, unit="kW"), worst_at=NOON), at=NOON
    )
    found = get(operator, f"/{number}/evidence")
    assert (found["kind"], found["note"]) == ("point", "")
    (series,) = found["series"]
    assert (series["point"], series["bucket"], series["unit"]) == ("testpark/M0/active_power", "raw", "kW")
    # An hour before the breach began, and up to now; what comes now is not yet over.
    assert len(series["time"]) == len(series["value"]) == len(series["quality"]) == 21
    assert series["quality"].count("bad") == 1
    assert [one["value"] for one in found["judged"]] == [523.5, 523.5, 450.0]
    assert found["judged"][0]["limit"] == 500.0
    assert found["breach_to"] is None
    inbox.happens(number, Cleared(evidence=OVER))
    over = datetime.fromisoformat(get(operator, f"/{number}/evidence")["breach_to"])
    assert over == NOON


def test_evidence_of_an_edge_rests_on_what_its_rule_saw(inbox, operator):
    number = inbox.fires(
        "edge:edge-evidence", rule=SILENT, device=None, edge="edge-evidence", value=None, limit=120.0, unit="s"
    )
    found = get(operator, f"/{number}/evidence")
    assert (found["kind"], found["series"]) == ("edge", [])
    assert found["note"]
    assert found["judged"][0] | {"time": ""} == {"time": "", "value": None, "limit": 120.0}


def test_what_was_like_it_comes_most_alike_first(inbox, operator):
    device = f"{OWN}/X3"
    old = inbox.fires(unique(3), Cleared(evidence=OVER), since=NOON - timedelta(days=2), device=device)
    sibling = inbox.fires(f"{unique(3)}_2", since=NOON - timedelta(days=1), device=device)
    number = inbox.fires(unique(3), device=device)
    found = get(operator, f"/{number}/similar")["alerts"]
    assert [(one["alert"]["alert"], one["likeness"]) for one in found] == [(old, "same"), (sibling, "group")]


def test_the_summary_counts_by_tab_and_says_how_soon_people_took_note(inbox, operator):
    before = get(operator, "/summary")
    number = inbox.fires(unique(4), Acknowledged())
    inbox.fires(unique(5), HiddenFrom(reason=Hidden.LATE))
    inbox.fires(unique(6), is_pending=True, severity=Severity.INFO)
    done = inbox.fires(unique(7), since=NOON - timedelta(hours=3))
    inbox.happens(done, Acknowledged(), at=NOON - timedelta(hours=2))
    inbox.happens(done, Resolved(resolution=Resolution.FALSE_ALARM), at=NOON - timedelta(hours=1))
    after = get(operator, "/summary")
    assert after["acknowledged"]["count"] == before["acknowledged"]["count"] + 1
    assert after["hidden"]["count"] == before["hidden"]["count"] + 1
    assert after["pending"]["by_severity"]["info"] == before["pending"]["by_severity"]["info"] + 1
    assert after["false_alarms"] == before["false_alarms"] + 1
    span = {"from": (NOON - timedelta(hours=3)).isoformat(), "to": (NOON - timedelta(minutes=150)).isoformat()}
    (times,) = [get(operator, "/summary", **span)]
    assert times["time_to_acknowledge"] == {"count": 1, "mean_s": 55 * 60.0, "median_s": 55 * 60.0}
    assert times["time_to_resolve"]["mean_s"] == 115 * 60.0
    assert get(operator, f"/{number}")["alert"]["acknowledged_at"]


# --- what people do ------------------------------------------------------------------------------------------------


def test_a_person_sees_an_alert_through(inbox, chen, access_server):
    number = inbox.fires(unique(10))
    seen = do(chen, number, "acknowledge", seen=2)
    assert (seen["tab"], seen["acknowledged_by"], seen["version"]) == ("acknowledged", "chen", 3)
    seen = do(chen, number, "assign", seen=3, to="chen")
    assert seen["assignee"] == "chen"
    seen = do(chen, number, "snooze", seen=4, until=(NOON + timedelta(hours=2)).isoformat())
    assert seen["snoozed_until"]
    do(chen, number, "comments", text="去现场了", status=201)
    seen = do(chen, number, "resolve", expected=5, resolution="load_shed", note="停了一台空压机")
    assert (seen["state"], seen["resolution"], seen["ended_by"]) == ("resolved", "load_shed", "person")
    seen = do(chen, number, "label", seen=7, label="true_alarm")
    assert seen["label"] == "true_alarm"
    assert [event.actor for event in inbox.events(number)] == ["system"] * 2 + ["chen"] * 6
    with connect(access_server.dsn, application="test") as connection:
        lines = [line for line in read_audit(connection, AuditFilter()) if f"/alerts/{number}/" in line.object]
    assert {line.action for line in lines} >= {"acknowledgeAlert", "resolveAlert", "labelAlert"}
    assert {(line.principal, line.park) for line in lines} == {("person:chen", OWN)}


def test_a_program_acts_under_its_own_name(inbox, operator):
    number = inbox.fires(unique(11))
    assert do(operator, number, "acknowledge", seen=2)["acknowledged_by"] == "client:operator"
    assert do(operator, number, "unacknowledge", seen=3)["acknowledged_by"] is None


def test_whoever_saw_an_older_version_is_told_what_happened(inbox, operator, chen):
    number = inbox.fires(unique(12))
    assert slug(do(operator, number, "acknowledge", status=428)) == "version-required"
    do(chen, number, "acknowledge", seen=2)
    stale = do(operator, number, "resolve", seen=2, resolution="repaired", status=409)
    assert slug(stale) == "stale-version"
    assert [one["body"]["type"] for one in stale["events"]] == ["acknowledged"]
    assert stale["version"] == 3
    assert inbox.types(number)[-1] == "acknowledged"


def test_what_changes_nothing_for_people_makes_no_version_stale(inbox, operator):
    number = inbox.fires(unique(13))
    inbox.happens(number, Measured(evidence=OVER, worst=OVER, worst_at=NOON))
    inbox.happens(number, Told(kind=PageKind.FIRED, contacts=()))
    assert do(operator, number, "acknowledge", seen=2)["version"] == 5
    assert slug(do(operator, number, "resolve", seen=99, resolution="other", status=409)) == "stale-version"


def test_what_cannot_be_done_is_refused_with_what_can(inbox, operator):
    number = inbox.fires(unique(14), Cleared(evidence=OVER))
    refused = do(operator, number, "acknowledge", seen=3, status=409)
    assert slug(refused) == "event-refused"
    assert refused["possible"] == ["label", "comment"]
    number = inbox.fires(unique(15))
    assert slug(do(operator, number, "assign", seen=2, to="nobody-known", status=409)) == "event-refused"
    far = (NOON + timedelta(days=30)).isoformat()
    assert "7 days" in do(operator, number, "snooze", seen=2, until=far, status=409)["detail"]
    assert inbox.types(number) == ["began", "fired"]


def test_a_repeated_deed_happens_once(inbox, operator):
    number = inbox.fires(unique(16))
    once = {"idempotency-key": "deed-16"}
    first = do(operator, number, "comments", headers=once, text="on my way", status=201)
    assert do(operator, number, "comments", headers=once, text="on my way", status=201) == first
    assert inbox.types(number).count("commented") == 1
    again = do(operator, number, "comments", headers=once, text="another", status=422)
    assert slug(again) == "idempotency-key-reused"


# --- whose ---------------------------------------------------------------------------------------------------------


def test_there_is_no_alert_in_a_park_that_is_not_theirs(inbox, operator, access_server):
    number = inbox.fires("point:netpark/M1/active_power", park=OTHER, device=f"{OTHER}/M1")
    chief = access_server.client(CHIEF)
    assert get(chief, f"/{number}")["alert"]["park"] == OTHER
    assert get(operator, "", park=OTHER)["alerts"] == []
    for path in ("", "/evidence", "/similar"):
        assert slug(get(operator, f"/{number}{path}", status=404)) == "alert-not-found"
    missing = get(operator, "/999999999", status=404)
    assert slug(missing) == "alert-not-found"
    assert slug(do(operator, number, "acknowledge", seen=2, status=404)) == "alert-not-found"
    assert get(operator, "/summary", park=OTHER, status=404)
    # A province sees no alert anywhere; nobody nothing.
    assert slug(get(access_server.client("province"), "", status=403)) == "not-granted"
    assert slug(get(access_server.client("nobody"), "", status=401)) == "not-logged-in"


def test_the_database_holds_the_same_rule(inbox, access_server):
    number = inbox.fires("point:netpark/M2/active_power", park=OTHER, device=f"{OTHER}/M2")
    pool = open_pool(access_server.dsn, application="test", max_size=1)
    with pool, read_only(pool, principal="client:operator", statement_timeout_s=10, wait_s=10) as connection:
        parks = {one.alert.about.park for one in read_alerts(connection, AlertFilter(), limit=1000)}
    assert parks == {OWN}
    assert number


# --- silences ------------------------------------------------------------------------------------------------------


def test_a_silence_has_an_end_and_can_be_ended_sooner(operator, access_server):
    body = {
        "park": OWN,
        "matchers": {"devices": [f"{OWN}/M0"]},
        "ends_at": (NOON + timedelta(hours=4)).isoformat(),
        "reason": "换表",
    }
    answer = operator.post(f"{API}/silences", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["state"], made["created_by"]) == ("in_force", "client:operator")
    assert answer.headers["location"] == f"{API}/silences/{made['silence']}"
    assert made["silence"] in [one["silence"] for one in get(operator, "/silences", state="in_force")["silences"]]
    ended = operator.delete(f"{API}/silences/{made['silence']}")
    assert (ended.json()["state"], ended.json()["ended_by"]) == ("over", "client:operator")
    assert slug(operator.delete(f"{API}/silences/{made['silence']}").json()) == "conflict"
    assert get(operator, "/silences", state="planned")["silences"] == []


@pytest.mark.parametrize(
    ("changed", "location"),
    [
        ({"ends_at": (NOON - timedelta(hours=1)).isoformat()}, "body.ends_at"),
        ({"ends_at": (NOON + timedelta(days=200)).isoformat()}, "body.ends_at"),
        ({"ends_at": None}, "body.ends_at"),
        ({"reason": ""}, "body.reason"),
        ({"matchers": {"colour": ["red"]}}, "body.matchers.colour"),
    ],
)
def test_a_silence_that_is_none_is_refused(operator, changed, location):
    body = {"park": OWN, "ends_at": (NOON + timedelta(hours=4)).isoformat(), "reason": "x"} | changed
    answer = operator.post(f"{API}/silences", json=body)
    assert answer.status_code == 422, answer.text
    assert location in [one["location"] for one in answer.json()["errors"]]


def test_only_whoever_runs_all_parks_silences_all_of_them(operator, access_server):
    body = {
        "park": None,
        "matchers": {"causes": ["clock"]},
        "ends_at": (NOON + timedelta(hours=4)).isoformat(),
        "reason": "时钟校准",
    }
    assert slug(operator.post(f"{API}/silences", json=body).json()) == "not-granted"
    made = access_server.client(CHIEF).post(f"{API}/silences", json=body)
    assert made.status_code == 201, made.text
    number = made.json()["silence"]
    assert number in [one["silence"] for one in get(operator, "/silences")["silences"]]
    assert slug(operator.delete(f"{API}/silences/{number}").json()) == "silence-not-found"
    elsewhere = operator.post(f"{API}/silences", json=body | {"park": OTHER})
    assert slug(elsewhere.json()) == "park-not-found"


# --- rules ---------------------------------------------------------------------------------------------------------


def test_rules_are_told_in_words_with_every_version(inbox, operator):
    codes = [one["code"] for one in get(operator, "/rules")["rules"]]
    assert set(codes) >= {rule.code for rule in RULES}
    one = get(operator, "/rules/demand-high")
    assert one["version"] == 1
    assert one["in_words"]["en"].startswith("Looks at every reading of active power in testpark.")
    assert "above 500, for 5 min" in one["in_words"]["en"]
    assert "高于 500 并持续 5 分钟" in one["in_words"]["zh"]
    assert slug(get(operator, "/rules/none-such", status=404)) == "alert-rule-not-found"


def put(client, document, seen=None):
    headers = {} if seen is None else {"if-match": f'"{seen}"'}
    return client.put(f"{API}/rules/{document['code']}", json={"rule": document}, headers=headers)


def test_a_rule_is_checked_counted_and_kept_as_another_version(operator):
    document = DEMAND.model_dump(mode="json") | {"code": "mine"}
    checked = operator.post(f"{API}/rules/mine/check", json={"rule": document}).json()
    assert checked["watched"]["by_park"] == {OWN: checked["watched"]["objects"]}
    assert checked["watched"]["objects"] >= 2
    first = put(operator, document)
    assert (first.status_code, first.headers["etag"]) == (200, '"1"'), first.text
    assert slug(put(operator, document | {"for_s": 60.0}).json()) == "version-required"
    second = put(operator, document | {"for_s": 60.0}, seen=1)
    assert second.json()["rule"]["version"] == 2
    assert slug(put(operator, document, seen=1).json()) == "stale-version"
    history = get(operator, "/rules/mine/history")["versions"]
    assert [(one["version"], one["rule"]["for_s"], one["is_newest"]) for one in history] == [
        (2, 60.0, True),
        (1, 300.0, False),
    ]
    assert history[0]["written_by"] == "client:operator"


def test_a_wrong_rule_is_refused_with_every_problem_by_its_key(operator):
    document = DEMAND.model_dump(mode="json") | {"code": "wrong", "severity": "awful", "for_s": -1}
    document["detector"] = {"kind": "limit", "above": 1.0, "below": 2.0}
    answer = put(operator, document)
    assert answer.status_code == 422
    locations = {one["location"] for one in answer.json()["errors"]}
    assert {"body.rule.severity", "body.rule.for_s"} <= locations
    assert any(one.startswith("body.rule.detector") for one in locations)


def test_a_rule_that_watches_nothing_is_not_activated(operator):
    document = DEMAND.model_dump(mode="json") | {"code": "blind"}
    document["scope"] = {"parks": [OWN], "points": ["no-such-*"]}
    answer = put(operator, document)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["location"] == "body.rule.scope"
    assert put(operator, document | {"is_active": False}).status_code == 200


def test_a_rule_of_more_than_ones_own_park_is_for_those_who_run_all(operator, access_server):
    document = STALE.model_dump(mode="json")
    assert slug(put(operator, document | {"code": "for-all"}).json()) == "not-granted"
    assert slug(put(operator, document | {"for_s": 1.0, "scope": {"parks": [OWN]}}, seen=1).json()) == "not-granted"
    done = put(access_server.client(CHIEF), document | {"for_s": 5.0}, seen=1)
    assert done.status_code == 200, done.text


# --- news ----------------------------------------------------------------------------------------------------------


class Ear:
    """Listens to the stream in a thread, and keeps what it hears."""

    def __init__(self, client, **query):
        self.heard = []
        self.comments = 0
        self.is_over = threading.Event()
        headers = dict(client.headers) | query.pop("headers", {})
        self._answer = None
        self._client = httpx.Client(base_url=client.base_url, headers=headers, cookies=client.cookies, timeout=60)
        self._query = query
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self):
        """Go away, as somebody who shuts a page."""
        self._answer.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=30)

    def _listen(self):
        with suppress(httpx.TransportError), self._client as client:
            self._hear(client)
        self.is_over.set()

    def _hear(self, client):
        with client.stream("GET", f"{API}/stream", params=self._query) as answer:
            self._answer, self.type = answer, answer.headers["content-type"]
            one = {}
            for line in answer.iter_lines():
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    one[name] = value
                elif one:
                    self.heard.append(one | {"data": json.loads(one["data"])} if "data" in one else one)
                    one = {}

    def named(self, name):
        return [one for one in self.heard if one.get("event") == name]

    def alerts(self):
        return [one["data"]["alert"] for one in self.named("alert")]

    def wait(self, fits):
        wait_until(lambda: fits(self), timeout_s=30, what="the stream")


@contextmanager
def listening(client, **query):
    ear = Ear(client, **query)
    ear.wait(lambda one: one.named("ready") or one.is_over.is_set())
    try:
        yield ear
    finally:
        if not ear.is_over.is_set():
            ear.close()


def test_the_stream_tells_of_each_alert_as_it_changes(inbox, operator):
    number = inbox.fires(unique(20))
    with listening(operator, seconds=20) as ear:
        assert ear.type.startswith("text/event-stream")
        assert ear.heard[0] == {"retry": "3000"}
        do(operator, number, "acknowledge", seen=2)
        ear.wait(lambda one: one.alerts())
        (event,) = ear.named("alert")
        assert event["data"]["acknowledged_by"] == "client:operator"
        assert event["id"] == str(event["data"]["change"])
        other = inbox.fires("point:netpark/M3/active_power", park=OTHER, device=f"{OTHER}/M3")
        later = inbox.fires(unique(21))
        ear.wait(lambda one: later in one.alerts())
        assert other not in ear.alerts()


def test_whoever_comes_back_misses_nothing(inbox, operator):
    with listening(operator, seconds=0) as ear:
        place = ear.named("ready")[0]["id"]
    numbers = [inbox.fires(unique(f"back{n}")) for n in range(3)]
    with listening(operator, seconds=0, headers={"last-event-id": place}) as ear:
        ear.wait(lambda one: one.is_over.is_set())
        assert ear.alerts() == numbers
    with listening(operator, seconds=0, after=str(2**40)) as ear:
        ear.wait(lambda one: one.is_over.is_set())
        assert ear.named("reset")
        assert ear.alerts() == []


def test_the_stream_keeps_the_line_open_and_ends_with_the_right(access_server, inbox, monkeypatch):
    monkeypatch.setattr(streaming, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(streaming, "RIGHTS_S", 0.2)
    monkeypatch.setattr(streaming, "TURN_S", 0.1)
    access_server.add("listener", Grant(Role.OPERATOR, OWN))
    listener = access_server.client("listener")
    with listening(listener) as ear:
        ear.wait(lambda one: one.comments >= 2)
        with connect(access_server.dsn, application="test") as connection:
            (grant,) = [one for one in read_grants(connection) if one.principal == "client:listener"]
            end_grant(connection, grant.grant_id, by="test", at=NOON - timedelta(days=1))
            connection.commit()
        ear.wait(lambda one: one.is_over.is_set())
        assert ear.named("end")[0]["data"] == {"reason": "rights"}


def test_there_are_only_so_many_streams(access_server, operator, monkeypatch):
    monkeypatch.setattr(news, "MOST_OF_ONE", 2)
    with listening(operator, seconds=20), listening(operator, seconds=20):
        refused = operator.get(f"{API}/stream")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert slug(refused.json()) == "too-many-requests"
