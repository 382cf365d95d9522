"""Pages of a load request as a visitor without JavaScript has them: forms, refusals, conflicts, documents, links.

Once over each kind of database; what a page says is asked of its markup, in Chinese unless said otherwise.
"""

import re
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection

import pytest
from fix_api import NOON, ParkHand
from fix_console import CHEN, LIN, Console, Page
from load_request_cases import CALENDAR, RULES
from smartpark.load_requests.events import Commented, Details, Handed, Moved, SchemeReplied, SentBack
from smartpark.load_requests.words import Owner, Stage
from smartpark_api.load_requests import service
from smartpark_storage import connect
from smartpark_storage.load_requests import ManagerTerm, make_link, put_manager_term, put_person
from test_planning import PARK, put

MONDAY = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
FORM = {
    "park": "netpark",
    "applicant": "闽侯精密制造",
    "contact_role": "动力部经理",
    "kind": "new_supply",
    "applied_kva": "2,000",
    "voltage": "10kv",
    "source": "application",
}
PDF = b"%PDF-1.7\n1 0 obj\n"


@pytest.fixture(scope="module")
def desk_dsn(shared_database_dsn):
    hand = ParkHand(shared_database_dsn)
    hand.load(PARK)
    put(hand, {"M1/active_energy_import": 1.0, "M2/active_energy_import": 0.5, "E1/active_energy_import": 0.3})
    with connect(shared_database_dsn, application="test") as connection:
        put_person(connection, CHEN)
        put_person(connection, LIN)
        put_manager_term(connection, ManagerTerm("netpark", CHEN.code, "manager", date(2026, 1, 1)))
        connection.commit()
    return shared_database_dsn


@pytest.fixture
def visitor(desk_dsn, client_of, tmp_path):
    """Lin at a page; documents are taken."""
    console = Console(client_of(desk_dsn, attachments_folder=tmp_path), desk_dsn)
    console.be(LIN)
    return console


def opened(dsn, *bodies, **changed):
    """A request with these events, an hour apart from Monday morning."""
    wanted = FORM | {"applied_kva": 300, "node": "feeder/F1"} | changed
    with connect(dsn, application="test") as connection:
        seen = service.open_request(
            service.Desk(connection, RULES, CALENDAR, MONDAY, CHEN.code), Details.model_validate(wanted)
        )
        for n, body in enumerate(bodies, start=1):
            desk = service.Desk(connection, RULES, CALENDAR, MONDAY + timedelta(hours=n), CHEN.code)
            seen = service.act(desk, seen.code, body, expected=seen.version)
        connection.commit()
    return seen


def classes(page, tag, name):
    return [one for one in page.all(tag) if name in one.get("class", "").split()]


def flash(page):
    return [one["text"] for one in classes(page, "div", "flash")]


def titles(page):
    return [one["text"] for one in classes(page, "p", "event-title")]


# --- the form -----------------------------------------------------------------------------------------------------


def test_a_request_is_opened_by_its_form_and_given_to_the_parks_manager(visitor):
    answer = visitor.send("/requests/new", FORM | {"wanted_on": "2027-03-01", "coincidence": "80"})

    assert answer.status_code == 303
    address = answer.headers["location"]
    page = visitor.get(address)
    assert flash(page) == [f"已登记 {address.removeprefix('/requests/')}"]
    assert page.one("h1")["text"] == "闽侯精密制造"
    assert len(titles(page)) == 2
    assert "陈明" in titles(page)[0]
    now = classes(page, "li", "step-now")
    assert [one.get("aria-current") for one in now] == ["step"]
    assert "业务受理" in now[0]["text"]


def test_a_lead_from_the_project_library_has_no_clock(visitor):
    answer = visitor.send("/requests/new", FORM | {"source": "project_library", "probability": "60"})
    page = visitor.get(answer.headers["location"])
    assert [one["text"] for one in classes(page, "span", "chip")][:1] == ["意向 60.0 %"]
    assert "意向" in classes(page, "li", "step-now")[0]["text"]


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(visitor):
    answer = visitor.send("/requests/new", FORM | {"applied_kva": "viel", "applicant": "", "contact_role": "厂长"})

    page = Page(answer.text)
    assert answer.status_code == 422
    assert page.one("p", id="applied_kva-error")["text"] == "请填数字，例如 2000"
    assert page.one("input", id="applicant")["aria-invalid"] == "true"
    assert page.one("input", id="applicant")["aria-describedby"].startswith("applicant-error")
    assert page.one("input", id="contact_role")["value"] == "厂长"
    assert page.one("input", id="applied_kva")["value"] == "viel"
    assert [one["href"] for one in page.all("a") if one.get("href") in {"#applied_kva", "#applicant"}]


def test_a_place_that_the_park_does_not_have_is_refused_in_words(visitor):
    answer = visitor.send("/requests/new", FORM | {"node": "feeder/F9"})
    assert answer.status_code == 422
    assert "feeder/F9" in Page(answer.text).one("p", role="alert")["text"]


def test_nobody_opens_a_request(visitor):
    visitor.client.cookies.delete("actor")
    assert visitor.send("/requests/new", FORM).status_code == 403


# --- acting -------------------------------------------------------------------------------------------------------


def test_from_survey_to_scheme_by_plain_forms(visitor, desk_dsn):
    seen = opened(desk_dsn, Moved(to=Stage.SURVEY))
    address = f"/requests/{seen.code}"

    def act(**fields):
        version = visitor.get(address).all("input", name="expected")[0]["value"]
        answer = visitor.send(f"{address}/acts", {"expected": version, **fields})
        assert answer.status_code == 303, answer.text[:1500]
        return visitor.get(answer.headers["location"])

    page = act(type="moved", to="scheme_reply", at="2026-11-20T09:30", note="勘查完成")
    assert "方案答复" in classes(page, "li", "step-now")[0]["text"]
    assert "补录于" in classes(page, "li", "event")[0]["text"]
    # Without a scheme there is no button to move on.
    assert not [one for one in page.all("button") if "工程施工" in one["text"]]
    page = act(type="scheme_replied", approved_kva="250", node="feeder/F2", note="")
    assert any("250" in title for title in titles(page))
    page = act(type="suspended", reason="documents_missing", note="")
    assert classes(page, "li", "step-stopped")
    page = act(type="resumed", note="")
    page = act(type="moved", to="construction", note="")
    assert "轮到用户" in classes(page, "p", "whose")[0]["text"]
    page = act(type="withdrawn", reason="项目取消")
    assert "已终结" in page.one("section", **{"aria-labelledby": "next-heading"})["text"]
    assert not page.all("input", name="to")


def test_a_form_of_an_older_page_comes_back_with_what_happened_and_what_was_typed(visitor, desk_dsn):
    seen = opened(desk_dsn)
    address = f"/requests/{seen.code}"
    old = visitor.get(address).all("input", name="expected")[0]["value"]
    visitor.send(f"{address}/acts", {"type": "moved", "to": "survey", "expected": old})

    answer = visitor.send(f"{address}/acts", {"type": "handed", "to": "customer", "note": "等资料", "expected": old})

    page = Page(answer.text)
    assert answer.status_code == 409
    conflict = classes(page, "section", "conflict")[0]["text"]
    assert "林岚" in conflict
    assert "现场勘查" in conflict
    assert page.one("textarea", id="handed-note")["text"] == "等资料"
    assert {one["value"] for one in page.all("input", name="expected")} == {str(int(old) + 1)}
    # Sent again from there it is taken.
    fields = {"type": "handed", "to": "customer", "note": "等资料", "expected": str(int(old) + 1)}
    assert visitor.send(f"{address}/acts", fields).status_code == 303


def test_what_the_request_cannot_take_is_refused_with_the_reason(visitor, desk_dsn):
    seen = opened(desk_dsn)
    fields = {"type": "moved", "to": "energization", "expected": str(seen.version)}
    answer = visitor.send(f"/requests/{seen.code}/acts", fields)
    assert answer.status_code == 422
    assert "survey" in classes(Page(answer.text), "p", "refused")[0]["text"]


def test_a_reason_is_asked_for(visitor, desk_dsn):
    seen = opened(desk_dsn, Moved(to=Stage.SURVEY))
    fields = {"type": "sent_back", "to": "acceptance", "reason": " ", "expected": str(seen.version)}
    page = Page(visitor.send(f"/requests/{seen.code}/acts", fields).text)
    assert page.one("p", id="sent_back-reason-error")["text"] == "请填写"
    assert "open" in next(one for one in page.all("details") if "退回到" in one["text"])


def test_a_move_is_taken_back_from_its_message(visitor, desk_dsn):
    seen = opened(desk_dsn)
    address = f"/requests/{seen.code}"
    answer = visitor.send(f"{address}/acts", {"type": "moved", "to": "survey", "expected": str(seen.version)})
    page = visitor.get(answer.headers["location"])
    sequence = page.one("input", name="sequence")["value"]
    assert page.one("form", action=f"{address}/undo")
    answer = visitor.send(f"{address}/undo", {"sequence": sequence})
    page = visitor.get(answer.headers["location"])
    assert "业务受理" in classes(page, "li", "step-now")[0]["text"]
    assert len(classes(page, "li", "is-undone")) == 1


def test_an_amendment_needs_a_reason_and_is_told_field_by_field(visitor, desk_dsn):
    seen = opened(desk_dsn)
    address = f"/requests/{seen.code}/amend"
    page = visitor.get(address)
    assert page.one("input", id="applied_kva")["value"] == "300"
    fields = FORM | {"applied_kva": "450", "node": "feeder/F1", "expected": str(seen.version)}
    assert visitor.send(address, fields).status_code == 422
    answer = visitor.send(address, fields | {"reason": "设备增加"})
    page = visitor.get(answer.headers["location"])
    assert "申请容量: 300 → 450" in classes(page, "ul", "changes")[0]["text"]


# --- what a page shows --------------------------------------------------------------------------------------------


def test_rules_sources_and_both_clocks_stand_on_the_page(visitor, desk_dsn):
    seen = opened(desk_dsn, Moved(to=Stage.SURVEY), Handed(to=Owner.CUSTOMER))
    page = visitor.get(f"/requests/{seen.code}")
    steps = (
        page.one("ol", class_="stepper") if page.all("ol", class_="stepper") else classes(page, "ol", "stepper")[0]
    )
    assert "limit:state-grid:scheme:high:single:1" in steps["text"]
    assert "State Grid assessment rule" in steps["text"]
    assert "可信度 S" in steps["text"]
    clocks = page.one("section", **{"aria-labelledby": "clocks-heading"})["text"]
    assert "total:high:single:1" in clocks
    assert re.search(r"用户用时\s*14 个工作日", clocks)
    english = visitor.get(f"/requests/{seen.code}", lang="en").html
    assert "grade S" in english
    assert "Both clocks" in english


def test_the_capacity_is_a_chart_and_the_same_in_a_table(visitor, desk_dsn):
    seen = opened(desk_dsn, applied_kva=1600)
    address = f"/requests/{seen.code}"
    assert visitor.get(address).one("div", id="capacity-part")["hx-get"] == f"{address}/capacity"

    page = visitor.get(f"{address}/capacity")
    verdict = classes(page, "p", "verdict")[0]["text"]
    assert "不可接入" in verdict
    assert "尚无预测" in verdict
    plots = classes(page, "div", "duration")
    assert len(plots) == 3
    assert all(plot["aria-label"] and plot["data-curve"] for plot in plots)
    assert len(page.all("svg")) >= 3
    # A request whose network was read a moment ago has it at once.
    assert classes(visitor.get(address), "p", "verdict")
    what_if = visitor.get(f"{address}/capacity", kva="300", **{"from": "2027-03"})
    assert "可接入" in classes(what_if, "p", "verdict")[0]["text"]
    assert "2027-03-01" in what_if.html
    wrong = visitor.get(f"{address}/capacity", kva="many")
    assert classes(wrong, "p", "wrong")[0]["text"].startswith("未能识别")
    part = visitor.client.get(f"{address}/capacity", headers={"hx-request": "true"}).text
    assert part.lstrip().startswith("<div")
    assert "<html" not in part


def test_the_paper_has_everything_and_no_forms(visitor, desk_dsn):
    seen = opened(desk_dsn, Moved(to=Stage.SURVEY))
    page = visitor.get(f"/requests/{seen.code}/print")
    assert classes(page, "p", "verdict")
    assert len(titles(page)) == 3
    assert not page.all("form")


def test_there_is_no_page_of_what_is_not_there(visitor):
    visitor.get("/requests/LR-2026-999999", status=404)
    visitor.get("/requests/LR-2026-999999/print", status=404)


# --- documents and the applicant ----------------------------------------------------------------------------------


def attach(visitor, code, name, content):
    csrf = visitor.get("/people").csrf
    files = {"file": (name, content, "application/pdf")}
    return visitor.client.post(
        f"/requests/{code}/attachments",
        data={"csrf": csrf, "kind": "application"},
        files=files,
        headers={"accept": "text/html"},
    )


def test_a_document_goes_in_and_comes_out_as_it_was(visitor, desk_dsn):
    seen = opened(desk_dsn)
    answer = attach(visitor, seen.code, "用电申请书.pdf", PDF)
    assert answer.status_code == 303, answer.text[:1500]
    page = visitor.get(answer.headers["location"])
    link = next(one for one in page.all("a") if one["text"] == "用电申请书.pdf")
    got = visitor.client.get(link["href"])
    assert got.content == PDF
    assert got.headers["content-disposition"].startswith("attachment")
    other = opened(desk_dsn)
    stolen = link["href"].replace(seen.code, other.code)
    assert visitor.client.get(stolen, headers={"accept": "text/html"}).status_code == 404


def test_a_document_that_is_not_what_it_says_is_refused(visitor, desk_dsn, tmp_path):
    seen = opened(desk_dsn)
    assert attach(visitor, seen.code, "程序.pdf", b"MZ\x90").status_code == 422
    assert attach(visitor, seen.code, "程序.exe", b"MZ\x90").status_code == 422
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("announced", "told"),
    [(("Content-Length", str(64 * 2**20)), "20 MiB"), (("Transfer-Encoding", "chunked"), "Content-Length")],
)
def test_a_form_longer_than_a_document_may_be_is_refused_unread(visitor, desk_dsn, announced, told):
    address = visitor.client.base_url
    with closing(HTTPConnection(address.host, address.port, timeout=60)) as connection:
        connection.putrequest("POST", f"/requests/{opened(desk_dsn).code}/attachments")
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        connection.putheader(*announced)
        connection.endheaders()
        # Answered though not a byte of the form has come.
        answer = connection.getresponse()
        assert answer.status == 413
        assert told in answer.read().decode()


def test_an_applicant_sees_the_way_and_nothing_of_ours(visitor, desk_dsn, client_of):
    seen = opened(
        desk_dsn,
        Commented(text="内部：线路走廊有争议"),
        Commented(text="请在勘查当日开放配电房", is_for_applicant=True),
        Handed(to=Owner.CUSTOMER, note="等陈明确认"),
    )
    address = f"/requests/{seen.code}"
    page = Page(visitor.send(f"{address}/links", {"days": "30"}).text)
    link = next(one["value"] for one in page.all("input") if "/applicant/" in one.get("value", ""))
    path = link[link.index("/applicant/") :]

    stranger = Console(client_of(desk_dsn), desk_dsn)
    answer = stranger.client.get(path, headers={"accept": "text/html"})
    shown = Page(answer.text)

    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert shown.one("meta", name="robots")["content"] == "noindex, nofollow"
    assert "请补齐申请资料" in classes(shown, "p", "whose")[0]["text"]
    assert "请在勘查当日开放配电房" in answer.text
    told = [
        "内部",
        "陈明",
        "林岚",
        "chen",
        "lin@",
        "动力部经理",
        "等陈明确认",
        "feeder/F1",
        "limit:",
        "/requests/",
        "kVA 余",
    ]
    assert [word for word in told if word in answer.text] == []
    # Shown once: the page does not know it any more.
    assert path not in visitor.get(address).html

    revoke = next(one["action"] for one in visitor.get(address).all("form") if one["action"].endswith("/revoke"))
    visitor.send(revoke, {})
    gone = stranger.client.get(path, headers={"accept": "text/html"})
    assert gone.status_code == 404
    assert "已过期或已被撤销" in gone.text


def test_a_link_that_has_expired_says_so(desk_dsn, client_of):
    seen = opened(desk_dsn)
    with connect(desk_dsn, application="test") as connection:
        token = make_link(connection, seen.code, by="lin", at=MONDAY, expires_at=NOON - timedelta(days=1))
        connection.commit()
    for path in (token, "x" * 43):
        answer = client_of(desk_dsn).get(f"/applicant/{path}", headers={"accept": "text/html"})
        assert (answer.status_code, "已过期" in answer.text) == (404, True)


def test_a_scheme_and_a_rework_are_told(visitor, desk_dsn):
    seen = opened(
        desk_dsn,
        Moved(to=Stage.SURVEY),
        Moved(to=Stage.SCHEME_REPLY),
        SentBack(to=Stage.SURVEY, reason="走廊须复勘"),
        Moved(to=Stage.SCHEME_REPLY),
        SchemeReplied(approved_kva=280),
    )
    page = visitor.get(f"/requests/{seen.code}")
    facts = classes(page, "dl", "request-facts")[0]["text"]
    assert "批复 280 kVA，feeder/F1" in facts
    assert "进入 2 次" in classes(page, "ol", "stepper")[0]["text"]
    assert "走廊须复勘" in page.html
