"""What our dashboards must be like beyond what Grafana accepts: its pages forgive much that its users would not.

`problems_of` looks at the generated documents as Grafana reads them, so that no rule depends on how they were made.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from smartpark.errors import Problem

from smartpark_dashboards.fields import CONSOLE
from smartpark_dashboards.layout import GRID_WIDTH
from smartpark_dashboards.lint_sql import query_problems, variables_in
from smartpark_dashboards.panels import DATASOURCE
from smartpark_dashboards.widths import ink, table_width, title_width
from smartpark_dashboards.words import Json

KINDS: Final = frozenset(
    {
        "barchart", "bargauge", "gauge", "heatmap", "histogram", "nodeGraph", "row", "stat", "state-timeline",
        "status-history", "table", "timeseries", "trend", "xychart",
    }
)  # fmt: skip
NUMERIC: Final = frozenset(
    {"barchart", "bargauge", "gauge", "heatmap", "histogram", "stat", "timeseries", "trend", "xychart"}
)
UNITS: Final = frozenset(
    {
        "bytes", "conmgm3", "conμgm3", "dtdhms", "kvolt", "kvoltamp", "kwatt", "kwatth", "locale",
        "m", "masst", "none", "percent", "percentunit", "short", "velocityms",
    }
)  # fmt: skip
"""Unknown to Grafana, a unit is printed behind the number as it is: so there is a list. Seconds, hours and days are
not in it: Grafana makes weeks of them, and people count days."""
CURVES: Final = frozenset({"barchart", "timeseries", "trend"})
_FREE_UNIT: Final = re.compile(r"suffix:\S+|prefix:\S+|time:[YMDHms :-]+")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH: Final = re.compile(r"[A-Za-z]{2,} [a-z]+")
_UID: Final = re.compile(r"[a-z][a-z0-9-]{7,39}")
_REFRESH: Final = re.compile(r"(\d+)([smh])")
_LINK: Final = re.compile(r"/d/([a-z0-9-]+)\?(.+)")
_CARRIED: Final = re.compile(r"\$\{(\w+):queryparam\}")
_SET: Final = re.compile(r"var-(\w+)=\$\{__data\.fields\.(\w+):percentencode\}")
_ENCODED: Final = re.compile(r"\$\{(\w+):percentencode\}")
_FILLED: Final = re.compile(r"\$\{(?:console:raw|\w+:percentencode|__data\.fields\.\w+:percentencode)\}")
_MARK_COLUMNS: Final = ("time", "timeend", "text", "tags")


def problems_of(documents: Mapping[str, Json]) -> list[Problem]:
    """Everything that is wrong with the dashboards, by file, panel and rule."""
    found: list[Problem] = []
    by_uid = {document["uid"]: document for document in documents.values()}
    if len(by_uid) != len(documents):
        found.append(Problem("dashboards", "uid", "two dashboards have the same"))
    for name, document in documents.items():
        choices = choices_of(document)
        found += [Problem(name, "", text) for text in _page_problems(document, name)]
        found += [Problem(name, "", text) for text in _box_problems(document["panels"])]
        found += [Problem(name, "", text) for text in _source_problems(document)]
        for panel in document["panels"]:
            where = f"panel {panel.get('id')}"
            found += [
                Problem(name, where, text) for text in _panel_problems(panel, choices, chinese=name.startswith("zh/"))
            ]
        for where, sql in queries_of(document).items():
            found += [Problem(name, where, text) for text in query_problems(sql, choices)]
        for where, url in links_of(document).items():
            found += [Problem(name, where, text) for text in _link_problems(url, choices, by_uid)]
    return found


def choices_of(document: Json) -> dict[str, bool]:
    """Variables of a page, and whether several values may be chosen."""
    return {
        variable["name"]: bool(variable.get("multi") or variable.get("includeAll"))
        for variable in document["templating"]["list"]
    }


def queries_of(document: Json) -> dict[str, str]:
    """Every query of a page by where it stands: panels, variables and annotations."""
    found = {
        f"panel {panel['id']}/{target['refId']}": target["rawSql"]
        for panel in document["panels"]
        for target in panel.get("targets", [])
    }
    found |= {f"${v['name']}": v["query"] for v in document["templating"]["list"] if v["type"] == "query"}
    return found | {f"mark {mark['name']}": mark["target"]["rawSql"] for mark in document["annotations"]["list"]}


def links_of(document: Json) -> dict[str, str]:
    """Every link of a page by where it stands."""
    found = {f"link {link['title']}": link["url"] for link in document["links"]}
    for panel in document["panels"]:
        for number, link in enumerate(panel.get("links", [])):
            found[f"panel {panel['id']} link {number}"] = link["url"]
        for number, link in enumerate(panel.get("fieldConfig", {}).get("defaults", {}).get("links", [])):
            found[f"panel {panel['id']} value {number}"] = link["url"]
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            for option in override["properties"]:
                if option["id"] == "links":
                    for link in option["value"]:
                        found[f"panel {panel['id']} {override['matcher']['options']}"] = link["url"]
    return found


def _page_problems(document: Json, name: str) -> Iterator[str]:
    chinese = name.startswith("zh/")
    yield from _word_problems(document, chinese=chinese)
    if not _UID.fullmatch(document["uid"]) or document["uid"].endswith("-en") is chinese:
        yield f"the uid {document['uid']!r} is not one of this set"
    if document["editable"] is not False:
        yield "can be edited, and would be written over"
    if not document["time"].get("from") or not document["time"].get("to"):
        yield "has no range of time to begin with"
    refresh = _REFRESH.fullmatch(document["refresh"])
    if refresh is None or int(refresh[1]) * {"s": 1, "m": 60, "h": 3600}[refresh[2]] < 10:
        yield f"is refreshed every {document['refresh']!r}; ten seconds at least"
    ids = [panel.get("id") for panel in document["panels"]]
    if None in ids or len(set(ids)) != len(ids):
        yield "has panels without an id of their own"
    used = {name for sql in queries_of(document).values() for name in variables_in(sql)}
    for url in links_of(document).values():
        used |= {*_CARRIED.findall(url), *_ENCODED.findall(url), *(["console"] if url.startswith(CONSOLE) else [])}
    used |= {panel["repeat"] for panel in document["panels"] if "repeat" in panel}
    yield from (f"has the variable ${unused}, which nothing uses" for unused in choices_of(document).keys() - used)
    for mark in document["annotations"]["list"]:
        missing = [column for column in _MARK_COLUMNS if f'AS "{column}"' not in mark["target"]["rawSql"]]
        yield from (f"the mark {mark['name']} lacks the column {column}" for column in missing)


def _word_problems(thing: Json, *, chinese: bool) -> Iterator[str]:
    title, about = thing.get("title", ""), thing.get("description", "")
    if bool(_CHINESE.search(title)) is not chinese:
        yield f"the title {title!r} is not in the language of the set"
    if not _ENGLISH.search(about) or bool(_CHINESE.search(about)) is not chinese:
        yield f"{title!r} is not explained in the languages of the set"


def _panel_problems(panel: Json, choices: Mapping[str, bool], *, chinese: bool) -> Iterator[str]:
    if panel["type"] not in KINDS:
        yield f"is of the kind {panel['type']!r}, which is not among ours"
    if panel["type"] == "row":
        if bool(_CHINESE.search(panel["title"])) is not chinese:
            yield f"the title {panel['title']!r} is not in the language of the set"
        return
    if "repeat" in panel and not choices.get(panel["repeat"], False):
        yield f"is repeated for ${panel['repeat']}, of which several cannot be chosen"
    yield from _word_problems(panel, chinese=chinese)
    defaults, overrides = panel["fieldConfig"]["defaults"], panel["fieldConfig"]["overrides"]
    options = [option for override in overrides for option in override["properties"]]
    units = [defaults.get("unit"), *(option["value"] for option in options if option["id"] == "unit")]
    units = [unit for unit in units if unit is not None]
    if panel["type"] in NUMERIC and not units:
        yield "shows numbers without a unit"
    yield from (f"has the unit {unit!r}" for unit in units if unit not in UNITS and not _FREE_UNIT.fullmatch(unit))
    if panel["type"] == "bargauge" and ("displayName" in defaults or any(o["id"] == "displayName" for o in options)):
        yield "names the number of its bars: then Grafana gives every bar that name"
    yield from _title_problems(panel)
    yield from _width_problems(panel, defaults, overrides)
    yield from _color_problems(panel, defaults, overrides)
    if panel["type"] == "nodeGraph" and units:
        yield "has a unit: Grafana writes its bare name behind the numbers of nodes"
    yield from _threshold_problems(defaults, options)


def _threshold_problems(defaults: Json, options: list[Json]) -> Iterator[str]:
    thresholds = [defaults.get("thresholds"), *(o["value"] for o in options if o["id"] == "thresholds")]
    for threshold in filter(None, thresholds):
        values = [step["value"] for step in threshold["steps"]]
        if values[0] is not None or values[1:] != sorted(values[1:]):
            yield f"has thresholds that do not rise from a ground colour: {values}"


def _title_problems(panel: Json) -> Iterator[str]:
    """What is cut cannot be read; names that are filled in are not ours."""
    title = re.sub(r"\$\{[^}]+\}", "", panel["title"])
    if ink(title) > (there := title_width(panel["gridPos"]["w"])):
        yield f"has a title of about {ink(title):.0f} px where {there} are"


def _width_problems(panel: Json, defaults: Json, overrides: list[Json]) -> Iterator[str]:
    """Columns of which some lie behind the scroll bar are not read: a reader does not know that they are there."""
    if panel["type"] != "table":
        return
    least = defaults.get("custom", {}).get("minWidth", 150)  # Grafana's own
    wanted = 0
    for override in overrides:
        options = {option["id"]: option["value"] for option in override["properties"]}
        wanted += 0 if options.get("custom.hideFrom", {}).get("viz") else options.get("custom.width", least)
    if wanted > (there := table_width(panel["gridPos"]["w"])):
        yield f"has columns of {wanted} px in a table of {there}: the last ones are behind the scroll bar"


def _color_problems(panel: Json, defaults: Json, overrides: list[Json]) -> Iterator[str]:
    """Where nothing is judged nothing is green or yellow: so begin the colours that Grafana gives by itself."""
    if panel["type"] not in CURVES or "color" in defaults:
        return
    if not overrides:
        yield "leaves its colours to Grafana, whose first ones are green and yellow"
    for override in overrides:
        options = {option["id"]: option["value"] for option in override["properties"]}
        name = override["matcher"]["options"]
        if "color" not in options and name != panel["options"].get("xField"):
            yield f"leaves the colour of {name} to Grafana, whose first ones are green and yellow"


def _box_problems(panels: list[Json]) -> Iterator[str]:
    taken: dict[tuple[int, int], Any] = {}
    for panel in panels:
        box = panel["gridPos"]
        if box["x"] < 0 or box["x"] + box["w"] > GRID_WIDTH:
            yield f"panel {panel['id']} stands beyond the page"
        for cell in (
            (x, y) for x in range(box["x"], box["x"] + box["w"]) for y in range(box["y"], box["y"] + box["h"])
        ):
            if cell in taken:
                yield f"panel {panel['id']} lies over panel {taken[cell]}"
                break
            taken[cell] = panel["id"]


def _source_problems(thing: Any) -> Iterator[str]:
    if isinstance(thing, dict):
        if "datasource" in thing and thing["datasource"] != DATASOURCE:
            yield f"asks the data source {thing['datasource']!r}"
        for value in thing.values():
            yield from _source_problems(value)
    if isinstance(thing, list):
        for value in thing:
            yield from _source_problems(value)


def _link_problems(url: str, choices: Mapping[str, bool], by_uid: Mapping[str, Json]) -> Iterator[str]:
    if url.startswith(f"{CONSOLE}/"):
        yield from _console_problems(url, choices)
        return
    match = _LINK.fullmatch(url)
    if match is None or match[1] not in by_uid:
        yield f"leads to no dashboard: {url}"
        return
    there = choices_of(by_uid[match[1]])
    for part in match[2].split("&"):
        carried, set_to = _CARRIED.fullmatch(part), _SET.fullmatch(part)
        if part == "${__url_time_range}":
            continue
        if carried:
            name = carried[1]
            if name not in choices or name not in there or (choices[name] and not there[name]):
                yield f"carries ${name} to {match[1]}, which cannot take it"
        elif set_to is None:
            yield f"carries {part!r}, whose form is not among ours"
        elif set_to[1] not in there:
            yield f"sets ${set_to[1]}, which {match[1]} does not have"


def _console_problems(url: str, choices: Mapping[str, bool]) -> Iterator[str]:
    if "$" in _FILLED.sub("", url):
        yield f"writes something into {url} in a form that is not among ours"
    for name in _ENCODED.findall(url):
        if choices.get(name) is not False:
            yield f"writes ${name} into {url}, where one value is wanted"
