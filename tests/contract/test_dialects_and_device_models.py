"""What the simulated devices say, the agents' device models understand: every value, exactly."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from smartpark.catalogue import load_catalogue
from smartpark.clock import to_us
from smartpark.decimals import from_mantissa
from smartpark_edge.check import catalogue_problems, check_files
from smartpark_edge.device_models import device_model
from smartpark_edge.mapping import compile_device
from smartpark_edge.readings import Delivery
from smartpark_simulators.demo.agents import write_agents
from smartpark_simulators.demo.layout import EDGES, Layout, Ports
from smartpark_simulators.devices import Devices
from smartpark_simulators.faults import FaultPlan
from smartpark_simulators.instruments import build_instruments
from smartpark_simulators.parks import DEMO_PARK
from smartpark_simulators.physics import World

CATALOGUE = load_catalogue(DEMO_PARK)
NOW = to_us(datetime(2026, 11, 17, 3, 30, 20, tzinfo=UTC))


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("demo"))
    layout.prepare()
    write_agents(layout, Ports(1883, 4840, 8000), CATALOGUE, protocol="5")
    files = [layout.edge(code) for code in EDGES]
    return files, check_files(files)


@pytest.fixture(scope="module")
def devices():
    return Devices.of(
        CATALOGUE, build_instruments(CATALOGUE, World(1, NOW - 86_400_000_000)), FaultPlan(1, frozenset(), ["T04"])
    )


def _mappings(settings):
    return [
        compile_device(
            device_model(device.model),
            device=device.device,
            topic=device.topic,
            zone=ZoneInfo(device.time_zone or source.time_zone),
            only=None if device.points is None else frozenset(device.points),
            resolutions=device.resolutions,
            measurands=device.measurands,
            select=device.select,
        )
        for agent in settings
        for source in agent.mqtt
        for device in source.device
    ]


def test_the_demos_settings_fit_the_demos_catalogue(agents):
    files, settings = agents
    problems = [p for f, one in zip(files, settings, strict=True) for p in catalogue_problems(f, one, [CATALOGUE])]
    assert problems == []


def test_every_point_of_the_park_is_heard_by_one_agent(agents, devices):
    _, settings = agents
    on_plc = {point.point for agent in settings for source in agent.opcua for point in source.point}
    expected = {one.point.key for device in devices.on_plc for one in device.instruments.values()}
    assert on_plc == expected
    assert {d.device.split("/")[1] for a in settings for s in a.mqtt for d in s.device} == {
        d.code for d in CATALOGUE.device
    }


@pytest.mark.parametrize("kind", ["live", "history"])
def test_every_message_is_understood_digit_by_digit(agents, devices, kind):
    mappings = _mappings(agents[1])
    if kind == "live":
        messages = [m for s in range(10) for m in devices.live(NOW + s * 1_000_000)]
    else:
        messages = list(devices.history(NOW - 7_200_000_000, NOW))
    spoken = set()
    for message in messages:
        delivery = Delivery(message.topic, message.body, NOW)
        document = json.loads(message.body)
        takers = [m for m in mappings if m.wants(message.topic)]
        takers = [m for m in takers if all(document.get(key) == value for key, value in m.select.items())]
        assert len(takers) == 1, message.topic
        mapped = takers[0].map(delivery)
        assert mapped.troubles == []
        assert mapped.rounded == set()
        heard = {(r.point.key, r.time, r.status): (r.point.exponent, r.value) for r in mapped.readings}
        said = {(r.point, r.time, r.status): r.value for r in message.readings}
        assert heard.keys() == said.keys()
        for key, (exponent, value) in heard.items():
            if exponent is not None:
                assert from_mantissa(value, exponent) == Decimal(said[key])
        spoken.add(takers[0].device)
    wanted = devices.on_mqtt if kind == "live" else devices.devices
    assert spoken == {f"minhou-demo/{device.code}" for device in wanted}
