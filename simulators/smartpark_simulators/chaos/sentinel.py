"""Asks the services about themselves, all the while: `/healthz`, `/readyz`, and whether the answers are true.

A service that says it is ready serves; one whose database has been killed does not say so; one that lives is healthy
whatever happens around it. Who does not answer at all may be dead or cut off just now: that is no lie.
"""

import asyncio
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field

_EVERY_S = 0.5
_PATIENCE_S = 10.0
_GRACE_S = 0.5
"""A killed server's own children serve their sessions for a moment longer. [s]"""
_READY, _UNREADY = 200, 503


@dataclass(frozen=True, slots=True)
class Answer:
    """What one service answered to one question; times of the monotonic clock."""

    asked_s: float
    answered_s: float
    code: int | None
    """None: nobody answered."""
    said: str = ""
    """The whole answer."""


@dataclass(slots=True)
class Sentinel:
    """Watches services at their addresses, by name; `served` is what one of them must serve when it is ready."""

    addresses: Mapping[str, str]
    served: Mapping[str, str] = field(default_factory=dict[str, str])
    asked: int = 0
    unready: int = 0
    """Answers that said: not ready."""
    lies: list[str] = field(default_factory=list[str])
    _ready_s: dict[str, float] = field(default_factory=dict[str, float])
    """When the question was asked to which each said last that it was ready."""
    _last: dict[str, str] = field(default_factory=dict[str, str])

    async def watch(self) -> None:
        """Ask until cancelled."""
        await asyncio.gather(*(self._watch(name) for name in self.addresses))

    def has_recovered(self, since_s: float) -> bool:
        """Whether every service has been asked since an instant, was ready, and served."""
        return not self.obstacles(since_s)

    def obstacles(self, since_s: float) -> list[str]:
        """What those services that were not said last."""
        late = [name for name in self.addresses if self._ready_s.get(name, 0.0) < since_s]
        return [f"{name} is not ready: {self._last.get(name) or 'no answer'}" for name in late]

    async def while_database_is_away(self, name: str) -> None:
        """See that a service which needs the database says that it is not ready."""
        asked_s = time.monotonic() + _GRACE_S
        await asyncio.sleep(_GRACE_S)
        answer = await self._ask(name, "/readyz")
        if lie := said_ready_without_database(name, answer, away_since_s=asked_s - _GRACE_S):
            self.lies.append(lie)

    async def _watch(self, name: str) -> None:
        while True:
            ready = await self._ask(name, "/readyz")
            self._last[name] = ready.said
            health = await self._ask(name, "/healthz")
            if health.code not in {None, _READY}:
                self.lies.append(f"{name} answered {health.code} at /healthz: {health.said}")
            if ready.code not in {None, _READY, _UNREADY}:
                self.lies.append(f"{name} answered {ready.code} at /readyz: {ready.said}")
            self.unready += ready.code == _UNREADY
            if ready.code == _READY and await self._serves(name):
                self._ready_s[name] = ready.asked_s
            await asyncio.sleep(_EVERY_S)

    async def _serves(self, name: str) -> bool:
        path = self.served.get(name)
        return path is None or (await self._ask(name, path)).code == _READY

    async def _ask(self, name: str, path: str) -> Answer:
        self.asked += 1
        asked_s = time.monotonic()
        code, said = await asyncio.to_thread(_get, self.addresses[name] + path)
        return Answer(asked_s, time.monotonic(), code, said)


def said_ready_without_database(name: str, answer: Answer, *, away_since_s: float) -> str | None:
    """A complaint about an answer that was asked for and given while the database was away.

    Examples
    --------
    >>> said_ready_without_database("api", Answer(10.5, 10.6, 200), away_since_s=10.0)
    'api said that it was ready 0.6 s after its database had been killed'
    >>> said_ready_without_database("api", Answer(10.5, 10.6, 503), away_since_s=10.0)
    >>> said_ready_without_database("api", Answer(10.5, 10.6, None), away_since_s=10.0)
    """
    if answer.code != _READY:
        return None
    return (
        f"{name} said that it was ready {answer.answered_s - away_since_s:.1f} s after its database had been killed"
    )


def _get(address: str) -> tuple[int | None, str]:
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE_S) as answer:  # noqa: S310  ours
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException):
        return None, ""
