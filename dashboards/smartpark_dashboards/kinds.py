"""The kinds of panels that we use, each with the options that we mean."""

from dataclasses import dataclass
from typing import ClassVar

from smartpark_dashboards.panels import Panel
from smartpark_dashboards.widths import LEAST
from smartpark_dashboards.words import Json, Place

_LEGEND: Json = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
_NO_LEGEND: Json = _LEGEND | {"showLegend": False}
_TOOLTIP: Json = {"mode": "multi", "sort": "none"}
_LAST: Json = {"values": False, "calcs": ["lastNotNull"], "fields": ""}
_EACH_ROW: Json = {"values": True, "calcs": [], "fields": "", "limit": 50}


@dataclass(frozen=True, slots=True)
class Stat(Panel):
    """One number, or a few with their names."""

    named: bool = False
    every: bool = False
    """Times and texts too, not only numbers."""

    kind: ClassVar[str] = "stat"
    ground: ClassVar[str | None] = "text"
    clicked: ClassVar[bool] = True

    def options(self) -> Json:
        """Show the number; colour it where thresholds say so."""
        colored = self.steps or any(field.steps for field in self.fields)
        return {
            "graphMode": "none",
            "colorMode": "value" if colored else "none",
            "justifyMode": "auto",
            "textMode": "value_and_name" if self.named else "value",
            "wideLayout": True,
            "showPercentChange": False,
            "percentChangeColorMode": "standard",
            "orientation": "auto",
            "reduceOptions": _LAST | {"fields": "/.*/" if self.every else ""},
        }


@dataclass(frozen=True, slots=True)
class Gauge(Panel):
    """One number on a scale."""

    kind: ClassVar[str] = "gauge"
    clicked: ClassVar[bool] = True

    def options(self) -> Json:
        """Thresholds drawn on the rim."""
        return {
            "showThresholdLabels": False, "showThresholdMarkers": True, "sizing": "auto", "minVizWidth": 75,
            "minVizHeight": 75, "reduceOptions": _LAST, "orientation": "auto",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BarGauge(Panel):
    """A bar per row of the answer: a text, which names it, and one number, which must not be given a name."""

    kind: ClassVar[str] = "bargauge"
    ground: ClassVar[str | None] = "blue"

    def options(self) -> Json:
        """Lying bars, names on the left."""
        return {
            "displayMode": "basic", "valueMode": "color", "namePlacement": "left", "showUnfilled": True,
            "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 32, "legend": _NO_LEGEND,
            "reduceOptions": _EACH_ROW, "orientation": "horizontal",
        }  # fmt: skip

    def defaults(self, place: Place) -> Json:
        """Bars begin at nothing, not at the smallest of them."""
        return {"min": 0} | Panel.defaults(self, place)


@dataclass(frozen=True, slots=True)
class TimeSeries(Panel):
    """Lines or bars over time; the query has a column `time` and one column per series. Gaps stay gaps."""

    bars: bool = False
    stacked: bool = False
    stepped: bool = False
    """A value holds until the next one: limits, counts of what is open."""
    distinct: bool = False
    """The query names its series, and there are several: each has a colour of Grafana's palette, which tells them
    apart and nothing else. A single one is blue."""

    kind: ClassVar[str] = "timeseries"
    tints: ClassVar[bool] = True
    form: ClassVar[str] = "time_series"

    def options(self) -> Json:
        """Legend below, all series under the pointer."""
        return {"legend": _LEGEND, "tooltip": _TOOLTIP}

    def custom(self) -> Json:
        """Never join over a gap: missing is not zero, and not a straight line either."""
        style: Json = (
            {"drawStyle": "bars", "fillOpacity": 60} if self.bars else {"drawStyle": "line", "fillOpacity": 10}
        )
        if self.stacked:
            style |= {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 60}
        if self.bars or self.stacked:
            style["axisSoftMin"] = 0  # lengths are compared
        if self.stepped:
            style["lineInterpolation"] = "stepAfter"
        return {**style, "lineWidth": 1, "spanNulls": False, "showPoints": "auto"}

    def defaults(self, place: Place) -> Json:
        """Of series that the query names, colours that judge nothing."""
        color: Json = {"mode": "palette-classic"} if self.distinct else {"mode": "shades", "fixedColor": "blue"}
        return Panel.defaults(self, place) | {"color": color}


@dataclass(frozen=True, slots=True)
class Trend(Panel):
    """Lines over a number that rises: the first column."""

    x: str = ""

    kind: ClassVar[str] = "trend"
    tints: ClassVar[bool] = True

    def options(self) -> Json:
        """Legend below."""
        return {"legend": _LEGEND, "tooltip": _TOOLTIP, "xField": self.x}

    def custom(self) -> Json:
        """Plain lines."""
        return {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "spanNulls": False, "showPoints": "never"}


@dataclass(frozen=True, slots=True)
class BarChart(Panel):
    """Standing bars by a text; the query has one row per text."""

    x: str = ""
    stacked: bool = False

    kind: ClassVar[str] = "barchart"
    tints: ClassVar[bool] = True

    def options(self) -> Json:
        """Names below the bars."""
        return {
            "xField": self.x, "orientation": "auto", "xTickLabelRotation": 0, "xTickLabelMaxLength": 16,
            "stacking": "normal" if self.stacked else "none", "showValue": "auto", "barWidth": 0.9,
            "groupWidth": 0.7, "legend": _LEGEND, "tooltip": _TOOLTIP, "fullHighlight": False,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class StateTimeline(Panel):
    """Which state each thing was in, over time."""

    kind: ClassVar[str] = "state-timeline"
    form: ClassVar[str] = "time_series"

    def options(self) -> Json:
        """Equal neighbours become one span."""
        return {
            "showValue": "auto", "rowHeight": 0.9, "mergeValues": True, "alignValue": "left", "legend": _NO_LEGEND,
            "tooltip": _TOOLTIP,
        }  # fmt: skip

    def custom(self) -> Json:
        """A gap is a gap."""
        return {"lineWidth": 0, "fillOpacity": 70, "spanNulls": False}


@dataclass(frozen=True, slots=True)
class StatusHistory(Panel):
    """A cell per thing and span of time, coloured by its value."""

    kind: ClassVar[str] = "status-history"
    form: ClassVar[str] = "time_series"

    def options(self) -> Json:
        """Colours speak; numbers come under the pointer."""
        return {"showValue": "never", "rowHeight": 0.9, "colWidth": 0.9, "legend": _NO_LEGEND, "tooltip": _TOOLTIP}

    def custom(self) -> Json:
        """Filled cells."""
        return {"lineWidth": 1, "fillOpacity": 70}


@dataclass(frozen=True, slots=True)
class Table(Panel):
    """Rows."""

    kind: ClassVar[str] = "table"
    ground: ClassVar[str | None] = "text"

    def options(self) -> Json:
        """Header, small rows."""
        return {"showHeader": True, "frameIndex": 0, "cellHeight": "sm"}

    def custom(self) -> Json:
        """Numbers to the right, texts to the left, as Grafana has it; the whole value on demand."""
        return {"align": "auto", "inspect": True, "minWidth": LEAST}


@dataclass(frozen=True, slots=True)
class NodeGraph(Panel):
    """What hangs below what: a query of nodes (`id`, `title`, `mainstat`) and one of edges (`source`, `target`)."""

    kind: ClassVar[str] = "nodeGraph"

    def options(self) -> Json:
        """None of nodes and edges; Grafana shows no units here, so that numbers come as text with theirs."""
        return {"nodes": {}, "edges": {}, "zoomMode": "cooperative"}


@dataclass(frozen=True, slots=True)
class Heatmap(Panel):
    """A cell per moment and series, coloured by its value: hours by days. A cell without a value stays empty."""

    kind: ClassVar[str] = "heatmap"
    form: ClassVar[str] = "time_series"

    def options(self) -> Json:
        """Series are the rows, as the query has them; nothing is computed from them."""
        values: Json = {"unit": self.unit} | ({} if self.decimals is None else {"decimals": self.decimals})
        return {
            "calculate": False,
            "rowsFrame": {"layout": "auto"},
            "color": {
                "mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "exponent": 0.5, "steps": 64,
                "reverse": False,
            },
            "cellGap": 1, "cellValues": values, "showValue": "never", "yAxis": {"axisPlacement": "left"},
            "legend": {"show": True}, "tooltip": {"mode": "single", "yHistogram": False},
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Histogram(Panel):
    """How many rows have a value in each of some equal ranges."""

    buckets: int = 12

    kind: ClassVar[str] = "histogram"

    def options(self) -> Json:
        """One histogram of all that the query answers."""
        return {"bucketCount": self.buckets, "combine": True, "legend": _NO_LEGEND, "tooltip": _TOOLTIP}

    def custom(self) -> Json:
        """Filled bars."""
        return {"lineWidth": 1, "fillOpacity": 70}


@dataclass(frozen=True, slots=True)
class Scatter(Panel):
    """A point per row: one number against another; its texts are told under the pointer."""

    x: str = ""
    y: str = ""

    kind: ClassVar[str] = "xychart"

    def options(self) -> Json:
        """Both columns by name."""
        return {
            "mapping": "manual", "legend": _NO_LEGEND, "tooltip": _TOOLTIP | {"mode": "single"},
            "series": [
                {
                    "frame": {"matcher": {"id": "byIndex", "options": 0}},
                    "x": {"matcher": {"id": "byName", "options": self.x}},
                    "y": {"matcher": {"id": "byName", "options": self.y}},
                }
            ],
        }  # fmt: skip

    def custom(self) -> Json:
        """Points without lines between them."""
        return {"show": "points", "pointSize": {"fixed": 8}, "fillOpacity": 50}
