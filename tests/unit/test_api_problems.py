"""Every way a request can fail has one shape, and tells nothing it should not."""

import httpx
import pytest
from fix_api import NOON
from smartpark_api.app import create_app
from smartpark_api.problems import MEDIA_TYPE, ProblemKind, kind_of_status
from smartpark_api.settings import ApiSettings, is_loopback
from smartpark_storage.errors import RowRefusedError

NOBODY = "postgresql://nobody@127.0.0.1:9/none?connect_timeout=1"


@pytest.fixture
async def asking(monkeypatch):
    """Ask an app whose database is away, without a server in between."""
    monkeypatch.setattr("smartpark_api.database._WAIT_S", 0.2)
    app = create_app(ApiSettings(dsn=NOBODY), clock=lambda: NOON)

    @app.get("/api/v1/broken")
    def broken():
        raise ValueError("secret detail")

    @app.get("/api/v1/refused")
    def refused():
        raise RowRefusedError("beyond the rights of whoever asks")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


def assert_is_problem(answer, kind):
    assert answer.headers["content-type"] == MEDIA_TYPE
    document = answer.json()
    assert answer.status_code == document["status"] == kind.status
    assert document["type"] == kind.uri
    assert document["detail"]
    return document


async def test_what_a_rule_of_the_database_refuses_is_not_among_ones_rights(asking):
    assert_is_problem(await asking.get("/api/v1/refused"), ProblemKind.NOT_GRANTED)


async def test_an_unknown_address_is_a_problem(asking):
    assert_is_problem(await asking.get("/api/v1/nothing"), ProblemKind.NOT_FOUND)


async def test_a_wrong_method_is_a_problem_that_names_the_right_one(asking):
    answer = await asking.post("/api/v1/parks")

    assert_is_problem(answer, ProblemKind.METHOD_NOT_ALLOWED)
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ({"bucket": "minute"}, "query.bucket"),
        ({"from": "yesterday"}, "query.from"),
        ({"from": "2026-11-22T00:00:00"}, "query.from"),
        ({"to": "9999-12-31T23:59:59Z"}, "query.to"),
        ({"from": "2026-11-23T00:00:00Z", "to": "2026-11-22T00:00:00Z"}, "query.from"),
    ],
)
async def test_a_request_that_is_not_understood_names_what_is_wrong(asking, query, location):
    answer = await asking.get("/api/v1/points/p/d/x/series", params=query)

    document = assert_is_problem(answer, ProblemKind.INVALID_REQUEST)
    assert [error["location"] for error in document["errors"]] == [location]


async def test_a_database_that_is_away_is_a_problem_with_retry_after(asking):
    answer = await asking.get("/api/v1/parks")

    assert_is_problem(answer, ProblemKind.DATABASE_AWAY)
    assert answer.headers["retry-after"] == "5"
    assert "nobody" not in answer.text
    assert (await asking.get("/healthz")).status_code == 200
    assert (await asking.get("/readyz")).status_code == 503


async def test_a_bug_tells_an_incident_number_and_nothing_else(asking, caplog):
    answer = await asking.get("/api/v1/broken")

    document = assert_is_problem(answer, ProblemKind.INTERNAL)
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    assert document["incident"] in caplog.text
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")


async def test_a_person_gets_the_problem_as_a_page(asking):
    answer = await asking.get("/", headers={"accept": "text/html"})

    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert "数据库暂时无法连接" in answer.text
    assert 'http-equiv="refresh"' in answer.text


async def test_a_foreign_host_name_is_refused(asking):
    answer = await asking.get("/api/v1/parks", headers={"host": "evil.example"})

    assert_is_problem(answer, ProblemKind.MISDIRECTED)


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0"])
async def test_a_form_nobody_can_give_is_refused(asking, accept):
    answer = await asking.get("/api/v1/points/p/d/x/series", headers={"accept": accept})

    assert_is_problem(answer, ProblemKind.NOT_ACCEPTABLE)


@pytest.mark.parametrize("path", ["/", "/api/v1/parks", "/healthz", "/assets/0/none.css"])
async def test_every_answer_carries_the_security_headers(asking, path):
    answer = await asking.get(path)

    policy = answer.headers["content-security-policy"]
    assert f"default-src '{'none' if path.startswith('/api/') else 'self'}'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


def test_every_kind_has_its_own_name():
    slugs = [kind.slug for kind in ProblemKind]
    assert len(set(slugs)) == len(slugs)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, ProblemKind.NOT_FOUND),
        (405, ProblemKind.METHOD_NOT_ALLOWED),
        (418, ProblemKind.REQUEST_FAILED),
        (502, ProblemKind.INTERNAL),
    ],
)
def test_a_bare_status_finds_its_kind(status, kind):
    assert kind_of_status(status) is kind


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  the address in question
        ("::", False),
        ("192.168.1.5", False),
        ("example.org", False),
    ],
)
def test_only_this_machines_addresses_count_as_loopback(host, loopback):
    assert is_loopback(host) is loopback
