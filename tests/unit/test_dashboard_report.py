"""`smartpark grafana report` names every panel and query, what each reads, and what is wrong."""

import copy
import json

from smartpark.cli import main
from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.lint import queries_of
from smartpark_dashboards.report import page_problems, report_lines, reported

DOCUMENTS = render_documents()


def test_every_query_of_a_set_is_listed_with_what_it_reads(capsys):
    assert main(["grafana", "report", "--language", "en", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    wanted = {
        (document["uid"], place)
        for name, document in DOCUMENTS.items()
        if name.startswith("en/")
        for place in queries_of(document)
    }
    assert {(row["dashboard"], row["place"]) for row in rows} == wanted
    assert len(rows) == len(wanted)
    (load,) = [row for row in rows if (row["dashboard"], row["place"]) == ("park-overview-en", "panel 1/A")]
    assert load["views"] == ["park.latest", "park.point"]
    assert load["variables"] == ["park"]
    assert load["problems"] == []


def test_people_read_a_line_for_each(capsys):
    assert main(["grafana", "report"]) == 0
    text = capsys.readouterr().out
    assert "park-overview  园区总览  (" in text
    assert "panel 1/A" in text
    assert "边界受电功率" in text


def test_what_is_wrong_stands_beside_its_query_or_below_its_page(capsys, monkeypatch):
    documents = copy.deepcopy(DOCUMENTS)
    page = documents["zh/park-overview.json"]
    page["panels"][0]["targets"][0]["rawSql"] = "SELECT 1 FROM smartpark.park"
    page["refresh"] = "1s"
    monkeypatch.setattr("smartpark_dashboards.commands.render_documents", lambda: documents)
    (wrong,) = [query for query in reported(documents) if query.problems]
    assert (wrong.file, wrong.place) == ("zh/park-overview.json", "panel 1/A")
    assert "not a view" in wrong.problems[0]
    assert any("ten seconds" in text for text in page_problems(documents))
    assert any("ten seconds" in line for line in report_lines(documents))
    assert main(["grafana", "report"]) == 2
    assert "not a view" in capsys.readouterr().out
