"""Our own rules hold for every dashboard, and each rule notices what it is about."""

import copy
import re

import pytest
from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.lint import problems_of, queries_of
from smartpark_dashboards.lint_sql import query_problems

DOCUMENTS = render_documents()
NAME = "zh/park-overview.json"


def test_no_dashboard_breaks_a_rule():
    assert [str(problem) for problem in problems_of(DOCUMENTS)] == []


def panel(document, number=1):
    return next(panel for panel in document["panels"] if panel["id"] == number)


def put(keys, value):
    """A change of one key of the page."""

    def change(document):
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


def of_panel(*keys, value, number=1):
    return lambda document: put(keys, value)(panel(document, number))


CHANGES = {
    "a uid of another page": (put(["uid"], "park-overview-en"), "two dashboards have the same"),
    "a short uid": (put(["uid"], "park"), "is not one of this set"),
    "an English title": (put(["title"], "Park overview"), "is not in the language"),
    "no description": (put(["description"], ""), "is not explained"),
    "a Chinese description alone": (of_panel("description", value="负荷"), "is not explained"),
    "an English panel": (of_panel("title", value="load"), "is not in the language"),
    "edited pages": (put(["editable"], True), "can be edited"),
    "refreshed too often": (put(["refresh"], "5s"), "ten seconds at least"),
    "refreshed by no rule": (put(["refresh"], ""), "ten seconds at least"),
    "no range": (put(["time"], {"from": "", "to": "now"}), "no range of time"),
    "no id": (of_panel("id", value=None), "without an id"),
    "an id twice": (of_panel("id", value=2), "without an id of their own"),
    "an unknown kind": (of_panel("type", value="graph"), "not among ours"),
    "no unit": (of_panel("fieldConfig", "defaults", value={}), "without a unit"),
    "an unknown unit": (of_panel("fieldConfig", "defaults", "unit", value="currencyCNY"), "has the unit"),
    "a unit that counts in weeks": (of_panel("fieldConfig", "defaults", "unit", value="s"), "has the unit"),
    "a table wider than its panel": (
        of_panel("gridPos", value={"x": 0, "y": 99, "w": 8, "h": 4}, number=33), "behind the scroll bar"
    ),
    "a table with columns as wide as Grafana's": (
        of_panel(
            "fieldConfig", number=30,
            value={
                "defaults": {},
                "overrides": [{"matcher": {"options": name}, "properties": []} for name in "abcd"],
            },
        ),
        "has columns of 600 px",
    ),
    "a title that is cut": (of_panel("title", value="电" * 30, number=14), "has a title of about 420 px"),
    "a curve that is green by itself": (
        of_panel(
            "fieldConfig", number=20,
            value={
                "defaults": {"unit": "kwatt"},
                "overrides": [{"matcher": {"options": "load_kw"}, "properties": []}],
            },
        ),
        "leaves the colour of load_kw to Grafana",
    ),
    "curves without a name that are green by themselves": (
        of_panel("fieldConfig", value={"defaults": {"unit": "kwatt"}, "overrides": []}, number=20),
        "leaves its colours to Grafana",
    ),
    "a unit of nodes": (of_panel("type", value="nodeGraph"), "bare name"),
    "bars of one name": (
        of_panel(
            "fieldConfig", "overrides", number=11,
            value=[{"matcher": {"options": "pace"}, "properties": [{"id": "displayName", "value": "x"}]}],
        ),
        "gives every bar that name",
    ),
    "thresholds that fall": (
        of_panel(
            "fieldConfig", "defaults", "thresholds",
            value={"mode": "absolute", "steps": [{"value": None, "color": "red"}, {"value": 9, "color": "red"},
                                                {"value": 3, "color": "red"}]},
        ),
        "do not rise",
    ),
    "no ground colour": (
        of_panel("fieldConfig", "defaults", "thresholds", value={"steps": [{"value": 0, "color": "red"}]}),
        "do not rise",
    ),
    "a panel over another": (of_panel("gridPos", value={"x": 6, "y": 0, "w": 5, "h": 4}), "lies over"),
    "a panel beyond the page": (of_panel("gridPos", value={"x": 20, "y": 99, "w": 5, "h": 4}), "beyond the page"),
    "another data source": (of_panel("datasource", value={"uid": "other"}), "asks the data source"),
    "another data source of a query": (
        lambda document: panel(document)["targets"][0].update(datasource="park"), "asks the data source"
    ),
    "a link to nowhere": (
        lambda document: document["links"].append({"title": "x", "url": "/d/nowhere-at-all?${__url_time_range}"}),
        "leads to no dashboard",
    ),
    "a link with a variable nobody has": (
        lambda document: document["links"].append({"title": "x", "url": "/d/park-overview?${zone:queryparam}"}),
        "cannot take it",
    ),
    "a link that sets what is not there": (
        lambda document: document["links"].append(
            {"title": "x", "url": "/d/park-overview?var-zone=${__data.fields.zone:percentencode}"}
        ),
        "does not have",
    ),
    "a link in another form": (
        lambda document: document["links"].append({"title": "x", "url": "/d/park-overview?var-park=$park"}),
        "not among ours",
    ),
    "a console link that names what the page does not have": (
        lambda document: document["links"].append({"title": "x", "url": "${console:raw}/${zone:percentencode}"}),
        "where one value is wanted",
    ),
    "a console link in another form": (
        lambda document: document["links"].append({"title": "x", "url": "${console:raw}/parks/$park"}),
        "in a form that is not among ours",
    ),
    "a console that is no beginning": (
        lambda document: document["links"].append({"title": "x", "url": "https://a.b/${console:raw}"}),
        "leads to no dashboard",
    ),
    "a panel for each of what is one": (of_panel("repeat", value="park"), "of which several cannot be chosen"),
    "a variable nobody uses": (
        lambda document: document["templating"]["list"].append({"name": "zone", "type": "custom"}),
        "which nothing uses",
    ),
    "a mark without an end": (
        lambda document: document["annotations"]["list"][0]["target"].update(rawSql='SELECT now() AS "time"'),
        "lacks the column timeend",
    ),
    "a query of tables": (
        lambda document: panel(document)["targets"][0].update(rawSql="SELECT * FROM smartpark.park"), "not a view"
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_rule_notices(change):
    documents = copy.deepcopy(DOCUMENTS)
    alter, expected = CHANGES[change]
    alter(documents[NAME])
    assert re.search(expected, "\n".join(map(str, problems_of(documents))))


QUERIES = {
    "SELECT 1 FROM pg_tables": "reads pg_tables",
    "SELECT 1 FROM seen.park": r"reads seen\.park",
    "SELECT 1 FROM park.park JOIN smartpark.point ON true": r"reads smartpark\.point",
    "SELECT 1 FROM park.park WHERE code = $one": "in quotes",
    "SELECT 1 FROM park.park WHERE code = '$many'": r"as IN \(\$many\)",
    "SELECT 1 FROM park.park WHERE code = $many": r"as IN \(\$many\)",
    "SELECT 1 FROM park.park WHERE code IN (${one:csv})": "only bare or as sqlstring",
    "SELECT 1 FROM park.park WHERE code = '${one:singlequote}'": "only bare or as sqlstring",
    "SELECT 1 FROM park.park WHERE code = '[[one]]'": "in the old way",
    "SELECT 1 FROM park.park WHERE code = '$three'": "which the page does not have",
    "SELECT 1 FROM park.park WHERE $__timeFiltr(time)": "not among ours",
    "SELECT 1 FROM park.park WHERE $__timeFilter(coalesce(a, b))": "bracket within the arguments",
    "SELECT $$x$$": r"has \$\$",
    "SELECT $__timeGroupAlias(time, '1d') FROM park.park": "midnight of UTC",
    "SELECT $__timeGroupAlias(time, '0s') FROM park.park": "no interval",
    "SELECT $__timeGroup(time) FROM park.park": "no interval",
    "SELECT 1; SELECT 2": "more than one statement",
    "SELECT * FROM park.reading_hour WHERE point_id IN (SELECT point_id FROM park.point)": "the index",
    "SELECT * FROM park.reading WHERE $__timeFilter(time)": "reads single readings",
    "SELECT ${__from} FROM park.park": "has no meaning in SQL",
}


@pytest.mark.parametrize("sql", QUERIES)
def test_a_rule_of_queries_notices(sql):
    found = list(query_problems(sql, {"one": False, "many": True}))
    assert re.search(QUERIES[sql], "\n".join(found))


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (SELECT 1), b (x) AS (SELECT 2) SELECT * FROM a JOIN b ON a IS DISTINCT FROM b",
        "SELECT extract(epoch FROM time) FROM park.latest WHERE park IN ($many) AND code = '$one'",
        "SELECT * FROM generate_series(1, 3) AS n WHERE $__timeFilter(n) -- FROM smartpark.park $nothing",
        "SELECT ';' FROM park.park WHERE code IN (${many:sqlstring})",
        "SELECT $__timeGroupAlias(time, $__interval) FROM park.latest",
    ],
)
def test_good_queries_pass(sql):
    assert list(query_problems(sql, {"one": False, "many": True})) == []


def test_queries_of_panels_variables_and_marks_are_looked_at():
    found = queries_of(DOCUMENTS[NAME])
    assert {"panel 1/A", "$park", "mark 严重告警"} <= set(found)
