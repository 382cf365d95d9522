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


def test_whoever_is_stopped_before_the_database_is_changed_is_everybody_who_speaks_to_it():
    """Who would go on writing into the old one, or hold it while it is renamed."""
    speak = {
        name
        for name, service in COMPOSE["services"].items()
        if "database" in service["networks"] and service.get("restart") != "no" and name != "database"
    }
    profiles = {profile for name in speak for profile in COMPOSE["services"][name].get("profiles", [])}
    stops = [
        line.split()
        for path in sorted((ROOT / "docs").glob("*.md"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"docker compose\b.* (stop|down)\b.*(grafana|$)", line)
    ]
    assert len(stops) >= 5
    for words in stops:
        verb = next(n for n, word in enumerate(words) if word in {"stop", "down"})
        assert set(words[verb + 1 :]) == (speak if words[verb] == "stop" else set()), words
        # Otherwise compose does not know who is meant.
        assert {words[n + 1] for n in range(verb) if words[n] == "--profile"} == profiles, words
