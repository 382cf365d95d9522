"""The API takes what its description says and nothing else, and says of everything else what was wrong with it."""

import httpx
import pytest
from fix_api import NOON, ParkHand, serving
from openapi_park import API, CHEN, DETAILS
from smartpark_api.app import create_app
from smartpark_api.settings import AccessMode, ApiSettings
from smartpark_storage import connect
from smartpark_storage.load_requests import Person, put_person

UNKNOWN = f"{API}/load-requests/LR-2026-999999"


@pytest.fixture(scope="module")
def client(shared_plain_dsn, small_park):
    hand = ParkHand(shared_plain_dsn)
    hand.load(small_park)
    with connect(hand.dsn, application="test") as connection:
        put_person(connection, Person("chen", "陈工", "Chen", ""))
        connection.commit()
    app = create_app(ApiSettings(dsn=hand.dsn), clock=lambda: NOON)
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as opened:
        yield opened


def slug(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def where(answer):
    assert slug(answer) == (422, "invalid-request")
    return {(one["location"], one.get("code")) for one in answer.json()["errors"]}


def opened(client):
    return client.post(f"{API}/load-requests", json={"details": DETAILS}, headers=CHEN)


@pytest.mark.parametrize(
    ("tail", "body"),
    [
        ("events", {"body": {"type": "opened", "details": DETAILS}, "expected": 1}),
        ("events", {"body": {"type": "resumed"}, "expected": 1}),
        ("comments", {"text": "hello"}),
        ("links", {"days": 3}),
    ],
)
def test_whatever_is_sent_to_an_unknown_request_is_answered_with_not_found(client, tail, body):
    answer = client.post(f"{UNKNOWN}/{tail}", json=body, headers=CHEN)

    assert slug(answer) == (404, "load-request-not-found")


# --- methods ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("OPTIONS", "calendars", "GET, POST"),
        ("PATCH", "saved-views/mine", "DELETE, PUT"),
        ("DELETE", "load-requests/LR-2026-000001/events", "GET, POST"),
        # Another address would understand the word in its place.
        ("GET", "load-requests/assignments", "POST"),
        ("DELETE", f"calendars/{'a' * 43}.ics", "GET"),
        ("POST", "load-requests/board", "GET"),
    ],
)
def test_a_wrong_method_is_told_all_that_the_address_takes(client, method, path, allowed):
    answer = client.request(method, f"{API}/{path}")

    assert slug(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == allowed
    assert allowed in answer.json()["detail"]


def test_an_address_with_a_sign_that_urls_leave_out_is_not_another_one(client):
    assert where(client.get(f"{API}/load-requests/%09/attachments")) == {("path.code", "string_pattern_mismatch")}


def test_where_nobody_is_asked_who_they_are_a_wrong_method_is_told_so(shared_plain_dsn):
    app = create_app(ApiSettings(dsn=shared_plain_dsn, access=AccessMode.ENFORCED), clock=lambda: NOON)
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as somebody:
        for method in ("POST", "TRACE"):
            answer = somebody.request(method, "/healthz")
            assert slug(answer) == (405, "method-not-allowed")
            assert answer.headers["allow"] == "GET"


# --- types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "load-requests?wanted_from=0",
        "load-requests/kpis?from=20260101",
        "parks/testpark/indicators?from=1763784000",
        "parks/testpark/indicators?to=1763784000.5",
    ],
)
def test_a_number_is_no_day_and_no_instant(client, path):
    [(location, _)] = where(client.get(f"{API}/{path}"))

    assert location == f"query.{path.partition('?')[2].partition('=')[0]}"


def test_a_number_is_no_day_in_an_address(client):
    answer = client.put(f"{API}/parks/testpark/managers/manager/0", json={"person": "chen"}, headers=CHEN)

    assert where(answer) == {("path.valid_from", None)}


@pytest.mark.parametrize(
    ("changed", "location", "code"),
    [
        ({"applied_kva": "2000"}, "details.applied_kva", "float_type"),
        ({"applied_kva": True}, "details.applied_kva", "float_type"),
        ({"wanted_on": 0}, "details.wanted_on", None),
        ({"wanted_on": "0"}, "details.wanted_on", None),
        ({"applicant": "two\nlines"}, "details.applicant", "string_pattern_mismatch"),
        # Nothing that a schema says is wrong with it; the words say what is.
        ({"probability": 0.5}, "details", None),
    ],
)
def test_a_body_is_of_the_types_that_are_described(client, changed, location, code):
    answer = client.post(f"{API}/load-requests", json={"details": DETAILS | changed}, headers=CHEN)

    assert where(answer) == {(f"body.{location}", code)}


def test_nobody_is_called_by_signs_that_are_not_seen(client):
    code = opened(client).json()["request"]["code"]
    many = {"manager": "two\nlines", "requests": [{"code": code, "expected": 1}]}
    one = {"manager": " chen", "expected": 1}
    term = {"person": "chen\t"}
    answers = [
        client.post(f"{API}/load-requests/assignments", json=many, headers=CHEN),
        client.put(f"{API}/load-requests/{code}/manager", json=one, headers=CHEN),
        client.put(f"{API}/parks/testpark/managers/manager/2026-01-01", json=term, headers=CHEN),
    ]

    for answer, name in zip(answers, ("manager", "manager", "person"), strict=True):
        assert where(answer) == {(f"body.{name}", "string_pattern_mismatch")}


@pytest.mark.parametrize(("name", "wrong"), [("is_lead", "true"), ("is_lead", 1), ("at", 0), ("at", "1763784000")])
def test_beside_the_details_too(client, name, wrong):
    answer = client.post(f"{API}/load-requests", json={"details": DETAILS, name: wrong}, headers=CHEN)

    assert {location for location, _ in where(answer)} == {f"body.{name}"}


def test_a_whole_number_may_be_written_with_a_point(client):
    code = opened(client).json()["request"]["code"]
    where_to = f"{API}/load-requests/{code}/links"
    header = CHEN | {"content-type": "application/json"}

    assert client.post(where_to, content=b'{"days": 30.0}', headers=header).status_code == 201
    assert where(client.post(where_to, content=b'{"days": 30.5}', headers=header)) == {("body.days", "int_type")}


@pytest.mark.parametrize(
    "path",
    [
        "access/grants?person=",
        "indicators/explain?indicator=carbon_location&park=testpark&period=2026&revision=8206476467",
    ],
)
def test_what_could_never_be_found_is_not_looked_for(client, path):
    assert slug(client.get(f"{API}/{path}")) == (422, "invalid-request")


def test_a_grant_that_would_end_before_it_begins_is_told_so(client):
    grant = {"person": "chen", "role": "operator", "park": "testpark", "until": "2000-01-01T00:00:00Z"}
    answer = client.post(f"{API}/access/grants", json=grant)

    assert slug(answer) == (422, "invalid-request")
    assert "before it begins" in answer.json()["detail"]


def test_what_is_no_json_is_told_so(client):
    answer = client.post(
        f"{API}/load-requests", content=b"\xff\xfe{", headers=CHEN | {"content-type": "application/json"}
    )

    assert slug(answer) == (400, "request-failed")


def test_what_is_described_is_taken(client):
    assert opened(client).status_code == 201
    dated = DETAILS | {"wanted_on": "2027-03-01", "applied_kva": 315}
    answer = client.post(
        f"{API}/load-requests", json={"details": dated, "at": "2026-11-20T09:00:00+08:00"}, headers=CHEN
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["request"]["wanted_on"] == "2027-03-01"
