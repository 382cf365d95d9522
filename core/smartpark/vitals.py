"""The port on which a service says how it fares: `/metrics`, `/healthz`, `/readyz`. It says nothing unless asked to.

- `/healthz`: the process lives and its loops turn. A failure means: restart it.
- `/readyz`: it is connected to what it needs and nothing is stuck; otherwise JSON with the reasons. A failure means:
  look at what it names, a restart will not help.
- `/metrics`: what it counts, for Prometheus.

Off unless a port is given, and on this machine's own address unless another is asked for: there is no log-in here,
and there is nothing here that one could change. One thread per question, a few at a time; a question that fails is
answered with 500 and does not touch the service.
"""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Protocol, Self

from smartpark.exposition import CONTENT_TYPE, Family, render
from smartpark.metrics_options import MetricsPortError

_log = logging.getLogger(__name__)

_JSON: Final = "application/json"
_PATIENCE_S: Final = 10.0
_AT_ONCE: Final = 8


class Vitals(Protocol):
    """What a service tells about itself. Called from other threads, at any time."""

    def families(self) -> Iterable[Family]:
        """What it counts."""
        ...

    def ailments(self) -> list[str]:
        """Why it should be restarted; nothing: its loops turn."""
        ...

    def obstacles(self) -> list[str]:
        """Why it cannot do its work just now; nothing: it can."""
        ...


class Pulse:
    """Whether a loop turns: it beats in each round, and is taken for stuck when it has not for too long."""

    def __init__(self, what: str, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._limit_s = limit_s
        self._clock = clock
        self._last_s = clock()

    def beat(self) -> None:
        """One more round."""
        self._last_s = self._clock()

    @property
    def age_s(self) -> float:
        """Time since the last beat, in seconds."""
        return self._clock() - self._last_s

    def ailments(self) -> list[str]:
        """One sentence when the loop stands still."""
        age_s = self.age_s
        return [f"{self._what} has not turned for {age_s:.0f} s"] if age_s > self._limit_s else []


class VitalsPort:
    """Listens until closed."""

    def __init__(self, vitals: Vitals, *, host: str, port: int) -> None:
        try:
            self._server = _Server((host, port), vitals)
        except OSError as error:
            raise MetricsPortError(
                f"cannot listen for metrics on {host} port {port}: {error.strerror or error}; "
                "choose another with --metrics-port"
            ) from error
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="vitals", daemon=True)
        self._thread.start()
        _log.info("metrics, healthz and readyz at http://%s:%d/", host, self.port)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], vitals: Vitals) -> None:
        self.vitals = vitals
        self.turns = threading.BoundedSemaphore(_AT_ONCE)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Somebody hung up: not worth a traceback."""
        _log.debug("metrics: %s went away from %s", client_address, request, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  always ours
    timeout = _PATIENCE_S
    server_version = "smartpark"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer one question."""
        if not self.server.turns.acquire(timeout=_PATIENCE_S):
            self._answer(503, _JSON, '{"detail": "too many questions at once"}\n')
            return
        try:
            status, media_type, text = answer(self.server.vitals, self.path)
        except Exception as error:  # noqa: BLE001  a question's edge: the service goes on
            _log.error("%s cannot be answered", self.path, exc_info=error)
            status, media_type, text = 500, _JSON, json.dumps({"detail": repr(error)}) + "\n"
        finally:
            self.server.turns.release()
        self._answer(status, media_type, text)

    def _answer(self, status: int, media_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name that the base class gave it
        """Each scrape is a line nobody reads."""
        _log.debug("metrics: " + format, *args)


def answer(vitals: Vitals, path: str) -> tuple[int, str, str]:
    """Status, media type and text for a path."""
    match path.partition("?")[0]:
        case "/metrics":
            return 200, CONTENT_TYPE, render(vitals.families())
        case "/healthz":
            return _finding("healthy", vitals.ailments())
        case "/readyz":
            return _finding("ready", vitals.obstacles())
        case _:
            return 404, _JSON, '{"detail": "there are /metrics, /healthz and /readyz"}\n'


def _finding(word: str, reasons: list[str]) -> tuple[int, str, str]:
    text = json.dumps({word: not reasons, "reasons": reasons}, ensure_ascii=False)
    return 503 if reasons else 200, _JSON, text + "\n"


@contextmanager
def vitals_port(vitals: Vitals, address: tuple[str, int] | None) -> Generator[VitalsPort | None]:
    """Listen at an address while the service works; not at all where no address is given."""
    if address is None:
        yield None
        return
    with VitalsPort(vitals, host=address[0], port=address[1]) as port:
        yield port
