"""The application: routes, error answers, gate, guard and pool put together; it decides nothing itself."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.metadata import version
from typing import Final

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from smartpark.clock import utc_now
from smartpark_analytics.planning.loads import NetworkLoads
from smartpark_storage.connections import open_pool
from starlette.middleware.gzip import GZipMiddleware

from smartpark_api.access.audit import operation_name
from smartpark_api.access.declared import admit, note_open_writes
from smartpark_api.access.gate import Gate
from smartpark_api.access.limits import RateLimits
from smartpark_api.access.login.logins import install_logins
from smartpark_api.addresses import Addresses
from smartpark_api.aggregates.describing import Digests
from smartpark_api.alerts.news import News
from smartpark_api.assets import assets
from smartpark_api.bodies import body_as_described
from smartpark_api.console.grafana import GrafanaWatch
from smartpark_api.console.signing import Signer, key_for_this_run
from smartpark_api.handlers import install_handlers
from smartpark_api.load_requests.asking import KEPT_FOR as NETWORK_KEPT_FOR
from smartpark_api.models.now import ParkNow
from smartpark_api.openapi.answers import DECLARED
from smartpark_api.openapi.document import describe
from smartpark_api.openapi.retirement import TellRetirement
from smartpark_api.overview import Overview
from smartpark_api.routes import (
    access,
    aggregates,
    alert_rules,
    alert_silences,
    alerts,
    audit,
    capacity,
    console,
    electricity,
    figures,
    health,
    indicators,
    load_request_documents,
    load_request_people,
    load_request_sharing,
    load_requests,
    oauth,
    operations,
    pages,
    parks,
    planning,
    platform_alerts,
    points,
    submissions,
)
from smartpark_api.security import Guard
from smartpark_api.settings import ApiSettings
from smartpark_api.snapshot import OVERVIEW_KEPT_FOR, Snapshots
from smartpark_api.vitals import CountRequests, Requests
from smartpark_api.words import Language, words_of

_ALERTS = (alert_silences, alert_rules, alerts)
_DESK = (load_requests, load_request_documents, load_request_sharing, load_request_people)
PREFIX: Final = "/api/v1"

_DESCRIPTION = """\
What people and platforms ask of an industrial park: its points and readings, its power and energy, its indicators
with the method, factors and revision behind each number.

Times are ISO 8601 with an offset, spans are half-open, values are on the primary side. What is not known is null,
with a reason beside it, and never zero. Errors are problem documents (RFC 9457).
"""

_TAGS = [
    {"name": "parks", "description": "Parks, their points and newest readings, the park now."},
    {"name": "points", "description": "Readings of one point over time."},
    {"name": "indicators", "description": "Published numbers, with everything to explain and recompute them."},
    {
        "name": "aggregates",
        "description": "Published numbers of many parks, for those who pull them.",
    },
    {"name": "submissions", "description": "Periods that were handed in, signed; what was corrected since."},
    {"name": "figures", "description": "Business figures: entered, corrected, with their history."},
    {"name": "planning", "description": "Load of the days and the year ahead, and what capacity is free."},
    {"name": "electricity", "description": "What a month's electricity costs, and how long which power is drawn."},
    {"name": "load requests", "description": "What is asked of the utility: stages, limits, clocks, documents."},
    {"name": "people", "description": "Who works at the desk, and for which park."},
    {
        "name": "alerts",
        "description": "What is not as it should be: inbox, evidence, rules, silences, news as they come.",
    },
    {"name": "operations", "description": "Edge agents and dead letters."},
    {"name": "access", "description": "Who has access: programs, keys, grants, sessions."},
    {"name": "audit", "description": "Who pulled aggregates, and who wrote what."},
    {"name": "health", "description": "For whoever starts and watches the process."},
]


def create_app(settings: ApiSettings, *, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """Application over one database; `clock` says what now is."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        # A thread more than connections, so that /healthz answers while all of them are busy.
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.pool_size + 4
        app.state.loop = asyncio.get_running_loop()
        app.state.pool = open_pool(settings.dsn, application="smartpark api", max_size=settings.pool_size)
        try:
            yield
        finally:
            app.state.news.close()
            app.state.pool.close()

    app = FastAPI(
        title="smartpark",
        version=version("smartpark-api"),
        summary="Energy, power demand, carbon and sulfur of industrial parks.",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=f"{PREFIX}/openapi.json",
        openapi_tags=_TAGS,
        # The interactive pages that come with the framework load their scripts from elsewhere.
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        lifespan=lifespan,
        dependencies=[Depends(admit)],
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.grafana = GrafanaWatch(settings.grafana_url)
    app.state.signer = Signer(settings.console_key or key_for_this_run())
    install_logins(app, settings, clock)
    app.state.digests = Digests()
    app.state.news = News(settings.dsn)
    # Whoever runs the server may say that it is about to end; answers that go on end then.
    app.state.is_ending = lambda: False
    app.state.snapshots = Snapshots[ParkNow]()
    app.state.networks = Snapshots[NetworkLoads](kept_for=NETWORK_KEPT_FOR)
    app.state.overviews = Snapshots[Overview](kept_for=OVERVIEW_KEPT_FOR)
    _add_routes(app)
    app.state.addresses = Addresses(app)
    install_handlers(app)
    note_open_writes(app)
    app.state.limits = RateLimits(
        requests_per_minute=settings.requests_per_minute, failures_per_minute=settings.failures_per_minute
    )
    app.add_middleware(TellRetirement)
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(Gate)
    app.add_middleware(Guard, host_names=settings.host_names)
    app.state.requests = Requests()
    app.add_middleware(CountRequests, requests=app.state.requests, prefix=PREFIX)
    _check_package_data()
    return app


def _add_routes(app: FastAPI) -> None:
    api = APIRouter(responses=DECLARED, dependencies=[Depends(body_as_described)])
    seen = (parks, points, indicators, figures, planning, electricity, capacity, operations, platform_alerts)
    for module in (*seen, aggregates, submissions, *_ALERTS, *_DESK, access, audit):
        api.include_router(module.router)
    # Its prefix is told here, for whoever is included without one has all its routes built to see that none is empty.
    app.include_router(api, prefix=PREFIX)
    app.include_router(health.router)
    app.include_router(oauth.router)
    app.include_router(pages.router)
    app.include_router(console.router)
    describe(app, prefix=PREFIX)


def _operation_id(route: APIRoute) -> str:
    """``get_park_now`` → ``getParkNow``."""
    return operation_name(route.name)


def _check_package_data() -> None:
    """Read words and files now: what is missing in a package should stop the start, not a visitor."""
    assets()
    for language in Language:
        words_of(language)
