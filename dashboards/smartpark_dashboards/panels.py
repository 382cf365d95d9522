"""What a dashboard is made of, in the few kinds we use, and how each becomes Grafana's classic (v1) JSON.

Only options that we mean are written; everything else is Grafana's own default. A panel asks one question in SQL,
which lies in a file of its own and reads the views of the schema ``park``. Nothing here talks to Grafana or to a
database, and the same input always gives the same text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

DATASOURCE = {"type": "grafana-postgresql-datasource", "uid": "park-tsdb"}
GRID_WIDTH = 24

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A threshold: from `value` on, this colour. The first step has no value: it is the ground colour."""

    value: float | None
    color: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One question and its answer on the screen."""

    title: str
    """In Chinese: what the operator reads."""
    description: str
    """In English and Chinese: what the number is, and what its absence means."""
    sql: str
    width: int
    height: int
    unit: str | None = None
    """A unit id of Grafana's; none for tables of mixed columns."""
    decimals: int | None = None
    steps: Sequence[Step] = ()

    kind = ""
    query_format = "table"

    def options(self) -> Json:
        """Options of this kind of panel."""
        raise NotImplementedError

    def custom(self) -> Json:
        """Field options of this kind of panel."""
        return {}

    def overrides(self) -> list[Json]:
        """Exceptions for single columns."""
        return []

    def defaults(self) -> Json:
        """Field options that every kind has."""
        found: Json = {"noValue": "—"}
        if self.unit is not None:
            found["unit"] = self.unit
        if self.decimals is not None:
            found["decimals"] = self.decimals
        if self.steps:
            steps = [{"value": step.value, "color": step.color} for step in self.steps]
            found |= {"thresholds": {"mode": "absolute", "steps": steps}, "color": {"mode": "thresholds"}}
        custom = self.custom()
        return found | ({"custom": custom} if custom else {})

    def render(self, number: int, x: int, y: int) -> Json:
        """Panel number `number` with its upper left corner at (x, y)."""
        target = {
            "refId": "A",
            "datasource": DATASOURCE,
            "editorMode": "code",
            "rawQuery": True,
            "rawSql": self.sql,
            "format": self.query_format,
        }
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [target],
            "options": self.options(),
            "fieldConfig": {"defaults": self.defaults(), "overrides": self.overrides()},
        }


@dataclass(frozen=True, slots=True)
class Stat(Panel):
    """One number."""

    kind = "stat"

    def options(self) -> Json:
        """Show the number; colour it where thresholds say so."""
        return {
            "graphMode": "none",
            "colorMode": "value" if self.steps else "none",
            "justifyMode": "auto",
            "textMode": "value",
            "wideLayout": True,
            "showPercentChange": False,
            "percentChangeColorMode": "standard",
            "orientation": "auto",
            "reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": ""},
        }


@dataclass(frozen=True, slots=True)
class TimeSeries(Panel):
    """Lines or bars over time; the query has a column `time` and one column per series. Gaps stay gaps."""

    bars: bool = False

    kind = "timeseries"
    query_format = "time_series"

    def options(self) -> Json:
        """Legend below, all series under the pointer."""
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "none"},
        }

    def custom(self) -> Json:
        """Never join over a gap: missing is not zero, and not a straight line either."""
        style = {"drawStyle": "bars", "fillOpacity": 60} if self.bars else {"drawStyle": "line", "fillOpacity": 10}
        return {**style, "lineWidth": 1, "spanNulls": False, "showPoints": "auto"}


@dataclass(frozen=True, slots=True)
class Table(Panel):
    """Rows; `units` gives single columns a unit."""

    units: dict[str, str] = field(default_factory=dict[str, str])

    kind = "table"

    def options(self) -> Json:
        """Header, no footer."""
        return {"showHeader": True, "frameIndex": 0}

    def overrides(self) -> list[Json]:
        """Units of single columns."""
        return [
            {"matcher": {"id": "byName", "options": column}, "properties": [{"id": "unit", "value": unit}]}
            for column, unit in self.units.items()
        ]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of the page, filled by a query with the columns ``__text`` and ``__value``."""

    name: str
    label: str
    sql: str

    def render(self) -> Json:
        """One value at a time; in SQL it is written '$name', and Grafana doubles its quotes."""
        return {
            "type": "query",
            "name": self.name,
            "label": self.label,
            "datasource": DATASOURCE,
            "query": self.sql,
            "definition": self.sql,
            "refresh": 1,
            "sort": 0,
            "multi": False,
            "includeAll": False,
        }


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page: panels in reading order, placed from left to right."""

    uid: str
    title: str
    description: str
    panels: Sequence[Panel]
    variables: Sequence[Variable] = ()
    span: str = "now-24h"
    refresh: str = "1m"

    def render(self) -> Json:
        """Grafana's JSON."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["smartpark"],
            "timezone": "Asia/Shanghai",
            "weekStart": "monday",
            "editable": False,
            "graphTooltip": 1,
            "schemaVersion": 41,
            "time": {"from": self.span, "to": "now"},
            "refresh": self.refresh,
            "annotations": {"list": []},
            "links": [],
            "templating": {"list": [variable.render() for variable in self.variables]},
            "panels": [
                panel.render(number, x, y)
                for number, (panel, (x, y)) in enumerate(zip(self.panels, place(self.panels), strict=True), 1)
            ],
        }


def place(panels: Sequence[Panel]) -> list[tuple[int, int]]:
    """Upper left corners: as many panels in a row as fit, the next row below the tallest of them."""
    corners: list[tuple[int, int]] = []
    x = y = row_height = 0
    for panel in panels:
        if x + panel.width > GRID_WIDTH:
            x, y, row_height = 0, y + row_height, 0
        corners.append((x, y))
        x, row_height = x + panel.width, max(row_height, panel.height)
    return corners
