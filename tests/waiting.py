"""Waiting for a condition to hold, never for a time to pass.

Patience is generous, for it costs only a test that fails: on a machine with other work to do, a process may take
half a minute to begin.
"""

import time
from collections.abc import Callable

import pytest


def wait_until(condition: Callable[[], object], *, what: str, timeout_s: float = 90.0, every_s: float = 0.02) -> None:
    """Wait for a condition to hold; the failure says what did not happen."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"did not happen within {timeout_s:g} s: {what}")
        time.sleep(every_s)
