"""Rules in the database by the hand of somebody at the machine, each change with its line in the audit log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from smartpark.access import LOCAL
from smartpark.alerts.rules import Rule
from smartpark.errors import SmartparkError
from smartpark_storage import Connection, transaction
from smartpark_storage.access import AuditEntry, add_audit
from smartpark_storage.alerts import (
    RuleVersion,
    is_alerting,
    put_rules,
    read_backlog,
    read_open,
    read_rules,
    read_watchers,
    retire_rule,
    rule_history,
)
from smartpark_storage.alerts.progress import read_checkpoint

from smartpark_ingest.alerting.rules_in_force import enter_builtin_rules
from smartpark_ingest.alerting.watching import WATCHER


def load_into(
    connection: Connection, rules: Sequence[Rule], *, park: str | None, only: bool, at: datetime, source: str
) -> list[tuple[str, str]]:
    """Let rules count from now on; what became of each.

    Parameters
    ----------
    connection : Connection
    rules : sequence of Rule
    park : str or None
        The only park they shall watch; None: as they say.
    only : bool
        Whether all others are retired.
    at : datetime
    source : str
        Where they come from, for the audit log.
    """
    given = [rule if park is None else _narrowed(rule, park) for rule in rules]
    with transaction(connection):
        # So that those that a new park begins with are there to be retired.
        enter_builtin_rules(connection, at)
        known = {one.rule.code for one in read_rules(connection)}
        done: list[tuple[str, str]] = []
        for put in put_rules(connection, given, by=LOCAL.name, at=at):
            became = f"version {put.version}" if put.code in known else "new"
            done.append((put.code, became if put.is_new else "as it was"))
        if only:
            named = {rule.code for rule in given}
            others = [one.rule.code for one in read_rules(connection, active_only=True) if one.rule.code not in named]
            done += [(code, "retired") for code in others if retire_rule(connection, code, by=LOCAL.name, at=at)]
        changed = [f"{code} ({became})" for code, became in done if became != "as it was"]
        if changed:
            _write_down(connection, at, "cli:alerts rules load", source, park, rows=len(changed))
    return done


def require_rule(connection: Connection, code: str) -> list[RuleVersion]:
    """Versions of a rule, the newest first; `SmartparkError` when there is none of that code."""
    found = rule_history(connection, code)
    if not found:
        codes = ", ".join(one.rule.code for one in read_rules(connection)) or "none yet"
        raise SmartparkError(f"there is no rule {code}; there are: {codes}")
    return found


def switch(connection: Connection, code: str, *, is_active: bool, at: datetime) -> str:
    """Let a rule count or not; what there is to say of it."""
    with transaction(connection):
        newest = require_rule(connection, code)[0].rule
        if newest.is_active is is_active:
            return f"{code}: {'counts' if is_active else 'is retired'} already"
        changed = newest.model_copy(update={"is_active": is_active})
        (put,) = put_rules(connection, [changed], by=LOCAL.name, at=at)
        verb = "enable" if is_active else "disable"
        _write_down(connection, at, f"cli:alerts rules {verb}", code, None, rows=1)
    return f"{code}: version {put.version}, {'counts from now on' if is_active else 'retired'}"


def status(connection: Connection, now: datetime) -> dict[str, Any]:
    """How far evaluation is, and how many alerts are open."""
    backlog, checkpoint = read_backlog(connection), read_checkpoint(connection, WATCHER)
    watchers = [one for one in read_watchers(connection) if one.watcher == WATCHER]
    open_ = [one.alert for one in read_open(connection)]
    return {
        "is_evaluating": is_alerting(connection),
        "watched_since": watchers[0].registered_at.isoformat() if watchers else None,
        "changes_waiting": backlog.count,
        "oldest_waits_s": None if backlog.oldest is None else round((now - backlog.oldest).total_seconds(), 1),
        "checkpoint_at": None if checkpoint is None else checkpoint.at.isoformat(),
        "rules": len(read_rules(connection, active_only=True)),
        **{
            f"{state}_{severity}": sum((one.state, one.severity) == (state, severity) for one in open_)
            for state in ("firing", "pending")
            for severity in ("critical", "warning", "info")
        },
        "hidden": sum(one.hidden is not None for one in open_),
        "acknowledged": sum(one.acknowledged_by is not None for one in open_),
    }


def _narrowed(rule: Rule, park: str) -> Rule:
    return rule.model_copy(update={"scope": rule.scope.model_copy(update={"parks": (park,)})})


def _write_down(
    connection: Connection, at: datetime, action: str, subject: str, park: str | None, *, rows: int
) -> None:
    add_audit(connection, AuditEntry(at, LOCAL.name, LOCAL.proof, action, subject, park=park, rows=rows))
