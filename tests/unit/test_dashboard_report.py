"""`smartpark grafana report` names every panel and query, what each reads, and what is wrong."""

import copy
import json

import pytest
from smartpark.cli import main
from smartpark_dashboards.generated import render_documents, write_files
from smartpark_dashboards.lint import queries_of
from smartpark_dashboards.platform_alerts.rules import RULES
from smartpark_dashboards.report import page_problems, report_lines, reported

DOCUMENTS = render_documents()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files as the code would write them; whether the committed ones are so, test_dashboards.py sees."""
    folder = tmp_path_factory.mktemp("generated")
    write_files(folder)
    return str(folder)


def test_every_query_of_a_set_is_listed_with_what_it_reads_and_what_was_checked(folder, capsys):
    assert main(["grafana", "report", "--language", "en", "--json", "--folder", folder]) == 0
    told = json.loads(capsys.readouterr().out)
    wanted = {
        (document["uid"], place)
        for name, document in DOCUMENTS.items()
        if name.startswith("en/")
        for place in queries_of(document)
    } | {("", rule.uid) for rule in RULES}
    rows = told["queries"]
    assert {(row["dashboard"], row["place"]) for row in rows} == wanted
    assert len(rows) == len(wanted)
    (load,) = [row for row in rows if (row["dashboard"], row["place"]) == ("park-overview-en", "panel 1/A")]
    assert load["views"] == ["park.boundary_flow", "park.latest"]
    assert load["variables"] == ["park"]
    assert load["problems"] == []
    results = {check["check"]: check["result"] for check in load["checks"]}
    assert results == {"rules": "pass", "macros": "pass", "answers": "not made", "shape": "not made"}
    assert [page["uid"] for page in told["dashboards"]] == [
        document["uid"] for name, document in DOCUMENTS.items() if name.startswith("en/")
    ]
    assert all(check["result"] == "pass" for page in told["dashboards"] for check in page["checks"])
    assert told["summary"] == {
        "pass": 2 * len(rows) + 2 * len(told["dashboards"]), "fail": 0, "not made": 2 * len(rows),
    }  # fmt: skip


def test_a_file_that_differs_from_the_code_is_told(tmp_path, capsys):
    assert main(["dashboards", "build", "--folder", str(tmp_path), "--provisioning", str(tmp_path)]) == 0
    (tmp_path / "zh" / "park-power.json").write_text("{}")
    capsys.readouterr()
    assert main(["grafana", "report", "--folder", str(tmp_path), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    (page,) = [page for page in told["dashboards"] if page["uid"] == "park-power"]
    assert {check["check"]: check["result"] for check in page["checks"]} == {"rules": "pass", "file": "fail"}
    assert told["summary"]["fail"] == 1


def test_people_read_a_line_for_each(folder, capsys):
    assert main(["grafana", "report", "--folder", folder]) == 0
    text = capsys.readouterr().out
    assert "park-overview  园区总览  (" in text
    assert "panel 1/A" in text
    assert "边界受电功率" in text


def test_what_is_wrong_stands_beside_its_query_or_below_its_page(capsys, monkeypatch):
    documents = copy.deepcopy(DOCUMENTS)
    page = documents["zh/park-overview.json"]
    page["panels"][0]["targets"][0]["rawSql"] = "SELECT $__unheard(x) FROM smartpark.park"
    page["refresh"] = "1s"
    monkeypatch.setattr("smartpark_dashboards.generated.render_documents", lambda: documents)
    (wrong,) = [query for query in reported(documents) if query.problems]
    assert (wrong.file, wrong.place) == ("zh/park-overview.json", "panel 13/A")
    assert any("not a view" in problem for problem in wrong.problems)
    assert any("ten seconds" in text for text in page_problems(documents))
    assert any("ten seconds" in line for line in report_lines(documents))
    assert main(["grafana", "report"]) == 2
    told = capsys.readouterr().out
    assert "rules: reads smartpark.park, and not a view" in told
    assert "macros: unknown macro '__unheard'" in told
