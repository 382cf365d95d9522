"""Logging in, staying in and getting out: by an identity provider and by one-time links, and all that is refused."""

from datetime import timedelta

import pytest
from fix_api import NOON, serving
from fix_console import CHEN, HTML, LIN, WU, Page
from fix_people import leave_for, log_in, say_who, use_link
from smartpark.access import Role
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect
from smartpark_storage.access import bind_identity, end_sessions_of, read_identities, read_sessions, unbind_identity
from smartpark_storage.load_requests import Person, read_persons
from starlette.responses import JSONResponse


@pytest.fixture
def server(login_server):
    """The server, with nobody bound and nobody logged in, at noon."""
    login_server.now = NOON
    login_server.idp.accounts = {
        "chen-1": {"name": "Chen", "email": "CHEN@example.org", "email_verified": True},
        "chen-2": {"name": "Chen too", "email": "chen@example.org", "email_verified": True},
        "liar": {"name": "Chen?", "email": "chen@example.org", "email_verified": False},
        "stranger": {"name": "Nobody", "email": "nobody@example.com", "email_verified": True},
    }
    with connect(login_server.dsn, application="test") as connection:
        for one in read_identities(connection):
            unbind_identity(connection, one.issuer, one.subject)
        for person in (CHEN, LIN, WU):
            end_sessions_of(connection, person.code, by="test", at=NOON)
        connection.commit()
    return login_server


@pytest.fixture
def visitor(server):
    return server.visitor()


def cookie_of(answer, name):
    return next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}="))


def who(visitor):
    """Whom the header names."""
    return visitor.get("/me").one("a", class_="who")["text"]


# --- by an identity provider --------------------------------------------------------------------------------------


def test_somebody_logs_in_sees_who_they_are_and_logs_out(server, visitor):
    answer = log_in(visitor, "chen-1", "/requests?view=table")

    assert (answer.status_code, answer.headers["location"]) == (303, "/requests?view=table")
    kept = cookie_of(answer, "session")
    assert "HttpOnly" in kept
    assert "SameSite=lax" in kept
    assert "陈明" in who(visitor)

    left = visitor.send("/logout", {}, token=visitor.get("/me").csrf)
    assert (left.status_code, left.headers["location"]) == (303, "/logged-out?from=park-id")
    page = visitor.get("/logged-out", **{"from": "park-id"})
    (refresh,) = page.all("meta", **{"http-equiv": "refresh"})
    assert refresh["content"].startswith(f"0;url={server.idp.address}/end-session?client_id=smartpark")
    assert visitor.client.get("/me").headers["location"] == "/login?back=/me"
    with connect(server.dsn, application="test") as connection:
        assert read_sessions(connection, person="chen", at=NOON) == []


def test_each_log_in_is_written_down(server, visitor):
    log_in(visitor, "chen-1")
    log_in(server.visitor(), "stranger")

    refused, entered = server.audit("login")[:2]
    assert (entered.principal, entered.proof, entered.status) == ("person:chen", "oidc:park-id", 303)
    assert entered.detail == {"account": "chen-1"}
    assert (refused.principal, refused.status, refused.object) == ("nobody", 403, "park-id")
    assert refused.detail == {"trouble": "unknown", "issuer": server.idp.address, "subject": "stranger"}
    assert entered.remote == "127.0.0.1"


def test_the_cookie_is_another_one_after_each_log_in_and_the_old_one_is_worth_nothing(server, visitor):
    planted = "planted-by-somebody-else-0123456789abcdefghi"
    visitor.client.cookies.set("session", planted, domain="127.0.0.1")
    log_in(visitor, "chen-1")
    first = visitor.client.cookies["session"]
    assert first != planted

    log_in(visitor, "chen-1")
    assert visitor.client.cookies["session"] != first
    other = server.visitor()
    other.client.cookies.set("session", first, domain="127.0.0.1")
    assert other.client.get("/me").status_code == 303


def test_an_account_stays_who_it_was_first_and_nobody_gets_in_by_the_address_later(server, visitor):
    log_in(visitor, "chen-1")
    server.idp.accounts["chen-1"]["email"] = "somebody.else@example.org"
    assert log_in(server.visitor(), "chen-1").status_code == 303

    answer = log_in(server.visitor(), "chen-2")
    assert answer.status_code == 403
    assert "不止一人" in answer.text


def test_an_address_that_is_not_verified_is_nobodys(server, visitor):
    answer = log_in(visitor, "liar")

    assert answer.status_code == 403
    page = Page(answer.text)
    assert [one["text"] for one in page.all("dd")] == ["liar", server.idp.address]
    assert "session" not in visitor.client.cookies


def test_two_people_with_one_address_are_told_apart_by_nobody(server, visitor):
    server.person(Person("chen-b", "陈二", "Chen II", "chen@example.org"))
    try:
        answer = log_in(visitor, "chen-1")
    finally:
        server.person(Person("chen-b", "陈二", "Chen II", ""))

    assert answer.status_code == 403
    assert "不止一人" in answer.text


def test_who_left_does_not_get_in_and_is_out_at_once(server, visitor):
    log_in(visitor, "chen-1")
    server.person(Person(CHEN.code, CHEN.name, CHEN.name_en, CHEN.email, is_active=False))
    try:
        assert visitor.client.get("/me").status_code == 303
        answer = log_in(server.visitor(), "chen-1")
        assert answer.status_code == 403
        assert "已停用" in answer.text
    finally:
        server.person(CHEN)


def test_a_bound_account_gets_in_whatever_its_address(server, visitor):
    with connect(server.dsn, application="test") as connection:
        bind_identity(connection, server.idp.address, "stranger", WU.code, at=NOON)
        connection.commit()

    assert log_in(visitor, "stranger").status_code == 303
    assert "吴涛" in who(visitor)


def test_nobody_becomes_anybody_and_no_right_is_made_by_itself(server, visitor):
    before = [person.code for person in read_people(server)]
    assert log_in(visitor, "stranger").status_code == 403
    log_in(visitor, "chen-1")

    assert [person.code for person in read_people(server)] == before
    page = visitor.get("/people", status=403)
    assert "还没有给您任何园区的权限" in page.html
    assert page.one("dd")["text"] == "chen"


def read_people(server):
    with connect(server.dsn, application="test") as connection:
        return read_persons(connection)


# --- what is refused on the way back ------------------------------------------------------------------------------


def test_the_way_back_counts_only_in_the_browser_that_left(server, visitor):
    address = say_who(leave_for(visitor), "chen-1")

    assert server.visitor().client.get(address).status_code == 400
    assert visitor.client.get(address.replace("state=", "state=x")).status_code == 400
    # That attempt is over: its cookie has been taken back.
    assert visitor.client.get(address).status_code == 400
    assert "session" not in visitor.client.cookies


def test_a_way_back_counts_once(visitor):
    address = say_who(leave_for(visitor), "chen-1")
    login = visitor.client.cookies["login"]
    assert visitor.client.get(address).status_code == 303

    visitor.client.cookies.set("login", login, domain="127.0.0.1")
    answer = visitor.client.get(address)
    assert answer.status_code == 400
    assert "间隔太久" in answer.text


def test_a_log_in_that_took_too_long_begins_anew(server, visitor):
    address = say_who(leave_for(visitor), "chen-1")
    server.now = NOON + timedelta(minutes=20)

    assert visitor.client.get(address).status_code == 400


@pytest.mark.parametrize("language", ["zh", "en"])
def test_trouble_is_told_in_the_visitors_language_and_never_with_a_token(server, visitor, language):
    visitor.get("/login", lang=language)
    server.idp.swears = lambda claims: claims | {"nonce": "of another"}
    try:
        answer = log_in(visitor, "chen-1")
    finally:
        server.idp.swears = lambda claims: claims

    assert answer.status_code == 403
    assert {"zh": "园区统一认证", "en": "Park identity"}[language] in Page(answer.text).one("section")["text"]
    assert "eyJ" not in answer.text
    assert server.audit("login")[0].detail == {"trouble": "forged"}


@pytest.mark.parametrize(
    ("language", "told"),
    [("zh", "园区统一认证暂时没有响应"), ("en", "Park identity does not answer just now")],
)
def test_a_provider_that_is_away_is_named_and_nobody_is_half_logged_in(server, visitor, language, told):
    visitor.get("/login", lang=language)
    address = say_who(leave_for(visitor), "chen-1")
    server.idp.answers["/token"] = JSONResponse({}, 503)
    try:
        answer = visitor.client.get(address)
    finally:
        server.idp.answers.clear()

    assert answer.status_code == 502
    assert told in Page(answer.text).one("section")["text"]
    assert "session" not in visitor.client.cookies
    assert server.audit("login")[0].detail == {"trouble": "away"}


def test_who_cancels_is_back_at_the_start(visitor):
    answer = log_in(visitor, "")

    assert answer.status_code == 403
    assert Page(answer.text).one("a", href="/login", class_="button")


def test_a_provider_nobody_set_up_is_not_found(visitor):
    assert visitor.client.get("/login/oidc/other/start").status_code == 404
    assert visitor.client.get("/login/oidc/other?code=x&state=y").status_code == 404


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"])
def test_nobody_is_sent_elsewhere_after_the_log_in(visitor, back):
    assert log_in(visitor, "chen-1", back).headers["location"] == "/"
    assert visitor.client.get("/login", params={"back": back}).headers["location"] == "/"


# --- staying in ---------------------------------------------------------------------------------------------------


def test_a_session_ends_when_it_is_left_alone_and_not_before(server, visitor):
    log_in(visitor, "chen-1")
    for hours in (7, 14, 21):
        server.now = NOON + timedelta(hours=hours)
        assert "陈明" in who(visitor), f"after {hours} h with work in between"

    server.now = NOON + timedelta(hours=21 + 8, minutes=1)
    answer = visitor.client.get("/me")
    assert answer.status_code == 303
    assert "登录已结束" in visitor.get("/login").html


def test_a_session_ends_however_much_it_is_used(server, visitor):
    log_in(visitor, "chen-1")
    for hours in (7, 14, 21, 23.9):
        server.now = NOON + timedelta(hours=hours)
        visitor.get("/me")

    server.now = NOON + timedelta(hours=24)
    assert visitor.client.get("/me").status_code == 303


def test_logging_out_everywhere_ends_every_session_at_once(server, visitor):
    log_in(visitor, "chen-1")
    other = server.visitor()
    log_in(other, "chen-1")
    page = visitor.get("/me")
    assert page.one("small")["text"] == "2"

    visitor.send("/logout", {"everywhere": "yes"}, token=page.csrf)

    assert other.client.get("/me").status_code == 303
    assert server.audit("logout")[0].detail == {"sessions": 2}


def test_logging_out_is_a_form_of_ours(visitor):
    log_in(visitor, "chen-1")

    assert visitor.client.get("/logout").status_code == 405
    assert visitor.client.post("/logout", data={"csrf": "x"}).status_code == 403
    assert visitor.client.post("/logout", headers={"origin": "https://evil.example"}).status_code == 403
    assert "陈明" in who(visitor)


def test_who_is_not_logged_in_comes_back_to_where_they_were_going(server, visitor):
    answer = visitor.client.get("/requests?view=table")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?back=%2Frequests%3Fview%3Dtable")
    page = visitor.get("/requests?view=table")
    (way,) = page.all("a", class_="button primary")
    assert way["href"] == "/login/oidc/park-id/start?back=/requests%3Fview%3Dtable"

    form = visitor.client.post(
        "/people",
        data={"code": "x"},
        headers={"referer": f"{server.address}/people?lang=en", "origin": server.address},
    )
    assert (form.status_code, form.headers["location"]) == (303, "/login?back=%2Fpeople%3Flang%3Den")
    part = visitor.client.get(
        "/requests", headers={"hx-request": "true", "hx-current-url": "http://127.0.0.1/requests?a=b"}
    )
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/login?back=%2Frequests")
    assert visitor.client.get("/requests", headers={"accept": "application/json"}).status_code == 401


def test_what_somebody_does_is_done_in_their_name(server):
    server.grant(LIN.code)
    lin = server.lin_by_link()

    page = lin.get("/people")
    assert "管理员" in page.one("a", class_="who")["text"]
    lin.send("/people", {"code": "mei", "name": "梅", "language": "zh"}, token=page.csrf)

    entry = server.audit("keepPerson")[0]
    assert (entry.principal, entry.proof) == ("person:lin", "session")


def test_saying_who_one_is_counts_for_nothing_where_proof_is_asked(server, visitor):
    visitor.client.cookies.set("actor", "eyJjb2RlIjoiY2hlbiJ9.6a.AAAA", domain="127.0.0.1")
    assert visitor.client.get("/people/me").headers["location"].startswith("/login")
    server.grant(WU.code, Role.OPERATOR, "testpark")
    wu = server.visitor()
    use_link(wu, server.link(WU.code))
    assert wu.client.get("/people/me").headers["location"] == "/me"


# --- one-time links -----------------------------------------------------------------------------------------------


def test_a_link_works_once_and_only_when_the_button_is_pressed(server, visitor):
    path = server.link(LIN.code)
    for _ in range(3):
        visitor.get(path)

    answer = use_link(visitor, path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "林岚" in who(visitor)

    again = use_link(server.visitor(), path)
    assert again.status_code == 410
    assert "已用过" in again.text
    assert server.audit("login")[0].detail == {"trouble": "spent"}


def test_a_link_ends(server, visitor):
    path = server.link(LIN.code, hours=1)
    server.now = NOON + timedelta(hours=1)

    assert use_link(visitor, path).status_code == 410


def test_a_link_of_nobody_opens_nothing(visitor):
    page = visitor.get("/login/link/" + "A" * 43)

    answer = visitor.client.post("/login/link", data={"csrf": page.csrf, "token": "A" * 43})
    assert answer.status_code == 410
    assert visitor.client.post("/login/link", data={"token": "A" * 43}).status_code == 403


def test_a_link_is_not_in_the_log(server, visitor, caplog):
    path = server.link(LIN.code)
    with caplog.at_level("DEBUG"):
        use_link(visitor, path)
        use_link(server.visitor(), path)

    token = path.rpartition("/")[2]
    ours = [record for record in caplog.records if record.name.startswith("smartpark")]
    assert any("one-time link is used" in record.getMessage() for record in ours)
    assert not [record for record in ours if token in record.getMessage()]
    assert not [entry for entry in server.audit() if token in repr(entry)]


# --- other set-ups ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("minute_that_stands_still")
def test_too_many_attempts_are_shut_out(server, tmp_path):
    settings = ApiSettings(
        dsn=server.dsn, access="enforced", oidc_file=server.idp.file(tmp_path), failures_per_minute=3
    )
    with serving(create_app(settings, clock=lambda: server.now)) as address:
        visitor = server.visitor()
        visitor.client.base_url = address
        answers = [visitor.client.get("/login/oidc/park-id?code=x&state=y") for _ in range(5)]

    assert [one.status_code for one in answers] == [400, 400, 400, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "失败尝试太多" in answers[-1].text


@pytest.mark.usefixtures("minute_that_stands_still")
def test_an_office_that_comes_in_the_morning_is_not_shut_out(server, visitor, client_of):
    """Many behind one address, each with yesterday's cookie: nobody tries anything, and each gets to the log-in."""
    log_in(visitor, "chen-1")
    old = visitor.client.cookies["session"]
    server.now = NOON + timedelta(days=2)
    client = client_of(server.dsn, now=server.now, access="enforced", failures_per_minute=3)
    for _ in range(10):
        assert client.get("/requests", headers={**HTML, "cookie": f"session={old}"}).status_code == 303
        assert client.get("/requests", headers=HTML).status_code == 303
        assert client.get("/login", headers={**HTML, "cookie": f"session={old}"}).status_code == 200


def test_over_https_the_cookies_are_for_this_host_alone(server, tmp_path):
    settings = ApiSettings(
        dsn=server.dsn,
        access="enforced",
        oidc_file=server.idp.file(tmp_path, first_login="verified_email"),
        public_url="https://park.example",
    )
    with serving(create_app(settings, clock=lambda: server.now)) as address:
        visitor = server.visitor()
        visitor.client.base_url = address
        left = visitor.client.get("/login/oidc/park-id/start")
        begun = cookie_of(left, "__Host-login")
        assert "Secure" in begun
        assert "Path=/" in begun
        assert "Domain" not in begun
        assert "redirect_uri=https%3A%2F%2Fpark.example%2Flogin%2Foidc%2Fpark-id" in left.headers["location"]
        back = say_who(left.headers["location"], "chen-1").removeprefix("https://park.example")
        answer = visitor.client.get(back, headers={"cookie": begun.partition(";")[0]})
        assert answer.status_code == 303
        kept = cookie_of(answer, "__Host-session")
        assert "Secure" in kept
        assert "HttpOnly" in kept
        token = kept.partition(";")[0]
        assert "陈明" in visitor.client.get("/me", headers={"cookie": token}).text
        planted = visitor.client.get("/me", headers={"cookie": token.removeprefix("__Host-")})
        assert planted.status_code == 303, "a neighbour of the host could have planted it"


def test_people_are_made_only_where_that_is_said(server, tmp_path):
    file = server.idp.file(tmp_path, first_login="verified_email", make_people_of=["example.com"])
    server.idp.accounts["new"] = {"name": "新人", "email": "Xin.Ren@Example.com", "email_verified": True}
    server.idp.accounts["else"] = {
        "name": "外人",
        "email": "xin.ren@example.com.evil.example",
        "email_verified": True,
    }
    settings = ApiSettings(dsn=server.dsn, access="enforced", oidc_file=file)
    with serving(create_app(settings, clock=lambda: server.now)) as address:
        visitor = server.visitor()
        visitor.client.base_url = address
        assert log_in(visitor, "else").status_code == 403
        assert log_in(visitor, "new").status_code == 303
        assert "还没有给您任何园区的权限" in visitor.get("/me").html

    made = next(person for person in read_people(server) if person.code == "xin.ren")
    assert (made.name, made.email) == ("新人", "Xin.Ren@Example.com")


def test_local_mode_asks_for_no_log_in_and_honours_one(server, client_of):
    client = client_of(server.dsn)
    assert "本机模式" in client.get("/login", headers=HTML).text
    assert client.get("/people", headers=HTML).status_code == 200
    assert client.get("/me", headers=HTML).headers["location"] == "/people/me"

    page = Page(client.get(server.link(LIN.code), headers=HTML).text)
    token = page.one("input", name="token")["value"]
    assert client.post("/login/link", data={"csrf": page.csrf, "token": token}).status_code == 303
    assert "林岚" in Page(client.get("/me", headers=HTML).text).one("a", class_="who")["text"]
