"""The console's pages against axe: no finding that is serious, in both languages, light and dark, narrow and wide."""

from contextlib import closing

import pytest
from axe_playwright_python.sync_playwright import Axe
from fix_console import CHEN, Page
from smartpark.load_requests.events import Commented, Handed, Moved, SchemeReplied, Suspended

pytestmark = pytest.mark.browser
LOOKS = [
    ("zh", "light", 1440),
    ("en", "dark", 360),
    pytest.param(("zh", "dark", 360), marks=pytest.mark.soak),
    pytest.param(("en", "light", 1440), marks=pytest.mark.soak),
]
"""Everything that a page may look like each day; in the long runs every pair of it, in half of the combinations."""


@pytest.fixture(scope="module")
def busy_desk(console_server):
    """Requests in many stages, late and in time, suspended and green; one of them with all there can be."""
    codes = [
        console_server.ask(days_ago=1),
        console_server.ask(Moved(to="survey"), days_ago=60, channel="green", applied_kva=6300),
        console_server.ask(Suspended(reason="documents_missing"), days_ago=5),
        console_server.ask(is_lead=True, source="proactive_visit", probability=0.5),
        console_server.ask(
            Moved(to="survey"),
            Moved(to="scheme_reply"),
            SchemeReplied(approved_kva=500),
            Moved(to="construction"),
            Commented(text="请补充竣工图纸", is_for_applicant=True),
            Moved(to="completion_inspection"),
            Handed(to="utility"),
            days_ago=30,
        ),
    ]
    return codes[-1]


@pytest.fixture(scope="module")
def applicant_path(console_server, busy_desk):
    visitor = console_server.visitor()
    with closing(visitor.client):
        visitor.be(CHEN)
        page = Page(visitor.send(f"/requests/{busy_desk}/links", {"days": "30"}).text)
    link = next(one["value"] for one in page.all("input") if "/applicant/" in one.get("value", ""))
    return link[link.index("/applicant/") :]


def open_page(browser, console_server, *, language, theme, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(f"{console_server.address}/people/me?lang={language}&theme={theme}")
    page.get_by_role("radio").first.wait_for(state="attached")
    page.locator(f'[value="{CHEN.code}"]').first.check()
    page.locator("main form button[type=submit]").first.click()
    return context, page


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
def test_no_page_has_a_serious_finding(browser, console_server, busy_desk, applicant_path, look):
    language, theme, width = look
    context, page = open_page(browser, console_server, language=language, theme=theme, width=width)
    paths = [
        "/",
        "/requests",
        "/requests?view=table",
        "/requests?view=timeline",
        "/requests/new",
        "/requests/kpis",
        f"/requests/{busy_desk}",
        f"/requests/{busy_desk}/amend",
        f"/requests/{busy_desk}/print",
        f"/requests/board/{busy_desk}",
        "/people",
        "/people/me",
        applicant_path,
    ]
    found = []
    for path in paths:
        page.goto(console_server.address + path)
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
            found.append(f"{path}: {width_of_page} px wide at {width}")
    context.close()
    assert not found, "\n".join(found)
