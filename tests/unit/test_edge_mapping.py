"""Device models on real and realistic payloads: what they say becomes readings, and nothing is invented."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.clock import to_us
from smartpark.decimals import from_mantissa
from smartpark.status import BAD_NO_DATA, BAD_SENSOR_FAILURE, GOOD
from smartpark.wire import MISSING
from smartpark_edge.device_models import DeviceModel, TimeFormat, device_model, model_names, parse_path, scale_of
from smartpark_edge.mapping import MALFORMED, UNMAPPED, compile_device
from smartpark_edge.mqtt_source import map_delivery
from smartpark_edge.readings import Delivery
from smartpark_edge.timestamps import NotATimeError, time_parser

DATA = Path(__file__).parents[1] / "data" / "mqtt"
SHANGHAI = ZoneInfo("Asia/Shanghai")
ARRIVAL = to_us(datetime(2026, 11, 20, 14, 0, tzinfo=UTC))


def payload(name: str) -> bytes:
    return (DATA / f"{name}.json").read_bytes()


def device(model: str, **options):
    return compile_device(device_model(model), device="park/M1", topic="m1", zone=SHANGHAI, **options)


def mapped(model: str, content: bytes, *, topic: str = "m1", retained: bool = False, **options):
    return device(model, **options).map(Delivery(topic, content, ARRIVAL, retained))


def values(result) -> dict[str, Decimal]:
    """Exact values by point code."""
    found = {}
    for reading in result.readings:
        assert reading.point.exponent is not None
        found[reading.point.key.removeprefix("park/M1/")] = from_mantissa(reading.value, reading.point.exponent)
    return found


def times(result) -> set[int]:
    return {reading.time for reading in result.readings}


def test_a_tasmota_plug_speaks_of_energy_power_and_quality_in_its_own_time_zone():
    result = mapped("tasmota-energy", payload("tasmota-energy"))
    assert values(result) == {
        "active_energy_import": Decimal("731.204"),
        "active_power": Decimal("0.061"),
        "apparent_power": Decimal("0.088"),
        "reactive_power": Decimal("0.063"),
        "power_factor": Decimal("0.69"),
        "voltage": Decimal(231),
        "current": Decimal("0.381"),
    }
    assert times(result) == {to_us(datetime(2026, 11, 20, 12, 52, 56, tzinfo=UTC))}
    assert not result.troubles
    assert not result.rounded


def test_an_old_plug_that_says_less_gives_fewer_readings_and_no_zeros():
    assert set(values(mapped("tasmota-energy", payload("tasmota-energy-2018")))) == {
        "active_energy_import",
        "active_power",
        "power_factor",
        "voltage",
        "current",
    }


def test_a_measured_zero_stays_a_zero():
    assert values(mapped("tasmota-energy", payload("tasmota-energy-idle")))["active_power"] == 0


def test_a_linky_meter_gives_its_phase():
    found = values(mapped("tasmota-linky", payload("tasmota-linky")))
    assert found["active_power_a"] == Decimal("1.188")
    assert found["apparent_power"] == Decimal("1.210")
    assert "active_power_b" not in found


def test_a_shelly_pro_3em_status_keeps_its_signs_and_leaves_nulls_out():
    result = mapped("shelly-pro-3em", payload("shelly-pro-3em-status"), topic="m1/status/em:0")
    found = values(result)
    assert found["active_power_a"] == Decimal("-0.0754")
    assert found["active_power"] == Decimal("2.581781")
    assert found["current"] == Decimal("12.259")
    assert "current_n" not in found
    assert times(result) == {ARRIVAL}
    assert not result.rounded


def test_a_shelly_register_in_watt_hours_becomes_kilowatt_hours():
    found = values(mapped("shelly-pro-3em", payload("shelly-pro-3em-emdata"), topic="m1/status/emdata:0"))
    assert found["active_energy_import"] == Decimal("2589.77339")
    assert found["active_energy_export_c"] == Decimal("0.98591")


def test_a_frame_that_names_only_what_changed_gives_only_that():
    content = payload("shelly-em-gen3-notify")
    result = mapped("shelly-em-gen3", content, topic="m1/events/rpc")
    assert values(result) == {
        "active_power": Decimal("-1.3774"),
        "current": Decimal("12.031"),
        "voltage": Decimal("229.8"),
    }
    assert times(result) == {1_795_150_998_370_000}


@pytest.mark.parametrize(
    "frame",
    [
        {"method": "NotifyEvent", "params": {"ts": 1.0, "events": [{"component": "sys", "event": "ota_begin"}]}},
        {"method": "NotifyStatus", "params": {"ts": 1.0, "wifi": {"rssi": -60}}},
        {"method": "NotifyStatus", "params": {"ts": 1.0, "em:0": None}},
    ],
)
def test_a_frame_without_anything_of_the_meter_is_no_reading_and_no_fault(frame):
    result = mapped("shelly-pro-3em", json.dumps(frame).encode(), topic="m1/events/rpc")
    assert (result.readings, result.troubles, result.ignored) == ([], [], True)


def test_a_first_generation_shelly_says_one_number_per_topic():
    result = mapped("shelly-3em-gen1", b"1234.56", topic="m1/emeter/1/power")
    assert values(result) == {"active_power_b": Decimal("1.23456")}
    assert result.stamped_on_arrival


def test_a_retained_number_of_unknown_age_is_not_a_reading():
    assert mapped("shelly-3em-gen1", b"1.0", topic="m1/emeter/0/power", retained=True).ignored


def test_a_retained_message_with_its_own_time_is_one():
    assert mapped("tasmota-energy", payload("tasmota-energy"), retained=True).readings


def test_meters_behind_one_acrel_gateway_are_told_apart():
    mine = device("acrel-gateway", select={"meterSN": "00000000000004"})
    other = device("acrel-gateway", select={"meterSN": "00000000000009"})
    [result] = map_delivery((mine, other), Delivery("m1", payload("acrel-data"), ARRIVAL))
    found = values(result)
    assert (found["active_energy_import"], found["active_power"]) == (Decimal("8.98"), Decimal("2.77"))
    assert times(result) == {to_us(datetime(2026, 11, 20, 2, 18, tzinfo=UTC))}


def test_a_gateway_s_login_is_no_reading_and_a_stranger_behind_it_is_a_trouble():
    mappings = (device("acrel-gateway", select={"meterSN": "00000000000009"}),)
    [login] = map_delivery(mappings, Delivery("m1", payload("acrel-login"), ARRIVAL))
    assert login.ignored
    [stranger] = map_delivery(mappings, Delivery("m1", payload("acrel-data"), ARRIVAL))
    assert [trouble.reason for trouble in stranger.troubles] == [UNMAPPED]


def test_zeros_of_a_meter_that_its_gateway_cannot_reach_are_no_readings():
    content = payload("acrel-data").replace(b'"normal"', b'"missing"')
    assert mapped("acrel-gateway", content).ignored


def test_flat_json_takes_every_measurand_and_names_what_it_does_not_know():
    content = json.dumps({"time": "2026-11-20T08:00:00+08:00", "voltage": 229.9, "volts": 1}).encode()
    result = mapped("generic-flat", content, resolutions={"voltage": "0.1"})
    assert values(result) == {"voltage": Decimal("229.9")}
    assert [trouble.reason for trouble in result.troubles] == [UNMAPPED]
    assert "volts" in result.troubles[0].detail


def test_flat_json_carries_points_with_names_of_their_own():
    content = json.dumps({"time": 1_795_150_998, "inlet": 61.5}).encode()
    result = mapped("generic-flat", content, measurands={"inlet": "temperature"}, resolutions={"inlet": "0.1"})
    assert values(result) == {"inlet": Decimal("61.5")}


def test_a_logger_s_history_is_many_records_and_one_bad_one_does_not_spoil_the_rest():
    records = [{"time": 1_795_150_000 + 900 * n, "voltage": 230 + n} for n in range(96)]
    records[5] = {"voltage": 1}
    result = mapped("generic-flat", json.dumps({"records": records}).encode(), resolutions={"voltage": "1"})
    assert len(result.readings) == 95
    assert [trouble.reason for trouble in result.troubles] == [MALFORMED]


def test_a_null_of_a_gateway_is_a_reading_without_value_and_with_a_reason():
    content = b'{"time": 1795150000, "voltage": null, "current": null, "status": {"current": 2156658688}}'
    first, second = mapped("generic-flat", content).readings
    assert (first.value, first.status) == (MISSING, BAD_NO_DATA)
    assert (second.value, second.status) == (MISSING, BAD_SENSOR_FAILURE)


def test_one_status_may_hold_for_a_whole_record():
    content = b'{"time": 1795150000, "voltage": 1, "status": 1073741824}'
    assert mapped("generic-flat", content).readings[0].status == 0x4000_0000
    assert mapped("generic-flat", b'{"time": 1795150000, "voltage": 1}').readings[0].status == GOOD


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe", MALFORMED),
        (b"{", MALFORMED),
        (b"[" * 100_000, MALFORMED),
        (b"[]", MALFORMED),
        (b"{}", MALFORMED),
        (b'{"Time": "yesterday", "ENERGY": {"Power": 1}}', MALFORMED),
        (b'{"Time": "2026-11-20T00:00:00"}', UNMAPPED),
        (b'{"Time": "2026-11-20T00:00:00", "ENERGY": {"Power": true}}', MALFORMED),
        (b'{"Time": "2026-11-20T00:00:00", "ENERGY": {"Power": NaN}}', MALFORMED),
        (b'{"Time": "2026-11-20T00:00:00", "ENERGY": {"Power": 1e999}}', MALFORMED),
        (b'{"Time": "2026-11-20T00:00:00", "ENERGY": {"Power": "much"}}', MALFORMED),
    ],
)
def test_what_cannot_be_understood_says_why(content, reason):
    result = mapped("tasmota-energy", content)
    assert [trouble.reason for trouble in result.troubles] == [reason]
    assert not result.readings


def test_a_value_beside_a_broken_one_is_kept():
    result = mapped("tasmota-energy", b'{"Time": "2026-11-20T00:00:00", "ENERGY": {"Power": "x", "Voltage": 230}}')
    assert values(result) == {"voltage": Decimal(230)}
    assert len(result.troubles) == 1


def test_only_the_points_that_are_wanted_are_taken():
    result = mapped("tasmota-energy", payload("tasmota-energy"), only=frozenset({"voltage"}))
    assert set(values(result)) == {"voltage"}


def test_a_resolution_that_is_too_coarse_is_noticed():
    result = mapped("tasmota-energy", payload("tasmota-energy"), resolutions={"active_energy_import": "0.1"})
    assert values(result)["active_energy_import"] == Decimal("731.2")
    assert result.rounded == {"park/M1/active_energy_import"}


@given(st.binary(max_size=200))
def test_no_bytes_whatever_make_the_mapping_fail(content):
    for name, topic in (("tasmota-energy", "m1"), ("generic-flat", "m1"), ("shelly-3em-gen1", "m1/emeter/0/pf")):
        result = mapped(name, content, topic=topic)
        assert result.readings or result.troubles or result.ignored


KEYS = st.sampled_from(["Time", "ENERGY", "Power", "records", "time", "voltage", "status"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_no_document_whatever_makes_the_mapping_fail(document):
    content = json.dumps(document).encode()
    for name in ("tasmota-energy", "generic-flat", "acrel-gateway"):
        result = mapped(name, content)
        assert result.readings or result.troubles or result.ignored


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_a_decimal_comes_through_exactly_whatever_its_scale(steps, places):
    text = str(Decimal(steps).scaleb(-places))
    content = f'{{"Time": "2026-11-20T00:00:00", "ENERGY": {{"Voltage": {text}}}}}'.encode()
    result = mapped("tasmota-energy", content, resolutions={"voltage": f"1e-{places}"})
    assert values(result) == {"voltage": Decimal(text)}
    assert not result.rounded


@pytest.mark.parametrize("name", model_names())
def test_every_model_that_comes_along_is_sound_and_says_where_it_is_from(name):
    model = device_model(name)
    assert model.title
    assert model.source
    device(name)


def test_a_model_whose_point_means_two_things_is_refused():
    channels = [{"path": "a", "measurand": "voltage"}, {"path": "b", "measurand": "voltage", "resolution": "1"}]
    with pytest.raises(ValueError, match="two resolutions"):
        DeviceModel.model_validate({"name": "x", "title": "x", "source": "x", "message": [{"channel": channels}]})


@pytest.mark.parametrize("text", ["", "a..b", "a[", "a[x]", "[0"])
def test_a_path_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"path|step"):
        parse_path(text)


def test_a_scale_may_be_a_fraction():
    assert scale_of("1/60000") == Decimal(1) / Decimal(60000)
    with pytest.raises(ValueError, match="not a scale"):
        scale_of("1/0")


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        (TimeFormat.ISO_LOCAL, "2026-11-20T08:00:00", "2026-11-20T00:00:00Z"),
        (TimeFormat.ISO_LOCAL, "2026-11-20T08:00:00+00:00", "2026-11-20T08:00:00Z"),
        (TimeFormat.ISO, "2026-11-20T08:00:00.5+08:00", "2026-11-20T00:00:00.5Z"),
        (TimeFormat.COMPACT_LOCAL, "20261120080000", "2026-11-20T00:00:00Z"),
        (TimeFormat.EPOCH_S, 1795132800, "2026-11-20T00:00:00Z"),
        (TimeFormat.EPOCH_S, 1795132800.37, "2026-11-20T00:00:00.37Z"),
        (TimeFormat.EPOCH_MS, 1795132800370, "2026-11-20T00:00:00.37Z"),
        (TimeFormat.ANY, 1795132800, "2026-11-20T00:00:00Z"),
        (TimeFormat.ANY, 1795132800370, "2026-11-20T00:00:00.37Z"),
        (TimeFormat.ANY, 1795132800370000, "2026-11-20T00:00:00.37Z"),
        (TimeFormat.ANY, "2026-11-20T08:00:00", "2026-11-20T00:00:00Z"),
    ],
)
def test_times_are_read_in_every_form_that_devices_use(form, value, expected):
    assert time_parser(form, SHANGHAI)(value) == to_us(datetime.fromisoformat(expected))


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (TimeFormat.ISO, "2026-11-20T08:00:00"),
        (TimeFormat.ISO, 5),
        (TimeFormat.ISO_LOCAL, "0001-01-01T00:00:00"),
        (TimeFormat.COMPACT_LOCAL, "20261320080000"),
        (TimeFormat.COMPACT_LOCAL, "2026112008000"),
        (TimeFormat.EPOCH_S, True),
        (TimeFormat.EPOCH_S, "1795132800"),
        (TimeFormat.EPOCH_S, float("nan")),
        (TimeFormat.EPOCH_MS, 1e30),
        (TimeFormat.ANY, None),
    ],
)
def test_what_is_no_time_is_refused(form, value):
    with pytest.raises(NotATimeError):
        time_parser(form, SHANGHAI)(value)
