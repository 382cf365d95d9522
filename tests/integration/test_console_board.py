"""The board of load requests as the server renders it: what it shows, what it lets happen, and what it refuses."""

import re

import pytest
from fix_console import Page
from smartpark.load_requests.events import Handed, Moved, SchemeReplied, Suspended

HTMX = {"hx-request": "true"}


def flash(page):
    found = [one["text"] for one in page.all("div") if "flash" in one.get("class", "").split()]
    return [text.removesuffix(" ✕") for text in found]


def ticket(page, code):
    return page.one("li", id=f"card-{code}")["text"]


def stage_of(page, code):
    """Column in which a card stands."""
    before = page.html[: page.html.index(f'id="card-{code}"')]
    return re.findall(r'data-stage="(\w+)"', before)[-1]


def version_of(page, code):
    return page.one("li", id=f"card-{code}")["data-version"]


def do(visitor, code, version, *, back="", headers=None, **fields):
    return visitor.send(f"/requests/board/{code}", {"version": str(version), "back": back, **fields}, headers=headers)


def test_a_card_says_what_whose_and_how_long(chen, console_server):
    code = console_server.ask(Moved(to="survey"), days_ago=3, applied_kva=2000, supply="dual", channel="green")

    text = ticket(chen.get("/requests"), code)

    assert text.startswith("福建榕盛机械有限公司 2 000 kVA · 10 kV · 双电源 ⚑ 绿色通道")
    assert f"{code} · 接入点未定" in text
    assert "剩" in text
    assert "轮到供电企业" in text


def test_a_column_has_its_count_its_capacity_and_what_is_late(chen, console_server):
    console_server.ask(
        Moved(to="survey"), days_ago=80, applied_kva=100_000, voltage="110kv", user_kind="special_load"
    )
    filters = {"voltage": "110kv"}

    page = chen.get("/requests", lang="en", **filters)

    heading = page.one("h2", id="heading-survey")["text"]
    assert heading == "site survey 1"
    column = page.one("section", id="stage-survey")["text"]
    assert "100 000 kVA" in column
    assert page.one("section", id="stage-contract")["class"] == "stage stage-empty"


def test_a_clock_that_stands_still_says_so(chen, console_server):
    waiting = console_server.ask(Moved(to="survey"), Handed(to="customer"), days_ago=2)
    stopped = console_server.ask(Moved(to="survey"), Suspended(reason="documents_missing"), days_ago=2)

    page = chen.get("/requests")

    assert "停表" in ticket(page, waiting)
    assert "轮到用户" in ticket(page, waiting)
    assert "已挂起：资料不全" in ticket(page, stopped)


def test_filters_stand_in_the_address_and_one_that_nobody_knows_is_refused(chen, console_server):
    mine = console_server.ask(applicant="闽侯独有电子", by="lin")
    other = console_server.ask(applicant="别家")

    page = chen.get("/requests", text="独有", channel="", view="table")

    assert mine in page.html
    assert other not in page.html
    assert page.one("input", id="filter-text")["value"] == "独有"
    assert "/api/v1/load-requests/export?text=%E7%8B%AC%E6%9C%89&lang=zh" in page.html.replace("&amp;", "&")
    assert "standing" in chen.get("/requests?standing=sometimes", status=422).html


def test_a_card_moves_on_and_back_again_by_undo(chen, console_server):
    code = console_server.ask()
    version = version_of(chen.get("/requests"), code)

    answer = do(chen, code, version, do="move", to="survey", back="channel=normal")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/requests?channel=normal"
    page = chen.get("/requests")
    assert flash(page)[0].startswith(f"福建榕盛机械有限公司（{code}）：推进到“现场勘查” 撤销")
    assert stage_of(page, code) == "survey"
    undo = {one["name"]: one["value"] for one in page.all("input", type="hidden") if one["name"] == "sequence"}
    answer = do(chen, code, undo["sequence"], do="undo", sequence=undo["sequence"])
    assert answer.status_code == 303
    assert stage_of(chen.get("/requests"), code) == "acceptance"


def test_a_drop_means_what_the_column_means_and_answers_the_board(chen, console_server):
    code = console_server.ask()
    version = version_of(chen.get("/requests"), code)

    answer = do(chen, code, version, do="drop", to="survey", headers=HTMX)

    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.elements[0][1]["id"] == "desk"
    assert page.elements[0][1]["data-focus"] == code
    assert stage_of(page, code) == "survey"

    back = do(chen, code, version_of(page, code), do="drop", to="acceptance", headers=HTMX)
    assert back.status_code == 422
    assert back.headers["hx-retarget"] == "#menu-body"
    assert "请说明原因" in back.text
    done = do(chen, code, version_of(page, code), do="back", to="acceptance", reason="资料有误", headers=HTMX)
    assert stage_of(Page(done.text), code) == "acceptance"


def test_what_is_not_allowed_is_refused_with_what_is(chen, console_server):
    code = console_server.ask()
    version = version_of(chen.get("/requests"), code)

    answer = do(chen, code, version, do="drop", to="contract")

    assert answer.status_code == 422
    page = Page(answer.text)
    assert flash(page) == [f"{code} 在“业务受理”：可推进到 现场勘查，可退回到 （无）。"]
    assert stage_of(page, code) == "acceptance"


def test_without_a_scheme_it_does_not_move_on(chen, console_server):
    code = console_server.ask(Moved(to="survey"), Moved(to="scheme_reply"))
    page = chen.get(f"/requests/board/{code}")

    assert [one["value"] for one in page.all("input", name="do")][:1] != ["move"]
    assert page.one("p", class_="note")["text"].startswith("推进前须先答复供电方案")
    console_server.act(code, SchemeReplied(approved_kva=630))
    assert chen.get(f"/requests/board/{code}").all("input", name="do")[0]["value"] == "move"


def test_who_comes_too_late_sees_who_changed_what_and_changes_nothing(chen, console_server):
    code = console_server.ask()
    version = version_of(chen.get("/requests"), code)
    console_server.act(code, Moved(to="survey"), by="lin")

    for headers in ({}, HTMX):
        answer = do(chen, code, version, do="move", to="survey", headers=headers)

        assert answer.status_code == 409
        page = Page(answer.text)
        (told,) = flash(page)
        assert f"{code} 已被他人更改。林岚 12:00 推进到“现场勘查”" in told
        assert stage_of(page, code) == "survey"


def test_nobody_moves_anything_before_saying_who_they_are(console, console_server):
    code = console_server.ask()
    page = console.get("/requests")

    assert page.all("a", class_="ticket-menu") == []
    assert page.one("div", id="columns")["data-reads-only"] == "yes"
    answer = do(console, code, version_of(page, code), do="move", to="survey")
    assert answer.status_code == 403
    assert "请先选择您是谁" in answer.text
    assert stage_of(console.get("/requests"), code) == "acceptance"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"do": "dance"}, 422),
        ({"do": "move", "to": "the-moon"}, 422),
        ({"do": "suspend", "to": "because"}, 422),
        ({"do": "undo", "sequence": "1"}, 422),
        ({"do": "withdraw"}, 422),
        ({"do": "assign", "manager": "nobody"}, 422),
    ],
)
def test_a_form_that_means_nothing_is_refused(chen, console_server, fields, status):
    code = console_server.ask()
    version = version_of(chen.get("/requests"), code)

    assert do(chen, code, version, **fields).status_code == status
    assert version_of(chen.get("/requests"), code) == version


def test_a_form_without_a_version_or_of_no_request_is_refused(chen, console_server):
    code = console_server.ask()

    assert do(chen, code, "", do="move", to="survey").status_code == 428
    assert do(chen, "LR-2026-999999", 1, do="move", to="survey").status_code == 404
    assert chen.client.get("/requests/board/LR-2026-999999").status_code == 404


def test_several_are_given_to_one_manager_or_none_of_them(chen, console_server):
    codes = [console_server.ask(applicant="批量分配") for _ in range(3)]
    table = chen.get("/requests", view="table", text="批量分配")
    picks = [one["value"] for one in table.all("input", name="pick")]
    assert sorted(one.partition(":")[0] for one in picks) == codes
    back = "text=%E6%89%B9%E9%87%8F%E5%88%86%E9%85%8D&view=table"

    answer = chen.send("/requests/board/assign", {"pick": picks, "manager": "wu", "back": back})
    assert answer.status_code == 303
    page = chen.get(answer.headers["location"])
    assert flash(page) == ["已分配 3 项"]
    assert page.html.count('<td data-label="项目经理">吴涛</td>') == 3

    late = chen.send("/requests/board/assign", {"pick": picks, "manager": "lin", "back": back})
    assert late.status_code == 409
    assert "陈明 12:00 分配给吴涛" in flash(Page(late.text))[0]
    assert '<td data-label="项目经理">林岚</td>' not in late.text
    none = chen.send("/requests/board/assign", {"manager": "lin", "back": back})
    assert none.status_code == 422


def test_a_column_shows_more_of_its_cards_and_then_a_table(chen, console_server):
    for _ in range(22):
        console_server.ask(applicant="很多", kind="capacity_increase", existing_kva=100)
    query = {"kind": "capacity_increase"}

    page = chen.get("/requests", **query)
    assert len(page.all("li", class_="ticket")) == 20
    (more,) = [one for one in page.all("a") if one["text"] == "还有 2 项，显示更多"]
    assert len(chen.get(more["href"].partition("#")[0]).all("li", class_="ticket")) == 22

    table = chen.get("/requests", view="table", **query)
    assert len(table.all("input", name="pick")) == 22


def test_the_timeline_places_requests_and_says_the_same_in_words(chen, console_server):
    code = console_server.ask(applicant="时间线", days_ago=10, wanted_on="2027-01-15")

    page = chen.get("/requests", view="timeline", text="时间线")

    assert code in page.html
    (bar,) = page.all("rect")
    assert int(bar["x"]) + int(bar["width"]) <= 1000
    assert "2026-11-12 受理，时限 2026-12-" in page.html
    assert "需用日期 2027-01-15" in page.html
    assert chen.get("/requests", view="timeline", text="没有这样的")


def test_a_view_is_kept_under_a_name_for_whoever_named_it(chen, console_server):
    answer = chen.send("/requests/views", {"name": "我的高压", "back": "voltage=10kv&view=table&lang=en"})
    assert answer.headers["location"] == "/requests?voltage=10kv&view=table"

    page = chen.get("/requests")
    assert page.one("a", href="/requests?voltage=10kv&view=table", class_="chip")["text"] == "我的高压"
    assert "我的高压" not in console_server.visitor().get("/requests").html
    chen.send("/requests/views/remove", {"name": "我的高压", "back": ""})
    chen.get("/requests")
    assert "我的高压" not in chen.get("/requests").html


@pytest.mark.parametrize(
    "path", ["/requests", "/requests?view=table", "/requests?view=timeline", "/requests/kpis", "/"]
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_have_labels_headings_and_nothing_inline(chen, console_server, path, language):
    console_server.ask()
    page = chen.get(f"{path}{'&' if '?' in path else '?'}lang={language}")

    assert len(page.all("h1")) == 1
    assert page.one("html")["lang"].startswith(language)
    ids = [one["id"] for tag, one in page.elements if "id" in one]
    assert len(ids) == len(set(ids))
    labels = {one["for"] for one in page.all("label") if "for" in one}
    controls = [*page.all("input"), *page.all("select"), *page.all("textarea")]
    for control in controls:
        is_named = "aria-label" in control or control.get("id") in labels
        assert is_named or control.get("type") == "hidden", control
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", page.html)
    named = {one["aria-labelledby"] for _, one in page.elements if "aria-labelledby" in one}
    assert named - {"menu-heading"} <= set(ids)


def test_the_numbers_of_a_period_have_both_parts_of_every_share(chen, console_server):
    console_server.ask(Moved(to="survey"), days_ago=6, voltage="35kv", channel="green", applied_kva=8000)
    console_server.ask(days_ago=6, voltage="35kv", applied_kva=4000)
    asked = {"voltage": "35kv", "from": "2026-11-01", "last": "2026-11-22", "lang": "en"}

    page = chen.get("/requests/kpis", **asked)

    tiles = [one["text"] for one in page.all("article")]
    assert tiles[0] == "Received (applied for)12 000 kVA2 requests"
    assert "Green-channel share50.0 %1 / 2" in tiles
    assert "Archived with all limits kept— %none to count in the period" in tiles
    (row,) = [one for one in page.all("tr") if one.get("data-stage") == "acceptance"]
    assert row["data-utility"] != ""
    empty = chen.get("/requests/kpis", voltage="220kv", lang="en")
    assert "No request left any stage in the period." in empty.html
    for wrong in ({"from": "2026-13-01"}, {"from": "2026-11-22", "last": "2026-11-01"}):
        chen.get("/requests/kpis", status=422, **wrong)
