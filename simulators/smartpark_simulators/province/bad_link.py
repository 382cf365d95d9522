"""A link that is as bad as one asks for: a TCP relay that refuses, stalls, cuts and garbles by a seeded plan.

It sits between a puller and an instance and knows nothing of HTTP but the line that a gateway in trouble would
answer with. What it did is counted, so that a run that met no fault is not taken for one that stood them.
"""

import contextlib
import random
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self
from urllib.parse import urlsplit

_PIECE: Final = 16_384
_SILENCE_S: Final = 120.0
_GATEWAY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Type: text/html\r\n"
    b"Content-Length: 32\r\nConnection: close\r\n\r\n<html>bad gateway, try later.</>"
)


class LinkFault(StrEnum):
    """What may befall a connection."""

    REFUSE = "refuse"
    """Closed before a byte came back."""
    GATEWAY = "gateway"
    """Something in between answers that it is in trouble."""
    CUT = "cut"
    """The answer ends in the middle."""
    GARBLE = "garble"
    """A byte of the answer is another one."""
    STALL = "stall"
    """The answer pauses for longer than is comfortable."""


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """How often a connection meets a fault, and how long a stall lasts."""

    share: float = 0.3
    stall_s: float = 0.2
    seed: int = 1


class BadLink:
    """Relays connections from a port of its own on this machine to one address, badly."""

    def __init__(self, url: str, plan: LinkPlan) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._plan = plan
        # Not for secrets: a plan that can be repeated.
        self._random = random.Random(plan.seed)  # noqa: S311
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open = set[socket.socket]()
        self.is_bad = True
        """Whether faults happen; a run ends with a good link."""
        self.met = Counter[str]()
        """Connections by the fault that they met; ``none`` where they met none."""

    @property
    def url(self) -> str:
        """Address that a puller is given in place of the instance's."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="bad-link", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        with self._lock:
            for one in self._open:
                one.close()

    def _accept(self) -> None:
        # Ends when the listener is closed, which is how it is told to.
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._listener.accept()
                fault = self._next_fault()
                self.met[fault.value if fault else "none"] += 1
                threading.Thread(target=self._serve, args=(visitor, fault), daemon=True).start()

    def _next_fault(self) -> LinkFault | None:
        if not self.is_bad or self._random.random() >= self._plan.share:
            return None
        return self._random.choice(list(LinkFault))

    def _serve(self, visitor: socket.socket, fault: LinkFault | None) -> None:
        # A relay whose ends go away has nobody to tell.
        with contextlib.suppress(OSError), visitor:
            visitor.settimeout(_SILENCE_S)
            if fault is LinkFault.REFUSE:
                return
            if fault is LinkFault.GATEWAY:
                visitor.recv(_PIECE)
                visitor.sendall(_GATEWAY)
                return
            with socket.create_connection(self._target, timeout=_SILENCE_S) as server:
                self._relay(visitor, server, fault)

    def _relay(self, visitor: socket.socket, server: socket.socket, fault: LinkFault | None) -> None:
        with self._lock:
            self._open |= {visitor, server}
        try:
            threading.Thread(target=_pass_on, args=(visitor, server), daemon=True).start()
            self._answer(visitor, server, fault)
        finally:
            with self._lock:
                self._open -= {visitor, server}
            for end in (visitor, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _answer(self, visitor: socket.socket, server: socket.socket, fault: LinkFault | None) -> None:
        """Pass the answers on; the fault strikes once, at a byte that the plan chooses."""
        strike_at = self._random.randrange(0, 40_000) if fault else -1
        passed = 0
        while piece := server.recv(_PIECE):
            place = strike_at - passed
            if fault and 0 <= place < len(piece):
                if fault is LinkFault.CUT:
                    visitor.sendall(piece[:place])
                    return
                if fault is LinkFault.GARBLE:
                    piece = piece[:place] + bytes([piece[place] ^ 0x20]) + piece[place + 1 :]
                if fault is LinkFault.STALL:
                    threading.Event().wait(self._plan.stall_s)
                fault = None
            visitor.sendall(piece)
            passed += len(piece)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Whatever one end says goes to the other, until it says no more."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
