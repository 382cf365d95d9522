"""Settings of agents: every mistake at once, with file and key; the example is sound."""

import json
from pathlib import Path

import pytest
from smartpark.catalogue import parse_catalogue
from smartpark.errors import InvalidFileError
from smartpark_edge.check import catalogue_problems, check_files
from smartpark_edge.settings import OpcUaSource, load_settings

EXAMPLE = Path(__file__).parents[2] / "edge" / "example.toml"

GOOD = """
[edge]
code = "edge-a"
spool = "a.sqlite"
[broker]
url = "mqtt://127.0.0.1"
[[mqtt]]
name = "meters"
url = "mqtt://127.0.0.1"
[[mqtt.device]]
topic = "tele/T01/SENSOR"
model = "tasmota-energy"
device = "p/T01"
"""


def write(tmp_path, text, name="edge.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(*paths):
    with pytest.raises(InvalidFileError) as caught:
        check_files(paths)
    return {(Path(p.file).name, p.key): p.message for p in caught.value.problems}


def test_the_example_is_sound_and_says_what_the_defaults_are():
    [settings] = check_files([EXAMPLE])
    assert settings.edge.spool == EXAMPLE.parent.absolute() / "edge-a.sqlite"
    assert len(settings.mqtt[0].device) == 4


def test_every_mistake_is_named_at_once(tmp_path):
    bad = (
        GOOD.replace('code = "edge-a"', 'code = "edge a"\nspol = 1')
        .replace("tasmota-energy", "tasmota-enrgy")
        .replace('url = "mqtt://127.0.0.1"\n[[mqtt]]', 'url = "http://x"\n[[mqtt]]')
    )
    bad += 'time_zone = "Asia/Shangai"\n'
    bad += '[[mqtt.device]]\ntopic = "tele/+/SENSOR"\nmodel = "generic-flat"\ndevice = "T02"\n'
    found = problems(write(tmp_path, bad))
    keys = {key for _, key in found}
    assert {
        "edge.code",
        "edge.spol",
        "broker.url",
        "mqtt[meters].device[0].model",
        "mqtt[meters].device[0].time_zone",
        "mqtt[meters].device[1].topic",
        "mqtt[meters].device[1].device",
    } <= keys
    assert "there are acrel-gateway" in found["edge.toml", "mqtt[meters].device[0].model"]


def test_files_that_are_missing_or_no_toml_are_named_with_the_others(tmp_path):
    found = problems(
        tmp_path / "none.toml", write(tmp_path, "[edge", "broken.toml"), write(tmp_path, GOOD + "x = 1\n")
    )
    assert {name for name, _ in found} == {"none.toml", "broken.toml", "edge.toml"}


def test_two_agents_may_not_share_code_spool_or_points(tmp_path):
    found = problems(write(tmp_path, GOOD, "a.toml"), write(tmp_path, GOOD, "b.toml"))
    assert {key for name, key in found if name == "b.toml"} >= {
        "edge.code",
        "edge.spool",
        "mqtt[meters].device[0].voltage",
    }


def test_a_point_fed_twice_and_a_topic_heard_twice_are_named(tmp_path):
    again = '[[mqtt.device]]\ntopic = "tele/T01/SENSOR"\nmodel = "tasmota-energy"\ndevice = "p/T01"\n'
    found = problems(write(tmp_path, GOOD + again))
    assert "already fed" in found["edge.toml", "mqtt[meters].device[1].voltage"]
    assert "select" in found["edge.toml", "mqtt[meters].device[tele/T01/SENSOR].topic"]


def test_a_password_that_cannot_be_read_is_named(tmp_path):
    credentials = 'url = "mqtt://127.0.0.1"\nusername = "u"\npassword_file = "nowhere"\n[[mqtt]]'
    found = problems(write(tmp_path, GOOD.replace('url = "mqtt://127.0.0.1"\n[[mqtt]]', credentials)))
    assert "nowhere cannot be read" in found["edge.toml", "broker.password_file"]


def test_points_that_a_model_does_not_have_are_named(tmp_path):
    found = problems(write(tmp_path, GOOD + 'points = ["volts"]\nresolutions = { amps = "1" }\n'))
    assert "no point 'volts'" in found["edge.toml", "mqtt[meters].device[0].points"]
    assert "no point 'amps'" in found["edge.toml", "mqtt[meters].device[0].resolutions"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"username": "u"}, "in clear"),
        ({"security": "basic256sha256-sign"}, "needs certificate"),
        ({"url": "opc.tcp://u:p@h"}, "credentials do not belong"),
        ({"point": [{"node": "i=1", "point": "p/d/x"}]}, "no measurand"),
    ],
)
def test_unsafe_or_unclear_opcua_settings_are_refused(change, message):
    good = {"name": "x", "url": "opc.tcp://h", "point": [{"node": "i=1", "point": "p/d/voltage"}]}
    OpcUaSource.model_validate(good)
    with pytest.raises(ValueError, match=message):
        OpcUaSource.model_validate(good | change)


def test_the_server_s_queue_is_at_least_twice_what_sampling_brings():
    base = {"name": "x", "url": "opc.tcp://h", "point": [{"node": "i=1", "point": "p/d/voltage"}]}
    source = OpcUaSource.model_validate(base | {"sampling_ms": 10, "publishing_ms": 1000})
    assert source.server_queue == 200


def test_points_are_compared_with_the_catalogue(tmp_path):
    path = write(tmp_path, GOOD + 'points = ["voltage", "current", "active_energy_import"]\n')
    catalogue = parse_catalogue(
        {
            "park": {
                "code": "p",
                "name": "园",
                "name_en": "Park",
                "region": "350121",
                "terrain": "coastal",
                "peer_class": 1,
                "area_mu": 10.0,
            },
            "device": [
                {
                    "code": "T01",
                    "name": "表",
                    "name_en": "Meter",
                    "kind": "meter",
                    "carrier": "electricity",
                    "point": [
                        {"measurand": "active_energy_import", "resolution": "0.01"},
                        {"measurand": "frequency", "code": "voltage"},
                    ],
                }
            ],
        },
        file="park.toml",
    )
    found = {p.key.rsplit(".", 1)[1]: p.message for p in catalogue_problems(path, load_settings(path), [catalogue])}
    assert "no catalogue has p/T01/current" in found["current"]
    assert "voltage here and frequency" in found["voltage"]
    assert "1e-3 here and of 1e-2" in found["active_energy_import"]


def test_the_command_reports_and_says_how_it_ended(tmp_path, smartpark):
    bad = smartpark.run("edge", "check", write(tmp_path, GOOD.replace("tasmota-energy", "x")), "--json")
    assert bad.returncode == 2
    assert json.loads(bad.stdout)["problems"][0]["key"] == "mqtt[meters].device[0].model"
    good = smartpark.run("edge", "check", EXAMPLE)
    assert (good.returncode, good.stderr) == (0, "")
    assert "4 MQTT devices, 1 OPC UA points" in good.stdout
