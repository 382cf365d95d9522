"""The desk of load requests in a real browser: by keyboard, by mouse, without script; and it speaks to nobody else.

One request goes by keyboard alone from its application into the archive, in each language; what the database then
holds is what was done. On the board a card is carried, dragged, refused, taken back, and changed by somebody else.
"""

import re
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from fix_api import NOON, serving
from fix_console import CHEN, LIN
from playwright.sync_api import expect
from smartpark.load_requests.events import (
    Assigned,
    Details,
    Handed,
    Moved,
    Opened,
    Resumed,
    SchemeReplied,
    SentBack,
    Suspended,
    Undone,
)
from smartpark.load_requests.words import WORDS, Channel, Outcome, Owner, Stage, SuspendReason
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_api.words import Language, words_of
from smartpark_storage import connect
from smartpark_storage.load_requests import ManagerTerm, put_manager_term, read_events, read_row

pytestmark = pytest.mark.browser
SLOW_SECONDS = "const real = setInterval; window.setInterval = (act, ms) => real(act, ms * 60);"
"""A second of the page takes a minute: what has to be done within ten of them can be, on any machine."""
QUICK_SECONDS = "const real = setInterval; window.setInterval = (act, ms) => real(act, ms / 50);"
ZH = words_of(Language.ZH)


@pytest.fixture(scope="module", autouse=True)
def manager(console_server):
    """Chen looks after the park: what is opened in it is hers."""
    with connect(console_server.dsn, application="test") as connection:
        put_manager_term(connection, ManagerTerm("testpark", CHEN.code, "manager", date(2026, 1, 1)))
        connection.commit()


def kept(console_server, code):
    with connect(console_server.dsn, application="test") as connection:
        return read_events(connection, code), read_row(connection, code)


def bodies(console_server, code):
    return [event.body for event in kept(console_server, code)[0]]


# --- from the application into the archive, by keyboard alone -----------------------------------------------------

JOURNEY = [
    Moved(to=Stage.SURVEY, note="资料齐全"),
    Suspended(reason=SuspendReason.CUSTOMER_ASKED),
    Resumed(note="用户已确认"),
    Handed(to=Owner.CUSTOMER),
    Handed(to=Owner.UTILITY),
    Moved(to=Stage.SCHEME_REPLY),
    SchemeReplied(approved_kva=1800),
    Moved(to=Stage.CONSTRUCTION),
    Moved(to=Stage.COMPLETION_INSPECTION),
    Moved(to=Stage.CONTRACT),
    Moved(to=Stage.ENERGIZATION),
    Moved(to=Stage.ARCHIVING),
    Moved(to=None, note="送电正常"),
]
ASKED = {"park": "testpark", "applicant": "闽侯铝业", "contact_role": "动力部经理", "voltage": "10kv"}


def say_who(window, person, words):
    page = window.go("/people/me")
    window.skip_to_main()
    window.reach(page.get_by_role("radio").first)
    mine = page.get_by_role("radio", name=words.either(person.name, person.name_en))
    while not mine.is_checked():
        page.keyboard.press("ArrowDown")
    window.press(page.get_by_role("button", name=words("people.that_is_me")))
    expect(page.locator(".who")).to_contain_text(words.either(person.name, person.name_en))


def apply_for_it(window, words):
    """From the navigation to the form, and what it asks for; gives the request's code."""
    page = window.page
    window.press(page.get_by_role("link", name=words("nav.requests"), exact=True))
    expect(page).to_have_url(re.compile("/requests$"))
    window.skip_to_main()
    window.press(page.get_by_role("link", name=words("board.new"), exact=True).first)
    expect(page).to_have_url(re.compile("/requests/new$"))
    window.skip_to_main()
    window.type(page.get_by_label(re.compile(f"^{words('request.applicant')}")), ASKED["applicant"])
    window.type(page.get_by_label(re.compile(f"^{words('request.contact_role')}")), ASKED["contact_role"])
    window.type(page.get_by_label(re.compile(f"^{words('request.applied_kva')}")), "2,000")
    window.choose(page.get_by_label(re.compile(f"^{words('request.channel')}")), "green")
    window.press(page.get_by_role("button", name=words("request.open")))
    expect(page).to_have_url(re.compile(r"/requests/LR-\d{4}-\d{6}$"))
    return page.url.rpartition("/")[2]


def let_happen(window, body):
    """Fill in the form of an act and send it."""
    page = window.page
    form = page.locator(f'#actions form:has(input[name="type"][value="{body.type}"])')
    window.skip_to_main()
    fold = form.locator("xpath=ancestor::details")
    if fold.count():
        window.press(fold.locator("summary"))
    match body:
        case Handed():
            window.choose(form.locator('select[name="to"]'), body.to)
        case Suspended():
            window.choose(form.locator('select[name="reason"]'), body.reason)
        case SchemeReplied():
            window.type(form.locator('input[name="approved_kva"]'), f"{body.approved_kva:g}")
        case Moved() | Resumed():
            if body.note:
                window.type(form.locator('textarea[name="note"]'), body.note)
    window.press(form.get_by_role("button"))


@pytest.mark.parametrize("language", [Language.ZH, pytest.param(Language.EN, marks=pytest.mark.soak)])
def test_a_request_goes_from_application_into_the_archive_by_keyboard(open_window, console_server, language):
    words = words_of(language)
    window = open_window(language=language.value)
    say_who(window, LIN, words)
    code = apply_for_it(window, words)
    version = window.page.locator(".request-head .aside")
    for count, body in enumerate(JOURNEY, start=3):
        expect(version).to_contain_text(words("request.version", n=count - 1))
        let_happen(window, body)
        expect(version).to_contain_text(words("request.version", n=count))
        expect(window.page).to_have_url(re.compile(f"/requests/{code}$"))

    events, row = kept(console_server, code)
    details = Details.model_validate(ASKED | {"kind": "new_supply", "applied_kva": 2000, "channel": "green"})
    assert [event.body for event in events] == [Opened(details=details), Assigned(manager=CHEN.code), *JOURNEY]
    assert [event.by for event in events] == [LIN.code, "system", *[LIN.code for _ in JOURNEY]]
    assert {event.at for event in events} == {NOON}
    assert (row.outcome, row.approved_kva, row.energized_at) == (Outcome.ARCHIVED, 1800, NOON)
    ended = words("request.ended", how=words.either(*WORDS[Outcome.ARCHIVED]))
    expect(window.page.locator(".request-head .chip").last).to_have_text(ended)
    assert window.page.locator("html").get_attribute("lang") == language.tag


# --- the board ----------------------------------------------------------------------------------------------------


def column(page, stage):
    return page.locator(f"#stage-{stage.value}")


def card(page, code):
    return page.locator(f"#card-{code}")


def expect_in(page, code, stage):
    expect(column(page, stage).locator(f"#card-{code}")).to_have_count(1)


def drag(page, code, stage):
    """Take a card by its middle and let it go over a column."""
    start, end = card(page, code).bounding_box(), column(page, stage).bounding_box()
    page.mouse.move(start["x"] + 12, start["y"] + start["height"] - 6)
    page.mouse.down()
    page.mouse.move(end["x"] + 30, start["y"] + 20, steps=5)
    expect(column(page, stage)).to_have_class(re.compile("is-target"))
    page.mouse.up()


@pytest.mark.parametrize("language", [pytest.param(Language.ZH, marks=pytest.mark.soak), Language.EN])
def test_a_card_is_carried_by_keys_and_taken_back(open_window, console_server, language):
    words = words_of(language)
    first, second = (console_server.ask(applicant=f"键盘{language}{n}", days_ago=9 - n) for n in (1, 2))
    window = open_window(CHEN, language=language.value, before=SLOW_SECONDS)
    page = window.go(f"/requests?text=键盘{language}")
    said = page.locator("#said")
    stage = {one: words.either(*WORDS[one]) for one in (Stage.ACCEPTANCE, Stage.SURVEY)}
    expect(said).to_have_attribute("aria-live", "assertive")

    window.reach(card(page, first))
    page.keyboard.press("ArrowDown")
    expect(card(page, second)).to_be_focused()
    page.keyboard.press("Space")
    expect(said).to_have_text(words("board.say_picked", name=f"键盘{language}2"))
    page.keyboard.press("Escape")
    expect(said).to_have_text(words("board.say_cancelled", name=f"键盘{language}2"))
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text(stage[Stage.SURVEY])
    page.keyboard.press("Space")

    moved = f"键盘{language}2 ({second}): " if language is Language.EN else f"键盘{language}2（{second}）："
    expect(said).to_have_text(moved + words("deed.moved", to=stage[Stage.SURVEY]))
    expect_in(page, second, Stage.SURVEY)
    expect_in(page, first, Stage.ACCEPTANCE)
    expect(card(page, second)).to_be_focused()
    window.reach(page.locator(".undo button"), "Shift+Tab")
    page.keyboard.press("Enter")

    expect_in(page, second, Stage.ACCEPTANCE)
    expect(said).to_have_text(moved + words("deed.undone"))
    moving, undoing = bodies(console_server, second)[-2:]
    assert (moving, undoing) == (Moved(to=Stage.SURVEY), Undone(sequence=3))


def test_undo_is_there_for_ten_seconds(open_window, console_server):
    code = console_server.ask(applicant="十秒")
    page = open_window(CHEN, before=QUICK_SECONDS).go("/requests?text=十秒")

    card(page, code).press("m")
    page.locator("#menu").get_by_role("button", name="推进到").click()

    expect_in(page, code, Stage.SURVEY)
    expect(page.locator("#desk .flash")).to_contain_text("现场勘查")
    expect(page.locator(".undo")).to_have_count(0)


def test_undo_too_late_changes_nothing(open_window, console_server):
    moment: list[datetime] = [NOON]
    app = create_app(ApiSettings(dsn=console_server.dsn), clock=lambda: moment[0])
    code = console_server.ask(applicant="太迟")
    with serving(app) as address:
        window = open_window(CHEN, server=replace(console_server, address=address), before=SLOW_SECONDS)
        page = window.go("/requests?text=太迟")
        drag(page, code, Stage.SURVEY)
        expect(page.locator(".undo button")).to_be_visible()
        moment[0] += timedelta(seconds=11)
        page.locator(".undo button").click()
        expect(page.locator("#desk .flash-bad")).to_be_visible()
        expect_in(page, code, Stage.SURVEY)
        assert window.refusals == 1
    assert bodies(console_server, code)[-1] == Moved(to=Stage.SURVEY)


def test_a_card_is_dragged_on_and_asks_for_a_reason_on_its_way_back(open_window, console_server):
    code = console_server.ask(applicant="拖动")
    window = open_window(CHEN)
    page = window.go("/requests?text=拖动")

    drag(page, code, Stage.SURVEY)
    expect_in(page, code, Stage.SURVEY)
    drag(page, code, Stage.ACCEPTANCE)
    menu = page.locator("#menu")
    expect(menu.get_by_role("alert")).to_have_text(ZH("board.reason_needed"))
    menu.locator("#back-reason").fill("资料有误")
    menu.locator("form:has(#back-reason)").get_by_role("button").click()

    expect_in(page, code, Stage.ACCEPTANCE)
    expect(menu).not_to_be_visible()
    assert bodies(console_server, code)[-1] == SentBack(to=Stage.ACCEPTANCE, reason="资料有误")
    assert window.refusals == 1


def test_a_move_that_is_not_allowed_says_what_is(open_window, console_server):
    code = console_server.ask(Moved(to="survey"), Moved(to="scheme_reply"), applicant="缺方案")
    window = open_window(CHEN)
    page = window.go("/requests?text=缺方案")

    drag(page, code, Stage.CONSTRUCTION)

    expect(page.locator("#desk .flash-bad")).to_contain_text(f"{code} 尚未答复供电方案")
    expect_in(page, code, Stage.SCHEME_REPLY)
    card(page, code).get_by_role("link", name=ZH("board.menu")).click()
    page.locator("#menu").get_by_role("link", name=ZH("board.to_detail")).click()
    expect(page.locator("#approved")).to_be_visible()
    assert window.refusals == 1
    assert bodies(console_server, code)[-1] == Moved(to=Stage.SCHEME_REPLY)


def test_who_comes_too_late_sees_whose_change_it_was(open_window, console_server):
    code = console_server.ask(applicant="冲突")
    window = open_window(CHEN)
    page = window.go("/requests?text=冲突")
    console_server.act(code, Moved(to="survey"), by="lin")

    window.reach(card(page, code))
    for key in ("Space", "ArrowRight", "Space"):
        page.keyboard.press(key)

    told = page.locator("#desk .flash-bad p")
    expect(told).to_contain_text(f"{code} 已被他人更改。林岚 12:00 推进到“现场勘查”")
    expect(page.locator("#said")).to_have_text(told.inner_text())
    expect_in(page, code, Stage.SURVEY)
    assert [event.by for event in kept(console_server, code)[0]][-1] == LIN.code
    assert window.refusals == 1


def test_filters_stand_in_the_address_of_board_table_and_timeline(open_window, console_server):
    green = console_server.ask(applicant="筛选甲", channel="green")
    normal = console_server.ask(applicant="筛选乙")
    page = open_window(CHEN).go("/requests?text=筛选")
    expect(card(page, normal)).to_be_visible()

    page.get_by_label(ZH("board.channel")).select_option("green")
    page.get_by_role("button", name=ZH("board.apply")).click()
    expect(card(page, normal)).to_have_count(0)
    expect(card(page, green)).to_be_visible()
    expect(page).to_have_url(re.compile("channel=green"))
    page.get_by_role("link", name=ZH("board.view_table"), exact=True).click()
    expect(page.locator(".requests-table tbody tr")).to_have_count(1)
    expect(page.locator(".requests-table")).to_contain_text(green)
    page.get_by_role("link", name=ZH("board.view_timeline"), exact=True).click()
    expect(page.locator("table.timeline tbody tr")).to_have_count(1)
    expect(page.locator("table.timeline")).to_contain_text("筛选甲")
    expect(page).to_have_url(re.compile("channel=green.*view=timeline"))

    page.reload()
    expect(page.get_by_label(ZH("board.channel"))).to_have_value("green")
    page.go_back()
    page.go_back()
    expect(card(page, green)).to_be_visible()
    expect(card(page, normal)).to_have_count(0)


# --- without script, and to nobody else ---------------------------------------------------------------------------


def test_without_script_it_is_read_and_done_by_plain_forms(open_window, console_server):
    code = console_server.ask(applicant="无脚本", days_ago=2)
    page = open_window(CHEN, java_script_enabled=False).go("/requests?text=无脚本")

    expect_in(page, code, Stage.ACCEPTANCE)
    expect(card(page, code)).to_contain_text("630 kVA")
    card(page, code).get_by_role("link", name=ZH("board.menu")).click()
    expect(page.get_by_role("heading", name="无脚本")).to_be_visible()
    page.get_by_role("button", name="推进到").click()
    expect(page).to_have_url(re.compile("/requests\\?text="))
    expect_in(page, code, Stage.SURVEY)
    expect(page.locator(".flash")).to_contain_text("现场勘查")

    card(page, code).get_by_role("link", name="无脚本").first.click()
    expect(page.locator(".step-now")).to_contain_text("现场勘查")
    page.locator("summary").get_by_text(ZH("request.do_handed"), exact=True).click()
    page.locator("#handed-to").select_option("customer")
    page.locator("#handed-note").fill("请补资料")
    page.locator("form:has(#handed-note)").get_by_role("button").click()
    expect(page.locator(".whose")).to_contain_text(ZH("request.next_customer"))
    expect(page.locator(".event-title").first).to_contain_text(ZH("deed.handed", to="用户"))
    assert bodies(console_server, code)[-2:] == [
        Moved(to=Stage.SURVEY),
        Handed(to=Owner.CUSTOMER, note="请补资料"),
    ]


def test_no_page_speaks_to_anybody_else_or_breaks_its_policy(open_window, console_server):
    code = console_server.ask(Moved(to="survey"), channel=Channel.GREEN, days_ago=40)
    visitor = console_server.visitor()
    with closing(visitor.client):
        visitor.be(CHEN)
        made = visitor.send(f"/requests/{code}/links", {"days": "30"}).text
    applicant = re.search(r"/applicant/[\w-]+", made)
    request_pages = [f"/requests/{code}{one}" for one in ("", "/amend", "/print", "/capacity")]
    lists = [f"/requests{one}" for one in ("", "?view=table", "?view=timeline", "/new", "/kpis", f"/board/{code}")]
    paths = ["/", *lists, *request_pages, "/people", "/people/me", applicant[0]]
    window = open_window(CHEN)
    for path in paths:
        window.go(path).wait_for_load_state("networkidle")
        expect(window.page.locator("main")).to_be_visible()
    assert len(window.asked) > len(paths)
    assert window.strangers == []


def test_a_window_hears_what_it_must_not_do(open_window):
    window = open_window()
    page = window.go("/people")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://localhost:9/x.png\">')")
    expect(page.locator("img").last).to_have_attribute("src", "http://localhost:9/x.png")
    page.wait_for_function("document.images[document.images.length - 1].complete")

    assert any("Content Security Policy" in one for one in window.complaints)
    window.complaints.clear()
    window.asked[:] = [url for url in window.asked if url not in window.strangers]
