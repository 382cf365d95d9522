"""What a run comes to: its report, and what is wrong with it. It asks nobody and starts nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from smartpark_simulators.chaos.aftermath import complaints_about_derived
from smartpark_simulators.chaos.losses import NamedLoss, explained_letters, in_short
from smartpark_simulators.chaos.plan import Strike
from smartpark_simulators.chaos.sentinel import Sentinel
from smartpark_simulators.chaos.settlement import Settled


def of_readings(
    found: Mapping[str, Any], settled: Settled, named: Sequence[NamedLoss], accounted: Sequence[int]
) -> dict[str, Any]:
    """What became of readings and of messages that could not be read."""
    return {
        "readings_sent": found["readings_sent"],
        "lost": found["readings_lost"] - sum(accounted),
        "duplicated": found["readings_duplicated"],
        "altered": found["readings_altered"],
        "unexpected": found["readings_unexpected"],
        "lost_and_named": sum(accounted),
        "named": in_short(named, accounted),
        "dead_letters": found["dead_letters"],
        "dead_letters_least": settled.letters_least - explained_letters(settled.expected, named),
        "dead_letters_most": settled.letters_most,
    }


def of_faults(plan: Sequence[Strike], recoveries: Sequence[tuple[float, Strike]]) -> dict[str, Any]:
    """What was done, and how long it took to get over it."""
    seconds = [one for one, _ in recoveries]
    return {
        "faults": dict(sorted(Counter(strike.kind.value for strike in plan).items())),
        "recovery_p50_s": quantile(seconds, 0.50),
        "recovery_p99_s": quantile(seconds, 0.99),
        "slowest": [
            f"{seconds:.1f} s after {strike.kind} of {strike.target} at {strike.at_s:g} s"
            for seconds, strike in sorted(recoveries, key=lambda one: one[0])[-3:]
        ],
    }


def of_services(sentinel: Sentinel) -> dict[str, Any]:
    """What the services said about themselves."""
    return {
        "health_asked": sentinel.asked,
        "health_unready": sentinel.unready,
        "health_untrue": len(sentinel.lies),
    }


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share does not exceed; None of nothing.

    Examples
    --------
    >>> quantile([3.0, 1.0, 2.0], 0.99), quantile([], 0.5)
    (3.0, None)
    """
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 2)


def complaints_about(report: Mapping[str, Any]) -> list[str]:
    """What is wrong with a report; empty when all is well."""
    zeros = ("lost", "duplicated", "altered", "unexpected")
    complaints = [f"{name} is {report[name]}, should be 0" for name in zeros if report[name]]
    if not report["readings_sent"]:
        complaints.append("nothing was sent")
    letters, least, most = (report[f"dead_letters{end}"] for end in ("", "_least", "_most"))
    if not least <= letters <= most:
        complaints.append(f"{letters} dead letters, should be {least} to {most}")
    return complaints + complaints_about_derived(report)
