"""Meters that show each phase beside the whole: rules judge the whole, a phase by its own."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from healthy_park import MINUTE_US, PARK
from smartpark.alerts.parks import facts_of
from smartpark.alerts.rules import parse_rules
from smartpark.alerts.scope import points_of
from smartpark.catalogue import load_catalogue
from smartpark_analytics.alerts.evaluating import Surroundings, evaluation_of
from smartpark_analytics.alerts.evaluating.watched import Channel

CATALOGUE = load_catalogue(PARK)


def watched(detector, *, source="reading", total=True):
    """Objects of a rule, and codes of the points that speak for each, where all meters show their phases too."""
    points = []
    for point in points_of(CATALOGUE):
        shows_phases = point.measurand in ("active_power", "reactive_power", "active_energy_import")
        if shows_phases:
            # The whole stands between its phases: neither the first nor the last is it by chance.
            codes = [f"{point.code}_a", *([point.code] if total else []), f"{point.code}_b", f"{point.code}_c"]
        else:
            codes = [point.code]
        points += [replace(point, code=code, key=f"{point.park}/{point.device}/{code}") for code in codes]
    points = tuple(replace(point, point_id=place) for place, point in enumerate(points))
    on = date(2026, 11, 3)
    parks = {"minhou-demo": facts_of(CATALOGUE, on)}
    around = Surroundings(points, ("gw-1",), parks, np.full(len(points), MINUTE_US, np.int64), on=on)
    words = {"code": "r", "name": "规则", "name_en": "rule", "why": "t", "severity": "warning", "cause": "process"}
    (rule,) = parse_rules({"rule": [{**words, "detector": detector, "source": source}]}, file="test")
    found = evaluation_of(rule, around).watched
    speakers = {str(subject.object): {} for subject in found.subjects}
    names = list(speakers)
    for channel, feed in found.feeds.items():
        for row, place in zip(feed.row.tolist(), feed.series.tolist(), strict=True):
            if row < len(names):
                speakers[names[row]].setdefault(channel, []).append(points[place].code)
    return speakers, [one.reason for one in found.unjudged]


@pytest.mark.parametrize("total", [True, False])
def test_demand_is_that_of_the_whole_meter(total) -> None:
    speakers, unjudged = watched({"kind": "demand_warning"}, total=total)
    said = {code for channels in speakers.values() for code in channels[Channel.VALUE]}
    assert said == ({"active_power"} if total else set())
    assert total or any("shows its phases and no total" in reason for reason in unjudged)


@pytest.mark.parametrize("total", [True, False])
def test_a_transformer_carries_what_its_whole_meters_show(total) -> None:
    speakers, unjudged = watched(
        {"kind": "transformer_load", "share": 0.8, "clear_share": 0.7}, source="quarter", total=total
    )
    said = {code for channels in speakers.values() for codes in channels.values() for code in codes}
    assert said <= {"active_power", "reactive_power"}
    assert ("active_power" in said) is total
    assert total or any("shows its phases and no total" in reason for reason in unjudged)


def test_a_phase_is_compared_with_its_own_register() -> None:
    speakers, _ = watched({"kind": "agreement", "share": 0.2, "least": 1}, source="hour")
    pairs = {
        (channels[Channel.VALUE][0], channels[Channel.COUNTED][0])
        for channels in speakers.values()
        if channels[Channel.VALUE][0].startswith("active_power")
    }
    assert pairs == {(f"active_power{tail}", f"active_energy_import{tail}") for tail in ("", "_a", "_b", "_c")}
