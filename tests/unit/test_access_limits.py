"""What of access needs no server: settings from the environment, counters, and declarations of routes."""

import logging

import pytest
from fastapi import FastAPI
from smartpark.access import LOCAL, NOBODY, Principal, Scope
from smartpark.errors import SmartparkError
from smartpark_api.access.declared import declared_routes
from smartpark_api.access.environment import access_from_environment
from smartpark_api.access.limits import RateLimits
from smartpark_api.access.needs import needs, open_to_all
from smartpark_api.access.secrecy import REQUEST_ID, KeepsSecrets
from smartpark_api.app import create_app
from smartpark_api.settings import AccessMode, ApiSettings

KEY = "spk_ab12cd34ef56_" + "A1b2" * 10 + "xyz"


def test_where_other_machines_reach_the_server_access_is_enforced():
    assert access_from_environment(is_reachable=True, environment={})["access"] is AccessMode.ENFORCED
    assert access_from_environment(is_reachable=False, environment={})["access"] is AccessMode.LOCAL
    given = {"SMARTPARK_ACCESS": "enforced"}
    assert access_from_environment(is_reachable=False, environment=given)["access"] is AccessMode.ENFORCED
    with pytest.raises(SmartparkError, match="--allow-network"):
        access_from_environment(is_reachable=True, environment={"SMARTPARK_ACCESS": "local"})
    with pytest.raises(SmartparkError, match="SMARTPARK_ACCESS is 'off'"):
        access_from_environment(is_reachable=False, environment={"SMARTPARK_ACCESS": "off"})
    with pytest.raises(ValueError, match="enforced"):
        ApiSettings(dsn="x", host_names=None)


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "９"])
def test_a_limit_is_a_whole_number(text: str):
    with pytest.raises(SmartparkError, match="SMARTPARK_RATE_LIMIT"):
        access_from_environment(is_reachable=False, environment={"SMARTPARK_RATE_LIMIT": text})


def test_limits_come_from_the_environment():
    given = {"SMARTPARK_RATE_LIMIT": "60", "SMARTPARK_FAILURE_LIMIT": "5", "SMARTPARK_SESSION_IDLE": "30"}
    settings = ApiSettings(dsn="x", **access_from_environment(is_reachable=False, environment=given))
    counted = (settings.requests_per_minute, settings.failures_per_minute, settings.session_idle_minutes)
    assert counted == (60, 5, 30)


def test_principals_are_counted_apart_and_the_nameless_by_their_address():
    limits = RateLimits(requests_per_minute=2, failures_per_minute=2)
    one, other = Principal("client:one"), Principal("client:other")

    def is_over(principal: Principal, remote: str) -> bool:
        standing = limits.asked(principal, remote)
        assert standing is not None
        return standing.is_over

    assert [is_over(one, "a") for _ in range(3)] == [False, False, True]
    assert not is_over(other, "a")
    assert [is_over(NOBODY, "a") for _ in range(3)] == [False, False, True]
    assert not is_over(NOBODY, "b")
    assert limits.asked(LOCAL, "a") is None


def test_what_has_held_is_listened_to_whatever_its_address_did():
    limits = RateLimits(requests_per_minute=2, failures_per_minute=2)
    limits.proved(b"good")
    for _ in range(2):
        limits.failed("a")
    assert limits.shut_out("a", b"good") is None
    assert limits.shut_out("a", b"new") is not None
    assert limits.shut_out("b", b"new") is None


def test_an_app_with_a_route_that_declares_nothing_is_not_made():
    app = FastAPI()

    @app.get("/declared", dependencies=[needs(Scope.PARKS_READ)])
    @app.get("/open", dependencies=[open_to_all("a test")])
    def answer() -> None: ...

    assert [(one.method, one.path) for one in declared_routes(app)] == [("GET", "/open"), ("GET", "/declared")]
    app.get("/forgotten")(answer)
    with pytest.raises(SmartparkError, match="/forgotten"):
        declared_routes(app)


def test_every_write_of_our_app_asks_for_a_right_or_says_why_not():
    open_writes = {
        one.path
        for one in declared_routes(create_app(ApiSettings(dsn="x")))
        if one.method != "GET" and not hasattr(one.declaration, "scope")
    }
    assert open_writes == {"/oauth/token", "/login/link", "/logout"}


def test_log_lines_lose_their_secrets_and_say_which_request_it_was(caplog: pytest.LogCaptureFixture):
    log = logging.getLogger("test of secrecy")
    caplog.handler.addFilter(keeps := KeepsSecrets())
    token = REQUEST_ID.set("0123456789abcdef")
    try:
        log.warning("shown: %s", KEY)
        log.warning("went wrong", exc_info=SmartparkError(f"wrong: {KEY}"))
    finally:
        REQUEST_ID.reset(token)
        caplog.handler.removeFilter(keeps)
    assert KEY not in caplog.text
    assert "[0123456789abcdef] shown: spk_ab12cd34ef56_***" in caplog.text
    assert "SmartparkError: wrong: spk_ab12cd34ef56_***" in caplog.text
