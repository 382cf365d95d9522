"""What leaves the desk, and who works there: people, managers, views, links, calendars, webhooks.

On one kind of database: their statements run on both in test_load_requests_rights.py and in the tests of storage.
"""

import json
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from fix_api import NOON
from icalendar import Calendar
from smartpark.webhooks import SIGNATURE, signature
from smartpark_storage import connect
from smartpark_storage.load_requests import request_of_link

API = "/api/v1"
CHEN = {"Smartpark-Actor": "chen"}
DETAILS = {
    "park": "testpark",
    "applicant": "闽侯铝业有限公司",
    "kind": "new_supply",
    "applied_kva": 2000,
    "voltage": "10kv",
    "contact_role": "electrical engineer",
}
SECRET = b"0123456789abcdef0123456789abcdef"


def slug(answer):
    return answer.json()["type"].rpartition(":")[2]


def put(client, path, body, headers=CHEN):
    return client.put(f"{API}/{path}", json=body, headers=headers)


@pytest.fixture
def client(plain_hand, client_of, tmp_path):
    (tmp_path / "office").write_bytes(SECRET + b"\n")
    made = client_of(plain_hand.dsn, webhook_secrets=tmp_path)
    first = put(made, "persons/chen", {"name": "陈工", "email": "chen@example.org"}, headers={})
    assert first.status_code == 200, "the first person is named by nobody"
    return made


def opened(client):
    answer = client.post(f"{API}/load-requests", json={"details": DETAILS}, headers=CHEN)
    assert answer.status_code == 201, answer.text
    return answer.json()["request"]["code"]


def test_people_and_their_parks(client):
    assert slug(put(client, "persons/lin", {"name": "林"}, headers={})) == "nobody-acts"
    assert put(client, "persons/lin", {"name": "林工", "language": "en"}).status_code == 200
    assert put(client, "persons/林%20工", {"name": "x", "email": "no address"}).status_code == 422
    assert put(client, "persons/system", {"name": "x"}).status_code == 422
    listed = client.get(f"{API}/persons").json()["persons"]
    assert [(one["code"], one["language"], one["is_active"]) for one in listed] == [
        ("chen", "zh", True),
        ("lin", "en", True),
    ]
    where = "parks/testpark/managers/manager"
    assert put(client, f"{where}/2026-01-01", {"person": "chen", "valid_to": "2026-11-22"}).status_code == 200
    clash = put(client, f"{where}/2026-11-21", {"person": "lin"})
    assert (clash.status_code, slug(clash)) == (409, "conflict")
    assert put(client, f"{where}/2026-11-22", {"person": "nobody"}).status_code == 422
    assert put(client, f"{where}/2026-11-22", {"person": "lin"}).status_code == 200
    terms = client.get(f"{API}/parks/testpark/managers").json()["terms"]
    assert [(term["person"], term["valid_from"], term["valid_to"]) for term in terms] == [
        ("chen", "2026-01-01", "2026-11-22"),
        ("lin", "2026-11-22", None),
    ]
    seen = client.get(f"{API}/load-requests/{opened(client)}").json()
    assert seen["request"]["manager"] == "lin", "whoever is manager on the day has it"
    assert client.delete(f"{API}/{where}/2026-11-22", headers=CHEN).status_code == 204
    assert client.delete(f"{API}/{where}/2026-11-22", headers=CHEN).status_code == 404


def test_views_are_each_persons_own(client):
    assert put(client, "saved-views/本周到期", {"query": "standing=at_risk"}).status_code == 200
    mine = client.get(f"{API}/saved-views", headers=CHEN).json()["views"]
    assert mine == [{"name": "本周到期", "query": "standing=at_risk"}]
    assert client.get(f"{API}/saved-views").json()["views"] == []
    assert client.delete(f"{API}/saved-views/本周到期", headers=CHEN).status_code == 204
    assert client.get(f"{API}/saved-views", headers=CHEN).json()["views"] == []


def test_an_applicants_link_shows_its_request_until_it_is_revoked(client, plain_hand):
    code = opened(client)
    where = f"{API}/load-requests/{code}/links"
    made = client.post(where, json={"days": 7}, headers=CHEN)
    assert made.status_code == 201
    token = made.json()["path"].removeprefix("/applicant/")

    def shown(now):
        with connect(plain_hand.dsn, application="test") as connection:
            return request_of_link(connection, token, now)

    assert shown(NOON + timedelta(days=6)) == code
    assert shown(NOON + timedelta(days=8)) is None
    assert slug(client.post(where, json={}, headers=CHEN | {"Idempotency-Key": "k"})) == "invalid-request"
    [link] = client.get(where).json()["links"]
    assert token not in json.dumps(client.get(where).json())
    assert client.delete(f"{where}/{link['link_id']}", headers=CHEN).status_code == 204
    assert shown(NOON) is None
    assert client.delete(f"{where}/{link['link_id']}", headers=CHEN).status_code == 404


def test_a_calendar_of_due_dates_is_one_that_programs_read(client):
    put(client, "parks/testpark/managers/manager/2026-01-01", {"person": "chen"})
    code = opened(client)
    made = client.post(f"{API}/calendars", json={"person": "chen"}, headers=CHEN)
    assert made.status_code == 201, made.text
    answer = client.get(made.json()["path"])
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n")), "RFC 5545, 3.1"
    calendar = Calendar.from_ical(answer.content)
    entries = {str(event["uid"]).partition("@")[0]: event for event in calendar.walk("VEVENT")}
    assert set(entries) == {f"{code}-stage", f"{code}-total"}
    stage = entries[f"{code}-stage"]
    # Accepted on Sunday 22 November 2026: fifteen working days later is Friday 11 December, 22 days Tuesday 22nd.
    assert stage.decoded("dtstart") == date(2026, 12, 11)
    assert stage.decoded("dtend") == date(2026, 12, 12)
    assert entries[f"{code}-total"].decoded("dtstart") == date(2026, 12, 22)
    assert str(stage["summary"]) == "方案答复到期 · 闽侯铝业有限公司 · 2000 kVA"
    assert str(stage["url"]).endswith(f"/requests/{code}")
    assert stage.decoded("sequence") == 2

    assert put(client, "persons/chen", {"name": "Chen", "language": "en"}).status_code == 200
    in_english = Calendar.from_ical(client.get(made.json()["path"]).content).walk("VEVENT")
    assert "scheme reply due · 闽侯铝业有限公司 · 2000 kVA" in {str(event["summary"]) for event in in_english}

    body = {"body": {"type": "suspended", "reason": "documents_missing"}, "expected": 2}
    assert client.post(f"{API}/load-requests/{code}/events", json=body, headers=CHEN).status_code == 201
    assert Calendar.from_ical(client.get(made.json()["path"]).content).walk("VEVENT") == [], (
        "nothing is due meanwhile"
    )
    [link] = client.get(f"{API}/calendars").json()["calendars"]
    assert client.delete(f"{API}/calendars/{link['link_id']}", headers=CHEN).status_code == 204
    assert client.get(made.json()["path"]).status_code == 404
    both = client.post(f"{API}/calendars", json={"person": "chen", "park": "testpark"}, headers=CHEN)
    assert both.status_code == 422


@pytest.fixture
def receiver():
    """Somebody's server on this machine; keeps what it was sent."""
    taken = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.path, dict(self.headers), body))
            self.send_response(500 if self.path == "/broken" else 302 if self.path == "/away" else 204)
            if self.path == "/away":
                self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()
        thread.join()


def test_a_webhook_is_registered_and_tried(client, receiver):
    address, taken = receiver
    hook = {"url": f"{address}/hook", "secret_ref": "office", "events": ["moved"]}
    assert put(client, "webhooks/office", hook).status_code == 200
    assert client.get(f"{API}/webhooks").json()["webhooks"] == [
        {"name": "office", "park": None, "is_active": True, **hook}
    ]
    tried = client.post(f"{API}/webhooks/office/test", headers=CHEN, timeout=60).json()
    assert (tried["delivered"], tried["status"]) == (True, 204)
    [(path, headers, body)] = taken
    assert path == "/hook"
    assert json.loads(body)["type"] == "test"
    assert headers[SIGNATURE] == signature(SECRET, body, int(NOON.timestamp()))
    assert SECRET.decode() not in str(headers)

    for path, status in (("/broken", 500), ("/away", 302)):
        put(client, "webhooks/office", hook | {"url": address + path})
        tried = client.post(f"{API}/webhooks/office/test", headers=CHEN, timeout=60).json()
        assert (tried["delivered"], tried["status"]) == (False, status), "a redirect is not followed"
    put(client, "webhooks/office", hook | {"url": "http://127.0.0.1:9/"})
    tried = client.post(f"{API}/webhooks/office/test", headers=CHEN, timeout=60).json()
    assert (tried["delivered"], tried["status"]) == (False, None)
    assert client.post(f"{API}/webhooks/none/test", headers=CHEN).status_code == 404


def test_a_webhook_that_leads_inwards_or_is_not_signed_is_refused(client):
    for wrong in (
        {"url": "http://example.org/hook"},
        {"url": "https://10.0.0.1/hook"},
        {"url": "https://169.254.169.254/latest/meta-data"},
        {"url": "https://user:secret@example.org/"},
        {"url": "ftp://example.org/"},
        {"secret_ref": "none"},
        {"secret_ref": "../office"},
        {"events": ["exploded"]},
        {"park": "nowhere"},
    ):
        hook = {"url": "https://example.org/hook", "secret_ref": "office"} | wrong
        answer = put(client, "webhooks/office", hook)
        assert (wrong, answer.status_code) == (wrong, 422), answer.text
    assert client.get(f"{API}/webhooks").json()["webhooks"] == []
