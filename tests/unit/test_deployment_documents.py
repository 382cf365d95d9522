"""The guides for deployment, backup and hardening say what the compose file says; their commands: docs_reading.py."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
GUIDES = ("deployment", "backup", "hardening")
PROFILES = {profile for service in COMPOSE["services"].values() for profile in service.get("profiles", [])}


def test_the_guides_hold_no_commands_elsewhere_than_where_they_are_read():
    for guide in GUIDES:
        text = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")
        assert set(re.findall(r"^```(\w*)\n", text, re.MULTILINE)) <= {"sh", ""}
        assert not re.search(r"^    \S", text, re.MULTILINE)


def test_services_and_profiles_that_the_guide_tells_of_are_those_of_the_compose():
    text = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    table = text.split("| profile | adds |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == PROFILES


def test_networks_that_the_guide_tells_of_are_those_of_the_compose():
    text = (ROOT / "docs/hardening.md").read_text(encoding="utf-8")
    table = text.split("| network | who | leads out |")[1].split("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (no|yes)", table, re.MULTILINE))
    assert rows == {name: "no" if net.get("internal") else "yes" for name, net in COMPOSE["networks"].items()}
