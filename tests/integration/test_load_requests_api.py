"""Load requests over HTTP on real databases: one from application to archive, and what is refused on the way."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest
from fix_api import NOON, ParkHand
from fix_database import fresh_database, migrated
from openpyxl import Workbook, load_workbook
from smartpark_storage import connect
from smartpark_storage.load_requests import ManagerTerm, Person, put_manager_term, put_person
from waiting import wait_until

API = "/api/v1"
CHEN = {"Smartpark-Actor": "chen"}
LIN = {"Smartpark-Actor": "lin"}
DETAILS = {
    "park": "testpark",
    "applicant": "闽侯铝业有限公司",
    "kind": "new_supply",
    "applied_kva": 2000,
    "voltage": "10kv",
    "contact_role": "electrical engineer",
}
PDF = b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF\n"


def staffed(hand):
    with connect(hand.dsn, application="test") as connection:
        for code, name in (("chen", "陈工"), ("lin", "林工")):
            put_person(connection, Person(code, name, code.title(), f"{code}@example.org"))
        put_person(connection, Person("gone", "离职", "Gone", "", is_active=False))
        put_manager_term(connection, ManagerTerm("testpark", "chen", "manager", date(2026, 1, 1)))
        put_manager_term(connection, ManagerTerm("testpark", "lin", "deputy", date(2026, 1, 1)))
        connection.commit()
    return hand


@pytest.fixture(scope="module")
def filing_hand(plain_server_dsn, small_park):
    """A database that the tests of this file share where they look only at what is theirs."""
    for dsn in fresh_database(plain_server_dsn):
        hand = ParkHand(migrated(dsn))
        hand.load(small_park)
        yield staffed(hand)


@pytest.fixture
def plain_desk(filing_hand, client_of):
    return client_of(filing_hand.dsn)


@pytest.fixture
def empty_desk(plain_hand, client_of):
    return client_of(staffed(plain_hand).dsn)


@pytest.fixture
def desk(park_hand, client_of):
    return client_of(staffed(park_hand).dsn)


def opened(client, *, is_lead=False, at=None, headers=CHEN, **details):
    body = {"details": DETAILS | details, "is_lead": is_lead} | ({} if at is None else {"at": at.isoformat()})
    answer = client.post(f"{API}/load-requests", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def happens(client, code, body, *, version, headers=CHEN, at=None, expect=201):
    sent = {"body": body} | ({} if at is None else {"at": at.isoformat()})
    answer = client.post(
        f"{API}/load-requests/{code}/events", json=sent, headers=headers | {"If-Match": f'"{version}"'}
    )
    assert answer.status_code == expect, answer.text
    return answer.json()


def theirs(client, applicant):
    return client.get(f"{API}/load-requests", params={"text": applicant}).json()["requests"]


def slug(answer):
    return answer.json()["type"].rpartition(":")[2]


# --- the way of a request -----------------------------------------------------------------------------------------


def test_a_request_goes_from_application_to_archive(desk):
    begun = NOON - timedelta(days=20)
    seen = opened(desk, at=begun)
    code = seen["request"]["code"]
    assert seen["request"]["stage"] == "acceptance"
    assert seen["request"]["manager"] == "chen", "the project manager of the park has it from the beginning"
    assert [event["by"] for event in seen["events"]] == ["chen", "system"]
    steps = [
        {"type": "moved", "to": "survey"},
        {"type": "moved", "to": "scheme_reply"},
        {"type": "scheme_replied", "approved_kva": 1800},
        {"type": "moved", "to": "construction"},
        {"type": "moved", "to": "completion_inspection"},
        {"type": "handed", "to": "utility"},
        {"type": "moved", "to": "contract"},
        {"type": "moved", "to": "energization"},
        {"type": "moved", "to": "archiving"},
        {"type": "moved", "to": None},
    ]
    for n, body in enumerate(steps, 1):
        assert body["type"] in seen["possible"]
        seen = happens(desk, code, body, version=seen["request"]["version"], at=begun + timedelta(days=n))
    assert seen["request"]["outcome"] == "archived"
    assert seen["request"]["approved_kva"] == 1800
    assert seen["request"]["reserved_kva"] == 0, "what is connected is not promised any more"
    assert [span["stage"] for span in seen["spans"]][-1] == "archiving"
    assert seen["possible"] == ["attached", "commented"]

    listed = desk.get(f"{API}/load-requests", params={"open": False}).json()
    assert [one["code"] for one in listed["requests"]] == [code]
    numbers = desk.get(f"{API}/load-requests/kpis").json()
    assert numbers["received"] == {"count": 1, "kva": 2000}
    assert numbers["energized"] == {"count": 1, "kva": 1800}
    assert numbers["in_limit"] == {"count": 1, "of": 1, "value": 1}


def test_the_board_counts_what_is_under_way_and_shows_the_urgent_first(desk):
    late = opened(desk, at=NOON - timedelta(days=40), applied_kva=500)
    fresh = opened(desk, at=NOON - timedelta(hours=1), applied_kva=700)
    lead = opened(desk, is_lead=True, source="proactive_visit", probability=0.4, applied_kva=900)

    columns = {one["stage"]: one for one in desk.get(f"{API}/load-requests/board").json()["columns"]}
    assert columns["acceptance"]["count"] == 2
    assert columns["acceptance"]["kva"] == 1200
    assert columns["acceptance"]["overdue"] == 1
    assert [card["code"] for card in columns["acceptance"]["cards"]] == [
        late["request"]["code"],
        fresh["request"]["code"],
    ]
    assert columns["acceptance"]["cards"][0]["standing"] == "overdue"
    assert columns["acceptance"]["cards"][0]["left"] < 0
    # Accepted on a Sunday: day 0; the limit of fifteen working days begins on Monday.
    assert columns["acceptance"]["cards"][1]["left"] == 15
    assert [card["code"] for card in columns["lead"]["cards"]] == [lead["request"]["code"]]
    assert columns["survey"] == {"stage": "survey", "count": 0, "kva": 0, "overdue": 0, "at_risk": 0, "due": 0,
                                 "cards": []}  # fmt: skip
    numbers = desk.get(f"{API}/load-requests/kpis", params={"park": "testpark"}).json()
    assert numbers["overdue_now"] == {"count": 1, "of": 3, "value": pytest.approx(1 / 3)}
    assert [card["code"] for card in numbers["at_risk_now"]] == [late["request"]["code"]]


def test_lists_are_filtered_and_come_a_page_at_a_time(empty_desk):
    codes = [opened(empty_desk, applicant=f"firm {n}", applied_kva=100 + n)["request"]["code"] for n in range(5)]
    seen, after = [], None
    while True:
        query = {"order": "code", "limit": 2} | ({} if after is None else {"after": after})
        page = empty_desk.get(f"{API}/load-requests", params=query).json()
        seen += [one["code"] for one in page["requests"]]
        after = page["next"]
        if after is None:
            break
    assert seen == codes

    def found(**query):
        answer = empty_desk.get(f"{API}/load-requests", params=query)
        assert answer.status_code == 200, answer.text
        return [one["applicant"] for one in answer.json()["requests"]]

    assert found(text="FIRM 3") == ["firm 3"]
    assert found(stage="survey") == []
    assert found(order="capacity", limit=1) == ["firm 4"]
    assert found(channel="green") == []
    assert len(found(manager="chen", opened_from="2026-11-22", opened_before="2026-11-23")) == 5
    assert found(opened_before="2026-11-22") == []
    refused = empty_desk.get(f"{API}/load-requests", params={"stagee": "survey"})
    assert refused.status_code == 422, "a filter that nobody knows is no filter"


# --- who acts, once, on what version -----------------------------------------------------------------------------


def test_who_acts_has_to_be_somebody_known_and_active(plain_desk):
    body = {"details": DETAILS | {"applicant": "nobody's firm"}}
    for headers in ({}, {"Smartpark-Actor": "nobody"}, {"Smartpark-Actor": "gone"}):
        answer = plain_desk.post(f"{API}/load-requests", json=body, headers=headers)
        assert (answer.status_code, slug(answer)) == (403, "nobody-acts")
    assert theirs(plain_desk, "nobody's firm") == []


def test_the_same_key_answers_the_same_and_writes_once(desk):
    headers = CHEN | {"Idempotency-Key": "order-1"}
    first = desk.post(f"{API}/load-requests", json={"details": DETAILS}, headers=headers)
    again = desk.post(f"{API}/load-requests", json={"details": DETAILS}, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert (first.headers["location"], first.headers["etag"]) == (again.headers["location"], again.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(desk.get(f"{API}/load-requests").json()["requests"]) == 1

    other = desk.post(f"{API}/load-requests", json={"details": DETAILS | {"applied_kva": 1}}, headers=headers)
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")
    other = desk.post(f"{API}/load-requests", json={"details": DETAILS}, headers=headers | LIN)
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")


def test_a_refused_write_leaves_its_key_free(plain_desk):
    headers = CHEN | {"Idempotency-Key": "k"}
    wrong = plain_desk.post(f"{API}/load-requests", json={"details": DETAILS | {"park": "x"}}, headers=headers)
    assert (wrong.status_code, slug(wrong)) == (404, "park-not-found")
    right = plain_desk.post(f"{API}/load-requests", json={"details": DETAILS}, headers=headers)
    assert right.status_code == 201


def test_the_same_key_at_the_same_moment_writes_once(plain_desk):
    details = DETAILS | {"applicant": "twin works"}
    headers = CHEN | {"Idempotency-Key": "at-once"}

    def send(_):
        return plain_desk.post(f"{API}/load-requests", json={"details": details}, headers=headers, timeout=60)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["request"]["code"] for answer in answers}) == 1
    assert len(theirs(plain_desk, "twin works")) == 1


def test_a_write_on_an_older_version_is_told_what_happened_meanwhile(desk):
    seen = opened(desk)
    code, version = seen["request"]["code"], seen["request"]["version"]
    happens(desk, code, {"type": "moved", "to": "survey"}, version=version, headers=LIN)
    stale = desk.post(
        f"{API}/load-requests/{code}/events",
        json={"body": {"type": "withdrawn", "reason": "no need"}},
        headers=CHEN | {"If-Match": f'"{version}"'},
    )
    assert (stale.status_code, slug(stale)) == (409, "stale-version")
    assert stale.json()["version"] == version + 1
    assert [(event["by"], event["body"]["to"]) for event in stale.json()["events"]] == [("lin", "survey")]

    unread = plain = desk.post(
        f"{API}/load-requests/{code}/events", json={"body": {"type": "withdrawn", "reason": "-"}}, headers=CHEN
    )
    assert (unread.status_code, slug(plain)) == (428, "version-required")
    torn = desk.post(
        f"{API}/load-requests/{code}/events",
        json={"body": {"type": "withdrawn", "reason": "-"}, "expected": 1},
        headers=CHEN | {"If-Match": '"2"'},
    )
    assert torn.status_code == 422


def test_of_two_who_move_at_once_one_is_told_so(plain_desk):
    seen = opened(plain_desk)
    code, version = seen["request"]["code"], seen["request"]["version"]

    def move(headers):
        return plain_desk.post(
            f"{API}/load-requests/{code}/events",
            json={"body": {"type": "moved", "to": "survey"}, "expected": version},
            headers=headers,
            timeout=60,
        )

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(move, (CHEN, LIN)), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [201, 409]
    assert slug(answers[1]) == "stale-version"


def test_what_the_request_cannot_take_is_refused_with_what_it_can(plain_desk):
    seen = opened(plain_desk)
    code, version = seen["request"]["code"], seen["request"]["version"]
    answer = happens(plain_desk, code, {"type": "moved", "to": "energization"}, version=version, expect=409)
    assert answer["type"].endswith("event-refused")
    assert "moved" in answer["possible"]
    assert answer["version"] == version
    ahead = happens(plain_desk, code, {"type": "resumed"}, version=version, at=NOON + timedelta(hours=1), expect=409)
    assert "later than" in ahead["detail"]
    unknown = happens(plain_desk, code, {"type": "assigned", "manager": "gone"}, version=version, expect=409)
    assert "no active person 'gone'" in unknown["detail"]
    nowhere = happens(plain_desk, "LR-2026-999999", {"type": "resumed"}, version=1, expect=404)
    assert nowhere["type"].endswith("load-request-not-found")


def test_a_move_is_undone_by_who_made_it(plain_desk):
    seen = opened(plain_desk)
    code = seen["request"]["code"]
    moved = happens(plain_desk, code, {"type": "moved", "to": "survey"}, version=seen["request"]["version"])
    assert moved["undoable"] == moved["request"]["version"]
    undo = {"type": "undone", "sequence": moved["undoable"]}
    happens(plain_desk, code, undo, version=moved["undoable"], headers=LIN, expect=409)
    back = happens(plain_desk, code, undo, version=moved["undoable"])
    assert back["request"]["stage"] == "acceptance"
    assert [event["is_undone"] for event in back["events"]] == [False, False, True, False]


def test_comments_need_no_version_and_several_are_assigned_together(plain_desk):
    first, second = (opened(plain_desk, applicant="pair works")["request"] for _ in range(2))
    said = plain_desk.post(f"{API}/load-requests/{first['code']}/comments", json={"text": "已电话联系"}, headers=LIN)
    assert said.status_code == 201
    both = [{"code": first["code"], "expected": 3}, {"code": second["code"], "expected": 1}]
    stale = plain_desk.post(
        f"{API}/load-requests/assignments", json={"manager": "lin", "requests": both}, headers=CHEN
    )
    assert (stale.status_code, slug(stale)) == (409, "stale-version")
    assert {one["manager"] for one in theirs(plain_desk, "pair works")} == {"chen"}, "all of them or none"
    both[1]["expected"] = 2
    done = plain_desk.post(
        f"{API}/load-requests/assignments", json={"manager": "lin", "requests": both}, headers=CHEN
    )
    assert [one["manager"] for one in done.json()["requests"]] == ["lin", "lin"]
    one = plain_desk.put(
        f"{API}/load-requests/{first['code']}/manager", json={"manager": "chen", "expected": 4}, headers=LIN
    )
    assert one.json()["request"]["manager"] == "chen"
    assert one.headers["etag"] == '"5"'
    newest = plain_desk.get(f"{API}/load-requests/{first['code']}/events", params={"since": 4}).json()
    assert [event["body"] for event in newest["events"]] == [{"type": "assigned", "manager": "chen"}]


def test_where_access_is_enforced_a_name_in_a_header_opens_nothing(filing_hand, client_of):
    client = client_of(filing_hand.dsn, host_names=None, access="enforced")
    answer = client.post(f"{API}/load-requests", json={"details": DETAILS}, headers=CHEN)
    assert (answer.status_code, slug(answer)) == (401, "not-logged-in")
    assert client.get(f"{API}/load-requests", headers=CHEN).status_code == 401


def test_a_year_whose_holidays_nobody_entered_is_said_and_not_guessed(filing_hand, client_of):
    """Monday to Friday would be a week wrong around the holidays and look right."""
    seen = opened(client_of(filing_hand.dsn))
    code, version = seen["request"]["code"], seen["request"]["version"]
    later = client_of(filing_hand.dsn, now=datetime(2031, 3, 3, 4, tzinfo=UTC))
    looked = later.get(f"{API}/load-requests/{code}")
    assert (looked.status_code, slug(looked)) == (501, "not-configured")
    assert "enter the holidays" in looked.json()["detail"]
    refused = happens(later, code, {"type": "moved", "to": "survey"}, version=version, expect=409)
    assert "enter the holidays" in refused["detail"]
    # Lists compare days that were reckoned before, and go on.
    listed = later.get(f"{API}/load-requests", params={"text": code}).json()["requests"]
    assert [(one["stage_clock"]["standing"], one["stage_clock"]["left"]) for one in listed] == [("overdue", None)]


# --- documents ------------------------------------------------------------------------------------------------------


@pytest.fixture
def filing_desk(filing_hand, client_of, tmp_path):
    return client_of(filing_hand.dsn, attachments_folder=tmp_path, attachment_most_bytes=64 * 1024)


def test_a_document_is_kept_as_it_came_and_given_back_to_be_saved(filing_desk, tmp_path):
    code = opened(filing_desk)["request"]["code"]
    where = f"{API}/load-requests/{code}/attachments"
    headers = CHEN | {"Idempotency-Key": "doc"}
    sent = filing_desk.post(
        where, params={"name": "用电申请书.PDF", "kind": "application"}, content=PDF, headers=headers
    )
    assert sent.status_code == 201, sent.text
    again = filing_desk.post(
        where, params={"name": "用电申请书.PDF", "kind": "application"}, content=PDF, headers=headers
    )
    assert again.json() == sent.json()
    listed = filing_desk.get(where).json()["attachments"]
    assert [(one["name"], one["media_type"], one["size_bytes"]) for one in listed] == [
        ("用电申请书.pdf", "application/pdf", len(PDF))
    ]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1, (
        "a repeated upload keeps no second file"
    )

    got = filing_desk.get(f"{where}/{listed[0]['attachment']}")
    assert got.content == PDF
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["x-content-type-options"] == "nosniff"
    events = filing_desk.get(f"{API}/load-requests/{code}/events").json()["events"]
    assert events[-1]["body"]["sha256"] == listed[0]["sha256"]
    other = opened(filing_desk)["request"]["code"]
    wrong = filing_desk.get(f"{API}/load-requests/{other}/attachments/{listed[0]['attachment']}")
    assert wrong.status_code == 404, "a document is given to who names its request"
    next(path for path in tmp_path.rglob("*") if path.is_file()).unlink()
    assert slug(filing_desk.get(f"{where}/{listed[0]['attachment']}")) == "document-missing"


REFUSED = [
    ("../../etc/passwd.pdf", PDF, "other", 422),
    ("run.exe", b"MZ" + bytes(60), "other", 422),
    ("page.html", b"<script>alert(1)</script>", "other", 422),
    ("fake.pdf", b"<script>alert(1)</script>", "other", 422),
    ("empty.pdf", b"", "other", 422),
    ("ok.pdf", PDF, "poem", 422),
    ("large.pdf", PDF + bytes(64 * 1024), "other", 413),
]


def test_a_document_that_is_not_taken_leaves_nothing_behind(filing_desk, tmp_path):
    code = opened(filing_desk)["request"]["code"]
    where = f"{API}/load-requests/{code}/attachments"
    for name, content, kind, status in REFUSED:
        for body in (content, iter([content])):  # with and without the length told before
            answer = filing_desk.post(where, params={"name": name, "kind": kind}, content=body, headers=CHEN)
            assert (name, answer.status_code) == (name, status), answer.text
    assert filing_desk.get(where).json()["attachments"] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_upload_that_breaks_off_leaves_nothing_behind(filing_desk, tmp_path):
    code = opened(filing_desk)["request"]["code"]
    host, port = filing_desk.base_url.host, filing_desk.base_url.port
    head = (
        f"POST {API}/load-requests/{code}/attachments?name=a.pdf HTTP/1.1\r\nHost: {host}:{port}\r\n"
        "Smartpark-Actor: chen\r\nContent-Length: 5000\r\n\r\n"
    )
    with socket.create_connection((host, port)) as connection:
        connection.sendall(head.encode() + PDF)
        wait_until(lambda: list(tmp_path.rglob("*.part")), what="the upload begins")
    wait_until(lambda: not [path for path in tmp_path.rglob("*") if path.is_file()], what="what had come is gone")
    assert filing_desk.get(f"{API}/load-requests/{code}/attachments").json()["attachments"] == []


def test_a_server_without_a_folder_says_so(plain_desk):
    code = opened(plain_desk)["request"]["code"]
    where = f"{API}/load-requests/{code}/attachments"
    answer = plain_desk.post(where, params={"name": "a.pdf"}, content=PDF, headers=CHEN)
    assert (answer.status_code, slug(answer)) == (501, "not-configured")


# --- tables ---------------------------------------------------------------------------------------------------------


def test_tables_have_words_and_no_formula(empty_desk):
    opened(empty_desk, applicant='=HYPERLINK("http://x")', applied_kva=1250.5)
    csv = empty_desk.get(f"{API}/load-requests/export", params={"lang": "en"})
    assert csv.content.startswith(b"\xef\xbb\xbf"), "spreadsheets know UTF-8 by it"
    assert csv.headers["content-disposition"].endswith('load-requests-2026-11-22.csv"')
    assert '"\'=HYPERLINK(""http://x"")"' in csv.text
    assert ",1250.5," in csv.text

    answer = empty_desk.get(f"{API}/load-requests/export", params={"format": "xlsx", "stage": "acceptance"})
    sheet = load_workbook(BytesIO(answer.content)).active
    head, row = sheet.iter_rows(values_only=False)
    cells = {title.value: cell for title, cell in zip(head, row, strict=True)}
    assert cells["申请单位"].value == '=HYPERLINK("http://x")'
    assert cells["申请单位"].data_type == "s", "text, whatever it begins with"
    assert cells["申请容量 kVA"].value == 1250.5
    assert cells["环节"].value == "业务受理"
    assert cells["批复容量 kVA"].value is None, "not known is not zero"
    none = empty_desk.get(f"{API}/load-requests/export", params={"stage": "survey"})
    assert len(none.text.splitlines()) == 1


def test_an_office_document_is_told_from_any_archive(filing_desk):
    code = opened(filing_desk)["request"]["code"]
    held = BytesIO()
    Workbook().save(held)
    where = f"{API}/load-requests/{code}/attachments"
    taken = filing_desk.post(where, params={"name": "设备清单.xlsx"}, content=held.getvalue(), headers=CHEN)
    assert taken.status_code == 201, taken.text
    refused = filing_desk.post(where, params={"name": "设备清单.docx"}, content=held.getvalue(), headers=CHEN)
    assert slug(refused) == "document-refused"
