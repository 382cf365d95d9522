"""The page "the park now" in a real browser: it shows what is stored, goes on doing so, and speaks to nobody else."""

from datetime import timedelta

import pytest
from fix_api import edge_status, serving
from playwright.sync_api import expect
from smartpark.clock import utc_now
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings

pytestmark = pytest.mark.browser
M0, PV = "testpark/M0/active_power", "testpark/PV1/active_power"
WORDS = {"zh": ("实时负荷", "实时更新", "关口"), "en": ("Load now", "Live", "Boundary")}


@pytest.fixture
def address(plain_hand):
    now = utc_now()
    quarters = [now - timedelta(minutes=15 * n) for n in range(1, 100)]
    plain_hand.store(*[(M0, then, 45.0) for then in quarters], *[(PV, then, -100.0) for then in quarters])
    plain_hand.store((M0, now, 50.0), (PV, now, -100.0), ("testpark/S1/so2_concentration", now, 18.5))
    plain_hand.hear(edge_status("edge-a", at=now), at=now)
    with serving(create_app(ApiSettings(dsn=plain_hand.dsn))) as served:
        yield served


@pytest.fixture
def visit(browser, address):
    """Open the page in a window, and hear everything that goes wrong in it."""
    contexts = []

    def open_page(path="/parks/testpark", *, width=1440, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.asked = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def live(page, key):
    return page.locator(f'[data-live="{key}"]')


@pytest.mark.parametrize(
    ("language", "width"),
    [
        ("zh", 1440),
        ("en", 360),
        pytest.param("zh", 360, marks=pytest.mark.soak),
        pytest.param("en", 1440, marks=pytest.mark.soak),
    ],
)
def test_new_readings_appear_by_themselves(visit, plain_hand, address, language, width):
    page = visit(f"/parks/testpark?lang={language}", width=width)
    title, updating, boundary = WORDS[language]
    expect(page.locator(".power h3")).to_have_text(title)
    expect(live(page, "power")).to_have_text("600.0")
    expect(page.locator("#pulse")).to_have_text(updating)
    expect(page.get_by_role("rowheader", name=boundary, exact=True)).to_be_visible()
    expect(page.locator("#load-chart canvas")).to_be_visible()
    box = live(page, "energy").bounding_box()

    plain_hand.store((M0, utc_now(), 71.4), ("testpark/S1/so2_concentration", utc_now(), 33.3))

    expect(live(page, "power")).to_have_text("814.0", timeout=60_000)
    expect(live(page, "testpark/S1/so2_concentration")).to_have_text("33.30")
    assert live(page, "energy").bounding_box() == box
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.complaints == []
    assert all(url.startswith(address + "/") for url in page.asked)


def test_without_script_the_values_are_there(visit):
    page = visit(java_script_enabled=False)

    expect(live(page, "power")).to_have_text("600.0")
    expect(page.locator("#load-chart svg path").last).to_be_visible()
    page.get_by_text("以表格查看").click()
    # 10 x 45 kW through the incomer, 100 kW from the roof.
    expect(page.locator(".chart tbody td").first).to_have_text("550.0")


def test_the_appearance_follows_the_system_and_the_switch(visit):
    def paper(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    dark = visit(color_scheme="dark")
    light = visit(color_scheme="light")
    assert paper(dark) != paper(light)
    light.get_by_role("link", name="深色").click()
    expect(light.locator("html")).to_have_attribute("data-theme", "dark")
    assert paper(light) == paper(dark)


def test_a_server_that_goes_away_is_told_and_its_return_too(visit, address):
    page = visit("/parks/testpark?lang=en")
    expect(page.locator("#pulse")).to_have_text("Live")

    page.route("**/live", lambda route: route.abort())
    expect(page.locator("#pulse")).to_have_text("Connection lost, retrying", timeout=60_000)
    expect(live(page, "power")).to_have_text("600.0")

    page.unroute("**/live")
    expect(page.locator("#pulse")).to_have_text("Live", timeout=60_000)


def test_a_device_that_comes_to_the_catalogue_comes_to_the_page(visit, plain_hand, small_park):
    page = visit()
    expect(page.locator("#pulse")).to_have_attribute("data-state", "ok")
    tenant = next(device for device in small_park.device if device.code == "T01")
    newcomer = tenant.model_copy(update={"code": "T02", "name": "二号用户"})

    plain_hand.load(small_park.model_copy(update={"device": (*small_park.device, newcomer)}))

    expect(page.get_by_text("二号用户")).to_be_visible(timeout=60_000)
    assert page.complaints == []


def test_everything_can_be_reached_by_keyboard(visit):
    page = visit()

    page.keyboard.press("Tab")
    expect(page.get_by_text("跳到正文")).to_be_focused()
    names = []
    for _ in range(17):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim()"))
    rooms = ["首页", "园区此刻", "告警", "用电申请", "时限指标", "人员", "权限"]
    switches = ["选择人员", "中文", "EN", "跟随系统", "浅色", "深色", "高对比"]
    assert names == ["智慧园区", *rooms, *switches, "没有告警", "以表格查看（每小时）"]
