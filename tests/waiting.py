"""Waiting for a condition to hold, never for a time to pass."""

import time
from collections.abc import Callable

import pytest


def wait_until(condition: Callable[[], object], *, what: str, timeout_s: float = 30.0, every_s: float = 0.02) -> None:
    """Wait for a condition to hold; the failure says what did not happen."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"did not happen within {timeout_s:g} s: {what}")
        time.sleep(every_s)
