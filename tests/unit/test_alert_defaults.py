"""Default rules on the demonstration park: silent on healthy days, and one group of alerts for each fault.

`pytest -m soak tests/unit/test_alert_defaults.py` runs twelve weeks; the everyday run two days.
"""

from collections import Counter

import numpy as np
import pytest
from healthy_park import DAY_US, HOUR_US, HealthyPark
from smartpark.alerts.rules import builtin_rules
from smartpark.alerts.words import Cause
from smartpark_simulators.devices import Devices
from smartpark_simulators.faults import FaultKind, FaultPlan, RegisterEvents
from smartpark_simulators.instruments import registers

QUARTER_US = 15 * 60_000_000
SPARED = {"M0", "G1", "H1", "T05", "C01"}


def fired(news):
    return [(rule, subject, found) for rule, subject, found in news if found.episode.fired_at is not None]


def test_two_healthy_days_are_silent():
    assert not fired(HealthyPark().run(builtin_rules(), 2.0))


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 5])
def test_twelve_healthy_weeks_are_silent(seed):
    told = fired(HealthyPark(seed=seed).run(builtin_rules(), 84.0))
    assert not [(rule.code, str(subject.object), found.episode.since) for rule, subject, found in told]


def history(park, kind, device="T04", *, days=4):
    """Readings of loggers with one fault; and what was said twice or could not be read."""
    start, end = park.start_us, park.start_us + days * DAY_US
    plan = FaultPlan(1, frozenset({kind}), [device])
    events = RegisterEvents.draw(frozenset({kind}), rolls="T05", resets="C01", history_start=start, live_start=end)
    for code, instant in events.rollover.items():
        for one in registers([i for c, i in park.instruments[code].items() if c.endswith("_import")]):
            one.roll_over_at(instant)
    for code, instant in events.reset.items():
        for one in registers(park.instruments[code].values()):
            one.resets.append(instant)
    devices = Devices.of(park.catalogue, park.instruments, plan)
    troubles = [t for slot in range(start // (2 * DAY_US), end // (2 * DAY_US) + 1) for t in plan.in_history(slot)]
    return devices, troubles


def table_of(park, messages, instants):
    """What the messages say, as primary values at instants; NaN where nothing was said."""
    place = {point.key: row for row, point in enumerate(park.points)}
    found = np.full((len(park.points), len(instants)), np.nan)
    for message in messages:
        for reading in message.readings:
            row = place[reading.point]
            at = (reading.time - int(instants[0])) // park.step_us
            if reading.value is not None and 0 <= at < len(instants):
                found[row, at] = float(reading.value) * park.points[row].multiplier
    return found


def groups_after(kind, device="T04", days=4):
    """Groups of alerts (cause, device) with how many alerts each, after days of logged history with faults."""
    park = HealthyPark(step_us=QUARTER_US)
    devices, troubles = history(park, kind, device, days=days)
    end = park.start_us + days * DAY_US
    messages = list(devices.history(park.start_us, end + QUARTER_US))

    def said(instants, _table):
        return table_of(park, messages, instants)

    news = fired(park.run(builtin_rules(), days, chunk_us=DAY_US, tamper=said))
    begun = {(r.cause, s.device, r.code, str(s.object), f.episode.since) for r, s, f in news}
    return Counter((cause, device) for cause, device, *_ in begun), troubles, begun


@pytest.mark.parametrize(
    ("kind", "cause"),
    [(FaultKind.DROPOUT, Cause.NO_DATA), (FaultKind.STUCK, Cause.METER_FAULT)],
)
def test_a_passing_fault_of_a_logger_is_one_group_of_alerts(kind, cause):
    groups, troubles, begun = groups_after(kind)
    assert troubles, "the plan has at least one fault in these days"
    assert set(groups) == {(cause, "minhou-demo/T04")}, begun
    moments = {f for _, _, code, key, f in begun if key.endswith("active_power") and code != "power-and-register"}
    assert len(moments) == len(troubles)


@pytest.mark.parametrize("kind", [FaultKind.DUPLICATES, FaultKind.GARBAGE, FaultKind.ROLLOVER])
def test_what_the_platform_bears_wakes_nobody(kind):
    groups, _, begun = groups_after(kind)
    assert not groups, begun


def test_a_register_that_begins_anew_is_one_alert():
    groups, _, begun = groups_after(FaultKind.RESET)
    assert set(groups) == {(Cause.METER_FAULT, "minhou-demo/C01")}, begun
    assert {code for _, _, code, _, _ in begun} == {"register-backwards"}


def test_a_sensor_that_fails_is_one_alert_and_one_that_doubts_itself_none():
    """The PLC's way (`Devices.plc`): SO2 of the kiln without a value and with a bad status; dust keeps its value."""
    park = HealthyPark()
    (row,) = (n for n, point in enumerate(park.points) if point.key.endswith("S2/so2_concentration"))

    def failing(instants, table):
        table[row, (instants >= park.start_us + HOUR_US) & (instants < park.start_us + 2 * HOUR_US)] = np.nan
        return table

    news = fired(park.run(builtin_rules(), 0.25, chunk_us=DAY_US // 4, tamper=failing))
    assert [(rule.code, str(subject.object)) for rule, subject, _ in news] == [
        ("no-data", "point:minhou-demo/S2/so2_concentration")
    ]


def test_messages_with_a_mad_clock_are_no_readings_and_wake_nobody():
    """They end as dead letters; the device goes on with its next message, so nothing is missing for long."""
    park = HealthyPark()
    plan = FaultPlan(1, frozenset({FaultKind.CLOCK_SKEW}), ["T04"])
    devices = Devices.of(park.catalogue, park.instruments, plan)
    instants = range(park.start_us, park.start_us + 40_000_000, 1_000_000)
    messages = [message for instant in instants for message in devices.live(instant)]
    skewed = [message for message in messages if message.dead is not None]
    assert skewed
    assert not any(message.readings for message in skewed)
    heard = sorted({reading.time for m in messages for reading in m.readings if "/T04/" in reading.point})
    (rule,) = (rule for rule in builtin_rules() if rule.code == "no-data")
    assert max(np.diff(heard)) < rule.detector.after_s * 1_000_000
