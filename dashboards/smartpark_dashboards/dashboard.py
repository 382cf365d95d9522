"""A dashboard: panels, choices, marks and links, as one JSON document per language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smartpark_dashboards.controls import Choice, Mark, console_constant, language_constant, link_bar
from smartpark_dashboards.fields import ToConsole
from smartpark_dashboards.layout import place as corners
from smartpark_dashboards.panels import Panel, Section
from smartpark_dashboards.words import Json, Language, Place, Words

SCHEMA_VERSION = 42


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page: panels in reading order, placed from left to right."""

    uid: str
    title: Words
    about: Words
    area: str
    """Tag beside `smartpark`."""
    parts: Sequence[Panel | Section]
    choices: Sequence[Choice] = ()
    marks: Sequence[Mark] = ()
    start: str = "now-24h"
    end: str = "now"
    refresh: str = "1m"
    console: ToConsole | None = None
    """The page of the console beside this one; its start when none is named."""

    def render(self, language: Language, *, known: Mapping[str, Mapping[str, bool]]) -> Json:
        """Grafana's JSON. `known`: dashboards that links may lead to, and their choices."""
        place = Place(self.uid, language)
        choices = [choice.render(place) for choice in self.choices]
        panels = [
            part.render(place, x, y)
            for part, (x, y) in zip(self.parts, corners(part.size for part in self.parts), strict=True)
        ]
        marks = [mark.render(place) for mark in self.marks]
        if "$lang" in str([choices, panels, marks]):
            choices.append(language_constant(language))
        choices.append(console_constant(place))
        return {
            "uid": place.uid_of(self.uid),
            "title": place.say(self.title),
            "description": place.explain(self.about),
            "tags": ["smartpark", self.area, language.value],
            "timezone": "Asia/Shanghai",
            "weekStart": "monday",
            "editable": False,
            "graphTooltip": 1,
            "schemaVersion": SCHEMA_VERSION,
            "time": {"from": self.start, "to": self.end},
            "refresh": self.refresh,
            "annotations": {"list": marks},
            "links": link_bar(place, here=self.chosen, known=known, console=self.console or ToConsole("/")),
            "templating": {"list": choices},
            "panels": panels,
        }

    @property
    def chosen(self) -> dict[str, bool]:
        """What can be chosen on the page, and whether several of it may be."""
        return {choice.name: choice.several for choice in self.choices}
