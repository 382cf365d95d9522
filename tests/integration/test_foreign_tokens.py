"""Programs with an access token of an identity provider instead of a key of ours: which hold, and all that do not."""

from datetime import timedelta

import httpx
import pytest
from fix_api import NOON, serving
from fix_oidc import signed, signed_by_another_key, signed_by_nobody, signed_with_what_is_public
from joserfc import jwt
from smartpark.access import Grant, Role
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect
from smartpark_storage.access import add_client, add_grant, disable_client, enable_client
from starlette.responses import JSONResponse

AUDIENCE = "smartpark-api"


@pytest.fixture(scope="module")
def api(login_server, tmp_path_factory):
    """A server that takes tokens of the provider for its client `kc-puller`, which is the program `foreign`."""
    with connect(login_server.dsn, application="test") as connection:
        add_client(connection, "foreign", title="外部程序", contact="", by="test", at=NOON)
        add_grant(connection, "client:foreign", Grant(Role.PROVINCE, "testpark"), by="test", at=NOON)
        connection.commit()
    file = login_server.idp.file(
        tmp_path_factory.mktemp("foreign"),
        api_audience=AUDIENCE,
        programs={"kc-puller": "foreign", "kc-unknown": "nobody-here"},
    )
    settings = ApiSettings(dsn=login_server.dsn, access="enforced", oidc_file=file, failures_per_minute=1000)
    with (
        serving(create_app(settings, clock=lambda: login_server.now)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def claims(login_server):
    """Claims of a good token."""
    login_server.now = NOON
    now = int(NOON.timestamp())
    return {
        "iss": login_server.idp.address,
        "aud": AUDIENCE,
        "exp": now + 300,
        "iat": now,
        "sub": "service-account",
        "azp": "kc-puller",
        "jti": "token-1",
    }


def ask(api, token, path="/api/v1/access/me"):
    return api.get(path, headers={"authorization": f"Bearer {token}"})


def test_a_token_of_the_provider_lets_its_program_in(login_server, api, claims):
    answer = ask(api, signed(login_server.idp, claims))

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["principal"], told["proof"]) == ("client:foreign", "jwt:park-id:token-1")
    assert told["grants"] == [{"role": "province", "park": "testpark"}]
    assert ask(api, signed(login_server.idp, claims), "/api/v1/parks").status_code == 200


def test_a_token_narrows_and_never_widens(login_server, api, claims):
    for scope, expected in [
        ("openid profile", {"parks:read", "aggregates:read"}),
        ("openid aggregates:read", {"aggregates:read"}),
        ("access:manage aggregates:read", {"aggregates:read"}),
    ]:
        told = ask(api, signed(login_server.idp, claims | {"scope": scope})).json()
        assert {one["scope"] for one in told["scopes"]} == expected


def test_a_program_that_is_shut_out_stays_out_whoever_swears_to_it(login_server, api, claims):
    token = signed(login_server.idp, claims)
    with connect(login_server.dsn, application="test") as connection:
        disable_client(connection, "foreign", at=NOON)
        connection.commit()
        assert ask(api, token).status_code == 401
        enable_client(connection, "foreign")
        connection.commit()
    assert ask(api, token).status_code == 200


WRONG = {
    "for another audience": {"aud": "another"},
    "for the log-in of people": {"aud": "smartpark"},
    "of another issuer": {"iss": "https://evil.example"},
    "expired": {"exp": int(NOON.timestamp()) - 61},
    "without an end": {"exp": None},
    "from the future": {"iat": int((NOON + timedelta(hours=1)).timestamp())},
    "of a client that is no program": {"azp": "kc-other"},
    "of a client bound to nobody": {"azp": "kc-unknown"},
    "of no client": {"azp": None},
    "an ID token": {"nonce": "abc"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_does_not_hold_is_refused(login_server, api, claims, wrong):
    changed = {name: one for name, one in (claims | WRONG[wrong]).items() if one is not None}
    answer = ask(api, signed(login_server.idp, changed))

    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:smartpark:problem:not-logged-in"
    assert "invalid_token" in answer.headers["www-authenticate"]
    assert "eyJ" not in answer.text


@pytest.mark.parametrize("sign", [signed_by_another_key, signed_by_nobody, signed_with_what_is_public])
def test_a_signature_that_does_not_hold_is_refused(login_server, api, claims, sign):
    assert ask(api, sign(login_server.idp, claims)).status_code == 401


@pytest.mark.parametrize("kind", ["logout+jwt", "dpop+jwt", "secevent+jwt"])
def test_a_token_of_another_kind_is_refused(login_server, api, claims, kind):
    key = login_server.idp.key
    token = jwt.encode({"alg": "RS256", "kid": key.kid, "typ": kind}, claims, key)

    assert ask(api, token).status_code == 401


@pytest.mark.parametrize("text", ["ey.ey.ey", "eyJhbGciOiJub25lIn0.e30.", "ey" + "a" * 9000, "a.b.c"])
def test_what_is_no_token_is_refused(api, text):
    assert ask(api, text).status_code == 401


def test_a_provider_that_is_away_is_no_way_in(login_server, tmp_path, claims):
    login_server.idp.answers["/keys"] = JSONResponse({}, 503)
    file = login_server.idp.file(tmp_path, api_audience=AUDIENCE, programs={"kc-puller": "foreign"})
    settings = ApiSettings(dsn=login_server.dsn, access="enforced", oidc_file=file)
    try:
        with (
            serving(create_app(settings, clock=lambda: login_server.now)) as address,
            httpx.Client(base_url=address, timeout=60) as client,
        ):
            away = ask(client, signed(login_server.idp, claims))
            login_server.idp.answers.clear()
            back = ask(client, signed(login_server.idp, claims))
    finally:
        login_server.idp.answers.clear()

    assert away.status_code == 401
    assert "cannot be asked for its keys" in away.json()["detail"]
    assert back.status_code == 200, "what went wrong once is not kept"


def test_without_being_told_to_no_token_of_a_provider_counts(login_server, claims):
    with httpx.Client(base_url=login_server.address, timeout=60) as client:
        answer = ask(client, signed(login_server.idp, claims))

    assert answer.status_code == 401
    assert "do not count here" in answer.json()["detail"]
