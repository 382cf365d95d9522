"""The alert inbox in a real browser: news that move nothing, keys, a telephone, no script, axe."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from fix_api import NOON, ParkHand
from fix_console import CHEN
from inbox_hand import MINUTE, SILENT, STALE, InboxHand
from playwright.sync_api import expect
from smartpark.alerts.events import Acknowledged, Cleared, Evidence, Measured
from smartpark.workdays import builtin_workdays
from smartpark_api.alerts.platform_hearing import hear
from smartpark_api.alerts.platform_models import MESSAGE_EXAMPLE, GrafanaAlert
from smartpark_storage import connect
from waiting import wait_until

pytestmark = pytest.mark.browser
LOOKS = [("zh", "light", 1440), ("en", "dark", 360)]
MORE = Evidence(value=777.0, limit=500.0, unit="kW")


@pytest.fixture(scope="module")
def inbox(console_server):
    hand = InboxHand(console_server.dsn)
    hand.rules()
    readings = ParkHand(console_server.dsn)
    moments = [NOON - n * MINUTE for n in range(90)]
    readings.store(*[("testpark/M0/active_power", at, 45.0 + n % 7) for n, at in enumerate(moments)])
    return hand


@pytest.fixture
def three(inbox, request):
    """Three alerts of a test's own, the newest first, and the address that shows them alone."""
    name = re.sub(r"\W", "", request.node.name)
    numbers = [
        inbox.fires(f"point:testpark/{name}{n}/active_power", since=NOON - (10 + n) * MINUTE, device=f"testpark/{n}")
        for n in range(3)
    ]
    return numbers, f"/alerts?text={name}".lower(), name


def is_live(page):
    expect(page.locator("#pulse")).to_have_attribute("data-state", "ok")


def test_news_leave_the_row_that_somebody_is_on_where_it_is(inbox, three, open_window):
    numbers, path, name = three
    window = open_window(CHEN)
    page = window.go(path)
    is_live(page)
    row = page.locator(f"#alert-{numbers[1]}")
    row.locator(".open").focus()
    before = row.bounding_box()
    inbox.happens(numbers[1], Measured(evidence=MORE, worst=MORE, worst_at=NOON))
    expect(row.locator(".value")).to_contain_text("777.0")
    inbox.happens(numbers[0], Acknowledged(), actor="lin")
    expect(page.locator(f"#alert-{numbers[0]}")).to_have_class(re.compile("has-moved"))
    expect(page.locator(f"#alert-{numbers[0]}")).to_contain_text("林岚")
    newest = inbox.fires(f"point:testpark/{name}9/active_power", since=NOON - MINUTE)
    banner = page.locator("#news a")
    expect(banner).to_have_text("有 1 条新告警，点此显示")
    expect(page.locator(f"#alert-{newest}")).to_have_count(0)
    assert row.bounding_box() == before
    expect(row.locator(".open")).to_be_focused()
    assert page.locator(".alert-row").count() == 3
    page.keyboard.press("n")
    expect(page.locator(f"#alert-{newest}")).to_be_visible()
    expect(page.locator(f"#alert-{numbers[0]}")).to_have_count(0)


def test_an_alert_is_dealt_with_by_keys_alone(inbox, three, open_window):
    numbers, path, _ = three
    window = open_window(CHEN, language="en")
    page = window.go(path)
    is_live(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(f"#alert-{numbers[1]} .open")).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator(f"#alert-{numbers[1]} .who-has")).to_contain_text("In hand")
    wait_until(lambda: inbox.types(numbers[1])[-1] == "acknowledged", what="the acknowledgement")
    page.keyboard.press("k")
    expect(page.locator(f"#alert-{numbers[0]} .open")).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(f"#alert-{numbers[0]} input[name=pick]")).to_be_checked()
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile(f"/alerts/{numbers[0]}#resolve$"))
    window.choose(page.locator("#resolution"), "load_shed")
    window.type(page.locator("#note"), "shed a compressor")
    window.press(page.locator("#resolve button[type=submit]"))
    expect(page.locator(".tab-chip")).to_have_text("Resolved")
    assert inbox.types(numbers[0])[-1] == "resolved"
    expect(page.locator("#timeline")).to_contain_text("Dealt with: load shed")


def test_whoever_was_slower_is_told_why(inbox, three, open_window):
    numbers, path, _ = three
    window = open_window(CHEN)
    page = window.go(path)
    is_live(page)
    page.evaluate("window.stop(); hush()")
    inbox.happens(numbers[2], Acknowledged(), actor="lin")
    page.locator(f"#alert-{numbers[2]} .ack").click()
    expect(page.locator("#flashes")).to_contain_text("event 3")
    expect(page.locator(f"#alert-{numbers[2]}")).to_have_class(re.compile("has-moved"))


def test_on_a_telephone_one_tap_from_the_message_is_enough(inbox, three, open_window):
    numbers, _, _ = three
    window = open_window(CHEN, width=360, has_touch=True)
    page = window.go(f"/alerts/{numbers[0]}")
    button = page.locator("#acknowledge")
    place = button.bounding_box()
    assert place["y"] + place["height"] < 500
    assert place["height"] >= 44
    button.tap()
    expect(page.locator("#flashes")).to_contain_text(f"已确认告警 {numbers[0]}")
    assert inbox.types(numbers[0])[-1] == "acknowledged"


def test_an_open_alert_learns_what_happens_meanwhile(inbox, open_window):
    number = inbox.fires("point:testpark/M0/active_power", since=NOON - 30 * MINUTE)
    window = open_window(CHEN)
    page = window.go(f"/alerts/{number}")
    expect(page.locator(".evidence-plot .uplot")).to_be_visible()
    page.locator("#note").fill("half a sentence")
    inbox.happens(number, Cleared(evidence=Evidence(value=480.0, limit=500.0, unit="kW")))
    expect(page.locator("#changed")).to_be_visible()
    expect(page.locator(".tab-chip")).to_have_text("已恢复")
    expect(page.locator("#timeline")).to_contain_text("条件消失")
    assert page.locator("#note").input_value() == "half a sentence"


def test_without_script_all_of_it_works(inbox, three, open_window):
    numbers, path, _ = three
    window = open_window(CHEN, java_script_enabled=False)
    page = window.go(path)
    expect(page.locator("#pulse")).to_be_hidden()
    page.locator(f"#alert-{numbers[0]} .ack").click()
    expect(page.locator("#flashes")).to_contain_text("已确认 1 条告警")
    page.locator(f"#alert-{numbers[1]} input[name=pick]").check()
    page.locator(f"#alert-{numbers[2]} input[name=pick]").check()
    page.locator("#bulk-do").select_option("resolve")
    page.locator("#bulk-resolution").select_option("planned_work")
    page.locator(".bulk button").click()
    expect(page.locator("#flashes")).to_contain_text("已将 2 条告警标记为已处理")
    page = window.go(f"/alerts/{numbers[0]}")
    expect(page.locator("svg.sketch, .note").first).to_be_visible()
    assert inbox.types(numbers[2])[-1] == "resolved"


def told_of_the_platform(dsn):
    """Something that holds, something that is over, and something that was not heard of again."""
    alert = MESSAGE_EXAMPLE["alerts"][0] | {"startsAt": (NOON - 50 * MINUTE).isoformat()}
    over = alert | {"status": "resolved", "fingerprint": "over", "endsAt": (NOON - 5 * MINUTE).isoformat()}
    with connect(dsn, application="test") as connection:
        for one, now in ((alert, NOON), (over, NOON), (alert | {"fingerprint": "old"}, NOON - 300 * MINUTE)):
            given = [GrafanaAlert.model_validate(one)]
            hear(connection, given, by="client:grafana", now=now, calendar=builtin_workdays())
        connection.commit()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
def test_no_alert_page_has_a_serious_finding(inbox, open_window, console_server, look):
    language, theme, width = look
    number = inbox.fires(f"point:testpark/M0/active_power{language}{theme}", since=NOON - 50 * MINUTE)
    inbox.fires(f"edge:edge-{language}-{theme}", rule=SILENT, device=None, edge="e", value=None, limit=None, unit="")
    inbox.fires(f"point:testpark/G1/{language}{theme}", rule=STALE, device="testpark/G1", value=None)
    window = open_window(CHEN, language=language, width=width)
    found = []
    paths = ["/alerts", f"/alerts/{number}", f"/alerts/silences?alert={number}", "/alerts/rules/demand-high"]
    told_of_the_platform(inbox.dsn)
    paths.append("/alerts/platform")
    for path in paths:
        page = window.go(f"{path}{'&' if '?' in path else '?'}theme={theme}")
        page.wait_for_load_state("load")
        report = Axe().run(page).response
        found += [
            f"{path}: {one['id']} ({one['impact']}): {node['html'][:160]}: {node['failureSummary']}"
            for one in report["violations"]
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"][:2]
        ]
        assert report["passes"], "axe looked at nothing"
        width_of_page = page.evaluate("document.documentElement.scrollWidth")
        if width_of_page > width:
            wide = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 361)"
            names = page.evaluate(wide + ".map(e => e.outerHTML.slice(0, 120)).slice(0, 12)")
            found.append(f"{path}: {width_of_page} px wide at {width}: {names}")
    assert "edge-a" in page.content(), "the last one is the platform's"
    assert not found, "\n".join(found)
