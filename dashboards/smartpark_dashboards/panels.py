"""A panel: one question in SQL and its answer on the screen, as Grafana's classic (v1) JSON.

Only options that we mean are written; everything else is Grafana's own default. The query lies in a file of its own
and reads the views of the schema ``park``. Nothing here talks to Grafana or to a database, and the same input always
gives the same text. The kinds of panels are in `kinds`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from smartpark_dashboards.fields import Field, LinkTo, Shade, Step, ToConsole, appearance
from smartpark_dashboards.words import Json, Place, Words

TINTS: Final = ("blue", "purple", "#4fc3d9", "#d98bbd", "#9aa0a8", "#b08d6e")
"""Colours of curves that nothing is said against: no green, yellow, orange or red, which judge."""
DATASOURCE = {"type": "grafana-postgresql-datasource", "uid": "park-tsdb"}


def target(sql: str, *, form: str, letter: str = "A") -> Json:
    """A query as the data source's editor would write it."""
    return {
        "refId": letter,
        "datasource": DATASOURCE,
        "editorMode": "code",
        "rawQuery": True,
        "rawSql": sql,
        "format": form,
    }


@dataclass(frozen=True, slots=True)
class Panel:
    """One question and its answer on the screen."""

    id: int
    """Stays with the panel for good: links and embedded pictures name it."""
    title: Words
    about: Words
    """What the number is, and what its absence means."""
    query: str | Sequence[str]
    """Name of the file with the query; several, where a panel needs two tables."""
    size: tuple[int, int]
    """Width in 24ths of the page, and height in units of Grafana's grid."""
    unit: str | None = None
    """A unit id of Grafana's; none for tables of mixed columns."""
    decimals: int | None = None
    steps: Sequence[Step] = ()
    shades: Sequence[Shade] = ()
    span: tuple[float, float] | None = None
    """Lowest and highest value of a scale."""
    fields: Sequence[Field] = ()
    to: LinkTo | ToConsole | None = None
    """Where a click on the title's link leads."""
    back: str | None = None
    """How far the panel looks back whatever the page's range is, e.g. ``31d``: for days on a page of hours."""
    repeats: str | None = None
    """A variable of which several are chosen: the panel stands there once for each."""

    kind: ClassVar[str] = ""
    form: ClassVar[str] = "table"
    ground: ClassVar[str | None] = None
    """Colour where no step is given. Without one Grafana assumes steps of its own: green, and red from 80 on."""
    tints: ClassVar[bool] = False
    """Whether named columns are coloured apart where they name no colour: Grafana begins with green and yellow."""
    clicked: ClassVar[bool] = False
    """Whether a click on the number itself leads where the title's link does."""

    def options(self) -> Json:
        """Options of this kind of panel."""
        raise NotImplementedError

    def custom(self) -> Json:
        """Field options of this kind of panel."""
        return {}

    def defaults(self, place: Place) -> Json:
        """Field options that every kind has."""
        steps = self.steps or ((Step(None, self.ground),) if self.ground else ())
        found: Json = {"noValue": "—"} | appearance(self.unit, self.decimals, steps, self.shades, place)
        if self.span is not None:
            found |= {"min": self.span[0], "max": self.span[1]}
        if self.to is not None and self.clicked:
            found["links"] = [self._way(self.to, place)]
        custom = self.custom()
        return found | ({"custom": custom} if custom else {})

    def render(self, place: Place, x: int, y: int) -> Json:
        """The panel with its upper left corner at (x, y)."""
        names = [self.query] if isinstance(self.query, str) else self.query
        tints = iter(TINTS if self.tints else ())
        overrides = [
            field.override(self.kind, place, color=None if field.color or self._is_axis(field) else next(tints, None))
            for field in self.fields
        ]
        found: Json = {
            "id": self.id,
            "type": self.kind,
            "title": place.say(self.title),
            "description": place.explain(self.about),
            "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.size[0], "h": self.size[1]},
            "targets": [
                target(place.sql(name), form=self.form, letter=letter)
                for letter, name in zip("ABCD", names, strict=False)
            ],
            "options": self.options(),
            "fieldConfig": {
                "defaults": self.defaults(place),
                "overrides": [override for override in overrides if override],
            },
        }
        if self.to is not None:
            found["links"] = [self._way(self.to, place)]
        if self.back is not None:
            found["timeFrom"] = self.back
        if self.repeats is not None:
            found |= {"repeat": self.repeats, "repeatDirection": "h", "maxPerRow": 24 // self.size[0]}
        return found

    def _is_axis(self, field: Field) -> bool:
        return field.name == getattr(self, "x", None)

    def _way(self, to: LinkTo | ToConsole, place: Place) -> Json:
        title = place.say(Words("详情", "details"))
        return dashboard_link(title, to.url(place), is_elsewhere=isinstance(to, ToConsole))


@dataclass(frozen=True, slots=True)
class Section:
    """A heading over the panels that follow."""

    id: int
    title: Words

    size: ClassVar[tuple[int, int]] = (24, 1)

    def render(self, place: Place, x: int, y: int) -> Json:
        """An open row of Grafana's, which holds no panels itself."""
        box = {"x": x, "y": y, "w": self.size[0], "h": self.size[1]}
        return {
            "id": self.id, "type": "row", "title": place.say(self.title), "collapsed": False, "gridPos": box,
            "panels": [],
        }  # fmt: skip


def dashboard_link(title: str, url: str, *, is_elsewhere: bool = False) -> Json:
    """A link to an address; what it carries stands in the address. What is not Grafana's opens beside it."""
    return {
        "title": title, "type": "link", "url": url, "icon": "external link" if is_elsewhere else "dashboard",
        "tooltip": "", "tags": [], "asDropdown": False, "targetBlank": is_elsewhere, "includeVars": False,
        "keepTime": False,
    }  # fmt: skip
