"""Uplinks: which published numbers a platform elsewhere is still to be told, and what it has acknowledged.

Nothing is copied into the queue: it names series, start and revision, and what is told is read from the published
row itself. A number that was corrected is due again under the same item and start. Nothing here sends anything, and
no secret is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query


class UplinkKindError(SmartparkError):
    """An uplink of this name is of another kind."""


@dataclass(frozen=True, slots=True)
class WantedSeries:
    """A published series that an uplink tells under a name of the platform's."""

    item: str
    """Unique within the uplink."""
    packet: str
    """Items of one packet and start travel together; empty: each for itself."""
    form: str
    """Changes when settings say to tell it otherwise, so that it is told again."""
    park: str
    boundary: str
    indicator: str
    grain: str
    before: datetime
    """Periods that start earlier have ended."""


@dataclass(frozen=True, slots=True)
class DueNumber:
    """A current number that the queue does not know in this revision and form."""

    item: str
    packet: str
    form: str
    series_id: int
    park: str
    boundary: str
    indicator: str
    grain: str
    start: datetime
    revision: int
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str
    completeness: float
    estimated_share: float
    reason: str
    computed_at: datetime
    known_digest: str | None
    """Of what the platform took last; empty: it was told, and did not answer."""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """What is to become of a due number."""

    due: DueNumber
    digest: str
    """Of what is to be told; empty where it is withheld."""
    withheld: str = ""
    """Why it is not told."""


@dataclass(frozen=True, slots=True)
class QueuedNumber:
    """A number that is to be told, with its value in the queued revision."""

    item: str
    start: datetime
    grain: str
    packet: str
    revision: int
    form: str
    digest: str
    attempts: int
    refusals: int
    is_correction: bool
    """The platform was told of this period before."""
    park: str
    boundary: str
    indicator: str
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str
    completeness: float
    estimated_share: float


@dataclass(frozen=True, slots=True)
class PutOff:
    """A number that the platform did not take."""

    number: QueuedNumber
    next_at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class UplinkOverview:
    """How far an uplink has come."""

    name: str
    kind: str
    state: dict[str, Any]
    trouble: str
    trouble_since: datetime | None
    holder: str | None
    held_until: datetime | None
    acknowledged: int
    waiting: int
    refused: int
    """Of those that wait: the platform answered, and did not take them."""
    withheld: int
    oldest_waiting: datetime | None
    newest_acknowledged: datetime | None
    newest_error: str


@dataclass(frozen=True, slots=True)
class WithheldPeriods:
    """Periods of an item that are not told, and why."""

    item: str
    withheld: str
    periods: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class Coverage:
    """Periods of a grain in a span."""

    grain: str
    items: int
    oldest: datetime
    """Start of the oldest of them."""
    queued: int
    acknowledged: int
    withheld: int


def open_uplink(connection: Connection, name: str, kind: str) -> dict[str, Any]:
    """State of an uplink; one that is not there is made, with an empty one."""
    with transaction(connection):
        row = connection.execute(query("put_uplink"), {"name": name, "kind": kind}).fetchone()
    if row is None or row[0] != kind:
        raise UplinkKindError(f"uplink {name} is of kind {row and row[0]}, not {kind}; give the new one another name")
    return dict(row[1])


def keep_uplink_state(connection: Connection, name: str, state: Mapping[str, Any]) -> None:
    """Keep what the platform said of itself; never a secret."""
    with transaction(connection):
        connection.execute(query("keep_uplink_state"), {"name": name, "state": Jsonb(dict(state))})


def note_uplink_trouble(connection: Connection, name: str, trouble: str, now: datetime) -> None:
    """Keep why nothing can be told just now; empty: all goes well."""
    with transaction(connection):
        given = {"name": name, "trouble": _words(trouble), "now": now}
        connection.execute(query("note_uplink_trouble"), given)


def hold_uplink(connection: Connection, name: str, holder: str, now: datetime, lease: timedelta) -> bool:
    """Take or keep the turn of this worker; False: another one has it."""
    with transaction(connection):
        given = {"name": name, "holder": holder, "now": now, "until": now + lease}
        return connection.execute(query("hold_uplink"), given).rowcount == 1


def release_uplink(connection: Connection, name: str, holder: str) -> None:
    """Give the turn back."""
    with transaction(connection):
        connection.execute(query("release_uplink"), {"name": name, "holder": holder})


def uplink_due(
    connection: Connection,
    uplink: str,
    wanted: Sequence[WantedSeries],
    *,
    since: datetime,
    settled: datetime,
    limit: int = 5_000,
) -> list[DueNumber]:
    """Current numbers from `since` on that the queue does not know, oldest first; computed until `settled`."""
    columns = _columns(wanted, ("item", "packet", "form", "park", "boundary", "indicator", "grain", "before"))
    given = columns | {"uplink": uplink, "since": since, "settled": settled, "limit": limit}
    with transaction(connection), connection.cursor(row_factory=class_row(DueNumber)) as cursor:
        return cursor.execute(query("uplink_due"), given).fetchall()


def queue_uplink_items(connection: Connection, uplink: str, entries: Sequence[QueueEntry], now: datetime) -> int:
    """Queue due numbers, or note that they are withheld; how many rows changed."""
    if not entries:
        return 0
    names = ("item", "start", "grain", "packet", "series_id", "revision", "form")
    given = _columns([entry.due for entry in entries], names) | _columns(entries, ("digest", "withheld"))
    with transaction(connection):
        return connection.execute(query("queue_uplink_items"), given | {"uplink": uplink, "now": now}).rowcount


def sendable_uplink_items(
    connection: Connection,
    uplink: str,
    forms: Mapping[str, str],
    ready: Mapping[str, datetime],
    now: datetime,
    *,
    start_from: datetime,
    start_before: datetime,
    limit: int,
) -> list[QueuedNumber]:
    """Numbers of items in these forms to be told now, oldest first, of periods from [start_from, start_before).

    `ready` says for each grain before which start a period may be told by now; a grain that is not there may not.
    """
    given: dict[str, Any] = {
        "uplink": uplink,
        "item": list(forms),
        "form": list(forms.values()),
        "grain": list(ready),
        "before": list(ready.values()),
        "now": now,
        "start_from": start_from,
        "start_before": start_before,
        "limit": limit,
    }
    with transaction(connection), connection.cursor(row_factory=class_row(QueuedNumber)) as cursor:
        return cursor.execute(query("sendable_uplink_items"), given).fetchall()


def uplink_packet(
    connection: Connection, uplink: str, forms: Mapping[str, str], packet: str, start: datetime
) -> list[QueuedNumber]:
    """All numbers of a packet and start that may be told, those that were acknowledged among them."""
    given: dict[str, Any] = {"uplink": uplink, "item": list(forms), "form": list(forms.values())}
    given |= {"packet": packet, "start": start}
    with transaction(connection), connection.cursor(row_factory=class_row(QueuedNumber)) as cursor:
        return cursor.execute(query("uplink_packet"), given).fetchall()


def mark_uplink_items_sent(
    connection: Connection, uplink: str, numbers: Sequence[QueuedNumber], now: datetime
) -> None:
    """Note before the first byte leaves that these are being told."""
    given = _columns(numbers, ("item", "start", "revision")) | {"uplink": uplink, "now": now}
    with transaction(connection):
        connection.execute(query("mark_uplink_items_sent"), given)


def acknowledge_uplink_items(
    connection: Connection, uplink: str, numbers: Sequence[QueuedNumber], now: datetime
) -> None:
    """The platform has taken these."""
    given = _columns(numbers, ("item", "start", "digest")) | {"uplink": uplink, "now": now}
    with transaction(connection):
        connection.execute(query("acknowledge_uplink_items"), given)


def put_off_uplink_items(connection: Connection, uplink: str, refused: Sequence[PutOff]) -> None:
    """The platform has answered and not taken these: each is told again from a moment on."""
    given = _columns([one.number for one in refused], ("item", "start", "revision"))
    given |= {
        "uplink": uplink,
        "next_at": [one.next_at for one in refused],
        "error": [_words(one.error) for one in refused],
    }
    with transaction(connection):
        connection.execute(query("put_off_uplink_items"), given)


def forget_uplink_items(
    connection: Connection, uplink: str, *, start_before: datetime, settled_before: datetime
) -> int:
    """Remove what was settled long ago, of periods that are not looked at any more; how many rows."""
    given = {"uplink": uplink, "start_before": start_before, "settled_before": settled_before}
    with transaction(connection):
        return connection.execute(query("forget_uplink_items"), given).rowcount


def uplink_overviews(connection: Connection, name: str | None = None) -> list[UplinkOverview]:
    """How far each uplink has come, or one of them."""
    with transaction(connection), connection.cursor(row_factory=class_row(UplinkOverview)) as cursor:
        return cursor.execute(query("uplink_overviews"), {"name": name}).fetchall()


def withheld_periods(connection: Connection, uplink: str, *, limit: int = 100) -> list[WithheldPeriods]:
    """What is not told, by item and reason, the newest first."""
    with transaction(connection), connection.cursor(row_factory=class_row(WithheldPeriods)) as cursor:
        return cursor.execute(query("uplink_withheld"), {"uplink": uplink, "limit": limit}).fetchall()


def uplink_coverage(connection: Connection, uplink: str, start: datetime, end: datetime) -> list[Coverage]:
    """By grain: how many periods of [start, end) the queue knows, and how many the platform took."""
    given = {"uplink": uplink, "start": start, "end": end}
    with transaction(connection), connection.cursor(row_factory=class_row(Coverage)) as cursor:
        return cursor.execute(query("uplink_coverage"), given).fetchall()


def retire_uplink_items(connection: Connection, uplink: str, items: Sequence[str]) -> int:
    """Let go of what waits under items other than these; how many periods."""
    with transaction(connection):
        return connection.execute(query("retire_uplink_items"), {"uplink": uplink, "item": list(items)}).rowcount


def _words(text: str) -> str:
    """Of what a platform said, what the database can keep of it."""
    return text[:500].replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _columns(rows: Sequence[object], names: Sequence[str]) -> dict[str, Any]:
    return {name: [getattr(row, name) for row in rows] for name in names}
