"""How a column of an answer is shown: its name, unit, colours and where a click on it leads.

A threshold or a colour says what is shown, not what is so: limits that are judged come as columns of the query.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smartpark_dashboards.widths import column_width
from smartpark_dashboards.words import Json, Language, Place, Words


@dataclass(frozen=True, slots=True)
class Step:
    """A threshold: from `value` on, this colour. The first step has no value: it is the ground colour."""

    value: float | None
    color: str


@dataclass(frozen=True, slots=True)
class Shade:
    """A value of a closed list as people read it, and its colour."""

    value: str
    words: Words
    color: str | None = None


@dataclass(frozen=True, slots=True)
class LinkTo:
    """The way to another dashboard; time and the named variables go along."""

    dashboard: str
    carries: tuple[str, ...] = ("park",)
    """Variables whose choice goes along as it is."""
    sets: tuple[tuple[str, str], ...] = ()
    """Variables of the other dashboard, and the column of this row whose value they take."""

    def url(self, place: Place) -> str:
        """Address, with what Grafana fills in."""
        parts = ["${__url_time_range}", *(f"${{{name}:queryparam}}" for name in self.carries)]
        parts += [f"var-{name}=${{__data.fields.{column}:percentencode}}" for name, column in self.sets]
        return f"/d/{place.uid_of(self.dashboard)}?{'&'.join(parts)}"


@dataclass(frozen=True, slots=True)
class ToConsole:
    """The way to a page of our console, whose address the hidden variable `console` holds."""

    path: str
    """From the first slash on; ``{column}`` is a column of this row, ``{$name}`` what is chosen on the page."""

    def url(self, _place: Place) -> str:
        """Address, with what Grafana fills in."""
        path = re.sub(r"\{\$(\w+)\}", r"${\1:percentencode}", self.path)
        return CONSOLE + re.sub(r"(?<!\$)\{(\w+)\}", r"${__data.fields.\1:percentencode}", path)


CONSOLE: Final = "${console:raw}"
"""Begins the address of every link to the console: whole, with its slashes."""


WRITTEN: Final = {"s": "dtdhms", "dateTimeAsIso": "time:YYYY-MM-DD HH:mm"}
"""What Grafana is told instead: it makes weeks of seconds, with English words; nobody reads the seconds of times."""
COUNTED_ZH: Final = {"suffix:d": "suffix:天", "suffix:h": "suffix:小时"}
"""Words behind numbers, which Grafana does not translate."""
SCALED: Final = frozenset({"kwatt", "kwatth", "kvoltamp"})
"""Units that Grafana writes larger, kW as MW, with decimals of its choice; with none 6.3 MW would read 6 MW."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the answer."""

    name: str
    """As the query calls it; or where it begins with ``/``, a pattern for names of series."""
    words: Words | None = None
    unit: str | None = None
    decimals: int | None = None
    steps: Sequence[Step] = ()
    shades: Sequence[Shade] = ()
    color: str | None = None
    """One colour for the whole column, by name."""
    dashed: bool = False
    """A limit: a dashed line without anything below it."""
    dots: bool = False
    """Points over the bars of another column: bars of one moment would lie over each other."""
    fills: bool = False
    """Colours the cell of a table and not only its text."""
    link: LinkTo | ToConsole | None = None
    hidden: bool = False
    width: int = 0
    """Of a table's column of free text, in pixels; without one it shares what the others leave. Columns of numbers,
    times and closed lists are as wide as what can stand in them."""

    def override(self, kind: str, place: Place, *, color: str | None = None) -> Json | None:
        """What Grafana is told about this column in a panel of this kind; None when there is nothing to tell.

        `color`: where the field names none of its own.
        """
        properties = [{"id": key, "value": value} for key, value in self._properties(kind, place, color).items()]
        if not properties:
            return None
        matcher = "byRegexp" if self.name.startswith("/") else "byName"
        return {"matcher": {"id": matcher, "options": self.name}, "properties": properties}

    def _properties(self, kind: str, place: Place, color: str | None) -> Json:
        found: Json = appearance(self.unit, self.decimals, self.steps, self.shades, place)
        if self.words is not None:
            found["displayName"] = place.say(self.words)
        if self.color or (color and not self.steps):
            found["color"] = {"mode": "fixed", "fixedColor": self.color or color}
        if self.link is not None:
            title = place.say(Words("打开", "open"))
            is_elsewhere = isinstance(self.link, ToConsole)
            found["links"] = [{"title": title, "url": self.link.url(place), "targetBlank": is_elsewhere}]
        if self.dashed:
            found |= {"custom.lineStyle": {"fill": "dash", "dash": [10, 6]}, "custom.fillOpacity": 0}
        if kind == "table":
            found |= self._column(place)
        if self.dots:
            found |= {"custom.drawStyle": "points", "custom.pointSize": 9}
        if self.hidden:
            found["custom.hideFrom"] = {"legend": True, "tooltip": True, "viz": True}
        return found

    def _column(self, place: Place) -> Json:
        """Colour and width of a table's column."""
        found: Json = {}
        if self.steps or any(shade.color for shade in self.shades):
            found["custom.cellOptions"] = {"type": "color-background" if self.fills else "color-text"}
        head = place.say(self.words) if self.words else self.name
        words = [place.say(shade.words) for shade in self.shades]
        width = self.width or column_width(head, unit=self.unit, decimals=self.decimals, words=words)
        return found | ({"custom.width": width} if width else {})


def appearance(
    unit: str | None, decimals: int | None, steps: Sequence[Step], shades: Sequence[Shade], place: Place
) -> Json:
    """Unit, decimals, thresholds and names of values, as Grafana has them."""
    found: Json = {}
    if unit is not None:
        counted = COUNTED_ZH.get(unit, unit) if place.language is Language.ZH else unit
        found["unit"] = WRITTEN.get(unit, counted)
    if decimals is not None and not (decimals == 0 and unit in SCALED):
        found["decimals"] = decimals
    if steps:
        found["thresholds"] = {
            "mode": "absolute",
            "steps": [{"value": step.value, "color": step.color} for step in steps],
        }
        found["color"] = {"mode": "thresholds"}
    if shades:
        options = {
            shade.value: {"text": place.say(shade.words), "index": number}
            | ({"color": shade.color} if shade.color else {})
            for number, shade in enumerate(shades)
        }
        found["mappings"] = [{"type": "value", "options": options}]
    if steps:
        # What is not known is neither good nor bad; without this it would have the colour of the first step.
        unknown: Json = {"match": "null", "result": {"text": "—", "color": "text", "index": len(shades)}}
        found["mappings"] = [*found.get("mappings", []), {"type": "special", "options": unknown}]
    return found
