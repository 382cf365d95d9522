"""Rules of alerts, with every version there was: an alert names the one that it comes from.

Who wrote a version stands beside it; a line in the audit log is written by whoever the change came through, in the
same transaction.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb
from smartpark.alerts.rules import Rule

from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.queries import query

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A rule as it was written once."""

    version: int
    rule: Rule
    """Retired when it is not active."""
    written_by: str
    written_at: datetime


class PutRule(NamedTuple):
    """What became of a rule."""

    code: str
    version: int
    is_new: bool
    """False: it says what it said before, and no version was added."""


def put_rules(connection: Connection, rules: Iterable[Rule], *, by: str, at: datetime) -> list[PutRule]:
    """Make the database say these rules, each as a new version only when it differs; rules not given stay.

    A rule whose scope names one park and nothing else by pattern is that park's; who may write rules of that park
    only cannot make one of another's.
    """
    with transaction(connection):
        rows = connection.execute(query("newest_alert_rules")).fetchall()
        known = {found.rule.code: found for found in _readable(rows)}
        newest = {row[0]: row[1] for row in rows}
        return [_put(connection, rule, known.get(rule.code), (newest.get(rule.code, 0), by, at)) for rule in rules]


def retire_rule(connection: Connection, code: str, *, by: str, at: datetime) -> bool:
    """Retire a rule; False: there is none that is active. Its versions stay."""
    with transaction(connection):
        known = {found.rule.code: found for found in read_rules(connection)}.get(code)
        if known is None or not known.rule.is_active:
            return False
        retired = known.rule.model_copy(update={"is_active": False})
        return _put(connection, retired, known, (known.version, by, at)).is_new


def read_rules(connection: Connection, *, active_only: bool = False) -> list[RuleVersion]:
    """Newest version of each rule, by code; one that cannot be read is told in the log, and stops no other."""
    with read_transaction(connection):
        found = list(_readable(connection.execute(query("newest_alert_rules"))))
    return [one for one in found if one.rule.is_active or not active_only]


def rule_history(connection: Connection, code: str) -> list[RuleVersion]:
    """Versions of a rule, the newest first."""
    with read_transaction(connection):
        return [_version(row) for row in connection.execute(query("alert_rule_versions"), {"code": code})]


def _readable(rows: Iterable[tuple[Any, ...]]) -> Iterator[RuleVersion]:
    """Rules of the newest versions; a program of another age may have written what this one does not know."""
    for row in rows:
        try:
            yield _version(row)
        except ValueError as error:
            _log.error("rule %s, version %d, cannot be read and does not count: %s", row[0], row[1], error)


def _put(connection: Connection, rule: Rule, known: RuleVersion | None, given: tuple[int, str, datetime]) -> PutRule:
    newest, by, at = given
    if known is not None and known.rule == rule:
        return PutRule(rule.code, known.version, is_new=False)
    version = newest + 1
    parameters = {
        "code": rule.code,
        "version": version,
        "park": _park(rule),
        "document": Jsonb(rule.model_dump(mode="json")),
        "is_active": rule.is_active,
        "by": by,
        "at": at,
    }
    connection.execute(query("add_alert_rule"), parameters)
    return PutRule(rule.code, version, is_new=True)


def _park(rule: Rule) -> str | None:
    parks = rule.scope.parks
    return parks[0] if len(parks) == 1 and not set("*?[") & set(parks[0]) else None


def _version(row: tuple[Any, ...]) -> RuleVersion:
    _, version, document, _, written_by, written_at = row
    return RuleVersion(version, Rule.model_validate(document), written_by, written_at)
