"""What every page of the console shares: only forms of ours write, a person is named, messages are shown once."""

import re

import pytest
from fix_console import CHEN, Page
from smartpark_api.console.forms import only_our_forms
from smartpark_api.routes import pages
from smartpark_api.routes.console import router


def flash(page):
    return [one["text"] for one in page.all("div") if "flash" in one.get("class", "").split()]


def test_every_write_of_a_page_passes_the_guard():
    assert only_our_forms in [one.dependency for one in router.dependencies]
    assert all(route.methods <= {"GET", "HEAD"} for route in pages.router.routes)


def test_a_form_writes_once_and_says_so_once(console):
    fields = {"code": "he", "name": "何平", "name_en": "He Ping", "email": "he@example.org", "language": "en"}

    answer = console.send("/people", fields)

    assert answer.status_code == 303
    page = console.get(answer.headers["location"])
    assert flash(page) == ["已保存：何平"]
    assert "he@example.org" in page.html
    assert flash(console.get("/people")) == []


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("abc", {}),
        (None, {"origin": "http://evil.example"}),
        (None, {"origin": "null"}),
        (None, {"sec-fetch-site": "cross-site"}),
        (None, {"sec-fetch-site": "same-site"}),
    ],
)
def test_a_form_that_is_not_ours_is_refused(console, token, headers):
    answer = console.send(
        "/people", {"code": "nobody", "name": "无名", "language": "zh"}, token=token, headers=headers
    )

    assert answer.status_code == 403
    assert "表单已过期" in answer.text
    assert "无名" not in console.get("/people").html


def test_a_token_of_another_visitor_is_worth_nothing(console, console_server):
    token = console_server.visitor().get("/people").csrf

    answer = console.send("/people", {"code": "nobody", "name": "无名", "language": "zh"}, token=token)

    assert answer.status_code == 403


def test_the_header_that_htmx_sends_will_do(console):
    token = console.get("/people").csrf
    ours = {"origin": str(console.client.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}

    answer = console.client.post(
        "/people", data={"code": "gao", "name": "高山", "language": "zh"}, headers={"x-csrf-token": token, **ours}
    )

    assert answer.status_code == 303


def test_where_access_is_enforced_nobody_sees_people_or_adds_one(console_server, client_of):
    client = client_of(console_server.dsn, host_names=None, access="enforced")

    assert client.get("/people").status_code == 401
    answer = client.post("/people", data={"code": "nobody", "name": "无名", "language": "zh"})
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:smartpark:problem:not-logged-in"


def test_cookies_are_kept_from_scripts_and_other_sites(console):
    console.get("/people")
    answer = console.send("/people/me", {"person": "chen"})

    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith("actor=")]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "chen" not in cookie.partition(".")[2]


def test_who_is_here_stands_on_every_page_until_it_is_forgotten(console):
    assert "选择人员" in console.get("/people").one("a", class_="who")["text"]
    console.be(CHEN)
    assert console.get("/parks").one("a", class_="who")["text"] == "当前人员： 陈明"
    assert "Chen Ming" in console.get("/people", lang="en").one("a", class_="who")["text"]

    console.send("/people/me", {"person": ""})

    assert "Chen" not in console.get("/people").one("a", class_="who")["text"]


@pytest.mark.parametrize("cookie", ["chen", "eyJjb2RlIjoiY2hlbiJ9.6a.AAAA", "..", "x.zz.y"])
def test_a_name_that_we_did_not_sign_is_nobody(console, cookie):
    console.client.cookies.set("actor", cookie, domain="127.0.0.1")

    assert "选择人员" in console.get("/people").one("a", class_="who")["text"]


def test_a_person_who_is_not_active_cannot_be_chosen(console):
    console.send("/people", {"code": "sun", "name": "孙远", "language": "zh", "is_active": "no"})

    console.get("/people")
    assert "孙远" not in console.get("/people/me").html
    answer = console.send("/people/me", {"person": "sun"})
    assert flash(console.get(answer.headers["location"])) == ["sun 不是在岗人员"]


@pytest.mark.parametrize(
    "back", ["//evil.example/", "http://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_elsewhere_after_saying_who_they_are(console, back):
    answer = console.send("/people/me", {"person": "chen", "back": back})

    assert answer.headers["location"] == "/people/me"


def test_what_is_wrong_with_a_person_is_told_beside_the_field(console):
    answer = console.send("/people", {"code": "system", "name": "", "email": "nowhere", "language": "zh"})

    assert answer.status_code == 422
    page = Page(answer.text)
    for name in ("code", "name", "email"):
        field = page.one("input", id=f"person-{name}")
        assert field["aria-invalid"] == "true"
        assert page.one("p", id=field["aria-describedby"])["text"]
    assert page.one("input", id="person-email")["value"] == "nowhere"


def test_a_manager_is_named_and_the_one_before_ends(console):
    term = {"park": "testpark", "duty": "manager", "last_day": ""}
    console.send("/people/terms", term | {"person": "chen", "valid_from": "2026-01-01"})
    console.send("/people/terms", term | {"person": "lin", "valid_from": "2026-12-01"})

    rows = [one["text"] for one in console.get("/people").all("tr") if "项目经理" in one["text"]]
    assert rows == [
        "项目经理 陈明 2026-01-01 2026-11-30 在任 删除 项目经理 2026-01-01",
        "项目经理 林岚 2026-12-01 长期 尚未开始 删除 项目经理 2026-12-01",
    ]

    answer = console.send("/people/terms", term | {"person": "lin", "valid_from": "2026-06-01"})
    assert flash(console.get(answer.headers["location"]))[0].startswith("未保存：park testpark has a manager")
    answer = console.send("/people/terms", term | {"person": "lin", "valid_from": "2026-06-31"})
    assert flash(console.get(answer.headers["location"])) == ["请填写有效的日期和职责"]

    console.send("/people/terms/remove", {"park": "testpark", "duty": "manager", "valid_from": "2026-12-01"})
    assert "2026-12-01" not in console.get("/people").html


def test_choosing_a_language_keeps_the_rest_of_the_address(console):
    page = console.get("/people/me?back=/people%3Fa%3Db")

    assert page.one("a", hreflang="en")["href"] == "/people/me?back=%2Fpeople%3Fa%3Db&lang=en"


@pytest.mark.parametrize("path", ["/people", "/people/me"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_have_what_a_reader_of_screens_needs(console, path, language):
    page = console.get(path, lang=language)

    assert len(page.all("h1")) == 1
    assert page.one("main", id="main")
    assert page.one("html")["lang"].startswith(language)
    labels = {one["for"] for one in page.all("label") if "for" in one}
    for kind in ("input", "select", "textarea"):
        for control in page.all(kind):
            if control.get("type") not in {"hidden", "radio", "checkbox"}:
                assert control["id"] in labels
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page.html)


def test_the_appearance_can_be_of_high_contrast(console):
    assert console.get("/people", theme="contrast").one("html")["data-theme"] == "contrast"
