"""What stands around the panels: choices at the top of the page, marks in its curves, and the bar of links."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from smartpark_dashboards.fields import LinkTo, ToConsole
from smartpark_dashboards.panels import DATASOURCE, dashboard_link, target
from smartpark_dashboards.words import Json, Language, Place, Words


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice, filled by a query with the columns ``__text`` and ``__value``, of one row at least.

    Where several may be chosen, Grafana writes them quoted with commas between: ``IN ($name)``. One is written in
    with its quotes doubled and none added: ``'$name'``.
    """

    name: str
    label: Words
    query: str
    several: bool = True

    def render(self, place: Place) -> Json:
        """Asked anew whenever the page is opened."""
        found: Json = {
            "type": "query",
            "name": self.name,
            "label": place.say(self.label),
            "datasource": DATASOURCE,
            "query": place.sql(self.query),
            "definition": place.sql(self.query),
            "refresh": 1,
            "sort": 0,
            "multi": self.several,
            "includeAll": self.several,
            "allowCustomValue": False,
        }
        if self.several:
            found["current"] = {"selected": True, "text": ["All"], "value": ["$__all"]}
        return found


def language_constant(language: Language) -> Json:
    """Hidden, for queries that name things in the reader's language."""
    option = {"selected": True, "text": language.value, "value": language.value}
    return {
        "type": "constant", "name": "lang", "query": language.value, "hide": 2, "skipUrlSync": True,
        "current": option, "options": [option],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """An annotation: spans with the columns ``time``, ``timeend``, ``text`` and ``tags``."""

    name: Words
    query: str
    color: str
    shown: bool = True

    def render(self, place: Place) -> Json:
        """Can be switched on and off in the menu of controls (before Grafana 12.4: at the top of the page)."""
        return {
            "name": place.say(self.name),
            "datasource": DATASOURCE,
            "enable": self.shown,
            "hide": False,
            "placement": "inControlsMenu",
            "iconColor": self.color,
            "target": target(place.sql(self.query), form="table", letter="Anno"),
        }


def console_constant(place: Place) -> Json:
    """Hidden, for links: where browsers reach the console. The database knows, and no link can change it."""
    sql = place.sql("shared/console")
    return {
        "type": "query", "name": "console", "datasource": DATASOURCE, "query": sql, "definition": sql, "refresh": 1,
        "sort": 0, "hide": 2, "skipUrlSync": True, "multi": False, "includeAll": False, "allowCustomValue": False,
    }  # fmt: skip


PROVINCE = Choice("province", Words("省份", "Province"), "shared/provinces")
"""Narrows the parks to choose from."""
PARKS = (PROVINCE, Choice("park", Words("园区", "Park"), "shared/parks"))
ONE_PARK = (PROVINCE, Choice("park", Words("园区", "Park"), "shared/parks", several=False))
MARKS_OF_PARK = (
    Mark(Words("严重告警", "Critical alerts"), "shared/mark_critical_of_park", "red"),
    Mark(Words("其他告警", "Other alerts"), "shared/mark_alerts_of_park", "orange"),
    Mark(Words("停电/检修", "Maintenance"), "shared/mark_outages_of_park", "gray"),
    Mark(Words("数据缺口", "Gaps in the data"), "shared/mark_gaps_of_park", "blue"),
)
"""For pages of one park."""
MARKS = (
    Mark(Words("严重告警", "Critical alerts"), "shared/mark_critical", "red", shown=False),
    Mark(Words("其他告警", "Other alerts"), "shared/mark_alerts", "orange", shown=False),
    Mark(Words("停电/检修", "Maintenance"), "shared/mark_outages", "gray", shown=False),
    Mark(Words("数据缺口", "Gaps in the data"), "shared/mark_gaps", "blue", shown=False),
)
"""For pages of several parks, on which there are many: they are there to be switched on."""
MARKS_OF_ALL = (
    Mark(Words("严重告警", "Critical alerts"), "shared/mark_critical_of_all", "red", shown=False),
    Mark(Words("其他告警", "Other alerts"), "shared/mark_alerts_of_all", "orange", shown=False),
    Mark(Words("停电/检修", "Maintenance"), "shared/mark_outages_of_all", "gray", shown=False),
    Mark(Words("数据缺口", "Gaps in the data"), "shared/mark_gaps_of_all", "blue", shown=False),
)
"""For pages on which no park is chosen."""

BAR = (
    ("park-overview", Words("总览", "Overview")),
    ("park-power", Words("电力与需量", "Power")),
    ("park-balance", Words("能量平衡", "Balance")),
    ("park-environment", Words("环境", "Environment")),
    ("park-carbon", Words("碳排放", "Carbon")),
    ("meter-health", Words("表计健康", "Meter health")),
    ("park-alerts", Words("告警", "Alerts")),
    ("load-requests", Words("用电报装", "Load requests")),
    ("province-league", Words("园区对比", "Comparison")),
    ("platform-operation", Words("平台运行", "Platform")),
)
"""The bar of links on every page, in the order of the set."""


SHARED: Final = ("province", "park", "zone", "meter")
"""Choices that mean the same on every page that has them, from the widest on."""


def link_bar(
    place: Place, *, here: Mapping[str, bool], known: Mapping[str, Mapping[str, bool]], console: ToConsole
) -> list[Json]:
    """Links to all other dashboards and to the console; what is chosen goes along where the other page can take it.

    `here` and `known`: the choices of this page and of each dashboard, and whether several may be chosen.
    """
    pages = [
        dashboard_link(place.say(words), LinkTo(uid, carries=carried(here, known[uid])).url(place))
        for uid, words in BAR
        if uid != place.dashboard and uid in known
    ]
    return [*pages, dashboard_link(place.say(Words("控制台", "Console")), console.url(place), is_elsewhere=True)]


def carried(here: Mapping[str, bool], there: Mapping[str, bool]) -> tuple[str, ...]:
    """Choices that mean something on the other page: several cannot become one, and a part needs its whole."""
    found: list[str] = []
    for name in SHARED:
        if name in here and name in there and (there[name] or not here[name]):
            found.append(name)
        elif name in here and name != "province":
            break
    return tuple(found)
