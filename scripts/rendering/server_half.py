"""Answers what a page asks of Grafana's server about its data source: macros, the query, the frame of the answer.

It stands for the server half of Grafana's PostgreSQL data source: same role, same rights, same shapes. It writes
nothing and asks nothing that the page did not ask.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import psycopg
from smartpark_dashboards.grafana_sql import GrafanaWouldRefuseError, Request, expand

TIMEOUT: Final = "20s"
NUMBERS: Final = {20, 21, 23, 700, 701, 1700}
TIMES: Final = {1082, 1114, 1184}
BOOLEAN: Final = 16
ROW_LIMIT: Final = 1_000_000

Frame = dict[str, Any]


class Source:
    """A database, asked as Grafana's role."""

    def __init__(self, connection: psycopg.Connection, role: str) -> None:
        self.connection = connection
        self.role = role
        found = connection.execute("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
        self.has_timescale = bool(found and found[0])

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What /api/ds/query answers to this body."""
        return {"results": {query["refId"]: self._result(query, body) for query in body["queries"]}}

    def _result(self, query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            sql = statement(query, body, timescale=self.has_timescale)
            columns, rows = self._rows(sql)
        except (psycopg.Error, GrafanaWouldRefuseError) as error:
            return {"error": f"db query error: {error}", "status": 400, "frames": []}
        try:
            return {"status": 200, "frames": [frame_of(columns, rows, query)]}
        except ValueError as error:
            return {"error": str(error), "status": 400, "frames": []}

    def _rows(self, sql: str) -> tuple[list[tuple[str, int]], list[tuple[Any, ...]]]:
        with self.connection.transaction(force_rollback=True):
            self.connection.execute(f"SET LOCAL ROLE {self.role}")
            self.connection.execute(f"SET LOCAL statement_timeout = '{TIMEOUT}'")
            self.connection.execute("SET LOCAL TRANSACTION READ ONLY")
            cursor = psycopg.ClientCursor(self.connection).execute(sql.encode())
            return [(c.name, c.type_code) for c in cursor.description or []], cursor.fetchmany(ROW_LIMIT)


def statement(query: Mapping[str, Any], body: Mapping[str, Any], *, timescale: bool) -> str:
    """The statement that reaches the database; refused where our own rules make another one of the same query."""
    start, end = (datetime.fromtimestamp(int(body[side]) / 1000, UTC) for side in ("from", "to"))
    interval = timedelta(milliseconds=query.get("intervalMs") or 60_000)
    sql = expand(query["rawSql"], Request(start, end, {}, interval=interval, timescale=timescale))
    if "written" in query:
        chosen = query["chosen"]
        several = frozenset(name for name, one in chosen.items() if one["several"])
        values = {name: one["value"] for name, one in chosen.items()}
        ours = expand(query["written"], Request(start, end, values, several, interval, timescale))
        if ours != sql and "$__interval" not in query["written"]:
            raise GrafanaWouldRefuseError(f"Grafana writes its variables as\n{sql}\nand grafana_sql.py as\n{ours}")
    return sql


def frame_of(columns: Sequence[tuple[str, int]], rows: Sequence[tuple[Any, ...]], query: Mapping[str, Any]) -> Frame:
    """A frame as Grafana's server sends it: no fields where there are no rows, wide where series are asked for."""
    if not rows:
        return _frame(query, [])
    fields = [
        {"name": name, "type": _kind(code), "values": [_plain(row[n]) for row in rows]}
        for n, (name, code) in enumerate(columns)
    ]
    return _frame(query, _wide(fields) if query.get("format", "time_series") == "time_series" else fields)


def _frame(query: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]) -> Frame:
    schema = [{key: value for key, value in field.items() if key != "values"} for field in fields]
    return {
        "schema": {"refId": query["refId"], "meta": {}, "fields": schema},
        "data": {"values": [field["values"] for field in fields]},
    }


def _wide(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One column for each series, as rows that carry a text are spread."""
    times = next((field for field in fields if field["name"] == "time"), None)
    if times is None:
        raise ValueError("db has no time column: time column is missing")
    times["name"] = "Time"
    texts = [field for field in fields if field["type"] == "string"]
    if any(moment is None for moment in times["values"]) or times["values"] != sorted(times["values"]):
        raise ValueError("failed to convert long to wide series: not sorted by time, or without a time")
    if not texts:
        return [times, *(field for field in fields if field is not times)]
    values = [field for field in fields if field is not times and field["type"] != "string"]
    moments = list(dict.fromkeys(times["values"]))
    places = {moment: n for n, moment in enumerate(moments)}
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row, moment in enumerate(times["values"]):
        labels = {text["name"]: text["values"][row] or "" for text in texts}
        for field in values:
            key = (*labels.values(), field["name"])
            series = found.setdefault(key, _series(field, labels, len(moments), len(fields)))
            series["values"][places[moment]] = field["values"][row]
    return [{"name": "Time", "type": "time", "values": moments}, *found.values()]


def _series(field: Mapping[str, Any], labels: dict[str, str], length: int, width: int) -> dict[str, Any]:
    """A column of its own. With three columns in all, the one called metric names it."""
    empty: list[Any] = [None] * length
    if width == 3 and list(labels) == ["metric"]:
        return {"name": labels["metric"], "type": field["type"], "values": empty}
    return {"name": field["name"], "type": field["type"], "labels": labels, "values": empty}


def _kind(code: int) -> str:
    if code in NUMBERS:
        return "number"
    if code in TIMES:
        return "time"
    return "boolean" if code == BOOLEAN else "string"


def _plain(value: Any) -> Any:
    """As JSON carries it: moments in milliseconds."""
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000)
    if isinstance(value, date):
        return int(datetime.combine(value, time(), UTC).timestamp() * 1000)
    if value is None or isinstance(value, bool | int | str):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)
