"""A real HTTP receiver for tests: keeps what it is told, and answers, refuses, resets or dawdles as a test says."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

RESET = "reset"
"""The connection is cut before there is an answer."""
CUT = "cut"
"""It has taken what it was told, and the connection is cut before it says so."""


@dataclass(frozen=True)
class Heard:
    """What the receiver was told."""

    path: str
    headers: Message
    body: bytes
    answer: Any
    """Status, or `RESET`."""

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Receiver:
    """Somebody's server on a port of its own."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[Any] = []
        """What it answers next: a status, `RESET`, or (status, body, headers); then what `usual` says."""
        self.usual: Any = 204
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = outer._keep(self.path, self.headers, body)
                if answer in (RESET, CUT):
                    self._reset()
                    return
                status, text, headers = answer if isinstance(answer, tuple) else (answer, "", {})
                told = text.encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def _reset(self) -> None:
                # Closed without waiting, so that the other side sees a reset.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Whoever was killed in the middle of a message leaves a broken connection, which is no news.
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of this one server
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.port = int(self._server.server_port)
        self.base = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.base}/hook"

    def _keep(self, path: str, headers: Message, body: bytes) -> Any:
        with self._lock:
            answer = self.answers.pop(0) if self.answers else self.usual
            self.heard.append(Heard(path, headers, body, answer))
        return answer

    @property
    def taken(self) -> list[Heard]:
        """What it took."""
        return [one for one in self.heard if _is_taken(one.answer)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _is_taken(answer: Any) -> bool:
    status = answer[0] if isinstance(answer, tuple) else answer
    return status == CUT or (isinstance(status, int) and 200 <= status < 300)


@pytest.fixture
def receiver_of_hooks() -> Iterator[Receiver]:
    """A receiver that runs."""
    one = Receiver()
    yield one
    one.close()
