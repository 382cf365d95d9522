"""Loading a park catalogue: what the file says becomes what the database says, and the way there is kept.

A load compares entity by entity and writes only differences, so loading a file twice changes nothing. What a file
no longer mentions is retired, never deleted: its readings stay and stay readable. The meaning of stored readings
is protected: a point that has readings keeps its measurand and exponent; where those change, it is another point
and needs another code.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from psycopg.types.json import Jsonb
from smartpark.catalogue import Catalogue, MeterChange

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.emission_limits import keep_emission_limits
from smartpark_storage.errors import CatalogueConflictError
from smartpark_storage.queries import query
from smartpark_storage.versions import update_point_versions

Entity = dict[str, Any]

_ENTITIES: Final = (
    "park",
    "sub_park",
    "enterprise",
    "feeder",
    "transformer",
    "contract",
    "device",
    "point",
    "virtual_meter",
    "meter_change",
)
"""In the order of their references."""
_MEANING: Final = ("measurand", "exponent")


@dataclass(frozen=True, slots=True)
class EntityChange:
    """One difference between the file and the database."""

    entity: str
    key: str
    change: str
    """``add``, ``change``, ``retire`` or ``revive``."""
    before: Entity | None
    after: Entity | None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did."""

    park: str
    version_id: int | None
    """None: nothing was different."""
    registry_version: int
    points: int
    changes: list[EntityChange] = field(default_factory=list)

    def count(self, change: str) -> int:
        """Entities with this kind of change."""
        return sum(1 for c in self.changes if c.change == change)


def load_catalogue(
    connection: Connection, catalogue: Catalogue, *, source: str, loaded_by: str, at: datetime
) -> LoadReport:
    """Make the database say what the catalogue says, in one transaction.

    Parameters
    ----------
    connection : Connection
    catalogue : Catalogue
        A checked catalogue.
    source : str
        Where it came from, e.g. the file's name; kept with the version.
    loaded_by : str
        Who loads it; kept with the version.
    at : datetime
        From when on changed multipliers and register sizes hold.

    Raises
    ------
    CatalogueConflictError
        When points with readings would change their measurand or exponent; the message names them all. And when
        the park is pulled from another instance, whose catalogue it has.
    """
    at = at.astimezone(UTC)
    park = catalogue.park.code
    wanted = _entities(catalogue)
    with transaction(connection):
        connection.execute(query("lock_catalogue"))
        _refuse_pulled_park(connection, park)
        stored = {entity: _stored(connection, entity, park) for entity in _ENTITIES}
        changes = [c for entity in _ENTITIES for c in compare(entity, stored[entity], wanted[entity])]
        digest = _digest(catalogue)
        if not changes and _latest_digest(connection, park) == digest:
            return LoadReport(park, None, _registry_version(connection), len(wanted["point"]))
        _refuse_new_meaning(connection, changes)
        version_id = _add_version(connection, catalogue, digest, source=source, loaded_by=loaded_by, at=at)
        for entity in _ENTITIES:
            _write(connection, entity, park, [c for c in changes if c.entity == entity], at)
        update_point_versions(connection, park, at)
        _mark_meter_changes(connection, park, changes)
        _record(connection, park, version_id, changes)
        keep_emission_limits(connection, at=at, park=park)
        registry = _bump_registry(connection) if changes else _registry_version(connection)
    return LoadReport(park, version_id, registry, len(wanted["point"]), changes)


def _refuse_pulled_park(connection: Connection, park: str) -> None:
    """Two who publish numbers of one park would contradict each other."""
    row = connection.execute(query("sources_of_parks"), {"parks": [park]}).fetchone()
    if row is not None and row[1] is not None:
        raise CatalogueConflictError(f"park {park} is pulled from {row[1]}; its catalogue is loaded there")


def compare(entity: str, stored: Mapping[str, Entity], wanted: Mapping[str, Entity]) -> list[EntityChange]:
    """Differences, in the order of the wanted entities, retirements last.

    A stored entity has the key ``retired`` beside its columns; a wanted one has not.
    """
    changes: list[EntityChange] = []
    for key, after in wanted.items():
        if key not in stored:
            changes.append(EntityChange(entity, key, "add", None, after))
            continue
        before = {name: value for name, value in stored[key].items() if name != "retired"}
        if stored[key]["retired"]:
            changes.append(EntityChange(entity, key, "revive", before, after))
        elif before != after:
            changes.append(EntityChange(entity, key, "change", before, after))
    gone = (key for key in stored if key not in wanted and not stored[key]["retired"])
    changes += [EntityChange(entity, key, "retire", stored[key], None) for key in gone]
    return changes


def _entities(catalogue: Catalogue) -> dict[str, dict[str, Entity]]:
    park = catalogue.park.code
    tables: dict[str, Iterable[Entity]] = {
        "park": [catalogue.park.model_dump(mode="json")],
        "sub_park": (e.model_dump(mode="json") for e in catalogue.sub_park),
        "enterprise": (e.model_dump(mode="json") for e in catalogue.enterprise),
        "feeder": (e.model_dump(mode="json") for e in catalogue.feeder),
        "transformer": (e.model_dump(mode="json") for e in catalogue.transformer),
        "contract": (e.model_dump(mode="json") for e in catalogue.contract),
        "device": (e.model_dump(mode="json", exclude={"profile", "point"}) for e in catalogue.device),
        "virtual_meter": (e.model_dump(mode="json") for e in catalogue.virtual_meter),
    }
    entities = {
        name: {e["code"]: e if name == "park" else {"park": park, **e} for e in t} for name, t in tables.items()
    }
    entities["point"] = {p.key: p.model_dump(mode="json") for p in catalogue.points()}
    entities["meter_change"] = {c.key: _change(park, c) for c in catalogue.meter_change}
    return entities


def _change(park: str, change: MeterChange) -> Entity:
    # The instant as PostgreSQL's own JSON writes it, so that a file loaded twice changes nothing.
    at = change.at.astimezone(UTC)
    text = at.isoformat(timespec="microseconds" if at.microsecond else "seconds")
    return {"park": park, "key": change.key, **change.model_dump(mode="json"), "at": text}


def _stored(connection: Connection, entity: str, park: str) -> dict[str, Entity]:
    return dict(connection.execute(query(f"stored_{entity}"), {"park": park}).fetchall())


def _digest(catalogue: Catalogue) -> str:
    canonical = json.dumps(catalogue.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _latest_digest(connection: Connection, park: str) -> str | None:
    row = connection.execute(query("latest_catalogue_digest"), {"park": park}).fetchone()
    return None if row is None else str(row[0])


def _refuse_new_meaning(connection: Connection, changes: Iterable[EntityChange]) -> None:
    suspects = {
        c.key: c
        for c in changes
        if c.entity == "point" and c.before and c.after and any(c.before[m] != c.after[m] for m in _MEANING)
    }
    if not suspects:
        return
    rows = connection.execute(query("points_with_readings"), {"keys": list(suspects)}).fetchall()
    refused = [_describe_meaning(suspects[key]) for (key,) in rows]
    if refused:
        raise CatalogueConflictError(
            "readings are stored under these points, so their measurand and resolution cannot change; "
            "give the new measurement another code:\n" + "\n".join(refused)
        )


def _describe_meaning(change: EntityChange) -> str:
    before, after = change.before or {}, change.after or {}
    parts = (f"{m} {before[m]} → {after[m]}" for m in _MEANING if before[m] != after[m])
    return f"  {change.key}: {', '.join(parts)}"


def _add_version(
    connection: Connection, catalogue: Catalogue, digest: str, *, source: str, loaded_by: str, at: datetime
) -> int:
    row = connection.execute(
        query("add_catalogue_version"),
        {
            "park": catalogue.park.code,
            "digest": digest,
            "source": source,
            "loaded_by": loaded_by,
            "loaded_at": at,
            "document": Jsonb(catalogue.model_dump(mode="json")),
        },
    ).fetchone()
    if row is None:
        raise LookupError("the catalogue version was added and is not there")
    return int(row[0])


def _write(connection: Connection, entity: str, park: str, changes: list[EntityChange], at: datetime) -> None:
    rows = [c.after for c in changes if c.after is not None]
    if rows:
        connection.execute(query(f"upsert_{entity}"), {"rows": Jsonb(rows)})
    retired = [c.key for c in changes if c.change == "retire"]
    if retired:
        connection.execute(query(f"retire_{entity}"), {"park": park, "keys": retired, "at": at})


def _mark_meter_changes(connection: Connection, park: str, changes: Iterable[EntityChange]) -> None:
    """What was derived around a replaced register must be derived again, wherever the file says otherwise now."""
    told = [e for c in changes if c.entity == "meter_change" for e in (c.before, c.after) if e is not None]
    if told:
        connection.execute(query("mark_meter_changes_stale"), {"park": park, "rows": Jsonb(told)})


def _record(connection: Connection, park: str, version_id: int, changes: list[EntityChange]) -> None:
    rows = [
        {"entity": c.entity, "key": _full_key(park, c), "change": c.change, "before": c.before, "after": c.after}
        for c in changes
    ]
    connection.execute(query("record_changes"), {"version": version_id, "rows": Jsonb(rows)})


def _full_key(park: str, change: EntityChange) -> str:
    """Key by which people ask for the history: that of a park and of a point is full already."""
    return change.key if change.entity in {"park", "point"} else f"{park}/{change.key}"


def _bump_registry(connection: Connection) -> int:
    row = connection.execute(query("bump_registry")).fetchone()
    if row is None:
        raise LookupError("the registry has no version")
    connection.execute(query("notify_registry"), {"version": str(row[0])})
    return int(row[0])


def _registry_version(connection: Connection) -> int:
    row = connection.execute(query("registry_version")).fetchone()
    return 0 if row is None else int(row[0])
