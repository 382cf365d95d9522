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
_BETWEEN_STRIKES: Final = 20_000
"""Bytes of answers between two moments at which something may happen, at most."""
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
    """How often a fault happens where one may, and how long a stall lasts."""

    share: float = 0.3
    stall_s: float = 0.2
    seed: int = 1


class BadLink:
    """Relays connections from a port of its own on this machine to one address, badly."""

    def __init__(self, url: str, plan: LinkPlan) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._plan = plan
        self._random = random.Random(plan.seed)  # noqa: S311  a plan that can be repeated, not a secret
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open = set[socket.socket]()
        self.is_bad = True
        """Whether faults happen; a run ends with a good link."""
        self.met = Counter[str]()
        """How often which fault happened."""
        self.visitors = 0
        """Connections there have been."""

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
                self.visitors += 1
                threading.Thread(target=self._serve, args=(visitor,), daemon=True).start()

    def _meets(self, *faults: LinkFault) -> LinkFault | None:
        """Which of these faults happens now, if any; noted."""
        if not self.is_bad or self._random.random() >= self._plan.share:
            return None
        fault = self._random.choice(faults)
        self.met[fault.value] += 1
        return fault

    def _serve(self, visitor: socket.socket) -> None:
        # A relay whose ends go away has nobody to tell.
        with contextlib.suppress(OSError), visitor:
            visitor.settimeout(_SILENCE_S)
            fault = self._meets(LinkFault.REFUSE, LinkFault.GATEWAY)
            if fault is LinkFault.GATEWAY:
                visitor.recv(_PIECE)
                visitor.sendall(_GATEWAY)
            if fault is None:
                with socket.create_connection(self._target, timeout=_SILENCE_S) as server:
                    self._relay(visitor, server)

    def _relay(self, visitor: socket.socket, server: socket.socket) -> None:
        with self._lock:
            self._open |= {visitor, server}
        try:
            threading.Thread(target=_pass_on, args=(visitor, server), daemon=True).start()
            self._answer(visitor, server)
        finally:
            with self._lock:
                self._open -= {visitor, server}
            for end in (visitor, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _answer(self, visitor: socket.socket, server: socket.socket) -> None:
        """Pass the answers on; every so many bytes something may happen to one of them."""
        strike_at, passed = self._random.randrange(_BETWEEN_STRIKES), 0
        while piece := server.recv(_PIECE):
            place = strike_at - passed
            if place < len(piece):
                strike_at += self._random.randrange(_BETWEEN_STRIKES) + 1
                fault = self._meets(LinkFault.CUT, LinkFault.GARBLE, LinkFault.STALL)
                place = max(place, 0)
                if fault is LinkFault.CUT:
                    visitor.sendall(piece[:place])
                    return
                if fault is LinkFault.GARBLE:
                    piece = piece[:place] + bytes([piece[place] ^ 0x20]) + piece[place + 1 :]
                if fault is LinkFault.STALL:
                    threading.Event().wait(self._plan.stall_s)
            visitor.sendall(piece)
            passed += len(piece)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Whatever one end says goes to the other, until it says no more."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
