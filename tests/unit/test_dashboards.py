"""Dashboards as code: committed JSON is what the code says, Grafana's schemas accept it, and our own rules hold."""

import json
import re
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from smartpark.cli import main
from smartpark_dashboards.generated import all_dashboards, outdated_files, render_files, write_files
from smartpark_dashboards.panels import GRID_WIDTH, Stat, place

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "tests" / "data" / "grafana"
DOCUMENTS = {name: json.loads(text) for name, text in render_files().items()}
PANELS = {f"{name}#{panel['id']}": panel for name, document in DOCUMENTS.items() for panel in document["panels"]}


@cache
def schema(name):
    found = json.loads((SCHEMAS / f"{name}.jsonschema.json").read_text(encoding="utf-8"))
    for definition, key in (("MatcherConfig", "options"), ("DynamicConfigValue", "value")):
        if definition in found["definitions"]:
            # Anything at all in Grafana (a column's name, a unit); the export to JSON schema made an object of it.
            found["definitions"][definition]["properties"][key] = {}
    return found


def problems(document, name, definition):
    known = schema(name)
    validator = jsonschema.Draft7Validator(
        {"$ref": f"#/definitions/{definition}", "definitions": known["definitions"]}
    )
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(document)
    ]


def test_committed_files_are_what_the_code_says():
    assert outdated_files(ROOT / "dashboards" / "generated") == []


def test_the_same_code_gives_the_same_text():
    assert render_files() == render_files()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_grafanas_schema_accepts_the_dashboard(name):
    assert problems(DOCUMENTS[name], "dashboard", "Dashboard") == []


@pytest.mark.parametrize("key", PANELS)
def test_grafanas_schema_accepts_the_options_of_each_panel(key):
    panel = PANELS[key]
    assert problems(panel["options"], panel["type"], "Options") == []
    custom = panel["fieldConfig"]["defaults"].get("custom", {})
    if panel["type"] == "timeseries":
        assert problems(custom, "timeseries", "GraphFieldConfig") == []
    else:
        assert custom == {}


def test_the_schemas_would_notice_a_misspelt_option():
    panel = next(panel for panel in PANELS.values() if panel["type"] == "stat")
    assert problems(panel["options"] | {"colourMode": "value"}, "stat", "Options")


@pytest.mark.parametrize("key", PANELS)
def test_units_are_grafanas(key):
    known = {meaning.get("const") for meaning in schema("units")["definitions"].values()}
    field_config = PANELS[key]["fieldConfig"]
    units = [field_config["defaults"].get("unit")]
    units += [
        option["value"]
        for entry in field_config["overrides"]
        for option in entry["properties"]
        if option["id"] == "unit"
    ]
    for unit in units:
        assert unit is None or unit in known or re.match(r"suffix:\S", unit), unit


@pytest.mark.parametrize("key", PANELS)
def test_a_panel_is_titled_in_chinese_and_explained_in_both_languages(key):
    panel = PANELS[key]
    assert re.search(r"[\u4e00-\u9fff]", panel["title"])
    assert re.search(r"[\u4e00-\u9fff]", panel["description"])
    assert re.search(r"[A-Za-z]{3,} [a-z]+", panel["description"])


@pytest.mark.parametrize("key", PANELS)
def test_only_our_data_source_and_only_the_views_are_read(key):
    panel = PANELS[key]
    sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    assert {source["uid"] for source in sources} == {"park-tsdb"}
    for target in panel["targets"]:
        tables = re.findall(r"\b(?:FROM|JOIN)\s+([a-z_]+\.[a-z_0-9]+)", target["rawSql"])
        assert tables
        assert all(table.startswith("park.") for table in tables)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_variables_are_defined_used_and_quoted(name):
    document = DOCUMENTS[name]
    defined = {variable["name"] for variable in document["templating"]["list"]}
    queries = [target["rawSql"] for panel in document["panels"] for target in panel["targets"]]
    used = {match for query in queries for match in re.findall(r"\$(?!_)(\w+)", query)}
    assert used == defined
    for query in queries:
        assert not re.search(r"(?<!')\$(?!_)\w+|\$(?!_)\w+(?!\w|')", query), query


@pytest.mark.parametrize("name", DOCUMENTS)
def test_panels_have_ids_and_do_not_overlap(name):
    panels = DOCUMENTS[name]["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    assert_no_overlap([panel["gridPos"] for panel in panels])


def assert_no_overlap(boxes):
    cells = [(x, y) for b in boxes for x in range(b["x"], b["x"] + b["w"]) for y in range(b["y"], b["y"] + b["h"])]
    assert len(cells) == len(set(cells))
    assert all(0 <= x < GRID_WIDTH for x, _ in cells)


@given(st.lists(st.tuples(st.integers(1, GRID_WIDTH), st.integers(1, 12)), max_size=12))
def test_panels_of_any_size_are_placed_without_overlap(sizes):
    panels = [Stat("t", "d", "SELECT 1", width=width, height=height) for width, height in sizes]
    corners = place(panels)
    assert_no_overlap(
        [{"x": x, "y": y, "w": p.width, "h": p.height} for p, (x, y) in zip(panels, corners, strict=True)]
    )


def test_thresholds_begin_with_a_ground_colour_and_rise():
    for dashboard in all_dashboards():
        for panel in dashboard.panels:
            values = [step.value for step in panel.steps]
            assert values[:1] in ([], [None])
            assert values[1:] == sorted(values[1:])


def test_uids_are_such_that_grafana_takes_them_and_unique():
    uids = [dashboard.uid for dashboard in all_dashboards()]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9-]{8,40}", uid) for uid in uids)


# --- provisioning -------------------------------------------------------------------------------------------------


def provisioning(name):
    return yaml.safe_load((ROOT / "dashboards" / "provisioning" / name).read_text(encoding="utf-8"))


def test_the_provisioned_data_source_is_the_one_that_the_panels_ask_and_holds_no_password():
    (source,) = provisioning("datasources/park.yaml")["datasources"]
    assert (source["uid"], source["type"]) == ("park-tsdb", "grafana-postgresql-datasource")
    assert source["user"] == "smartpark_grafana"
    assert source["secureJsonData"] == {"password": "${GRAFANA_DATABASE_PASSWORD}"}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert "GRAFANA_DATABASE_PASSWORD" in compose["grafana"]["environment"]
    assert source["url"].split(":")[0] in compose
    assert source["jsonData"]["database"] == compose["database"]["environment"]["POSTGRES_DB"]


def test_the_provisioned_folder_is_where_compose_mounts_the_generated_files():
    (provider,) = provisioning("dashboards/smartpark.yaml")["providers"]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    mounts = dict(volume.split(":")[:2] for volume in compose["grafana"]["volumes"])
    assert mounts["./dashboards/generated"] == provider["options"]["path"]
    home = compose["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).name in render_files()


# --- the commands -------------------------------------------------------------------------------------------------


def test_check_names_what_is_missing_changed_or_left_over_and_build_mends_it(tmp_path, capsys):
    (tmp_path / "old.json").write_text("{}")
    (tmp_path / "park-overview.json").write_text("{}")
    assert main(["dashboards", "check", "--folder", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "old.json: comes from no dashboard" in told
    assert "park-overview.json: differs from the code" in told
    (tmp_path / "old.json").unlink()
    assert main(["dashboards", "build", "--folder", str(tmp_path)]) == 0
    assert main(["dashboards", "check", "--folder", str(tmp_path)]) == 0
    assert write_files(tmp_path) == []
