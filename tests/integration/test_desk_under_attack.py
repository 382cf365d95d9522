"""What somebody sends who wants to break the desk: refused with a reason, never an error of ours, nothing kept."""

import json
from datetime import UTC, datetime
from io import BytesIO

import httpx
import pytest
from fix_api import serving
from fix_console import HTML, Page
from openpyxl import load_workbook
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings

API = "/api/v1"
CHEN = {"Smartpark-Actor": "chen"}
DETAILS = {
    "park": "testpark",
    "applicant": "福建榕盛机械有限公司",
    "kind": "new_supply",
    "applied_kva": 500,
    "voltage": "10kv",
    "contact_role": "工程部",
}
NUL = "a\x00b"


def slug(answer):
    return answer.json()["type"].rpartition(":")[2]


def opening(chen, *, headers=CHEN, at=None, **details):
    sent = {"details": DETAILS | details} | ({} if at is None else {"at": at})
    return chen.client.post(f"{API}/load-requests", json=sent, headers=headers)


def happening(chen, code, body):
    return chen.client.post(f"{API}/load-requests/{code}/events", json={"body": body}, headers=CHEN)


@pytest.mark.parametrize(
    "path",
    [
        f"{API}/load-requests?text=%00",
        f"{API}/load-requests?after=%00",
        f"{API}/load-requests?park=%00",
        "/requests?text=%00",
        "/requests?manager=%00",
        "/requests/%00",
        "/requests/verdicts?code=%00",
    ],
)
def test_nul_in_an_address_is_not_understood(chen, path):
    answer = chen.client.get(path)

    assert (answer.status_code, slug(answer)) == (422, "invalid-request")


@pytest.mark.parametrize("name", ["park", "customer_no"])
def test_nul_in_what_is_asked_for_is_not_understood(chen, name):
    answer = opening(chen, **{name: NUL})

    assert (answer.status_code, slug(answer)) == (422, "invalid-request")


def test_nul_in_a_comment_or_a_form_is_not_kept(chen, console_server):
    code = console_server.ask()

    assert slug(happening(chen, code, {"type": "commented", "text": NUL})) == "invalid-request"
    assert chen.send(f"/requests/{code}/acts", {"type": "commented", "text": NUL}).status_code == 422
    assert chen.send("/people", {"code": "nul", "name": NUL, "language": "zh"}).status_code == 422
    assert chen.send("/requests/views", {"name": NUL, "back": "stage=survey"}).status_code == 422
    assert "commented" not in [one["body"]["type"] for one in events(chen, code)]


def events(chen, code):
    return chen.client.get(f"{API}/load-requests/{code}/events").json()["events"]


@pytest.mark.parametrize("wrong", ["厂\r\nBEGIN:VALARM", "厂\rBcc: x@example.org", "厂\n", "厂\x7f"])
def test_a_name_of_several_lines_is_refused(chen, wrong):
    answer = opening(chen, applicant=wrong)

    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    form = {**DETAILS, "applied_kva": "500", "applicant": "厂\nx"}
    assert chen.send("/requests/new", form).status_code == 422


@pytest.mark.parametrize("sign", ["\uffff", "\ufffe", "\x85", "_x000D_"])
def test_a_table_can_be_read_whatever_somebody_is_called(chen, console_server, sign):
    code = console_server.ask(applicant=f"=坏{sign}")

    answer = chen.client.get(f"{API}/load-requests/export", params={"format": "xlsx", "text": "=坏"})

    rows = {row[0]: row[2] for row in load_workbook(BytesIO(answer.content)).active.values}
    assert rows[code].startswith("=坏")
    table = chen.client.get(f"{API}/load-requests/export", params={"format": "csv", "text": "=坏"}).text
    assert ",=坏" not in table
    assert ",'=坏" in table


def test_a_moment_before_all_calendars_and_a_capacity_beyond_all_networks_are_refused(chen):
    answer = opening(chen, at="0001-01-01T00:00:00+14:00")
    assert (answer.status_code, slug(answer)) == (409, "event-refused")
    assert "no moment" in answer.json()["detail"]

    answer = opening(chen, kind="capacity_increase", existing_kva=1e308)
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")


def test_a_document_without_its_bytes_is_refused(chen, console_server):
    code = console_server.ask()
    forged = {"type": "attached", "attachment": "0" * 32, "name": "供电方案\u202egnp.exe", "kind": "licence"}

    answer = happening(chen, code, forged | {"size_bytes": 1, "sha256": "0" * 64})

    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    assert "attached" not in [one["body"]["type"] for one in events(chen, code)]


def test_nobody_takes_the_key_of_an_import(chen):
    answer = opening(chen, headers=CHEN | {"Idempotency-Key": "import:old-1"})

    assert (answer.status_code, slug(answer)) == (422, "invalid-request")


@pytest.mark.parametrize(
    ("pick", "status"), [("LR-2026-999999:1", 404), ("x:1", 404), ("LR-2026-000001:" + "9" * 5000, 422)]
)
def test_what_is_picked_has_to_be_there(chen, pick, status):
    answer = chen.send("/requests/board/assign", {"pick": pick, "manager": "chen"})

    assert answer.status_code == status


def test_a_term_until_the_end_of_the_calendar_is_refused(chen):
    fields = {"park": "testpark", "person": "chen", "duty": "manager", "valid_from": "2026-01-01"}

    answer = chen.send("/people/terms", fields | {"last_day": "9999-12-31"})

    assert answer.status_code == 303
    page = chen.get(answer.headers["location"])
    assert [one for one in page.all("div") if "flash" in one.get("class", "").split() and "bad" in one["class"]]


@pytest.mark.parametrize(
    "back", ["//evil.example", "/\\evil.example", "https://evil.example", "/x\r\nSet-Cookie: a=b"]
)
def test_nobody_is_led_elsewhere(chen, back):
    answer = chen.send("/people/me", {"person": "chen", "back": back})

    assert answer.headers["location"] == "/people/me"
    assert "a=b" not in str(answer.headers)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{ 7*7 }}</textarea><svg onload=x>"]
)
def test_what_somebody_typed_stays_text_on_every_page(chen, console_server, text):
    code = console_server.ask(applicant=text, contact_role=text)
    for form in (
        {"type": "commented", "text": text, "is_for_applicant": "yes"},
        {"type": "handed", "to": "customer", "note": text, "expected": "2"},
    ):
        assert chen.send(f"/requests/{code}/acts", form).status_code in (303, 409)
    assert chen.send("/people", {"code": "mallory", "name": text, "language": "zh"}).status_code == 303
    assert chen.send("/requests/views", {"name": text[:60], "back": "stage=survey"}).status_code == 303
    made = chen.client.post(f"{API}/load-requests/{code}/links", json={"days": 1}, headers=CHEN).json()
    begun = text[text.index("<") :]

    for path in (
        "/",
        "/requests",
        "/requests?view=table",
        "/requests?view=timeline",
        f"/requests/board/{code}",
        f"/requests/{code}",
        f"/requests/{code}/print",
        "/requests/kpis",
        "/people",
        made["path"],
    ):
        page = chen.get(path)
        assert begun not in page.html, path
        assert not [one for _, one in page.elements if any(name.startswith("on") for name in one)], path
        assert "49</textarea" not in page.html, path


def test_the_applicants_view_tells_nothing_of_people_network_or_what_was_said_among_us(chen, console_server):
    code = console_server.ask(contact_role="厂长热线")
    assert happening(chen, code, {"type": "commented", "text": "内部：变压器已满"}).status_code == 201
    made = chen.client.post(f"{API}/load-requests/{code}/links", json={"days": 1}, headers=CHEN).json()

    stranger = console_server.visitor()
    page = stranger.get(made["path"])

    for secret in ("陈明", "chen", "内部", "厂长热线", "headroom", "kVA 可用"):
        assert secret not in page.html.replace(made["path"], ""), secret
    assert [link["href"] for link in page.all("a") if link["href"].startswith(("/requests", "/people", "/api"))] == []
    answer = stranger.client.get(made["path"])
    assert answer.headers["cache-control"] == "no-store"
    links = chen.client.get(f"{API}/load-requests/{code}/links").json()["links"]
    gone = chen.client.delete(f"{API}/load-requests/{code}/links/{links[0]['link_id']}", headers=CHEN)
    assert gone.status_code == 204
    was, never = (stranger.get(path, status=404).html for path in (made["path"], "/applicant/" + "x" * 43))
    assert Page(was).one("h1") == Page(never).one("h1"), "revoked and never made look the same"


def test_a_board_in_a_year_without_holidays_says_that_in_time_means_nothing(console_server):
    code = console_server.ask(applicant="跨年厂")
    in_2090 = datetime(2090, 2, 15, 4, 0, tzinfo=UTC)
    app = create_app(ApiSettings(dsn=console_server.dsn), clock=lambda: in_2090)

    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        board = client.get("/requests?view=table&lang=zh", headers=HTML)
        request = client.get(f"/requests/{code}", headers={"accept": "application/json"})

    assert "2090 年节假日尚未录入" in board.text
    assert (request.status_code, slug(request)) == (501, "not-configured")


def test_what_is_sent_as_json_in_a_plain_form_is_no_write(chen):
    """A page of another site can send text, but not our header: nobody is named, nothing is written."""
    text = json.dumps({"details": DETAILS})

    answer = chen.client.post(f"{API}/load-requests", content=text, headers={"content-type": "text/plain"})

    assert answer.status_code in (403, 422)
