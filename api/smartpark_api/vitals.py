"""What the API says at its port for metrics: requests by route and answer, how long they took, its pool; is it ready.

Told in docs/metrics.md. The port is one of its own, so that nothing in front of the API has to keep it from visitors.
A route is named as in the API's description (`/api/v1/parks/{code}/now`), never by what was asked for: paths with
codes in them would be a new series for each park, and for each typing error. What is counted here by minutes too, for
the platform's own page, another thread writes down (`traffic`).
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

from fastapi import FastAPI
from smartpark.errors import SmartparkError
from smartpark.exposition import SECONDS, Family, Histogram, Kind, Sample, by_label
from smartpark_storage.connections import Pool
from smartpark_storage.reads import read_only, read_parks
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smartpark_api.alerts.streaming import EVENT_STREAM
from smartpark_api.traffic import TrafficCounts, TrafficWriter

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ANSWER_S: Final = 5.0
"""How long the event loop may need to come round, and the database to answer. [s]"""
_UNROUTED: Final = "(none)"


class Requests:
    """What was asked, and how it was answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, Histogram] = {}
        self.in_flight = 0
        self.traffic = TrafficCounts()

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request is answered."""
        method = method if method in _METHODS else "other"
        self.traffic.note(method, route, status, seconds)
        with self._lock:
            self._answers[method, route, status] += 1
            if route not in self._seconds:
                self._seconds[route] = Histogram(SECONDS)
        self._seconds[route].observe(seconds)

    def families(self) -> Iterator[Family]:
        """As Prometheus gets to see them."""
        with self._lock:
            answers, seconds = dict(self._answers), dict(self._seconds)
        yield Family(
            "smartpark_api_requests_total",
            Kind.COUNTER,
            "Requests answered, by method, route and status.",
            tuple(
                Sample(count, {"method": method, "route": route, "status": str(status)})
                for (method, route, status), count in answers.items()
            ),
        )
        for route, histogram in seconds.items():
            yield histogram.family("smartpark_api_request_seconds", "Time until the whole answer.", {"route": route})
        yield Family(
            "smartpark_api_requests_in_flight",
            Kind.GAUGE,
            "Requests that wait for their answer.",
            (Sample(self.in_flight),),
        )


class CountRequests:
    """ASGI layer that counts; the outermost, so that it sees what every other one answers."""

    def __init__(self, app: ASGIApp, *, requests: Requests, prefix: str) -> None:
        self._app = app
        self._requests = requests
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # What ends without an answer is one of 500 for whoever asked.
        status, is_noted = 500, False
        began_s = time.perf_counter()

        async def send_noted(message: Message) -> None:
            nonlocal status, is_noted
            if message["type"] == "http.response.start":
                status = message["status"]
                # A stream is answered when it begins; how long somebody listens is up to them.
                is_noted = _is_stream(message)
                if is_noted:
                    self._note(scope, status, began_s)
            await send(message)

        self._requests.in_flight += 1
        try:
            await self._app(scope, receive, send_noted)
        finally:
            self._requests.in_flight -= 1
            if not is_noted:
                self._note(scope, status, began_s)

    def _note(self, scope: Scope, status: int, began_s: float) -> None:
        self._requests.note(scope["method"], self._route(scope), status, time.perf_counter() - began_s)

    def _route(self, scope: Scope) -> str:
        """Path of the route as described; newer frameworks leave out what the routers stand below."""
        path: str = getattr(scope.get("route"), "path", _UNROUTED)
        is_below = path != _UNROUTED and scope["path"].startswith(f"{self._prefix}/")
        return self._prefix + path if is_below and not path.startswith(f"{self._prefix}/") else path


def _is_stream(start: Message) -> bool:
    kinds = (value for name, value in start.get("headers", ()) if name.lower() == b"content-type")
    return any(kind.startswith(EVENT_STREAM.encode()) for kind in kinds)


class ApiVitals:
    """Of the whole server."""

    def __init__(self, app: FastAPI, writer: TrafficWriter) -> None:
        self._app, self._writer = app, writer

    def ailments(self) -> list[str]:
        """The event loop has to come round."""
        loop: asyncio.AbstractEventLoop | None = getattr(self._app.state, "loop", None)
        if loop is None:
            return []
        came = threading.Event()
        loop.call_soon_threadsafe(came.set)
        return [] if came.wait(_ANSWER_S) else [f"the event loop has not turned for {_ANSWER_S:g} s"]

    def obstacles(self) -> list[str]:
        """The database answers and has our tables."""
        pool: Pool | None = getattr(self._app.state, "pool", None)
        if pool is None:
            return ["the server is not up yet"]
        try:
            with read_only(pool, principal="system", statement_timeout_s=_ANSWER_S, wait_s=_ANSWER_S) as connection:
                read_parks(connection)
        except SmartparkError as error:
            return [str(error)]
        return []

    def families(self) -> Iterator[Family]:
        """Requests and connections."""
        yield from self._app.state.requests.families()
        yield from self._writer.families()
        pool: Pool | None = getattr(self._app.state, "pool", None)
        if pool is None:
            return
        stats = pool.get_stats()
        size, free = stats.get("pool_size", 0), stats.get("pool_available", 0)
        yield by_label(
            Kind.GAUGE,
            "smartpark_api_pool_connections",
            "Connections to the database.",
            {"free": free, "busy": size - free},
            label="state",
        )
        yield Family(
            "smartpark_api_pool_waiting",
            Kind.GAUGE,
            "Requests that wait for a connection.",
            (Sample(stats.get("requests_waiting", 0)),),
        )
