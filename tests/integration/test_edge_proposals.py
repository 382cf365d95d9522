"""`edge listen` and `edge browse` propose entries that an agent accepts once their names are filled in."""

import tomllib
from pathlib import Path

from edge_park import tasmota
from fix_opcua import URI
from smartpark_edge.settings import MqttDevice, OpcUaPoint

DATA = Path(__file__).parents[1] / "data" / "mqtt"


def test_listening_recognises_known_devices_and_names_the_rest(broker, smartpark, devices):
    said = {
        "tele/T01/SENSOR": tasmota(0),
        "shellypro3em-1/status/em:0": (DATA / "shelly-pro-3em-em.json").read_bytes(),
        "/gw/acrelHW/x/data/1": (DATA / "acrel-data.json").read_bytes(),
        "loggers/1": {"time": "2026-11-22T00:00:00+08:00", "heat_energy": 12.34},
        "noise": b"hello",
        "smartpark/v1/edge-a/birth": b"\x00\x01 an agent of the platform",
        "smartpark/v1/edge-a/json": {"active_power": 1.0},
    }
    for topic, content in said.items():
        devices.say(topic, content, retain=True)
    result = smartpark.run("edge", "listen", broker.url, "--seconds", "1")
    assert result.returncode == 0, result.stderr
    proposal = tomllib.loads(result.stdout)
    found = {device["topic"]: device for device in proposal["mqtt"][0]["device"]}
    assert {topic: device["model"] for topic, device in found.items()} == {
        "tele/T01/SENSOR": "tasmota-energy",
        "shellypro3em-1": "shelly-pro-3em",
        "/gw/acrelHW/x/data/1": "acrel-gateway",
        "loggers/1": "generic-flat",
    }
    assert found["/gw/acrelHW/x/data/1"]["select"] == {"meterSN": "00000000000004"}
    for device in found.values():
        MqttDevice.model_validate(device)
    assert "# not understood: noise" in result.stdout
    assert "1 topics not understood, 1 of the platform's own agents left out" in result.stderr
    [agents] = [line for line in result.stdout.splitlines() if "smartpark/v1" in line]
    assert agents.endswith("no devices: edge-a")
    assert "heat_energy" in {p["measurand"] for d in proposal["device"] for p in d["point"]}


def test_browsing_proposes_every_number_and_guesses_what_it_measures(smartpark, make_opcua):
    server = make_opcua("S1.SO2", "S1.MODE", "S1.TEXT")
    result = smartpark.run("edge", "browse", server.url)
    assert result.returncode == 0, result.stderr
    [source] = tomllib.loads(result.stdout)["opcua"]
    points = [OpcUaPoint.model_validate(point) for point in source["point"]]
    assert [(p.node, p.point) for p in points] == [(f"nsu={URI};s=S1.SO2", "PARK/Plant/so2_concentration")]
    assert f'# node = "nsu={URI};s=S1.MODE"' in result.stdout
    assert "S1.TEXT" not in result.stdout


def test_nobody_there_is_said_in_one_sentence(smartpark):
    for verb, url in (("listen", "mqtt://127.0.0.1:9"), ("browse", "opc.tcp://127.0.0.1:9/")):
        result = smartpark.run("edge", verb, url)
        assert result.returncode == 1
        assert result.stderr.startswith(f"smartpark: {url}")
        assert "Traceback" not in result.stderr
