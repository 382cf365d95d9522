"""Whether the Grafana that this installation names can be reached; asked now and then, never while a page waits long.

It is asked for its health only, without any account.
"""

import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from smartpark.errors import SmartparkError

VARIABLE: Final = "SMARTPARK_GRAFANA_URL"
_ADDRESS: Final = re.compile(r"https?://[^\s@]+")
_KEPT_S: Final = 30.0
_WAIT_S: Final = 1.0
_MOST_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class GrafanaState:
    """What is known of it."""

    address: str | None
    """Where people open it; none: not named."""
    version: str | None = None
    """None: it did not answer."""


def grafana_from_environment(environment: Mapping[str, str] = os.environ) -> str | None:
    """Address in ``SMARTPARK_GRAFANA_URL``, without a stroke at its end; none: not named."""
    given = environment.get(VARIABLE, "").rstrip("/")
    if given and not _ADDRESS.fullmatch(given):
        raise SmartparkError(f"{VARIABLE}: an address like http://127.0.0.1:3000, without any account in it")
    return given or None


class GrafanaWatch:
    """Asks, and remembers the answer for a while."""

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._kept = GrafanaState(address)
        self._asked_at = -_KEPT_S

    def state(self) -> GrafanaState:
        """Newest answer; whoever finds it too old asks again, the others take what there is."""
        if self._address is None or not self._lock.acquire(blocking=False):
            return self._kept
        try:
            if time.monotonic() - self._asked_at >= _KEPT_S:
                self._kept = GrafanaState(self._address, _version(self._address))
                self._asked_at = time.monotonic()
        finally:
            self._lock.release()
        return self._kept


def _version(address: str) -> str | None:
    """Version it tells; none: away, or something else answers there."""
    try:
        # The address is http or https, as the settings check.
        with urllib.request.urlopen(f"{address}/api/health", timeout=_WAIT_S) as answer:  # noqa: S310
            told = json.loads(answer.read(_MOST_BYTES))
    except (OSError, ValueError, urllib.error.URLError):
        return None
    version = told.get("version") if isinstance(told, dict) else None
    return version if isinstance(version, str) else "?"
