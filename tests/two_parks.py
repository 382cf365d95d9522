"""Two parks with a row in every table that a park has rows in; each row tells by its texts whose it is.

The rows make no sense to a park, only to who may see them: they are written as the owner of the database.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import md5, sha256
from itertools import chain
from pathlib import Path
from typing import Any, Final, LiteralString, cast

import psycopg
from psycopg.types.json import Jsonb
from smartpark_storage import Connection, transaction
from smartpark_storage.queries import all_queries, query

NEAR, FAR = "near", "far"
"""Codes of the parks; they occur in every text of their rows."""

_ROWS: Final = Path(__file__).parent / "data" / "two_parks.sql"


def parameters_of(park: str) -> dict[str, Any]:
    """Park and code of its load request."""
    return {"p": park, "code": f"LR-2026-{sum(park.encode()):06d}"}


def person_of(park: str) -> str:
    """Principal who is an administrator of this park and nothing else."""
    return f"person:{park}er"


def seed(connection: Connection, *parks: str) -> None:
    """Write a row into every table for each of these parks."""
    rows = cast("LiteralString", _ROWS.read_text(encoding="utf-8"))
    with transaction(connection):
        for park in parks:
            # Many statements with parameters: only the client itself puts them in.
            psycopg.ClientCursor(connection).execute(rows, parameters_of(park))
        connection.execute("SELECT smartpark.number_publications(true)")


_WHOLE: Final = (
    ("load_request_rows", "load_request_fits", "load_requests_by_code"),
    ("load_request_totals", "load_request_fits", "load_requests_by_stage"),
    ("load_request_board", "load_request_fits", "load_request_board_end"),
    ("load_request_flows", "load_request_fits", "load_request_flows_end"),
    ("load_request_leads", "load_request_fits", "load_request_leads_end"),
    ("load_request_finished", "load_request_fits", "load_request_finished_end"),
    ("load_request_answered", "load_request_fits", "load_request_answered_end"),
    ("load_request_stages_left", "load_request_fits", "load_request_stages_left_end"),
    ("aggregate_state", "aggregate_packed"),
    ("rows_to_seal", "aggregate_packed"),
    ("submission_rows", "aggregate_packed"),
    ("submissions", "submission_of_code"),
    ("submissions", "submissions_after"),
    ("alert_columns", "alerts_by_id"),
    ("alert_columns", "alerts_by_id_locked"),
    ("alert_columns", "alerts_that_count"),
    ("alert_columns", "alerts_fit", "alerts_newest_first"),
    ("alert_columns", "alerts_between"),
    ("alert_columns", "alerts_similar"),
    ("alert_columns", "alerts_changed"),
    ("alert_groups", "alerts_fit", "alert_groups_end"),
    ("alerts_of_groups", "alert_columns", "alerts_fit", "alerts_of_groups_end"),
    ("alert_tabs", "alerts_fit", "alert_tabs_end"),
)
"""Statements that are put together from pieces."""
_PIECES: Final = {*chain.from_iterable(_WHOLE)}
_OTHERS: Final = {
    # Of ingest and of commands, upon temporary tables or with pieces of their own.
    "compare_readings", "list_differences", "given_pulled", "pulled_conflict", "timescale_is_loadable",
    "end_other_sessions",
}  # fmt: skip


def statements() -> dict[str, LiteralString]:
    """All statements of the catalogue that only read, each whole."""
    return dict(sorted(_reading()))


def _reading() -> Iterator[tuple[str, LiteralString]]:
    changes = re.compile(r"\b(INSERT INTO|UPDATE smartpark|DELETE FROM|set_config|number_publications\(|pg_\w*lock)")
    for name, text in all_queries().items():
        if (
            text.startswith(("SELECT", "WITH"))
            and not changes.search(text)
            and name not in _PIECES | _OTHERS
            and "uplink" not in name
        ):
            yield name, text
    for pieces in _WHOLE:
        # Of several that begin alike, each is told by its end.
        is_alike = sum(one[0] == pieces[0] for one in _WHOLE) > 1 and pieces[0] == "alert_columns"
        yield pieces[-1] if is_alike else pieces[0], "\n".join(query(piece) for piece in pieces)


def parameters_asking_for(connection: Connection, park: str, statement: str) -> dict[str, Any]:
    """What a statement is given to make it tell of a park; a filter that is not named here lets all through."""
    given = _parameters(connection, park)
    if statement.startswith("load_request"):
        return given | {"stages": ["survey"], "source": None, "person": None, "grains": None}
    if statement == "aggregate_corrected_beyond":
        return given | {"upper": 0}
    if statement.startswith("access_"):
        row = connection.execute("SELECT statement_timestamp()").fetchone()
        client = {} if "session" in statement else {"person": None}
        now = {} if row is None else {"at": row[0], "since": row[0], "until": row[0]}
        return given | client | now | {"role": "province", "idle_since": given["since"]}
    if statement.startswith("alert"):
        return given | _of_alerts(connection, park)
    return given


def _of_alerts(connection: Connection, park: str) -> dict[str, Any]:
    with transaction(connection):
        ids = [n for (n,) in connection.execute("SELECT alert_id FROM smartpark.alert WHERE park = %s", [park])]
    objects = [f"point:{park}/M0/{name}" for name in ("active_power", "active_energy_import")]
    group, began = f"demand@device:{park}/M0", datetime(2026, 10, 10, tzinfo=UTC)
    return {
        "ids": ids, "alert_id": ids[0], "rule": park, "object": None, "objects": objects, "group_key": group,
        "groups": [group], "per_group": 10, "device": None, "after": 0, "ended_after": began, "skip": 0,
        "alerts": ids, "code": park, "contact": park, "contacts": [park], "is_waiting": False, "worst_first": True,
        "planned_from": datetime(2026, 1, 1, tzinfo=UTC), "except_kinds": [],
        "rows": Jsonb([{"rule": park, "object": one, "since": began.isoformat()} for one in objects]),
    }  # fmt: skip


def _parameters(connection: Connection, park: str) -> dict[str, Any]:
    with transaction(connection):
        points = [n for (n,) in connection.execute("SELECT point_id FROM smartpark.point WHERE park = %s", [park])]
        series = [
            n
            for (n,) in connection.execute(
                "SELECT series_id FROM smartpark.indicator_series WHERE park = %s ORDER BY 1", [park]
            )
        ]
        origins = [n for (n,) in connection.execute("SELECT origin_id FROM smartpark.indicator_origin")]
    first, last, now = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 12, 11))
    code, month = parameters_of(park)["code"], datetime(2026, 9, 30, 16, tzinfo=UTC)
    return {
        "park": park, "parks": [park], "source": park, "device": "M0", "key": f"{park}/M0/active_power",
        "code": code, "codes": [code, f"{park}/2026-10/1"], "person": f"{park}er", "client": f"{park}-program",
        "issuer": park, "subject": park,
        "secret_id": md5(park.encode(), usedforsecurity=False).hexdigest()[:12],
        "digest": sha256(park.encode()).digest(), "principal": park,
        "points": points, "point_id": points[0], "series": series, "ids": [*series, *origins], "series_id": 0,
        "since": first, "until": last, "end": last, "at": now, "now": now, "recent_from": first,
        "closed": now, "day": date(2026, 11, 1), "today": date(2026, 11, 1), "limit": 1000, "examine": 1000,
        "start": first, "starts": [month], "boundary": "park", "boundaries": ["park", "enterprise"],
        "indicator": "energy", "indicators": ["energy"], "grain": "month", "grains": ["hour", "month", "year"],
        "history": True, "with_tokens": True, "refused_only": False, "all_revisions": True,
        "position": 1, "positions": [1, 2, 3], "upper": 1000, "revision": 1, "revisions": [0],
        "first": first, "last": last, "zone": "Asia/Shanghai",
    }  # fmt: skip
