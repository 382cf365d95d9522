"""The start page: it helps an empty installation on its way, and shows parks with unit, time and what is unknown."""

from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from fix_api import NOON, edge_status
from fix_console import Page
from smartpark.errors import SmartparkError
from smartpark_api.console.grafana import GrafanaWatch, grafana_from_environment

M0 = "testpark/M0/active_power"
HTML = {"accept": "text/html"}


def home(client, **query):
    answer = client.get("/", params=query, headers=HTML)
    assert answer.status_code == 200
    return Page(answer.text)


def tiles(page):
    return dict(
        zip(
            ("load", "left", "complete", "requests", "alerts", "agents"),
            (one["text"] for one in page.all("article")),
            strict=True,
        )
    )


def test_an_empty_installation_is_led_through_three_steps(plain_database_dsn, client_of):
    page = home(client_of(plain_database_dsn))

    steps = [one["text"] for one in page.all("ol", class_="steps")]
    assert len(page.all("li")) == 3
    assert steps[0].count("待完成") == 2
    assert "smartpark catalog load" in page.html
    assert 'hx-trigger="every 5s"' in page.html


def test_what_is_not_known_is_a_dash_with_a_reason(plain_client):
    page = home(plain_client)

    found = tiles(page)
    assert "— kW 从未收到读数" in found["load"]
    assert "— kW 合同需量 1 000 kW · 从未收到读数" in found["left"]
    assert "0 项在办" in found["requests"]
    assert found["alerts"].startswith("告警 0 条告警 没有告警")
    assert found["agents"] == "数据代理 — 还没有代理上线"
    assert "没有配置地址" in page.html
    assert page.html.count("待完成") == 1


def test_a_park_at_work_shows_values_with_unit_and_time(plain_client, plain_hand):
    plain_hand.store((M0, NOON - timedelta(seconds=2), 60.0), ("testpark/PV1/active_power", NOON, -66.0))
    plain_hand.hear(edge_status("edge-a", at=NOON), at=NOON)

    page = home(plain_client, lang="en")

    assert page.all("ol", class_="steps") == []
    found = tiles(page)
    assert found["load"] == "Load now 666.0 kW as of 11:59:58"
    assert found["left"].startswith("Left of the contract demand 400.0 kW contract demand 1 000 kW · as of 11:59:58")
    assert "1 / 1 online" in found["agents"]
    assert page.one("a", href="/parks/testpark")


def test_the_address_of_grafana_carries_no_account():
    assert grafana_from_environment({}) is None
    assert grafana_from_environment({"SMARTPARK_GRAFANA_URL": "http://127.0.0.1:3000/"}) == "http://127.0.0.1:3000"
    for wrong in ("127.0.0.1:3000", "http://admin:secret@127.0.0.1", "javascript:alert(1)"):
        with pytest.raises(SmartparkError, match="SMARTPARK_GRAFANA_URL") as refused:
            grafana_from_environment({"SMARTPARK_GRAFANA_URL": wrong})
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("told", "version"), [(b'{"database": "ok", "version": "13.0.1"}', "13.0.1"), (b"<html>", None), (b"[]", "?")]
)
def test_grafana_is_asked_for_its_health_and_remembered(told, version):
    asked = []

    class Health(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        watch = GrafanaWatch(f"http://127.0.0.1:{server.server_port}")
        assert watch.state().version == version
        assert watch.state().version == version
        server.shutdown()
        thread.join()

    assert asked == ["/api/health"]


def test_a_grafana_that_is_away_is_not_connected(plain_hand, client_of):
    page = home(client_of(plain_hand.dsn, grafana_url="http://127.0.0.1:9"))

    assert "没有应答" in page.html
