"""The files that Grafana is provisioned with, through strict models; and that the models see each kind of mistake."""

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from provisioning_models import provisioning_problems, read_files
from smartpark.clock import utc_now
from smartpark_api.alerts.platform_models import MOST_ALERTS
from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.grafana_sql import Request, expand
from smartpark_dashboards.lint_sql import query_problems
from smartpark_dashboards.platform_alerts.provisioned import FILE, platform_document, platform_file
from smartpark_dashboards.platform_alerts.rules import RULES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dashboards" / "provisioning"
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
FILES = read_files(FOLDER)
PANELS = {document["uid"]: {panel["id"] for panel in document["panels"]} for document in render_documents().values()}


def problems(files=FILES, services=SERVICES, panels=PANELS):
    return provisioning_problems(files, grafana=services["grafana"], services=services, panels=panels)


def test_the_files_are_as_grafana_wants_them_and_agree_with_everything_around():
    assert problems() == []
    assert set(FILES) == {
        "alerting/contact.yaml",
        "alerting/platform.yaml",
        "dashboards/smartpark.yaml",
        "datasources/park.yaml",
        "plugins/none.yaml",
    }


def test_the_rules_are_what_the_code_says_and_the_same_each_time():
    assert (FOLDER / FILE).read_text(encoding="utf-8") == platform_file() == platform_file()
    assert yaml.safe_load(platform_file()) == platform_document()
    # A few: what the park's readings say is not judged here.
    assert 4 <= len(RULES) <= 8


def at(files, path):
    """The place that a path such as ``alerting/platform.yaml groups 0 name`` leads to: what holds it, and its key."""
    name, *keys = path.split()
    node = files[name]
    for key in keys[:-1]:
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node, (int(keys[-1]) if isinstance(node, list) else keys[-1])


RULE = "alerting/platform.yaml groups 0 rules 0"
MISTAKES = [
    # A key that nobody knows, at each level; one that is missing; one of another type.
    ("alerting/platform.yaml group", [], "Extra inputs"),
    (f"{RULE} noDataStates", "OK", "Extra inputs"),
    (f"{RULE} data 0 model rawSQL", "SELECT 1", "Extra inputs"),
    (f"{RULE} labels team", "x", "Extra inputs"),
    ("alerting/contact.yaml contactPoints 0 receivers 0 settings authorization_credential", "x", "Extra inputs"),
    ("alerting/contact.yaml policies 0 repeat_intervall", "1h", "Extra inputs"),
    ("alerting/contact.yaml muteTimings", [], "Extra inputs"),
    ("datasources/park.yaml datasources 0 jsonData sslMode", "disable", "Extra inputs"),
    ("dashboards/smartpark.yaml providers 0 foldersFromFilesStructure", True, "Extra inputs"),
    (f"{RULE} noDataState", None, "Field required"),
    (f"{RULE} execErrState", None, "Field required"),
    (f"{RULE} for", None, "Field required"),
    (f"{RULE} labels severity", None, "Field required"),
    (f"{RULE} annotations summary_en", None, "Field required"),
    (f"{RULE} data 0 relativeTimeRange", None, "Field required"),
    ("alerting/contact.yaml policies 0 receiver", None, "Field required"),
    ("datasources/park.yaml datasources 0 uid", None, "Field required"),
    ("dashboards/smartpark.yaml providers 0 folderUid", None, "Field required"),
    (f"{RULE} noDataState", "Ok", "Input should be"),
    (f"{RULE} for", "2 minutes", "String should match"),
    (f"{RULE} for", "0s", "String should match"),
    (f"{RULE} condition", "B", "Input should be"),
    (f"{RULE} data 0 model format", "time_series", "Input should be"),
    (f"{RULE} data 1 model expression", "B", "Input should be"),
    (f"{RULE} data 1 model conditions 0 evaluator params", ["600"], "valid integer"),
    (f"{RULE} labels severity", "page", "Input should be"),
    (f"{RULE} isPaused", True, "Input should be"),
    (f"{RULE} title", "平台 ${HOSTNAME}", "String should match"),
    (f"{RULE} annotations description", "agent {{ $labels.agent }}", "String should match"),
    ("alerting/platform.yaml groups 0 interval", 60, "valid string"),
    ("alerting/platform.yaml apiVersion", 2, "Input should be"),
    ("alerting/contact.yaml contactPoints 0 receivers 0 disableResolveMessage", True, "Input should be"),
    ("datasources/park.yaml datasources 0 user", "postgres", "Input should be"),
    ("datasources/park.yaml datasources 0 editable", True, "Input should be"),
    ("datasources/park.yaml datasources 0 jsonData timescaledb", False, "Input should be"),
    ("dashboards/smartpark.yaml providers 0 allowUiUpdates", True, "Input should be"),
    # A secret in a file.
    ("datasources/park.yaml datasources 0 secureJsonData password", "hunter2", "String should match"),
    (
        "alerting/contact.yaml contactPoints 0 receivers 0 settings authorization_credentials",
        "spk_x",
        "String should",
    ),
    ("alerting/contact.yaml contactPoints 0 receivers 0 settings url", "http://u:p@api:8000/", "String should match"),
    # What does not agree.
    (f"{RULE} uid", "platform-other-thing", "its label rule says"),
    (f"{RULE} panelId", 99, "differs between its fields and its annotations"),
    (f"{RULE} data 0 datasourceUid", "park-tsdb-2", "asks the data source"),
    (f"{RULE} data 0 model datasource uid", "other", "asks the data source"),
    (f"{RULE} data 1 model datasource uid", "park-tsdb", "its threshold is no expression"),
    ("alerting/platform.yaml groups 0 folder", "智慧园区", "might make two"),
    ("alerting/platform.yaml groups 0 rules 1 title", "平台：园区没有读数入库", "stands twice"),
    ("alerting/contact.yaml policies 0 receiver", "grafana-default-email", "no such contact point"),
    ("alerting/contact.yaml policies", [], "no policy tells anybody"),
    ("alerting/contact.yaml contactPoints 0 receivers 0 settings url", "http://apis:8000/x", "no service apis"),
    ("alerting/contact.yaml contactPoints 0 receivers 0 settings url", "http://broker:8000/x", "does not see broker"),
    (
        "datasources/park.yaml datasources 0 secureJsonData password",
        "$__file{/run/secrets/postgres.password}",
        "not given the secret postgres.password",
    ),
    ("dashboards/smartpark.yaml providers 0 options path", "/srv/dashboards/zh", "nothing is mounted"),
    ("dashboards/smartpark.yaml providers 1 folderUid", "smartpark", "stands twice"),
]


@pytest.mark.parametrize(
    ("path", "value", "expected"), MISTAKES, ids=[f"{m[0].split()[-1]}-{n}" for n, m in enumerate(MISTAKES)]
)
def test_each_kind_of_mistake_is_seen(path, value, expected):
    files = copy.deepcopy(FILES)
    node, key = at(files, path)
    if value is None:
        del node[key]
    else:
        node[key] = value
    assert [one for one in problems(files) if expected in one], problems(files)


def test_a_rule_that_shows_a_panel_that_is_gone_is_seen():
    assert [one for one in problems(panels=PANELS | {"platform-operation": {1}}) if "there is no panel" in one]


def test_a_file_that_grafana_would_not_read_is_seen():
    assert problems(FILES | {"alerting/rules.yml": {}}) == ["alerting/rules.yml: Grafana reads nothing there"]
    assert problems(FILES | {"notifiers/x.yaml": {}}) == ["notifiers/x.yaml: Grafana reads nothing there"]


def test_a_compose_without_the_key_the_mount_or_the_network_is_seen():
    for key, without, expected in (
        ("secrets", "grafana-api.key", "not given the secret"),
        ("networks", "database", "does not see api"),
        ("volumes", "./dashboards/generated:/etc/smartpark/dashboards:ro", "nothing is mounted"),
    ):
        services = copy.deepcopy(SERVICES)
        services["grafana"][key].remove(without)
        assert [one for one in problems(services=services) if expected in one], key


# --- with our own API ---------------------------------------------------------------------------------------------


def test_the_contact_point_tells_a_route_of_ours_no_more_than_it_takes():
    settings = FILES["alerting/contact.yaml"]["contactPoints"][0]["receivers"][0]["settings"]
    described = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))["paths"]
    path = re.sub(r"^http://api:8000", "", settings["url"])
    assert "post" in described[path]
    assert int(settings["maxAlerts"]) == MOST_ALERTS


def test_compose_lets_grafana_in_by_the_key_that_it_shows_and_for_this_alone():
    arguments = SERVICES["admit-grafana"]["command"]
    settings = FILES["alerting/contact.yaml"]["contactPoints"][0]["receivers"][0]["settings"]
    assert f"--file={settings['authorization_credentials'][8:-1]}" in arguments
    assert [one for one in arguments if one.startswith("--scope")] == ["--scope=platform-alerts:write"]


# --- queries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
def test_a_query_keeps_the_rules_of_all_queries_and_needs_nothing_written_in(rule):
    assert list(query_problems(rule.sql, {})) == []
    assert "$" not in rule.sql
    now = utc_now()
    assert expand(rule.sql, Request(now, now, {})) == rule.sql


def test_a_rule_that_reads_a_table_would_be_seen():
    assert list(query_problems("SELECT count(*)::float8 AS value FROM smartpark.reading", {}))
    assert list(query_problems("SELECT max(value) FROM park.reading", {}))


# --- with Grafana's own JSON schemas --------------------------------------------------------------------------------


def schema_errors(name, definition, document):
    path = ROOT / "tests/data/grafana" / f"{name}.jsonschema.json"
    known = json.loads(path.read_text(encoding="utf-8"))["definitions"]
    wanted = {"$ref": f"#/definitions/{definition}", "definitions": known}
    return [one.message for one in jsonschema.Draft7Validator(wanted).iter_errors(document)]


@pytest.mark.parametrize("rule", platform_document()["groups"][0]["rules"], ids=lambda rule: rule["uid"])
def test_a_rule_is_one_to_grafanas_schemas(rule):
    # What a file says with its group, or shows where the rule is; the rest is the same as in the HTTP API.
    as_sent = {key: value for key, value in rule.items() if key not in {"dashboardUid", "panelId"}}
    as_sent |= {"folderUID": "x", "orgID": 1, "ruleGroup": "platform"}
    assert schema_errors("alerting", "Rule", as_sent) == []
    assert schema_errors("expr", "TypeThreshold", rule["data"][1]["model"]) == []
    assert schema_errors("alerting", "Rule", as_sent | {"noDataState": "Fine"})
    assert schema_errors("expr", "TypeThreshold", rule["data"][1]["model"] | {"typ": "x"})


def test_contact_points_and_policies_are_such_to_grafanas_schemas():
    contact = FILES["alerting/contact.yaml"]
    point = contact["contactPoints"][0]
    receiver = {"name": point["name"], **point["receivers"][0]}
    assert schema_errors("alerting", "ContactPoint", receiver) == []
    policy = {key: value for key, value in contact["policies"][0].items() if key != "orgId"}
    assert schema_errors("alerting", "NotificationPolicy", policy) == []
    assert schema_errors("alerting", "NotificationPolicy", policy | {"repeat": "1h"})
