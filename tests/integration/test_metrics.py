"""What the services say at their ports: read by Prometheus' own parser, and held against docs/metrics.md."""

import json
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from edge_park import Devices, tasmota, write_config
from fix_ingest import ENERGY, STRANGER, VOLTAGE, as_ingest, count, load_park
from prometheus_client.parser import text_string_to_metric_families
from smartpark.clock import utc_now_us
from smartpark_simulators.ports import free_port, free_ports
from smartpark_storage import DeadReason
from waiting import wait_until

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


class Scrape:
    """One look at a port."""

    def __init__(self, port: int) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            self.families = {family.name: family for family in text_string_to_metric_families(answer.read().decode())}

    def value(self, name: str, **labels: str) -> float:
        """The one sample of that name with these labels."""
        (found,) = [
            sample.value
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return found

    def names(self) -> set[str]:
        """As the page writes them: the parser takes `_total` off a counter's name."""
        return {name + ("_total" if f.type == "counter" else "") for name, f in self.families.items() if f.samples}


def finding(port: int, path: str) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def reasons(port: int) -> str:
    try:
        return " | ".join(finding(port, "/readyz")[1]["reasons"])
    except OSError:
        return ""  # not up yet


def is_ready(port: int) -> bool:
    try:
        return finding(port, "/readyz")[0] == 200
    except OSError:
        return False


def is_healthy(port: int) -> bool:
    try:
        return finding(port, "/healthz")[0] == 200
    except OSError:
        return False  # not up yet


def on_the_page() -> set[str]:
    # What workers of an uplink and of a province say is held against the page where they have somebody to speak to.
    return set(re.findall(r"^\| `(smartpark_(?!uplink_|province_)\w+)` \|", PAGE, re.MULTILINE))


SUPERVISORS = {"smartpark_ingest_worker_running", "smartpark_ingest_worker_restarts_total"}
BEFORE_ANY_REQUEST = {"smartpark_api_requests_total", "smartpark_api_request_seconds"}
BEFORE_ANY_MESSAGE = {f"smartpark_alert_messages_{done}_total" for done in ("sent", "put_off", "given_up")}
"""Counted by the channel they went by."""


@pytest.fixture
def devices(broker):
    one = Devices(broker.host, broker.port)
    yield one
    one.close()


def test_every_service_says_what_the_page_tells_and_nothing_else(  # noqa: PLR0917  fixtures
    database_dsn, broker, smartpark, make_edge, start_ingest, devices, tmp_path
):
    load_park(database_dsn)
    ports = {name: free_port() for name in ("edge", "ingest", "derive", "api")}
    start_ingest(database_dsn, broker, "--metrics-port", ports["ingest"])
    environment = {"SMARTPARK_DSN": as_ingest(database_dsn)}
    smartpark.start("derive", "run", environment={**environment, "SMARTPARK_METRICS_PORT": str(ports["derive"])})
    smartpark.start(
        *("api", "serve", "--port", "0", "--metrics-port", ports["api"]), environment={"SMARTPARK_DSN": database_dsn}
    )
    smartpark.start("edge", "run", write_config(tmp_path, broker.url), "--metrics-port", ports["edge"])
    wait_until(lambda: all(is_ready(port) for port in ports.values()), what="all four are ready")
    # Ready it is only in years whose holidays somebody has entered; it says its numbers in any.
    for name in ("notices", "alerts", "outlook"):
        ports[name] = free_port()
        smartpark.start(name, "run", "--metrics-port", ports[name], environment=environment)
    wait_until(
        lambda: all(is_healthy(ports[name]) for name in ("notices", "alerts", "outlook")), what="all three live"
    )

    start = utc_now_us() - 3_600_000_000
    fake = make_edge(broker, "edge-b")
    fake.say_status()
    fake.send([(VOLTAGE.alias, 0, utc_now_us(), 2301), (VOLTAGE.alias, 0, 1, 2301)])
    fake.send([(ENERGY.alias, 0, start + n * 60_000_000, 1000 + n) for n in range(40)])
    for n in range(20):
        devices.say("tele/T01/SENSOR", tasmota(n))
    devices.say("tele/T01/SENSOR", b"not JSON")
    fake.wait_until_acknowledged()

    scrapes: dict[str, Scrape] = {}

    def all_said() -> bool:
        scrapes.update({name: Scrape(port) for name, port in ports.items()})
        edge, ingest, derive = (scrapes[name] for name in ("edge", "ingest", "derive"))
        return (
            edge.value("smartpark_edge_readings_accepted_total", edge="edge-a") == 40
            and edge.value("smartpark_edge_spool_batches") == 0
            and "smartpark_edge_spool_hours_left" in edge.families
            and "smartpark_derive_step_seconds" in derive.families
            and "smartpark_outlook_round_seconds" in scrapes["outlook"].families
            and ingest.value("smartpark_ingest_readings_stored_total") == 41
            # An agent speaks of itself several times a second.
            and ingest.value("smartpark_ingest_inbox_messages") == 0
        )

    wait_until(all_said, what="everything is said")
    edge, ingest = scrapes["edge"], scrapes["ingest"]
    assert edge.value("smartpark_edge_spool_readings") == 0
    assert edge.value("smartpark_edge_spool_age_seconds") == 0
    assert edge.value("smartpark_edge_connected") == 1
    assert edge.value("smartpark_edge_source_connected", edge="edge-a", source="meters") == 1
    assert edge.value("smartpark_edge_source_problems_total") == edge.value("smartpark_edge_dead_letters_total") == 1
    assert edge.value("smartpark_edge_spool_limit_bytes") == 256_000_000
    assert edge.value("smartpark_edge_ack_seconds_count") >= 2
    assert edge.value("smartpark_edge_batch_readings_sum") == 40
    assert {s.labels["reason"] for s in edge.families["smartpark_edge_readings_dropped"].samples} == {
        "spool_full",
        "damaged",
    }
    # The plug is in no catalogue: each of its readings is a letter, and so are the clock of 1970 and the words.
    letters = {
        s.labels["reason"]: s.value for s in ingest.families["smartpark_ingest_dead_letters"].samples if s.value
    }
    assert letters == {"unknown_point": 40, "clock_out_of_range": 1, "malformed": 1}
    assert {s.labels["reason"] for s in ingest.families["smartpark_ingest_dead_letters"].samples} == set(DeadReason)
    assert ingest.value("smartpark_ingest_group_readings_sum", shard="0/1") == 41
    assert ingest.value("smartpark_ingest_commit_seconds_count") == ingest.value(
        "smartpark_ingest_transactions_total"
    )
    assert abs(ingest.value("smartpark_ingest_edge_clock_ahead_seconds", edge="edge-b")) < 5
    assert ingest.value("smartpark_ingest_newest_reading_age_seconds", edge="edge-b") < 120
    assert ingest.value("smartpark_ingest_inbox_messages") == 0
    assert scrapes["derive"].value("smartpark_derive_intervals_changed_total") > 0

    for port in ports.values():
        assert finding(port, "/healthz") == (200, {"healthy": True, "reasons": []})
        assert finding(port, "/readyz") == (200, {"ready": True, "reasons": []})
    said = set().union(*(scrape.names() for scrape in scrapes.values()))
    assert said == on_the_page() - SUPERVISORS - BEFORE_ANY_REQUEST - BEFORE_ANY_MESSAGE
    for scrape in scrapes.values():
        for family in scrape.families.values():
            assert family.documentation.endswith("."), family.name


def test_one_number_said_twice_and_differently_is_counted_as_it_is_stored(
    plain_database_dsn, broker, make_edge, start_ingest
):
    """Fuzzing found it: both came in one group, the first was stored and the second counted."""
    load_park(plain_database_dsn)
    port = free_port()
    worker = start_ingest(plain_database_dsn, broker, "--metrics-port", port)
    edge = make_edge(broker, points=(VOLTAGE, STRANGER), resend_s=60)
    now = utc_now_us()
    worker.process.send_signal(signal.SIGSTOP)  # so that it finds both at once
    first = edge.data([(STRANGER.alias, 0, now, 2300)])
    edge._next = 1
    second = edge.data([(STRANGER.alias, 0, now + n, 2300) for n in range(3)])
    edge._publish([first, second])
    wait_until(lambda: edge.delivered >= 3, what="the broker has the birth and both")
    worker.process.send_signal(signal.SIGCONT)
    edge.wait_until_acknowledged()
    letters = "smartpark_ingest_dead_letters_total"
    wait_until(lambda: Scrape(port).value(letters, reason="unknown_point") > 0, what="the count")
    assert Scrape(port).value(letters, reason="unknown_point") == count(plain_database_dsn, "smartpark.dead_letter")


def test_the_api_counts_requests_by_route_and_never_by_what_was_asked_for(plain_database_dsn, smartpark):
    metrics, port = free_port(), free_port()
    smartpark.start(
        *("api", "serve", "--port", port, "--metrics-port", metrics),
        environment={"SMARTPARK_DSN": plain_database_dsn},
    )
    wait_until(lambda: is_ready(metrics), what="the API is ready")
    assert finding(port, "/api/v1/parks")[0] == 200
    assert finding(port, "/api/v1/parks/nowhere")[0] == 404
    assert finding(port, "/nothing/here/at/all")[0] == 404

    def answers() -> dict[tuple[str, str], float]:
        samples = Scrape(metrics).families["smartpark_api_requests"].samples
        return {(s.labels["route"], s.labels["status"]): s.value for s in samples}

    # An answer is counted when the whole of it has gone, which may be after we have read it.
    wait_until(lambda: sum(n for (_, status), n in answers().items() if status == "404") == 2, what="all are counted")
    scrape, counted = Scrape(metrics), answers()
    assert counted["/api/v1/parks", "200"] == 1
    assert not any("nowhere" in route or "nothing" in route for route, _ in counted)
    assert scrape.value("smartpark_api_request_seconds_count", route="/api/v1/parks") == 1
    assert {"smartpark_api_requests_total", "smartpark_api_request_seconds"} <= scrape.names() & on_the_page()


def test_a_supervisor_answers_for_its_workers_and_each_has_a_port_of_its_own(database_dsn, broker, start_ingest):
    load_park(database_dsn)
    first = next(three[0] for three in iter(lambda: free_ports(3), None) if three[2] == three[0] + 2)
    start_ingest(database_dsn, broker, "--workers", 2, "--metrics-port", first)
    wait_until(lambda: is_ready(first), what="both workers are ready")
    assert [Scrape(first + 1 + k).value("smartpark_ingest_broker_connected", shard=f"{k}/2") for k in (0, 1)] == [
        1,
        1,
    ]
    assert Scrape(first).names() == {"smartpark_ingest_worker_running", "smartpark_ingest_worker_restarts_total"}
    assert Scrape(first).names() <= on_the_page()
    broker.stop()
    wait_until(lambda: not is_ready(first), what="neither worker is ready")
    said = reasons(first)
    assert "worker 0/2: broker: not connected" in said
    assert "worker 1/2: broker: not connected" in said
    assert finding(first, "/healthz")[0] == 200
    broker.start()
    wait_until(lambda: is_ready(first), what="both are ready again")


def test_who_waits_says_for_what_and_is_healthy_all_the_same(smartpark, broker, tmp_path):
    edge, ingest = free_port(), free_port()
    smartpark.start("edge", "run", write_config(tmp_path, broker.url), "--metrics-port", edge)
    nowhere = {"SMARTPARK_DSN": "postgresql://nobody@127.0.0.1:9/none", **broker.environment}
    smartpark.start("ingest", "run", "--metrics-port", ingest, environment=nowhere)
    wait_until(lambda: is_ready(edge), what="the agent is ready")
    broker.stop()
    # Its two connections learn of it one after the other.
    for side in ("edge-a: platform broker: ", "edge-a: source meters: "):
        wait_until(lambda side=side: side in reasons(edge), what=f"the agent says why it waits: {side}")
    wait_until(lambda: "database: " in reasons(ingest), what="ingest says that it waits for the database")
    wait_until(
        lambda: "broker: not connected yet, the database comes first" in reasons(ingest),
        what="ingest says that the broker comes after it",
    )
    for port in (edge, ingest):
        assert finding(port, "/healthz") == (200, {"healthy": True, "reasons": []})
    assert Scrape(ingest).value("smartpark_ingest_database_waiting_seconds") > 0


def test_without_a_port_nothing_listens_and_a_taken_one_stops_the_start(smartpark, broker, tmp_path):
    taken = free_port()
    smartpark.start("edge", "run", write_config(tmp_path, broker.url), "--metrics-port", taken)
    wait_until(lambda: is_ready(taken), what="the agent is ready")
    second = write_config(tmp_path, broker.url, code="edge-b")
    done = smartpark.run("edge", "run", second, "--metrics-port", taken)
    assert done.returncode == 1
    assert f"cannot listen for metrics on 127.0.0.1 port {taken}" in done.stderr
    wrong = smartpark.run("edge", "run", second, environment={"SMARTPARK_METRICS_PORT": "many"})
    assert wrong.returncode == 1
    assert "SMARTPARK_METRICS_PORT: 'many' is not a port" in wrong.stderr
