"""How often somebody may ask: each principal, each address that shows what does not hold. Counted in this process.

Several servers beside each other count each for itself. An address that failed too often is not listened to for a
while, but for what has proved right before: behind one address there may be many, and one of them must not shut out
the others.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from threading import Lock
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from smartpark.access import LOCAL, NOBODY, Principal

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How much is left."""

    name: str
    quota: int
    left: int
    resets_in_s: int
    is_over: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 writes it, and Retry-After when nothing is left."""
        told = {
            "RateLimit-Policy": f'"{self.name}";q={self.quota};w=60',
            "RateLimit": f'"{self.name}";r={self.left};t={self.resets_in_s}',
        }
        return told | ({"Retry-After": str(max(1, self.resets_in_s))} if self.is_over else {})


class RateLimits:
    """Counters of one server."""

    def __init__(self, *, requests_per_minute: int, failures_per_minute: int) -> None:
        self._strategy = MovingWindowRateLimiter(MemoryStorage())
        self._requests = RateLimitItemPerMinute(requests_per_minute)
        self._failures = RateLimitItemPerMinute(failures_per_minute)
        self._lock = Lock()
        self._proved: OrderedDict[bytes, None] = OrderedDict()

    def asked(self, principal: Principal, remote: str) -> Standing | None:
        """Count a request; the machine itself is not counted."""
        if principal.name == LOCAL.name:
            return None
        whose = f"address {remote}" if principal.name == NOBODY.name else principal.name
        is_within = self._strategy.hit(self._requests, whose)
        return self._standing("requests", self._requests, whose, is_over=not is_within)

    def failed(self, remote: str) -> Standing:
        """Count a failure of an address."""
        is_within = self._strategy.hit(self._failures, f"failures {remote}")
        return self._standing("failures", self._failures, f"failures {remote}", is_over=not is_within)

    def shut_out(self, remote: str, digest: bytes) -> Standing | None:
        """Whether an address has failed too often to show something that has not proved right before."""
        whose = f"failures {remote}"
        if self._strategy.test(self._failures, whose):
            return None
        with self._lock:
            if digest in self._proved:
                return None
        return self._standing("failures", self._failures, whose, is_over=True)

    def proved(self, digest: bytes) -> None:
        """Remember that this was right."""
        with self._lock:
            self._proved[digest] = None
            self._proved.move_to_end(digest)
            while len(self._proved) > _REMEMBERED:
                self._proved.popitem(last=False)

    def _standing(self, name: str, item: RateLimitItemPerMinute, whose: str, *, is_over: bool) -> Standing:
        stats = self._strategy.get_window_stats(item, whose)
        seconds = max(0, ceil(stats.reset_time - time.time()))
        return Standing(name, item.amount, 0 if is_over else int(stats.remaining), seconds, is_over)
