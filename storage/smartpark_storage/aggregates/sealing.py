"""Sealing a period: what holds of it, held still while its manifest is signed.

Nobody here holds a key: whoever seals brings a function that signs. What was sealed is never changed; a correction is
a further revision of a number, and the period may be sealed again under the next sequence number.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from smartpark.aggregates import Manifest, digest_of, name_of_period
from smartpark.periods import Period

from smartpark_storage.aggregates.errors import (
    AlreadySealedError,
    NothingToSealError,
    PeriodNotOverError,
    SealedElsewhereError,
)
from smartpark_storage.aggregates.events import columns_of, fetch_picked
from smartpark_storage.aggregates.feed import number_publications
from smartpark_storage.aggregates.filters import DEFAULT_BOUNDARIES
from smartpark_storage.aggregates.keys import refuse_key
from smartpark_storage.aggregates.submissions import SealedRows, Submission, insert_submission, read_submission
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.deriving import lock_parks
from smartpark_storage.queries import query


def seal(
    connection: Connection,
    *,
    park: str,
    period: Period,
    sealed_by: str,
    sealed_at: datetime,
    note: str,
    key_id: str,
    sign: Callable[[bytes], bytes],
) -> Submission:
    """Seal what holds of a day, month or year of a park, its sub-parks and its enterprises, and number it.

    `sign` gets the manifest's text as UTF-8 and returns its Ed25519 signature. The key's public half is known
    (`put_seal_key`) and the key in use.
    """
    period_name = name_of_period(period)
    if sealed_at < period.end:
        raise PeriodNotOverError(
            f"{period_name} ends at {period.end.isoformat()}; a period is submitted once it is over"
        )
    with transaction(connection):
        lock_parks(connection, [park])
        instance, region = _own_park(connection, park)
        refuse_key(connection, key_id, source=None)
        given = {"park": park, "grain": period.grain.value, "start": period.start}
        rows = _hold_rows(connection, given)
        digest, sequence = digest_of(rows.columns.lines()), 1
        last = connection.execute(query("last_submission"), given).fetchone()
        if last is not None:
            sequence = last[0] + 1
            if last[1] == digest:
                raise AlreadySealedError(last[2])
        manifest = Manifest(
            instance=instance,
            park=park,
            region=region,
            period=period_name,
            sequence=sequence,
            rows=len(rows.columns),
            digest=digest,
            sealed_by=sealed_by,
            sealed_at=sealed_at,
            note=note,
            key_id=key_id,
        )
        insert_submission(connection, manifest, sign(manifest.text.encode()), rows)
        number_publications(connection, wait=True)
        return read_submission(connection, manifest.code)


def _hold_rows(connection: Connection, given: dict[str, Any]) -> SealedRows:
    """What holds of a period, held so that nobody supersedes it until the caller's transaction ends."""
    parameters = {**given, "boundaries": sorted(DEFAULT_BOUNDARIES)}
    while True:
        held = set(connection.execute(query("hold_rows_to_seal"), parameters).fetchall())
        # Where we had to wait, a row may have been superseded meanwhile, and its successor is not held.
        events = fetch_picked(connection, query("rows_to_seal"), parameters)
        if held == set(zip(events["series_id"].tolist(), events["revision"].tolist(), strict=True)):
            break
    if not held:
        raise NothingToSealError(f"nothing of {given['park']} has been published for this {given['grain']}")
    columns = columns_of(connection, events)
    series = events["series_id"][columns.order_of_keys()].tolist()
    return SealedRows(columns.in_order_of_keys(), series)


def _own_park(connection: Connection, park: str) -> tuple[UUID, str]:
    """Number of this instance, and the region of its park."""
    row = connection.execute(query("park_to_seal"), {"park": park}).fetchone()
    if row is None:
        raise NothingToSealError(f"there is no park {park}")
    region, source, instance = row
    if source is not None:
        raise SealedElsewhereError(f"{park} is pulled from {source}; what it submits is sealed there")
    return instance, region
