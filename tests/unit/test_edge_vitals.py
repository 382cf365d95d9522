"""What an agent says of itself while it comes and goes: a restart is asked for only when one would help."""

import threading
from pathlib import Path

import pytest
from edge_park import write_config
from smartpark_edge.agent import Agent
from smartpark_edge.mqtt_source import MqttListener
from smartpark_edge.opcua_source import OpcUaListener
from smartpark_edge.settings import load_settings
from smartpark_edge.vitals import AgentsVitals
from waiting import wait_until

NOBODY = "mqtt://127.0.0.1:9"
PLC = """
[[opcua]]
name = "plc"
url = "opc.tcp://127.0.0.1:9/"
security = "none"
  [[opcua.point]]
  node = "nsu=urn:smartpark:test;s=S1.SO2"
  point = "park/S1/so2_concentration"
"""


@pytest.fixture(params=["", PLC], ids=["mqtt", "opcua"])
def agent(tmp_path: Path, request: pytest.FixtureRequest):
    one = Agent(load_settings(write_config(tmp_path, NOBODY, body=request.param)))
    yield one
    one.stop()


def test_an_agent_that_is_told_to_stop_is_not_called_ill(agent: Agent):
    vitals = AgentsVitals([agent])
    agent.start()
    sources = agent.sources()
    wait_until(lambda: all(source.is_alive() for source in sources), what="the sources are at work")
    assert vitals.ailments() == []
    assert vitals.obstacles() != []
    agent.stop()
    assert not any(source.is_alive() for source in sources)
    assert vitals.ailments() == []


def test_a_source_whose_thread_has_died_is_told(agent: Agent, monkeypatch: pytest.MonkeyPatch):
    def die(_self: threading.Thread) -> None:
        """End at once, as after an error that nobody foresaw."""

    # There is no other way: a listener holds on, whatever its peers say.
    for kind in (MqttListener, OpcUaListener):
        monkeypatch.setattr(kind, "run", die)
    agent.start()
    (source,) = agent.sources()
    wait_until(lambda: source.has_died, what="the thread has ended")
    assert AgentsVitals([agent]).ailments() == [f"edge-a: the thread of source {source.health.name} has ended"]
