"""How agents and dead letters are told: who is online, how far behind, what was not understood."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from smartpark.clock import from_us
from smartpark_storage.reads import DeadLetterCountRow, EdgeRow

from smartpark_api.models.operations import (
    AgentOut,
    AgentState,
    DeadLetterCount,
    DeadLetterSummary,
    SourceOut,
)

SILENT_AFTER: Final = timedelta(seconds=60)
"""An agent speaks every few seconds; one that has not for so long is offline, whatever the broker believes."""
RECENT: Final = timedelta(hours=24)


def agents_now(rows: Sequence[EdgeRow], *, now: datetime) -> list[AgentOut]:
    """Agents with their state and lag."""
    return [_agent(row, now=now) for row in rows]


def _agent(row: EdgeRow, *, now: datetime) -> AgentOut:
    heard = max((at for at in (row.status_at, row.born_at) if at is not None), default=None)
    return AgentOut(
        code=row.code,
        state=_state(row, heard, now=now),
        last_heard=heard,
        lag_s=_lag(row, is_heard=heard is not None and now - heard <= SILENT_AFTER, now=now),
        backlog_readings=row.spool_readings,
        spool_bytes=row.spool_bytes,
        spool_limit_bytes=row.spool_limit_bytes,
        hours_left=row.hours_left,
        dropped_readings=row.dropped,
        alarms=row.alarms or [],
        sources=[_source(source) for source in row.sources or []],
    )


def _state(row: EdgeRow, heard: datetime | None, *, now: datetime) -> AgentState:
    if heard is None:
        return AgentState.NEVER_HEARD
    return AgentState.ONLINE if row.online and now - heard <= SILENT_AFTER else AgentState.OFFLINE


def _lag(row: EdgeRow, *, is_heard: bool, now: datetime) -> float | None:
    """Age of the oldest reading that waits; nothing waiting is no lag, as long as the agent still says so."""
    if row.oldest_pending is not None:
        return round(max((now - row.oldest_pending).total_seconds(), 0.0), 3)
    return 0.0 if is_heard and row.spool_readings == 0 else None


def _source(source: dict[str, Any]) -> SourceOut:
    return SourceOut(
        name=source["name"],
        connected=source["connected"],
        last_reading=None if source.get("last_reading") is None else from_us(source["last_reading"]),
        readings=source.get("readings", 0),
        problems=source.get("problems", 0),
        detail=source.get("detail", ""),
    )


def dead_letter_summary(rows: Sequence[DeadLetterCountRow], *, now: datetime) -> DeadLetterSummary:
    """Open dead letters, most frequent reason first."""
    return DeadLetterSummary(
        as_of=now,
        total=sum(row.total for row in rows),
        last_24_h=sum(row.recent for row in rows),
        reasons=[
            DeadLetterCount(reason=row.reason, total=row.total, last_24_h=row.recent, newest=row.newest)
            for row in rows
        ],
    )
