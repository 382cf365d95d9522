"""What the environment says of access: whether it is enforced, and how often somebody may ask."""

import os
from collections.abc import Mapping
from typing import Any, Final

from smartpark.errors import SmartparkError

from smartpark_api.settings import AccessMode

ACCESS: Final = "SMARTPARK_ACCESS"
_NUMBERS: Final = {
    "SMARTPARK_RATE_LIMIT": "requests_per_minute",
    "SMARTPARK_FAILURE_LIMIT": "failures_per_minute",
    "SMARTPARK_SESSION_IDLE": "session_idle_minutes",
    "SMARTPARK_SESSION_LONGEST": "session_longest_hours",
    "SMARTPARK_TOKEN_MINUTES": "token_minutes",
}


def access_from_environment(*, is_reachable: bool, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Settings that have to do with access; of a server that other machines reach it is always enforced.

    Raises
    ------
    SmartparkError
        When a value cannot be meant, above all "local" where other machines reach the server.
    """
    given = environment.get(ACCESS, "").strip()
    if given not in ("", *AccessMode):
        raise SmartparkError(f"{ACCESS} is {given!r}; it is one of {', '.join(AccessMode)}")
    if is_reachable and given == AccessMode.LOCAL:
        raise SmartparkError(
            f"{ACCESS} is local, and --allow-network lets other machines in, who would all be believed; leave out one"
        )
    mode = AccessMode.ENFORCED if is_reachable or given == AccessMode.ENFORCED else AccessMode.LOCAL
    numbers = {
        name: _number(environment, variable) for variable, name in _NUMBERS.items() if environment.get(variable)
    }
    return {"access": mode, **numbers}


def _number(environment: Mapping[str, str], variable: str) -> int:
    text = environment[variable].strip()
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 40_000):
        raise SmartparkError(f"{variable} is {text!r}; it is a whole number from 1 to 40000")
    return int(text)
