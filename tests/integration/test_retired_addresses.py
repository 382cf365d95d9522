"""Addresses that will go say so with every answer and in the description, for long enough; docs/api-versioning.md."""

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fix_api import NOON, serving
from smartpark.errors import SmartparkError
from smartpark_api import app as whole
from smartpark_api.access.needs import open_to_all
from smartpark_api.openapi.document import describe
from smartpark_api.openapi.retirement import LEAST_NOTICE, retires
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings
from starlette.responses import PlainTextResponse

SINCE, SUNSET = date(2028, 1, 1), date(2029, 1, 1)
MARK = retires(since=SINCE, sunset=SUNSET, instead="/api/v1/places")


def api_with_retired_addresses():
    """The whole app with some more addresses, which will go."""
    router = APIRouter(tags=["health"])
    common = {"dependencies": [open_to_all("a test asks"), MARK]}

    @router.get("/api/v1/old/model", **common)
    def get_old_model() -> dict[str, str]:
        """Old."""
        return {"status": "ok"}

    @router.get("/api/v1/old/file", response_class=PlainTextResponse, **common)
    def get_old_file() -> PlainTextResponse:
        """Old, and a response of its own."""
        return PlainTextResponse("ok")

    @router.get("/api/v1/old/{number}", **common)
    def get_old_number(number: int) -> dict[str, str]:
        """Old, and a problem."""
        raise ProblemError(ProblemKind.NOT_FOUND, f"no {number}")

    app = whole.create_app(ApiSettings(dsn="postgresql://"), clock=lambda: NOON)
    app.include_router(router)
    app.openapi_schema = None
    describe(app, prefix=whole.PREFIX)
    return app


@pytest.fixture(scope="module")
def retired_app():
    return api_with_retired_addresses()


@pytest.fixture(scope="module")
def client(retired_app):
    with serving(retired_app) as address, httpx.Client(base_url=address, timeout=60) as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "status"), [("old/model", 200), ("old/file", 200), ("old/7", 404), ("old/seven", 422)]
)
def test_every_answer_of_a_retired_address_says_so(client, path, status):
    answer = client.get(f"/api/v1/{path}")

    assert answer.status_code == status
    # Midnight in the parks' zone, as RFC 9651 writes a date and as HTTP does.
    since = datetime.fromtimestamp(int(answer.headers["deprecation"].removeprefix("@")), UTC)
    assert since == datetime(2027, 12, 31, 16, tzinfo=UTC)
    assert answer.headers["sunset"] == "Sun, 31 Dec 2028 16:00:00 GMT"
    assert parsedate_to_datetime(answer.headers["sunset"]) - since >= LEAST_NOTICE
    assert answer.headers["link"] == '</api/v1/places>; rel="successor-version"'


def test_other_addresses_say_nothing_of_the_kind(client):
    assert {"deprecation", "sunset", "link"} & set(client.get("/healthz").headers) == set()
    assert {"deprecation", "sunset"} & set(client.get("/api/v1/nothing").headers) == set()


def test_the_description_says_what_will_go_and_with_which_headers(retired_app):
    document = retired_app.openapi()
    operation = document["paths"]["/api/v1/old/{number}"]["get"]

    assert operation["deprecated"] is True
    assert "may be gone from 2029-01-01; use `/api/v1/places`" in operation["description"]
    for answer in operation["responses"].values():
        assert {"Deprecation", "Sunset", "Link"} <= set(answer["headers"])
        assert set(answer["headers"]) <= set(document["components"]["headers"])
    assert "deprecated" not in document["paths"]["/api/v1/parks"]["get"]


@pytest.mark.parametrize(
    ("tag", "sunset", "least"), [("parks", "2028-06-01", "2028-12-31"), ("aggregates", "2029-06-01", "2029-12-31")]
)
def test_nothing_goes_without_notice(tag, sunset, least):
    app = FastAPI()
    mark = retires(since=SINCE, sunset=date.fromisoformat(sunset))

    @app.get("/old", tags=[tag], dependencies=[mark])
    def get_old() -> None:
        """Old."""

    with pytest.raises(SmartparkError, match=f"/old: .* answers until {least} at least, not {sunset}"):
        describe(app, prefix="/")
