"""Loopback ports for servers that must keep theirs when they are stopped and started again.

A port that the system gives for the asking is one that it gives to the next outgoing connection too, as soon as
nobody listens there: a server that is killed and comes back then finds its place taken. So these lie below what the
system gives away by itself, and each process goes through them from a place of its own, so that two who ask at one
time are not told the same. Nothing is reserved: who wants to be sure lets its server take port 0.
"""

import random
import socket
import threading
from pathlib import Path
from typing import Final

_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST: Final = 10_000
"""Below it live services that people know by number."""
_USUAL_EPHEMERAL: Final = 32_768

_lock = threading.Lock()
_place: list[int] = []
"""Where this process goes on looking; empty before its first question."""


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different loopback ports that nobody listens on now.

    Raises
    ------
    OSError
        There are not as many.
    """
    with _lock:
        found: list[int] = []
        span = _first_given_away() - _LOWEST
        if not _place:
            # Where a fork or a seeded test would begin at one place with others, the system's own chance does not.
            _place.append(random.SystemRandom().randrange(span))
        for _ in range(span):
            _place[0] = (_place[0] + 1) % span
            if is_free(port := _LOWEST + _place[0]):
                found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"there are no {count} free ports between {_LOWEST} and {_LOWEST + span}")


def is_free(port: int) -> bool:
    """Whether one can listen there."""
    with socket.socket() as probe:
        # As servers do: a port on which a connection has just ended is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _first_given_away() -> int:
    """First port that the system gives to outgoing connections; the usual one where it does not say."""
    try:
        low = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_EPHEMERAL
    return low if low >= 2 * _LOWEST else _USUAL_EPHEMERAL
