"""Holds the alerts that the platform has raised against the faults that really befell the park.

A fault counts as expected only when a rule that a new park begins with can see it at all: it lasted long enough,
after the moment from which alerts were judged, at a device and a value the rule watches. All others are counted as
passing: that nobody is woken by them is right. An alert that no fault explains is false; one that was withdrawn since
is none.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from smartpark.alerts.detectors import Stale, Stuck
from smartpark.alerts.rules import Rule, builtin_rules
from smartpark.catalogue import Catalogue
from smartpark.clock import MICROSECONDS, parse_instant, to_us

from smartpark_simulators.faults import FaultKind

JUDGED_US: Final = 3 * 86_400 * MICROSECONDS
"""So much of the history that was there before the platform is judged: enough for faults, and soon done."""
_LOGGER_US: Final = 900 * MICROSECONDS
"""Step of the loggers that keep the history."""
_CAUSES: Final = {
    FaultKind.DROPOUT: "no_data",
    FaultKind.STUCK: "meter_fault",
    FaultKind.SENSOR_FAILURE: "no_data",
    FaultKind.RESET: "meter_fault",
}
"""What an alert about a fault says; of the other kinds nobody is to hear."""
_REGISTER_US: Final = 4 * _LOGGER_US
"""So long does it take until a fall of a register is sure not to be taken back, and one step."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What befell a device; a moment has start = end [µs]."""

    kind: FaultKind
    device: str
    start: int
    end: int

    def explains(self, alert: Mapping[str, Any], park: str) -> bool:
        """Whether an alert may come of it."""
        if alert["device"] != f"{park}/{self.device}" or alert["cause"] != _CAUSES.get(self.kind):
            return False
        since = to_us(parse_instant(alert["since"]))
        # A silence begins with the last word before it, or when the rule calls it one.
        return self.start - 2 * _LOGGER_US <= since <= self.end + 2 * _LOGGER_US


def judged_since(ledger: Path) -> int:
    """From when on the history is to be judged: a few days before the park's first start [µs]."""
    with closing(sqlite3.connect(ledger)) as database:
        facts = dict(database.execute("SELECT key, value FROM meta"))
    return max(int(facts["origin"]), int(facts["started_at"]) - JUDGED_US)


def compare(ledger: Path, catalogue: Catalogue, alerts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Expected faults by kind, and what was found of them."""
    with closing(sqlite3.connect(ledger)) as database:
        faults = list(_faults(database))
        until = int(dict(database.execute("SELECT key, value FROM meta"))["logged_until"])
        sight = _Sight(database, catalogue, builtin_rules(), judged_since(ledger), until)
        seen = [fault for fault in faults if sight.sees(fault)]
    return matched(faults, seen, alerts, catalogue.park.code)


def matched(
    faults: Sequence[Fault], seen: Sequence[Fault], alerts: Sequence[Mapping[str, Any]], park: str
) -> dict[str, Any]:
    """What the report says of faults, those of them that rules can see, and alerts."""
    raised = [alert for alert in alerts if alert["fired_at"] and alert["ended_by"] not in ("correction", "rule")]
    hits = [fault for fault in seen if any(fault.explains(alert, park) for alert in raised)]
    missed = [fault for fault in seen if fault not in hits]
    false = [alert for alert in raised if not any(fault.explains(alert, park) for fault in faults)]
    return {
        "expected": _by_kind(seen),
        "hits": len(hits),
        "missed": [f"{fault.kind} {fault.device}" for fault in missed],
        "false": [f"{alert['rule']} {alert['object']}" for alert in false],
        "raised": len(raised),
        "passing_faults": _by_kind(fault for fault in faults if fault not in seen),
    }


def _by_kind(faults: Iterable[Fault]) -> dict[str, int]:
    return dict(sorted(Counter(str(fault.kind) for fault in faults).items()))


def _faults(database: sqlite3.Connection) -> Iterator[Fault]:
    for kind, device, start, end in database.execute("SELECT kind, device, start, stop FROM fault ORDER BY start"):
        yield Fault(FaultKind(kind), device, start, end)
    facts = dict(database.execute("SELECT key, value FROM meta"))
    for kind in (FaultKind.ROLLOVER, FaultKind.RESET):
        for device, moment in json.loads(facts[kind.value]).items():
            yield Fault(kind, device, moment, moment)


class _Sight:
    """What the rules of a new park can see of a fault."""

    def __init__(
        self, database: sqlite3.Connection, catalogue: Catalogue, rules: Iterable[Rule], since: int, until: int
    ) -> None:
        by_code = {rule.code: rule for rule in rules}
        self._database, self._park, self._since, self._until = database, catalogue.park.code, since, until
        self._kinds = {device.code: device.kind for device in catalogue.device}
        self._silence, self._still = by_code["no-data"], by_code["gauge-stuck"]
        watched = self._still.scope.measurands
        self._gauges = {point.key for point in catalogue.points() if point.measurand in watched}

    def sees(self, fault: Fault) -> bool:
        """Whether there is a rule that must have told of it by the end."""
        if fault.start - _LOGGER_US < self._since:
            return False
        lasted = min(fault.end, self._until) - fault.start
        silence, still = self._silence.detector, self._still.detector
        if fault.kind is FaultKind.DROPOUT and isinstance(silence, Stale):
            enough = max(silence.after_s * MICROSECONDS, (silence.after_steps or 0.0) * _LOGGER_US)
            return lasted > enough and self._kinds[fault.device] in self._silence.scope.device_kinds
        if fault.kind is FaultKind.SENSOR_FAILURE and isinstance(silence, Stale):
            return lasted > silence.after_s * MICROSECONDS
        if fault.kind is FaultKind.STUCK and isinstance(still, Stuck):
            return lasted > (still.after_s or 0.0) * MICROSECONDS + _LOGGER_US and self._is_running(fault)
        return fault.kind is FaultKind.RESET and self._until - fault.start > _REGISTER_US

    def _is_running(self, fault: Fault) -> bool:
        """Whether one of its gauges stands at something: at zero a gauge may stand."""
        rows = self._database.execute(
            "SELECT point, value FROM reading WHERE point LIKE ? AND time BETWEEN ? AND ?",
            (f"{self._park}/{fault.device}/%", fault.start, fault.end),
        )
        return any(point in self._gauges and value is not None and float(value) for point, value in rows)
