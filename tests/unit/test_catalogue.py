"""A catalogue is taken whole or refused whole, with every problem named by file and key."""

import json
import tomllib
from copy import deepcopy
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.catalogue import exponent_of, load_catalogue, parse_catalogue, uscc_check_character
from smartpark.cli import main
from smartpark.errors import InvalidFileError
from smartpark.measurands import Carrier, Kind

GOOD = tomllib.loads("""
[park]
code = "demo"
name = "示范园区"
name_en = "Demo park"
region = "350121"
terrain = "coastal"
peer_class = 2
area_mu = 1500.0
contract_demand_kw = 12000

[[sub_park]]
code = "east"
name = "东区"
name_en = "East"

[[enterprise]]
code = "E1"
name = "企业一"
name_en = "Tenant one"
uscc = "91350100M000100Y43"
sub_park = "east"

[[transformer]]
code = "TR1"
name = "1号主变"
rated_kva = 6300
voltage_kv = 10
enterprise = "E1"

[[profile]]
code = "three-phase"
[[profile.point]]
measurand = "active_energy_import"
resolution = "0.01"
register_digits = 8
[[profile.point]]
measurand = "voltage"
code = "voltage_a"
resolution = "0.1"
[[profile.point]]
measurand = "current"
resolution = "0.001"

[[device]]
code = "M0"
name = "总表"
name_en = "Incomer"
kind = "meter"
carrier = "electricity"
role = "boundary"
profile = "three-phase"
ct_ratio = 120
pt_ratio = 100

[[device]]
code = "M1"
name = "企业一电表"
name_en = "Meter of tenant one"
kind = "meter"
carrier = "electricity"
role = "consumption"
profile = "three-phase"
parent = "M0"
enterprise = "E1"
transformer = "TR1"
[[device.point]]
measurand = "active_power"
multiplier = 0.5
""")


def good():
    return deepcopy(GOOD)


def problems_with(document):
    with pytest.raises(InvalidFileError) as caught:
        parse_catalogue(document, file="park.toml")
    return {problem.key: problem.message for problem in caught.value.problems}


def test_a_good_catalogue_resolves_every_point():
    points = {point.key: point for point in parse_catalogue(good(), file="park.toml").points()}
    assert len(points) == 7
    energy = points["demo/M0/active_energy_import"]
    assert (energy.kind, energy.unit, energy.exponent) == (Kind.COUNTER, "kWh", -2)
    assert energy.register_modulus == 10**8
    assert energy.carrier is Carrier.ELECTRICITY


def test_instrument_transformers_multiply_what_stands_behind_them():
    points = {point.key: point.multiplier for point in parse_catalogue(good(), file="park.toml").points()}
    assert points["demo/M0/active_energy_import"] == 12000
    assert points["demo/M0/voltage_a"] == 100
    assert points["demo/M0/current"] == 120
    assert points["demo/M1/active_energy_import"] == 1
    assert points["demo/M1/active_power"] == 0.5


def set_in(document, path, value):
    *way, last = path
    for step in way:
        document = document[step]
    document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "key", "message"),
    [
        (["park", "region"], "35012", "park.region", "six digits"),
        (["park", "terrain"], "desert", "park.terrain", "got 'desert'"),
        (["park", "peer_class"], 5, "park.peer_class", "got 5"),
        (["park", "area_mu"], 0, "park.area_mu", "greater than 0"),
        (["park", "area"], 3, "park.area", "unknown key"),
        (["park", "time_zone"], "UTC", "park.time_zone", "Asia/Shanghai"),
        (["park", "code"], "a/b", "park.code", "is not a code"),
        (["enterprise", 0, "uscc"], "91350100M000100Y4O", "enterprise[E1].uscc", "18 digits and capitals"),
        (["enterprise", 0, "uscc"], "91350100M000100Y44", "enterprise[E1].uscc", "check character should be '3'"),
        (["enterprise", 0, "sub_park"], "west", "enterprise[E1].sub_park", "no sub_park has the code 'west'"),
        (["transformer", 0, "enterprise"], "E9", "transformer[TR1].enterprise", "no enterprise has the code 'E9'"),
        (["transformer", 0, "rated_kva"], "big", "transformer[TR1].rated_kva", "got 'big'"),
        (["device", 1, "parent"], "M7", "device[M1].parent", "no device has the code 'M7'"),
        (["device", 1, "profile"], "none", "device[M1].profile", "no profile has the code 'none'"),
        (["device", 1, "transformer"], "TR2", "device[M1].transformer", "no transformer has the code 'TR2'"),
        (["device", 0, "parent"], "M1", "device[M0].parent", "is its own ancestor: M0 → M1 → M0"),
        (["device", 1, "carrier"], "heat", "device[M1].parent", "carries electricity, this one heat"),
        (["device", 1, "ct_ratio"], -1, "device[M1].ct_ratio", "greater than 0"),
        (["device", 1, "code"], "M0", "device[M0].code", "used 2 times"),
        (["device", 0, "role"], "main", "device[M0].role", "got 'main'"),
        (
            ["profile", 0, "point", 1, "register_digits"],
            6,
            "profile[three-phase].point[voltage_a]",
            "is for counters; voltage is a gauge",
        ),
        (["profile", 0, "point", 1, "code"], "current", "device[M0].point[current]", "occurs 2 times"),
        (["device", 1, "point", 0, "measurand"], "power", "device[M1].point[0].measurand", "got 'power'"),
        (["device", 1, "point", 0, "resolution"], 0.1, "device[M1].point[0].resolution", "in quotes"),
        (["device", 1, "point", 0, "resolution"], "0.5", "device[M1].point[0].resolution", "power of ten"),
        (["device", 1, "point", 0, "resolution"], "fine", "device[M1].point[0].resolution", "is not a resolution"),
        (["device", 1, "point", 0, "multiplier"], float("inf"), "device[M1].point[0].multiplier", "finite"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, list) else None,
)
def test_each_kind_of_bad_input_is_named_by_its_key(path, value, key, message):
    document = good()
    set_in(document, path, value)
    found = problems_with(document)
    assert message in found[key]


def test_a_register_needs_the_step_that_its_digits_count():
    document = good()
    del document["profile"][0]["point"][0]["resolution"]
    assert "register_digits needs a resolution" in problems_with(document)["profile[three-phase].point[0]"]


def test_a_device_without_points_is_told_what_to_do():
    document = good()
    del document["device"][0]["profile"]
    assert "give it a profile" in problems_with(document)["device[M0]"]


def test_a_missing_park_and_a_missing_key_are_named():
    assert problems_with({})["park"] == "required, and not there"
    document = good()
    del document["device"][0]["name_en"]
    assert problems_with(document)["device[M0].name_en"] == "required, and not there"


def test_everything_wrong_is_told_at_once():
    document = good()
    document["park"]["regoin"] = document["park"].pop("region")
    document["device"][1]["parent"] = "M7"
    document["enterprise"][0]["uscc"] = "1"
    document["transformer"][0]["rated_kva"] = -5
    assert set(problems_with(document)) == {
        "park.region",
        "park.regoin",
        "device[M1].parent",
        "enterprise[E1].uscc",
        "transformer[TR1].rated_kva",
    }


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["park", "sub_park", "enterprise", "transformer", "profile", "device", "other"]), JSON_LIKE
    )
)
def test_no_document_whatever_its_shape_ends_in_anything_but_named_problems(document):
    assert problems_with(document)


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_a_credit_code_with_its_check_character_is_accepted_and_any_other_refused(first17):
    right = uscc_check_character(first17)
    document = good()
    document["enterprise"][0]["uscc"] = first17 + right
    parse_catalogue(document, file="park.toml")
    document["enterprise"][0]["uscc"] = first17 + ("0" if right != "0" else "1")
    assert list(problems_with(document)) == ["enterprise[E1].uscc"]


def test_the_check_character_of_published_credit_codes():
    # In the public register: companies of Hangzhou, Shenzhen (two) and Beijing.
    for code in ("91330100799655058B", "9144030071526726XG", "914403001922038216", "91110000802100433B"):
        assert uscc_check_character(code[:17]) == code[17]


@given(st.integers(-12, 9))
def test_a_resolution_gives_its_exponent_in_either_spelling(exponent):
    assert exponent_of(f"1e{exponent}") == exponent
    assert exponent_of(f"{10 ** max(exponent, 0)}" if exponent >= 0 else f"0.{'0' * (-exponent - 1)}1") == exponent


BROKEN = '[park]\ncode = "demo"\nregion = 12\n'


def test_the_command_reports_every_problem_with_file_and_key_and_exits_2(tmp_path, capsys):
    file = tmp_path / "park.toml"
    file.write_text(BROKEN)
    assert main(["catalog", "check", str(file)]) == 2
    out = capsys.readouterr().out
    assert f"{file}: park.region: " in out
    assert f"{file}: park.name: required, and not there" in out


def test_the_command_answers_machines(tmp_path, capsys):
    file = tmp_path / "park.toml"
    file.write_text(BROKEN)
    assert main(["catalog", "check", "--json", str(file)]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["points"] == 0
    assert {"park.region", "park.name"} <= {problem["key"] for problem in answer["problems"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), (b"[park\n", "not valid TOML"), (b"\xff\xfe", "cannot be read")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, message):
    file = tmp_path / "park.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidFileError, match=message) as caught:
        load_catalogue(file)
    assert caught.value.problems[0].file == str(file)


def with_grid(document):
    document["feeder"] = [{"code": "F1", "name": "1号馈线", "rated_kva": 6928, "main_transformer": "MT"}]
    document["transformer"] += [
        {"code": "MT", "name": "主变", "rated_kva": 50000, "voltage_kv": 110},
        {"code": "TR2", "name": "2号变", "rated_kva": 1600, "voltage_kv": 10, "feeder": "F1"},
    ]
    document["contract"] = [
        {
            "code": "K1",
            "enterprise": "E1",
            "valid_from": date(2026, 1, 1),
            "basic_charge": "contract_demand",
            "contract_demand_kw": 2400,
            "power_factor_standard": "0.90",
        }
    ]
    document["virtual_meter"] = [
        {"code": "V1", "name": "其余", "name_en": "rest", "expression": "M0 - M1", "carrier": "electricity"}
    ]
    document["meter_change"] = [
        {
            "device": "M1",
            "point": "active_energy_import",
            "at": datetime(2026, 11, 3, 2, 30, tzinfo=UTC),
            "final": "812345.67",
            "initial": "0.00",
        }
    ]
    return document


def test_grid_contracts_computed_meters_and_replaced_registers_are_read():
    catalogue = parse_catalogue(with_grid(good()), file="park.toml")
    assert catalogue.feeder[0].main_transformer == "MT"
    assert catalogue.contract[0].settlement_day == 1
    assert catalogue.virtual_meter[0].measurand == "active_energy_import"
    assert catalogue.meter_change[0].key == "M1/active_energy_import@2026-11-03T02:30:00.000000Z"


@pytest.mark.parametrize(
    ("changed", "message"),
    [({}, None), ({"voltage_kv": 35}, "different voltages"), ({"feeder": "F1"}, "different feeders")],
)
def test_only_transformers_that_are_alike_stand_in_for_each_other(changed, message):
    document = with_grid(good())
    main_transformer = document["transformer"][1] | {"station": "S1"}
    document["transformer"][1] = main_transformer
    document["transformer"].append(main_transformer | {"code": "MT2"} | changed)
    if message is None:
        assert [one.station for one in parse_catalogue(document, file="park.toml").transformer[1:]] == [
            "S1",
            None,
            "S1",
        ]
        return
    with pytest.raises(InvalidFileError, match=message):
        parse_catalogue(document, file="park.toml")


@pytest.mark.parametrize(
    ("path", "value", "key", "message"),
    [
        (
            ["feeder", 0, "main_transformer"],
            "TR9",
            "feeder[F1].main_transformer",
            "no transformer has the code 'TR9'",
        ),
        (["feeder", 0, "main_transformer"], "TR2", "transformer[TR2].feeder", "feeds itself: TR2 → TR2"),
        (["transformer", 0, "feeder"], "F9", "transformer[TR1].feeder", "no feeder has the code 'F9'"),
        (["transformer", 0, "station"], "S1", "transformer[TR1].station", "station 'S1' has no other transformer"),
        (["contract", 0, "enterprise"], "E9", "contract[K1].enterprise", "no enterprise has the code 'E9'"),
        (["contract", 0, "contract_demand_kw"], None, "contract[K1]", "needs contract_demand_kw"),
        (["contract", 0, "basic_charge"], "capacity", "contract[K1]", "needs capacity_kva"),
        (["contract", 0, "valid_to"], date(2026, 1, 1), "contract[K1]", "is not after valid_from"),
        (["contract", 0, "power_factor_standard"], "0.95", "contract[K1].power_factor_standard", "got '0.95'"),
        (["virtual_meter", 0, "code"], "M1", "virtual_meter[M1].code", "code of a device too"),
        (
            ["meter_change", 0, "device"],
            "M9",
            "meter_change[M9/active_energy_import].device",
            "no device has the code",
        ),
        (["meter_change", 0, "point"], "gas", "meter_change[M1/gas].point", "it has: active_energy_import"),
        (
            ["device", 0, "point"],
            [{"measurand": "active_power", "max_rate": 9}],
            "device[M0].point[0]",
            "is for counters",
        ),
        (["device", 0, "o2_reference_pct"], 21, "device[M0].o2_reference_pct", "less than 20.9"),
    ],
)
def test_mistakes_in_the_grid_are_named(path, value, key, message):
    document = with_grid(good())
    set_in(document, path, value)
    if value is None:
        del document[path[0]][path[1]][path[2]]
    found = problems_with(document)
    assert any(k.startswith(key) and message in m for k, m in found.items()), found


def test_a_price_plan_that_nobody_has_is_refused_where_a_catalogue_is_loaded(tmp_path, monkeypatch):
    file = tmp_path / "park.toml"
    park = """
        [park]
        code = "demo"
        name = "x"
        name_en = "x"
        region = "350121"
        terrain = "coastal"
        peer_class = 2
        area_mu = 1500.0
        [[contract]]
        code = "C1"
        valid_from = 2026-01-01
        basic_charge = "none"
        price_plan = "ours"
    """
    file.write_text(park, "utf-8")
    with pytest.raises(InvalidFileError, match=r"contract\[C1\].price_plan: no price plan has the code 'ours'"):
        load_catalogue(file)
    plans = tmp_path / "plans.toml"
    plans.write_text(
        """
        version = "1"
        [[plan]]
        code = "ours"
        name = "x"
        name_en = "x"
        purchase = "market"
        [[plan.version]]
        id = "ours-1"
        valid_from = 2026-01-01
        source = "contract"
        grade = "P"
        price = { flat = 0.6 }
        [[plan.version.hours]]
        period = "flat"
        spans = ["00:00-24:00"]
        """,
        "utf-8",
    )
    monkeypatch.setenv("SMARTPARK_PRICE_PLANS", str(plans))
    assert load_catalogue(file).contract[0].price_plan == "ours"
