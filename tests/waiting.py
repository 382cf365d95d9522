"""Waiting for a condition to hold, never for a time to pass.

Patience is generous, for it costs only a test that fails: on a machine with other work to do, a process may take
half a minute to begin.
"""

import time
from collections.abc import Callable

import pytest

_LONGEST_PAUSE_S = 1.0


def wait_until(condition: Callable[[], object], *, what: str, timeout_s: float = 90.0, every_s: float = 0.02) -> None:
    """Wait for a condition to hold; the failure says what did not happen.

    Asking takes at most a fifth of the time, so that whoever waits leaves the machine to those who are waited for.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        asked = time.monotonic()
        if condition():
            return
        told = time.monotonic()
        if told > deadline:
            pytest.fail(f"did not happen within {timeout_s:g} s: {what}")
        time.sleep(max(every_s, min(4 * (told - asked), _LONGEST_PAUSE_S)))
