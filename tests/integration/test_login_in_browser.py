"""Logging in as people do, in a real browser without scripts: identity provider, board, log-out there and here.

Then every page of logging in and of access against axe: no finding that is serious, light and dark, narrow and wide.
"""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from fix_api import NOON
from fix_console import CHEN, LIN, WU
from fix_desk import WAIT_MS
from fix_people import use_link
from playwright.sync_api import expect
from smartpark.access import Grant, Role
from smartpark_storage import connect
from smartpark_storage.access import (
    SecretKind,
    add_client,
    add_grant,
    bind_identity,
    make_secret,
    read_sessions,
    rotate_secret,
)

pytestmark = pytest.mark.browser
LOOKS = [("zh", "light", 1440), ("en", "dark", 360)]


@pytest.fixture(scope="module")
def server(login_server):
    """Lin is administrator and bound to an account; Chen runs the park; Wu has nothing; a program has keys."""
    idp = login_server.idp
    idp.accounts = {"lin-1": {"name": "Lin"}, "stranger": {"name": "Stranger"}}
    login_server.grant(LIN.code)
    login_server.grant(CHEN.code, Role.UTILITY_MANAGER, "testpark")
    with connect(login_server.dsn, application="test") as connection:
        bind_identity(connection, idp.address, "lin-1", LIN.code, at=NOON)
        add_client(connection, "province", title="省平台", contact="it@example.org", by="test", at=NOON)
        add_grant(connection, "client:province", Grant(Role.PROVINCE, None), by="test", at=NOON)
        ends = NOON + timedelta(days=90)
        for kind in (SecretKind.API_KEY, SecretKind.CLIENT_SECRET):
            made = make_secret(connection, "province", kind, by="test", at=NOON, expires_at=ends)
        rotate_secret(connection, made.secret_id, by="test", at=NOON, overlap=timedelta(hours=24))
        connection.commit()
    use_link(login_server.visitor(), login_server.link(CHEN.code))
    return login_server


@contextmanager
def opened(browser, *, width=1440, scripts=False):
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    context.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    yield context.new_page()
    expect.set_options(timeout=None)
    context.close()


def log_in(page, name="Lin"):
    page.locator("main a.primary").click()
    page.get_by_role("button", name=name, exact=True).click()


def test_from_the_board_to_the_provider_to_the_board_and_out_without_scripts(browser, server):
    with opened(browser) as page:
        page.goto(f"{server.address}/requests?lang=zh")
        expect(page).to_have_title("登录 · 智慧园区")
        log_in(page)

        page.wait_for_url(f"{server.address}/requests?lang=zh")
        expect(page.locator("a.who")).to_contain_text("林岚")
        expect(page.locator("a.who")).to_contain_text("管理员")
        (cookie,) = [one for one in page.context.cookies() if one["name"] == "session"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"

        page.get_by_role("button", name="退出").click()
        expect(page.locator("h1")).to_have_text("已退出")
        # By way of the provider, which was told to end its session too.
        page.wait_for_url(f"{server.address}/logged-out")
        assert server.idp.logged_out[-1] == {
            "client_id": "smartpark",
            "post_logout_redirect_uri": f"{server.address}/logged-out",
        }
        assert not [one for one in page.context.cookies() if one["name"] == "session"]
        page.goto(f"{server.address}/requests")
        expect(page.locator("h1")).to_have_text("登录")
    with connect(server.dsn, application="test") as connection:
        assert read_sessions(connection, person=LIN.code, at=NOON) == []


def test_a_link_lets_somebody_in_who_then_sees_that_there_are_no_rights_yet(browser, server):
    with opened(browser) as page:
        page.goto(server.address + server.link(WU.code) + "?lang=en")
        page.get_by_role("button", name="Log in").click()

        expect(page.locator("h1")).to_have_text("No rights yet")
        expect(page.locator("main")).to_contain_text("Wu Tao")
        expect(page.locator("main .code")).to_have_text("wu")


def test_a_key_is_made_and_shown_without_scripts(browser, server):
    with opened(browser) as page:
        page.goto(f"{server.address}/login?back=/access/programs/province&lang=en")
        log_in(page)
        page.wait_for_url("**/access/programs/province")
        page.locator("#key-kind").select_option("api_key")
        page.get_by_role("button", name="Make and show it").click()

        assert page.locator("input.secret").input_value().startswith("spk_")
        page.get_by_role("link", name="Programs").click()
        expect(page.locator("main")).not_to_contain_text("spk_")


PATHS = [
    "/me",
    "/access",
    "/access/people/lin",
    "/access/people/wu",
    "/access/programs",
    "/access/programs/province",
    "/access/sessions",
    "/access/audit",
    "/access/audit?refused=yes",
]
OUTSIDE = ["/login", "/login/link/" + "A" * 43, "/logged-out", "/login/oidc/park-id?code=x&state=y"]


def findings(page, address, width):
    page.goto(address)
    page.wait_for_load_state("load")
    report = Axe().run(page).response
    assert report["passes"], "axe looked at nothing"
    found = [
        f"{address}: {one['id']} ({one['impact']}): {node['html'][:160]}: {node['failureSummary']}"
        for one in report["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"][:2]
    ]
    actual = page.evaluate("document.documentElement.scrollWidth")
    return [*found, f"{address}: {actual} px wide at {width}"] if actual > width else found


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
def test_no_page_has_a_serious_finding(browser, server, look):
    language, theme, width = look
    with opened(browser, width=width, scripts=True) as page:
        found = [one for path in OUTSIDE for one in findings(page, server.address + path, width)]
        page.goto(f"{server.address}/login?lang={language}&theme={theme}")
        log_in(page, "Stranger")
        expect(page.locator("main dd").first).to_have_text("stranger")
        found += findings(page, f"{server.address}/login?lang={language}&theme={theme}", width)
        log_in(page)
        expect(page.locator("a.who")).to_be_visible()
        found += [one for path in PATHS for one in findings(page, server.address + path, width)]

    assert not found, "\n".join(found)
