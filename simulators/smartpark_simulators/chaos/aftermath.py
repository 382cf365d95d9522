"""What derive must have published when everything has come to rest, however often its workers were killed.

Two questions. Is what is published what the stored readings say? The whole span is computed anew from them: not one
quarter-hour and not one indicator may come out otherwise. And is it what really flowed? That the truth ledger knows,
as far as counters, which count in steps, can tell.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from smartpark.clock import utc_now

from smartpark_simulators.demo.processes import ask, parse_object
from smartpark_simulators.demo.report import TOLERANCE

_CATCH_UP_S = 300.0
_ANEW_S = 600.0


async def catch_up(environment: Mapping[str, str]) -> str | None:
    """Derive what is still stale; a complaint when that does not end."""
    done = await asyncio.to_thread(ask, ("derive", "run", "--once"), environment, timeout_s=_CATCH_UP_S)
    return None if done.returncode == 0 else f"derive did not catch up: {done.stderr.strip()[-500:]}"


async def compute_anew(park: str, days: float, environment: Mapping[str, str]) -> dict[str, int]:
    """Compute everything since so many days anew; how much of what was published came out otherwise."""
    since = (utc_now() - timedelta(days=days + 1)).date().isoformat()
    command = ("derive", "--park", park, "--from", since, "--json")
    done = await asyncio.to_thread(ask, command, environment, timeout_s=_ANEW_S)
    found = parse_object(done.stdout, of=f"smartpark derive {done.stderr.strip()[-500:]}")
    return {
        "readings_computed_anew": int(found["readings"]),
        "intervals_differing": int(found["intervals_changed"]),
        "indicators_differing": int(found["indicators_published"]),
    }


def compare_sums(found: Mapping[str, Any]) -> dict[str, Any]:
    """Energy and carbon of a `smartpark verify` report, for ours."""
    names = ("intervals_compared", "hours_compared")
    return {name: found[name] for name in names} | {
        "energy_off": off(found["energy_kwh_true"], found["energy_kwh_computed"]),
        "co2_off": off(found["co2_t_true"], found["co2_t_computed"]),
    }


def off(true: float, computed: float) -> float | None:
    """Share by which a sum differs from the truth; None of nothing.

    Examples
    --------
    >>> off(1000.0, 1001.0), off(0.0, 0.0)
    (0.001, None)
    """
    return round(abs(computed - true) / abs(true), 6) if true else None


def complaints_about_derived(report: Mapping[str, Any]) -> list[str]:
    """What is wrong with what was derived; empty when all is well.

    Examples
    --------
    >>> good = {"intervals_differing": 0, "indicators_differing": 0, "energy_off": 0.0, "co2_off": 0.0}
    >>> complaints_about_derived(good)
    []
    >>> complaints_about_derived({**good, "indicators_differing": 3, "energy_off": None})
    ['indicators_differing is 3, should be 0', 'energy_off is None, should be at most 0.001']
    """
    complaints = [
        f"{name} is {report[name]}, should be 0"
        for name in ("intervals_differing", "indicators_differing")
        if report[name]
    ]
    return complaints + [
        f"{name} is {report[name]}, should be at most {TOLERANCE:g}"
        for name in ("energy_off", "co2_off")
        if report[name] is None or report[name] > TOLERANCE
    ]
