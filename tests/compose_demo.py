"""Writes deploy/demo/*.toml, the agents of the compose's demo: ``python -m tests.compose_demo``.

They are what the simulators make for `smartpark demo`, with the addresses and files of docker-compose.yml.
"""

import re
import tempfile
from pathlib import Path

from smartpark.catalogue import load_catalogue
from smartpark_simulators.commands import DEMO_PARK
from smartpark_simulators.demo.agents import write_agents
from smartpark_simulators.demo.layout import EDGES, Layout, Ports

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "demo"
HEAD = "# An agent of the compose's demo park. Made by python -m tests.compose_demo; do not edit.\n"


def agents_for_compose(folder):
    """Name and text of each file; `folder` is for passing use."""
    layout = Layout(folder)
    layout.prepare()
    write_agents(layout, Ports(broker=11883, opcua=14840, pages=18000), load_catalogue(DEMO_PARK), protocol="5")
    return {
        f"{_code(edge)}.toml": HEAD + _moved(layout.edge(edge).read_text(encoding="utf-8"), edge) for edge in EDGES
    }


def _code(edge):
    return edge.replace("edge-", "demo-")


def _moved(text, edge):
    password = f'password_file = "/run/secrets/{_code(edge)}.password"\nca_file = "/run/secrets/broker-ca.crt"'
    for pattern, replacement in (
        (r'password_file = ".*"', password),
        (
            rf'"{edge}(\.sqlite)?"',
            lambda m: f'"/var/lib/smartpark/{_code(edge)}.sqlite"' if m[1] else f'"{_code(edge)}"',
        ),
        (r"mqtt://127\.0\.0\.1:11883", "mqtts://broker:8883"),
        (r"opc\.tcp://127\.0\.0\.1:14840/", "opc.tcp://simulators:4840/"),
    ):
        text = re.sub(pattern, replacement, text)
    return text


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for file, content in agents_for_compose(Path(name)).items():
            (FOLDER / file).write_text(content, encoding="utf-8")
