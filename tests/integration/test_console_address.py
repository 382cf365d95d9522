"""The database knows where the console is, and the links of Grafana's pages begin there."""

import psycopg
import pytest
from smartpark.cli import main
from smartpark.errors import SmartparkError
from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.grafana_sql import without_comments
from smartpark_dashboards.lint import links_of, queries_of
from smartpark_storage.console_address import checked_address

PAGE = render_documents()["zh/park-alerts.json"]


def console_of(dsn):
    """What the hidden variable of a page answers in a new session of Grafana's."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SET ROLE smartpark_grafana")
        ((text, value),) = connection.execute(without_comments(queries_of(PAGE)["$console"])).fetchall()
    assert text == value
    return value


def test_the_address_reaches_the_links_of_pages(plain_database_dsn, monkeypatch, capsys):
    monkeypatch.setenv("SMARTPARK_DSN", plain_database_dsn)
    assert console_of(plain_database_dsn) == "http://127.0.0.1:8000"
    assert main(["database", "console", "https://park.example.org/console/"]) == 0
    assert "https://park.example.org/console" in capsys.readouterr().out
    assert console_of(plain_database_dsn) == "https://park.example.org/console"
    assert main(["database", "console", ""]) == 0
    assert console_of(plain_database_dsn) == "http://127.0.0.1:8000"
    assert "${console:raw}/alerts/${__data.fields.alert:percentencode}" in links_of(PAGE).values()


def test_the_variable_cannot_be_set_by_a_link():
    (variable,) = [v for v in PAGE["templating"]["list"] if v["name"] == "console"]
    assert variable["skipUrlSync"]
    assert variable["hide"] == 2
    assert not variable["allowCustomValue"]


@pytest.mark.parametrize(
    "url",
    ["park.example.org", "ftp://park.example.org", "https://", "https://u:p@park.example.org", "https://a.b/?x=1",
     "https://a.b/#x", "https://a.b/ x", "https://a.b:99999", "javascript:alert(1)", "https://a.b/${x}"],
)  # fmt: skip
def test_what_no_link_can_begin_with_is_refused(url):
    with pytest.raises(SmartparkError, match="no address of a console"):
        checked_address(url)
