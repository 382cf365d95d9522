"""Dashboards as code: committed JSON is what the code says, where Grafana looks for it, in either language."""

import json
import re
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st
from smartpark.cli import main
from smartpark_dashboards.controls import BAR, carried
from smartpark_dashboards.generated import all_dashboards, outdated_files, render_documents, render_files, write_files
from smartpark_dashboards.layout import GRID_WIDTH, place
from smartpark_dashboards.lint import queries_of
from smartpark_dashboards.queries import read_sql

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = render_documents()
LEAD_NOWHERE = {
    "本月峰值时刻", "When the month's peak was", "未来 24 小时峰值", "Peak of the next 24 hours",
    "清洁能源占比", "Clean energy", "单位能耗碳排放", "Core intensity", "零碳园区“1+5”", "Zero-carbon parks: 1 + 5",
    "平均确认与恢复时间", "Mean times", "确认率与误报率", "Acknowledged, false",
    "计算时效", "Newest numbers", "接口", "API", "备份", "Backups", "数据库", "Database",
    "聚合与结构", "Aggregates and schema",
}  # fmt: skip
"""Numbers whose detail stands beside them on their own page."""


def test_committed_files_are_what_the_code_says():
    assert outdated_files(ROOT / "dashboards" / "generated") == []


def test_the_same_code_gives_the_same_text_with_sorted_keys():
    assert render_files() == render_files()
    for text in render_files().values():
        assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def test_every_dashboard_exists_in_both_languages_with_the_same_panels_and_queries():
    for dashboard in all_dashboards():
        zh, en = (DOCUMENTS[f"{language}/{dashboard.uid}.json"] for language in ("zh", "en"))
        assert en["uid"] == f"{zh['uid']}-en"
        assert [panel["id"] for panel in zh["panels"]] == [panel["id"] for panel in en["panels"]]
        assert [panel.get("targets") for panel in zh["panels"]] == [panel.get("targets") for panel in en["panels"]]
        assert not re.search(r"[\u4e00-\u9fff]", without_queries(en))


def without_queries(document):
    """All that people read; queries hold the words of both languages, and people name parks as they like."""
    words = json.loads(json.dumps(document))
    for panel in words["panels"]:
        panel.pop("targets", None)
    words["annotations"] = [mark["name"] for mark in words["annotations"]["list"]]
    words["templating"] = [variable.get("label") for variable in words["templating"]["list"]]
    return json.dumps(words, ensure_ascii=False)


def test_every_query_file_is_asked_by_some_page():
    folder = ROOT / "dashboards" / "smartpark_dashboards" / "sql"
    asked = {sql for document in DOCUMENTS.values() for sql in queries_of(document).values()}
    written = {read_sql(path.parent.name, path.stem) for path in folder.rglob("*.sql")}
    assert written == asked


def test_the_ten_dashboards_of_the_set_exist():
    assert [dashboard.uid for dashboard in all_dashboards()] == [uid for uid, _ in BAR]


def test_every_file_is_a_commented_query():
    folder = ROOT / "dashboards" / "smartpark_dashboards" / "sql"
    for path in folder.rglob("*.sql"):
        assert path.read_text(encoding="utf-8").startswith("-- "), path


@given(st.lists(st.tuples(st.integers(1, GRID_WIDTH), st.integers(1, 12)), max_size=12))
def test_panels_of_any_size_are_placed_without_overlap(sizes):
    cells = [
        (x + right, y + down)
        for (width, height), (x, y) in zip(sizes, place(sizes), strict=True)
        for right in range(width)
        for down in range(height)
    ]
    assert len(cells) == len(set(cells))
    assert all(0 <= x < GRID_WIDTH for x, _ in cells)


# --- links, marks and choices ---------------------------------------------------------------------------------------


def test_what_is_chosen_goes_along_where_the_other_page_can_take_it():
    one, several = {"province": True, "park": False, "zone": True}, {"province": True, "park": True, "zone": True}
    assert carried(one, several) == ("province", "park", "zone")
    assert carried(several, several) == ("province", "park", "zone")
    # Several parks cannot become one, and their zones mean nothing there.
    assert carried(several, one) == ("province",)
    assert carried(one, {"province": True, "zone": True}) == ("province",)
    assert carried(one, {}) == carried({}, one) == ()


def test_every_page_leads_to_the_others_and_to_the_console():
    for name, document in DOCUMENTS.items():
        language = name.split("/")[0]
        urls = [link["url"] for link in document["links"]]
        others = {one["uid"] for key, one in DOCUMENTS.items() if key.startswith(f"{language}/")} - {document["uid"]}
        assert {url.split("/d/")[1].split("?")[0] for url in urls if url.startswith("/d/")} == others
        assert all("${__url_time_range}" in url for url in urls if url.startswith("/d/"))
        assert [url.startswith("${console:raw}/") for url in urls].count(True) == 1


def test_every_page_with_curves_marks_alerts_maintenance_and_gaps():
    for name, document in DOCUMENTS.items():
        if any(panel["type"] == "timeseries" for panel in document["panels"]):
            words = {
                "zh": ["严重告警", "其他告警", "停电/检修", "数据缺口"],
                "en": ["Critical alerts", "Other alerts", "Maintenance", "Gaps in the data"],
            }
            assert [mark["name"] for mark in document["annotations"]["list"]] == words[name.split("/")[0]], name


def test_every_number_on_its_own_leads_somewhere_and_every_page_says_how_fresh_it_is():
    for name, document in DOCUMENTS.items():
        alone = [panel for panel in document["panels"] if panel["type"] in {"stat", "gauge"}]
        without = {panel["title"] for panel in alone if not panel.get("links")}
        assert without <= LEAD_NOWHERE, name
        # A click on the number leads where the link at the title does.
        assert all(panel["fieldConfig"]["defaults"].get("links") == panel.get("links") for panel in alone)
        assert any(panel["id"] == 90 for panel in alone) or document["uid"].startswith("platform-operation")


# --- provisioning -------------------------------------------------------------------------------------------------


def provisioning(name):
    return yaml.safe_load((ROOT / "dashboards" / "provisioning" / name).read_text(encoding="utf-8"))


def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def test_the_provisioned_data_source_is_the_one_that_the_panels_ask_and_holds_no_password():
    (source,) = provisioning("datasources/park.yaml")["datasources"]
    assert (source["uid"], source["type"]) == ("park-tsdb", "grafana-postgresql-datasource")
    assert source["user"] == "smartpark_grafana"
    assert source["secureJsonData"] == {"password": "$__file{/run/secrets/smartpark_grafana.password}"}
    services = compose()
    assert "smartpark_grafana.password" in services["grafana"]["secrets"]
    assert source["url"].split(":")[0] in services
    assert source["jsonData"]["database"] == services["database"]["environment"]["POSTGRES_DB"]


def test_the_provisioned_folders_are_where_compose_mounts_the_generated_files():
    providers = provisioning("dashboards/smartpark.yaml")["providers"]
    services = compose()
    mounts = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    mounted = mounts["./dashboards/generated"]
    assert {provider["options"]["path"] for provider in providers} == {f"{mounted}/zh", f"{mounted}/en"}
    assert {provider["folder"] for provider in providers} == {"智慧园区", "Smart park"}
    assert len({provider["folderUid"] for provider in providers}) == 2
    home = Path(services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home.relative_to(mounted).as_posix() in render_files()


# --- the commands -------------------------------------------------------------------------------------------------


def test_check_names_what_is_missing_changed_or_left_over_and_build_mends_it(tmp_path, capsys):
    (tmp_path / "old.json").write_text("{}")
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "park-overview.json").write_text("{}")
    where = ["--folder", str(tmp_path), "--provisioning", str(tmp_path)]
    assert main(["dashboards", "check", *where]) == 2
    told = capsys.readouterr().err
    assert "old.json: comes from no dashboard" in told
    assert "park-overview.json: differs from the code" in told
    assert "en/park-overview.json: is missing" in told
    assert "alerting/platform.yaml: is missing" in told
    (tmp_path / "old.json").unlink()
    assert main(["dashboards", "build", *where]) == 0
    assert main(["dashboards", "check", *where]) == 0
    (tmp_path / "alerting" / "platform.yaml").write_text("groups: []")
    assert main(["dashboards", "check", *where]) == 2
    assert main(["dashboards", "build", *where]) == 0
    assert write_files(tmp_path) == []
