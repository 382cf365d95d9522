"""Energy and carbon on the page: what is published stands there, and every number leads to where it comes from."""

from datetime import timedelta

import pytest
from fix_api import serving
from playwright.sync_api import expect
from smartpark.clock import PARK_ZONE, utc_now
from smartpark.periods import Grain, period_containing
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings

pytestmark = pytest.mark.browser
IMPORT = "testpark/M0/active_energy_import"


@pytest.fixture(scope="module")
def now():
    # One moment for the page and for what it is to show: a midnight may pass meanwhile.
    return utc_now()


@pytest.fixture(scope="module")
def periods(now):
    today = period_containing(now, Grain.DAY)
    return {
        "today": today,
        "yesterday": period_containing(today.start - timedelta(hours=1), Grain.DAY),
        "month": period_containing(now, Grain.MONTH),
    }


@pytest.fixture
def address(plain_hand, periods, now):
    for name, tonnes in (("today", 1.25), ("yesterday", 20.2128)):
        plain_hand.indicator("carbon_location", periods[name].start, tonnes, unit="t")
    plain_hand.indicator("carbon_market", periods["month"].start, 2743.45, unit="t", grain="month")
    plain_hand.indicator("maximum_demand_block", periods["today"].start, 800.0, unit="kW")
    plain_hand.indicator("load_factor", periods["today"].start, None, unit="1")
    plain_hand.indicator("so2_in_limit", periods["today"].start, 0.5, unit="1", boundary="device/S1")
    yesterday = periods["yesterday"].start
    quarters = [yesterday + timedelta(minutes=15 * n) for n in range(96)]
    plain_hand.energy(IMPORT, dict.fromkeys(quarters, 500.0))
    plain_hand.energy("testpark/G1/gas_volume", dict.fromkeys(quarters, 0.0))
    with serving(create_app(ApiSettings(dsn=plain_hand.dsn), clock=lambda: now)) as served:
        yield served


@pytest.fixture
def visit(browser, address):
    """Open a page without script, and hear everything that goes wrong in it."""
    contexts = []

    def open_page(path, *, width=1440, **options):
        options = {"java_script_enabled": False, **options}
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.asked = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def row(page, name):
    return page.locator(".figures tr").filter(has_text=name)


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light"), (2560, "dark")])
def test_what_is_published_stands_on_the_page_in_both_languages(visit, address, width, scheme):
    chinese = visit("/parks/testpark?lang=zh", width=width, color_scheme=scheme)
    expect(row(chinese, "二氧化碳排放(位置法, 省级因子)").locator("td")).to_have_text(
        ["1.25", "20.21", "—  尚未计算"]
    )
    expect(row(chinese, "二氧化碳排放(市场法)").locator("td")).to_have_text(["按月", "按月", "2\u202f743"])
    expect(row(chinese, "最大需量(区块, 下限)").locator("td").first).to_have_text("800.0合同的 80.0\u202f%")

    english = visit("/parks/testpark?lang=en", width=width, color_scheme=scheme)
    expect(row(english, "S1 share of judged hours within the SO2 limit").locator("td").first).to_have_text("50.0")
    unknown = row(english, "load factor").locator("td a").first
    expect(unknown).to_contain_text("—")
    expect(unknown).to_have_attribute("title", "no reading of M0")
    for page in (chinese, english):
        assert page.complaints == []
        assert all(url.startswith(address + "/") for url in page.asked)


@pytest.mark.parametrize("width", [360, 1440])
def test_a_number_leads_to_its_meters_factors_and_reasons(visit, periods, width):
    page = visit("/parks/testpark?lang=zh", width=width)
    row(page, "二氧化碳排放(位置法, 省级因子)").locator("td a").nth(1).click()

    day = f"{periods['yesterday'].start.astimezone(PARK_ZONE):%Y-%m-%d}"
    expect(page.locator("h1")).to_have_text("二氧化碳排放(位置法, 省级因子)")
    expect(page.locator(".told .aside")).to_contain_text(day)
    # 96 x 500 kWh x 0.4211 kg/kWh
    expect(page.locator("#told-value")).to_have_text("20.21")
    expect(page.locator("tbody tr").filter(has_text="M0 ")).to_contain_text("0.4211")
    expect(page.locator("tfoot")).to_contain_text("20.21")
    factor = page.locator(".item").filter(has_text="electricity:FJ")
    expect(factor).to_contain_text("announcement 2025 no. 47")
    expect(factor).to_contain_text("选用原因")
    assert page.complaints == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_is_wider_than_a_phone(visit, periods, language):
    day = f"{periods['yesterday'].start.astimezone(PARK_ZONE):%Y-%m-%d}"
    for path in ("/parks/testpark?", f"/parks/testpark/explain?indicator=carbon_location&period={day}&"):
        page = visit(f"{path}lang={language}", width=360, java_script_enabled=True)
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_what_is_not_published_is_told_as_a_page(visit):
    page = visit("/parks/testpark/explain?indicator=carbon_market&period=2026-01-05&lang=en")

    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("main")).to_contain_text("it is published by month")
