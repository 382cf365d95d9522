"""Programs exchange their secret for a token: with Authlib's own client, and by hand with every error of the RFC."""

import base64
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from fix_api import NOON
from fix_people import LoginServer
from smartpark.access import Grant, Role
from smartpark_api.access.login.tokens import TokenError, token_request
from smartpark_storage import connect
from smartpark_storage.access import (
    SecretKind,
    add_client,
    add_grant,
    disable_client,
    enable_client,
    make_secret,
    read_secrets,
    revoke_secret,
)

FORM = {"content-type": "application/x-www-form-urlencoded"}
ASK = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
def secrets_of(login_server):
    """Makes secrets of the program `puller`, which pulls aggregates of `testpark`."""
    server: LoginServer = login_server
    with connect(server.dsn, application="test") as connection:
        add_client(connection, "puller", title="省平台", contact="it@example.org", by="test", at=NOON)
        add_grant(connection, "client:puller", Grant(Role.PROVINCE, "testpark"), by="test", at=NOON)
        add_client(connection, "newcomer", title="还没有权限", contact="", by="test", at=NOON)
        connection.commit()

    def make(client="puller", kind=SecretKind.CLIENT_SECRET, *, scopes=(), days=30):
        with connect(server.dsn, application="test") as connection:
            made = make_secret(
                connection,
                client,
                kind,
                by="test",
                at=server.now,
                expires_at=server.now + timedelta(days=days),
                scopes=scopes,
            )
            connection.commit()
        return made

    return make


@pytest.fixture
def server(login_server):
    login_server.now = NOON
    return login_server


@pytest.fixture
def ask(server):
    """Asks for a token as a program would."""
    with httpx.Client(base_url=server.address, timeout=60) as client:

        def asked(fields=None, *, basic=None, **more):
            auth = None if basic is None else httpx.BasicAuth(*basic)
            return client.post("/oauth/token", data=ASK | (fields or {}), auth=auth, **more)

        yield asked


def is_refused(answer, error, status=400):
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error_description"].isascii()
    return answer


@contextmanager
def reading(server, token):
    with httpx.Client(base_url=server.address, timeout=60, headers={"authorization": f"Bearer {token}"}) as client:
        yield client


# --- what is given out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_program_gets_a_token_and_is_let_in_with_it(server, secrets_of, method):
    with OAuth2Client("puller", secrets_of().text, token_endpoint_auth_method=method, timeout=60) as client:
        token = client.fetch_token(f"{server.address}/oauth/token", grant_type="client_credentials")
        answer = client.get(f"{server.address}/api/v1/parks")

    told = (token["token_type"], token["expires_in"], token["scope"])
    assert told == ("Bearer", 1800, "aggregates:read parks:read")
    assert token["access_token"].startswith("spt_")
    assert "refresh_token" not in token
    assert answer.status_code == 200
    assert [park["code"] for park in answer.json()["parks"]] == ["testpark"]


def test_a_token_is_not_kept_on_the_way(secrets_of, ask):
    answer = ask(basic=("puller", secrets_of().text))

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["content-type"] == "application/json"


def test_a_token_is_as_narrow_as_it_was_asked_for(server, secrets_of, ask):
    answer = ask({"scope": "aggregates:read"}, basic=("puller", secrets_of().text))

    assert answer.json()["scope"] == "aggregates:read"
    with reading(server, answer.json()["access_token"]) as client:
        assert client.get("/api/v1/parks").status_code == 403


def test_a_secret_that_is_narrow_gives_no_wider_token(secrets_of, ask):
    basic = ("puller", secrets_of(scopes=("parks:read",)).text)

    assert ask(basic=basic).json()["scope"] == "parks:read"
    is_refused(ask({"scope": "parks:read aggregates:read"}, basic=basic), "invalid_scope")


def test_a_token_ends_with_its_time_its_secret_and_its_client(server, secrets_of, ask):
    made = secrets_of()
    token = ask(basic=("puller", made.text)).json()["access_token"]
    with reading(server, token) as client:
        assert client.get("/api/v1/parks").status_code == 200
        server.now = NOON + timedelta(minutes=30)
        assert client.get("/api/v1/parks").status_code == 401
        server.now = NOON
        with connect(server.dsn, application="test") as connection:
            disable_client(connection, "puller", at=NOON)
            connection.commit()
            assert client.get("/api/v1/parks").status_code == 401
            enable_client(connection, "puller")
            connection.commit()
            assert client.get("/api/v1/parks").status_code == 200
            revoke_secret(connection, made.secret_id, by="test", at=NOON)
            connection.commit()
        assert client.get("/api/v1/parks").status_code == 401


def test_a_token_lasts_no_longer_than_the_secret_it_was_had_with(server, secrets_of, ask):
    made = secrets_of(days=1)
    server.now = NOON + timedelta(days=1, minutes=-5)

    assert ask(basic=("puller", made.text)).json()["expires_in"] == 300


def test_tokens_that_ended_long_ago_are_swept_away(server, secrets_of, ask):
    basic = ("puller", secrets_of().text)
    old = ask(basic=basic).json()["access_token"].split("_")[1]
    server.now = NOON + timedelta(days=2)
    ask(basic=basic)

    with connect(server.dsn, application="test") as connection:
        assert old not in [one.secret_id for one in read_secrets(connection, with_tokens=True)]


def test_each_exchange_is_written_down_without_a_secret(server, secrets_of, ask):
    made = secrets_of()
    token = ask(basic=("puller", made.text)).json()["access_token"]
    ask(basic=("puller", made.text[:-1] + ("1" if made.text.endswith("0") else "0")))

    refused, given = server.audit("token")[:2]
    assert (given.principal, given.proof, given.status) == ("client:puller", f"secret:{made.secret_id}", 200)
    assert given.detail == {"token": token.split("_")[1], "scopes": ["aggregates:read", "parks:read"]}
    assert (refused.principal, refused.status, refused.detail) == ("nobody", 401, {"error": "invalid_client"})
    assert token not in repr(given)
    assert made.text not in repr((given, refused))


def test_a_secret_with_odd_letters_is_encoded_as_the_rfc_says(secrets_of, ask):
    """2.3.1: name and secret are form-encoded before they are put together."""
    pair = f"puller:{secrets_of().text.replace('_', '%5F')}"
    header = f"Basic {base64.b64encode(pair.encode()).decode()}"

    assert ask(headers={"authorization": header}).status_code == 200


# --- what is refused ----------------------------------------------------------------------------------------------


def test_a_stranger_is_told_the_same_whatever_is_wrong(secrets_of, ask):
    right = secrets_of().text
    words = set()
    for client, secret in [
        ("nobody-here", right),
        ("newcomer", right),
        ("puller", secrets_of(kind=SecretKind.API_KEY).text),
        ("puller", right[:-1] + ("a" if right[-1] != "a" else "b")),
        ("puller", "a guess"),
        ("", ""),
    ]:
        answer = is_refused(ask(basic=(client, secret)), "invalid_client", 401)
        assert answer.headers["www-authenticate"].startswith("Basic realm=")
        words.add(answer.json()["error_description"])

    assert len(words) == 1


def test_whoever_has_the_secret_is_told_why_it_counts_no_more(server, secrets_of, ask):
    expired, revoked = secrets_of(days=1), secrets_of()
    with connect(server.dsn, application="test") as connection:
        revoke_secret(connection, revoked.secret_id, by="test", at=NOON)
        connection.commit()
    server.now = NOON + timedelta(days=1)

    for made, why in ((expired, "expired"), (revoked, "revoked")):
        answer = is_refused(ask(basic=("puller", made.text)), "invalid_client", 401)
        assert answer.json()["error_description"].endswith(f"it is {why}")


@pytest.mark.parametrize("header", ["Bearer abc", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"x").decode()])
def test_a_header_that_is_not_understood_is_no_client(ask, header):
    answer = is_refused(ask(headers={"authorization": header}), "invalid_client", 401)
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_nobody_at_all_is_no_client(ask):
    is_refused(ask(), "invalid_client", 401)
    is_refused(ask({"client_id": "puller"}), "invalid_client", 401)


def test_a_client_says_once_who_it_is(secrets_of, ask):
    basic = ("puller", secrets_of().text)

    is_refused(ask({"client_secret": basic[1]}, basic=basic), "invalid_request")
    is_refused(ask({"client_id": "another"}, basic=basic), "invalid_request")
    assert ask({"client_id": "puller"}, basic=basic).status_code == 200


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, "unsupported_grant_type"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, "invalid_request"),
        ({"scope": ["parks:read", "parks:read"]}, "invalid_request"),
        ({"scope": "parks:read  aggregates:read"}, "invalid_scope"),
        ({"scope": 'parks"read'}, "invalid_scope"),
        ({"scope": "全部"}, "invalid_scope"),
        ({"scope": "park:read"}, "invalid_scope"),
        ({"scope": "access:manage"}, "invalid_scope"),
    ],
)
def test_each_error_has_its_name(secrets_of, ask, fields, error):
    is_refused(ask(fields, basic=("puller", secrets_of().text)), error)


def test_what_is_left_empty_is_not_there_and_what_is_unknown_is_passed_over(secrets_of, ask):
    """3.2."""
    fields = {"scope": "", "audience": "somebody", "client_id": "", "resource": ["a", "b"]}

    assert ask(fields, basic=("puller", secrets_of().text)).json()["scope"] == "aggregates:read parks:read"


def test_a_client_without_rights_gets_nothing(server, secrets_of, ask):
    answer = is_refused(ask(basic=("newcomer", secrets_of("newcomer").text)), "invalid_scope")

    assert "anything at all" in answer.json()["error_description"]
    assert server.audit("token")[0].principal == "client:newcomer"


def test_only_forms_are_taken(server, ask):
    with httpx.Client(base_url=server.address, timeout=60) as client:
        is_refused(client.post("/oauth/token", json=ASK), "invalid_request")
        is_refused(client.post("/oauth/token", content=b"\xff=\xfe", headers=FORM), "invalid_request")
        is_refused(client.post("/oauth/token", content=b"a" * 20_000, headers=FORM), "invalid_request")
        assert client.get("/oauth/token").status_code == 405


@pytest.mark.usefixtures("minute_that_stands_still")
def test_too_many_guesses_are_shut_out_and_a_secret_that_proved_right_is_not(server, secrets_of, client_of):
    client = client_of(server.dsn, access="enforced", failures_per_minute=3)
    right = {**ASK, "client_id": "puller", "client_secret": secrets_of().text}
    assert client.post("/oauth/token", data=right).status_code == 200

    wrong = {**ASK, "client_id": "puller", "client_secret": "a guess"}
    statuses = [client.post("/oauth/token", data=wrong).status_code for _ in range(5)]

    assert statuses == [401, 401, 401, 429, 429]
    assert client.post("/oauth/token", data=right).status_code == 200
    other = {**ASK, "client_id": "puller", "client_secret": secrets_of().text}
    assert client.post("/oauth/token", data=other).status_code == 429


def test_the_description_says_what_there_is(server):
    with httpx.Client(base_url=server.address, timeout=60) as client:
        told = client.get("/.well-known/oauth-authorization-server").json()

    metadata = AuthorizationServerMetadata(told)
    metadata.validate()
    assert told["issuer"] == server.address
    assert told["token_endpoint"] == f"{server.address}/oauth/token"


def test_a_request_is_taken_apart_without_a_database():
    asked = token_request(FORM, b"grant_type=client_credentials&client_id=a%20b&client_secret=c%2Bd&scope=parks:read")

    assert (asked.client, asked.secret, asked.scopes) == ("a b", "c+d", ("parks:read",))
    with pytest.raises(TokenError, match="invalid_request"):
        token_request({}, b"")
