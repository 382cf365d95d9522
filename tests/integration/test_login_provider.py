"""What we believe of an identity provider: of a real one on a port, honest at first, then lying in each known way."""

import asyncio
import socket
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fix_api import NOON
from fix_oidc import (
    CLIENT,
    SECRET,
    identity_provider,
    signed_by_another_key,
    signed_by_nobody,
    signed_with_the_secret,
    signed_with_what_is_public,
)
from joserfc.jwk import RSAKey
from smartpark_api.access.login.errors import LoginError, Trouble
from smartpark_api.access.login.handshake import begin, opened, sealed
from smartpark_api.access.login.provider import Provider
from smartpark_api.access.login.return_to import own_address
from smartpark_api.console.signing import Signer
from starlette.responses import HTMLResponse, JSONResponse

SIGNER = Signer(b"k" * 32)
BACK = "http://127.0.0.1:1/login/oidc/park-id"


@pytest.fixture(scope="module")
def running():
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def idp(running):
    """The provider, honest again."""
    fresh = type(running)(address=running.address, key=running.key)
    for name in ("accounts", "says", "answers", "asked", "returns_to", "logged_out"):
        getattr(running, name).clear()
    for name in ("swears", "sign", "returns", "public_claims", "clock", "key"):
        setattr(running, name, getattr(fresh, name))
    running.accounts["248289"] = {"name": "陈明", "email": "Chen@example.org", "email_verified": True}
    return running


@pytest.fixture
def provider(idp, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    return Provider(idp.settings(secret), clock=lambda: NOON)


async def log_in(provider, sub="248289", **changes):
    """What a browser would do; the account, or what is wrong with it."""
    handshake = begin(SIGNER, "park-id", "/requests")
    address = await provider.leaving(handshake, redirect_uri=BACK, language="zh")
    async with httpx.AsyncClient(timeout=60) as browser:
        page = await browser.get(address)
        assert page.status_code == 200, page.text
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        sent = await browser.post(address.partition("?")[0], data={**asked, "sub": sub})
    landed = urlsplit(sent.headers["location"])
    assert f"{landed.scheme}://{landed.netloc}{landed.path}" == BACK
    query = {name: values[0] for name, values in parse_qs(landed.query).items()}
    assert query.get("state") == handshake.state
    return await provider.returned(query | changes, handshake, redirect_uri=BACK)


async def test_an_honest_provider_is_believed(provider, idp):
    account = await log_in(provider)

    assert (account.issuer, account.subject) == (idp.address, "248289")
    assert (account.email, account.name) == ("Chen@example.org", "陈明")
    assert idp.asked.count("/token") == 1


async def test_discovery_and_keys_are_asked_for_once(provider, idp):
    await log_in(provider)
    await log_in(provider)

    assert idp.asked.count("/keys") == 1
    assert idp.asked.count("/.well-known/openid-configuration") == 1


async def test_what_the_token_leaves_out_is_asked_for(provider, idp):
    idp.public_claims = ()

    assert (await log_in(provider)).email == "Chen@example.org"
    assert "/userinfo" in idp.asked


@pytest.mark.parametrize("verified", [False, None, "true", "yes", 1])
async def test_an_address_that_nobody_verified_does_not_count(provider, idp, verified):
    idp.accounts["248289"]["email_verified"] = verified

    account = await log_in(provider)

    assert (account.subject, account.email) == ("248289", "")


LIES = {
    "another issuer": {"iss": "https://evil.example"},
    "an issuer with a slash more": lambda claims: claims | {"iss": claims["iss"] + "/"},
    "another audience": {"aud": "another-client"},
    "several audiences, given out for another": {"aud": [CLIENT, "another-client"], "azp": "another-client"},
    "several audiences, for nobody in particular": {"aud": [CLIENT, "another-client"]},
    "another nonce": {"nonce": "of another log-in"},
    "no nonce": {"nonce": None},
    "expired": lambda claims: claims | {"exp": claims["iat"] - 61},
    "no end": {"exp": None},
    "an end that is no time": {"exp": "tomorrow"},
    "from the future": lambda claims: claims | {"iat": claims["iat"] + 3600},
    "not valid yet": lambda claims: claims | {"nbf": claims["iat"] + 3600},
    "nobody": {"sub": None},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_token_that_does_not_hold_is_refused(provider, idp, lie):
    change = LIES[lie]
    changed = change if callable(change) else lambda claims: claims | change
    idp.swears = lambda claims: {name: one for name, one in changed(claims).items() if one is not None}

    with pytest.raises(LoginError) as refused:
        await log_in(provider)

    assert refused.value.trouble is Trouble.FORGED
    assert "eyJ" not in str(refused.value)


@pytest.mark.parametrize(
    "sign", [signed_by_another_key, signed_by_nobody, signed_with_what_is_public, signed_with_the_secret]
)
async def test_a_signature_that_does_not_hold_is_refused(provider, idp, sign):
    idp.sign = sign

    with pytest.raises(LoginError) as refused:
        await log_in(provider)

    assert refused.value.trouble is Trouble.FORGED


@pytest.mark.parametrize("shown", ["", "not.a.token", "a.b", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"])
async def test_what_is_no_token_is_refused(provider, idp, shown):
    idp.sign = lambda provider, claims: shown

    with pytest.raises(LoginError) as refused:
        await log_in(provider)

    assert refused.value.trouble is Trouble.FORGED


async def test_a_clock_a_little_ahead_does_not_matter(provider, idp):
    idp.clock = lambda: NOON + timedelta(seconds=40)

    assert (await log_in(provider)).subject == "248289"


async def test_new_keys_are_found_when_they_are_needed(provider, idp, monkeypatch):
    monkeypatch.setattr("smartpark_api.access.login.provider._KEYS_AGAIN_S", 3600.0)
    await log_in(provider)
    idp.key = RSAKey.generate_key(2048, {"kid": "second"})

    with pytest.raises(LoginError):
        await log_in(provider)  # asked for the keys a moment ago; unknown names do not make us a burden
    monkeypatch.setattr("smartpark_api.access.login.provider._KEYS_AGAIN_S", 0.0)

    assert (await log_in(provider)).subject == "248289"
    assert idp.asked.count("/keys") == 2


async def test_an_answer_of_another_provider_is_refused(provider, idp):
    with pytest.raises(LoginError) as refused:
        await log_in(provider, iss="https://evil.example")
    assert refused.value.trouble is Trouble.FORGED

    idp.returns = lambda query: {name: one for name, one in query.items() if name != "iss"}
    with pytest.raises(LoginError) as refused:
        await log_in(provider)
    assert refused.value.trouble is Trouble.FORGED


async def test_a_code_counts_once_and_with_its_verifier(provider):
    handshake = begin(SIGNER, "park-id", "/")
    with pytest.raises(LoginError) as refused:
        await provider.returned(
            {"code": "never-given", "iss": provider.settings.issuer}, handshake, redirect_uri=BACK
        )
    assert refused.value.trouble is Trouble.STALE


async def test_who_says_no_is_not_logged_in(provider):
    with pytest.raises(LoginError) as refused:
        await log_in(provider, sub="")

    assert refused.value.trouble is Trouble.REFUSED
    assert "access_denied" in refused.value.detail


async def test_neither_a_code_nor_an_error_is_no_answer(provider):
    handshake = begin(SIGNER, "park-id", "/")
    with pytest.raises(LoginError) as refused:
        await provider.returned({"iss": provider.settings.issuer}, handshake, redirect_uri=BACK)
    assert refused.value.trouble is Trouble.MISFIT


@pytest.mark.parametrize(
    ("path", "answer", "trouble"),
    [
        ("/.well-known/openid-configuration", JSONResponse({}, 503), Trouble.AWAY),
        ("/.well-known/openid-configuration", HTMLResponse("<h1>hello</h1>"), Trouble.MISFIT),
        ("/.well-known/openid-configuration", JSONResponse([1, 2]), Trouble.MISFIT),
        ("/token", JSONResponse({}, 502), Trouble.AWAY),
        ("/token", HTMLResponse("<h1>login</h1>"), Trouble.MISFIT),
        ("/token", JSONResponse({"error": "invalid_client"}, 401), Trouble.MISFIT),
        ("/token", JSONResponse({"error": "invalid_grant"}, 400), Trouble.STALE),
        ("/token", JSONResponse({"access_token": "x", "token_type": "Bearer"}), Trouble.MISFIT),
        ("/keys", JSONResponse({}, 500), Trouble.AWAY),
        ("/keys", JSONResponse({"keys": []}), Trouble.MISFIT),
        ("/keys", JSONResponse({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}), Trouble.MISFIT),
        ("/keys", JSONResponse({"keys": "none"}), Trouble.MISFIT),
    ],
)
async def test_trouble_at_the_back_is_told_apart(provider, idp, path, answer, trouble):
    idp.answers[path] = answer

    with pytest.raises(LoginError) as refused:
        await log_in(provider)

    assert refused.value.trouble is trouble
    idp.answers.clear()
    assert (await log_in(provider)).subject == "248289", "what went wrong once is not kept"


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": None},
        {"token_endpoint": "http://id.example/token"},
        {"jwks_uri": None},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
)
async def test_a_provider_that_does_not_fit_is_not_used(provider, idp, says):
    idp.says.update(says)

    with pytest.raises(LoginError) as refused:
        await log_in(provider)

    assert refused.value.trouble is Trouble.MISFIT


async def test_nobody_at_the_address_is_away(tmp_path, idp):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    settings = idp.settings(secret, issuer=address)

    with pytest.raises(LoginError) as refused:
        await log_in(Provider(settings, clock=lambda: NOON))

    assert refused.value.trouble is Trouble.AWAY
    assert "ConnectError" in refused.value.detail


async def test_the_secret_is_read_anew_and_sent_as_the_provider_takes_it(provider, idp):
    provider.settings.client_secret_file.write_text("an old one")
    with pytest.raises(LoginError):
        await log_in(provider)
    provider.settings.client_secret_file.write_text(SECRET)
    assert (await log_in(provider)).subject == "248289"

    by_body = Provider(provider.settings, clock=lambda: NOON)
    idp.says["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    assert (await log_in(by_body)).subject == "248289"


async def test_logging_out_there_is_offered_where_it_can_be_done(provider, idp):
    address = await provider.farewell(back="http://127.0.0.1:1/logged-out")
    assert parse_qs(urlsplit(address).query) == {
        "client_id": [CLIENT],
        "post_logout_redirect_uri": ["http://127.0.0.1:1/logged-out"],
    }

    idp.says["end_session_endpoint"] = None
    assert await Provider(provider.settings, clock=lambda: NOON).farewell(back="/") is None
    unwanted = provider.settings.model_copy(update={"ends_session_there": False})
    assert await Provider(unwanted, clock=lambda: NOON).farewell(back="/") is None


def test_a_log_in_under_way_is_ours_and_young():
    handshake = begin(SIGNER, "park-id", "/requests")
    cookie = sealed(SIGNER, handshake, now=NOON)

    assert opened(SIGNER, cookie, now=NOON + timedelta(minutes=14)) == handshake
    assert opened(SIGNER, cookie, now=NOON + timedelta(minutes=16)) is None
    assert opened(Signer(b"x" * 32), cookie, now=NOON) is None
    assert opened(SIGNER, cookie[:-1], now=NOON) is None
    assert opened(SIGNER, None, now=NOON) is None
    for shown in (handshake.state, handshake.nonce, handshake.verifier):
        assert shown not in cookie
    assert len({handshake.state, handshake.nonce, handshake.verifier}) == 3
    assert 43 <= len(handshake.verifier) <= 128


@pytest.mark.parametrize(
    "given",
    [
        "",
        "requests",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "https://evil.example/requests",
        "javascript:alert(1)",
        "/logout",
        "/login?back=/login",
        "/" + "a" * 2000,
        "/中文",
    ],
)
def test_no_address_leads_elsewhere(given):
    assert own_address(given) == ""


@pytest.mark.parametrize("given", ["/", "/requests?view=table&q=%E9%93%9D", "/parks/minhou#now", "/a/b//c"])
def test_an_address_of_ours_is_kept(given):
    assert own_address(given) == given


def test_the_event_loop_is_left_to_others_meanwhile(provider, idp):
    """Ten people log in at once, and it takes no thread of the server."""

    async def all_at_once():
        return await asyncio.gather(*(log_in(provider) for _ in range(10)))

    assert len(asyncio.run(all_at_once())) == 10
