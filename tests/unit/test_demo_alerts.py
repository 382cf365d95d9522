"""The demo's comparison of alerts with faults: what is a hit, what is missed, what is false."""

from datetime import UTC, datetime, timedelta

import pytest
from smartpark.catalogue import load_catalogue
from smartpark.clock import to_us
from smartpark_simulators.demo.faults_and_alerts import Fault, compare, matched
from smartpark_simulators.faults import FaultKind
from smartpark_simulators.ledger import TrueReading, TruthLedger
from smartpark_simulators.parks import DEMO_PARK

BEGAN = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
DROPOUT = Fault(FaultKind.DROPOUT, "T04", to_us(BEGAN), to_us(BEGAN + 3 * HOUR))


def alert(**changed):
    usual = {"rule": "no-data", "object": "point:park/T04/active_power", "device": "park/T04", "cause": "no_data"}
    moments = {"since": (BEGAN + HOUR).isoformat(), "fired_at": (BEGAN + HOUR).isoformat(), "ended_by": "condition"}
    return usual | moments | changed


@pytest.mark.parametrize(
    ("alerts", "missed", "false"),
    [
        ([alert(), alert(object="point:park/T04/active_energy_import")], 0, 0),
        ([], 1, 0),
        ([alert(ended_by="correction")], 1, 0),
        ([alert(fired_at=None)], 1, 0),
        ([alert(device="park/T05")], 1, 1),
        ([alert(cause="meter_fault")], 1, 1),
        ([alert(), alert(since=(BEGAN + 5 * HOUR).isoformat())], 0, 1),
    ],
)
def test_an_alert_is_held_against_the_fault_of_its_device_cause_and_time(alerts, missed, false):
    found = matched([DROPOUT], [DROPOUT], alerts, "park")
    assert (found["hits"], len(found["missed"]), len(found["false"])) == (1 - missed, missed, false)


def test_only_what_a_rule_can_see_is_expected(tmp_path):
    ledger = TruthLedger(tmp_path / "truth.sqlite")
    first, last = to_us(BEGAN - 60 * HOUR), to_us(BEGAN + 60 * HOUR)
    facts = {"origin": first, "started_at": last, "logged_until": last, "rollover": f'{{"T05": {first}}}'}
    ledger.note({name: str(value) for name, value in facts.items()} | {"reset": f'{{"C01": {to_us(BEGAN)}}}'})
    stuck = [(FaultKind.STUCK, device, to_us(BEGAN), to_us(BEGAN + 3 * HOUR)) for device in ("T03", "T06")]
    short = (FaultKind.DROPOUT, "T01", to_us(BEGAN), to_us(BEGAN + timedelta(seconds=6)))
    ledger.add_faults([*stuck, short, (DROPOUT.kind, DROPOUT.device, DROPOUT.start, DROPOUT.end)])
    park = load_catalogue(DEMO_PARK)
    # A gauge that stands still at zero is at rest.
    values = {"T03": "12.5", "T06": "0.0"}
    ledger.add([TrueReading(f"{park.park.code}/{code}/active_power", to_us(BEGAN), v) for code, v in values.items()])
    ledger.close()
    found = compare(tmp_path / "truth.sqlite", park, [])
    assert found["expected"] == {"dropout": 1, "reset": 1, "stuck": 1}
    assert found["missed"] == ["dropout T04", "stuck T03", "reset C01"]
    assert found["passing_faults"] == {"dropout": 1, "rollover": 1, "stuck": 1}
