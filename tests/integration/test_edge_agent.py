"""The agent as a process beside real brokers: nothing accepted is lost, nothing is said twice."""

from datetime import timedelta

from edge_park import START, tasmota, write_config
from smartpark.clock import to_us
from waiting import wait_until

ENERGY = "park/T01/active_energy_import"


def energy(numbers):
    """(time, mantissa) of the register for some telegrams."""
    return [(to_us(START + timedelta(seconds=n)), 500_000 + n) for n in numbers]


def last_status(ingest):
    """Readings accepted and readings waiting, as last told."""
    return [(status.accepted, status.spool_readings) for status in ingest.statuses[-1:]]


def test_a_meter_s_readings_reach_the_platform_and_are_forgotten_when_acknowledged(
    tmp_path, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a")
    config = write_config(tmp_path, broker.url)
    ready = tmp_path / "ready"
    agent = smartpark.start("edge", "run", config, "--ready-file", ready)
    agent.wait_for_file(ready)
    for n in range(20):
        devices.say("tele/T01/SENSOR", tasmota(n))
    wait_until(lambda: ingest.values(ENERGY) == energy(range(20)), what="20 readings at the platform")
    wait_until(lambda: last_status(ingest) == [(40, 0)], what="40 readings accepted, none of them waiting")
    assert agent.terminate() == 0
    wait_until(lambda: ingest.deaths == 1, what="the death")
    assert not ready.exists()
