"""Files of factors are refused whole, with every problem named by file, row and key."""

import json
from datetime import date

import pytest
from smartpark.cli import main
from smartpark.errors import InvalidFileError
from smartpark.factor_files import factor_problems, load_factor_file
from smartpark.factors import Factor, FactorKind, builtin_factors

ROW = """
[[factor]]
id = "hill:raw_coal:ncv:2026-10"
kind = "net_calorific_value"
carrier = "raw_coal"
scope = "measured"
park = "hill"
value = 20.1
unit = "MJ/kg"
valid_from = 2026-10-01
source = "laboratory report 2026-118"
grade = "P"
"""


def written(tmp_path, text):
    file = tmp_path / "factors.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_row_of_a_park_is_read_in_the_internal_unit(tmp_path):
    (row,) = load_factor_file(written(tmp_path, ROW), beside=builtin_factors().factor)
    assert (row.value, row.unit, row.as_stated) == (pytest.approx(20.1), "GJ/t", "20.1 MJ/kg")


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        (("20.1", "-1"), "factor[hill:raw_coal:ncv:2026-10].value", "greater than or equal to 0"),
        (("MJ/kg", "MJ/lb"), "factor[hill:raw_coal:ncv:2026-10]", "is no unit of net_calorific_value"),
        (('raw_coal"', 'peat"'), "factor[hill:raw_coal:ncv:2026-10].carrier", "peat"),
        (('park = "hill"', ""), "factor[hill:raw_coal:ncv:2026-10]", "give its code as `park`"),
        (('grade = "P"', 'garde = "P"'), "factor[hill:raw_coal:ncv:2026-10].garde", "unknown key"),
        (
            ('grade = "P"', 'grade = "P"\nsupersedes = "nothing"'),
            "factor[hill:raw_coal:ncv:2026-10]",
            "supersedes nothing, which does not exist",
        ),
        (
            ('grade = "P"', 'grade = "P"\nsupersedes = "gbt2589-2020:diesel"'),
            "factor[hill:raw_coal:ncv:2026-10]",
            "which is about something else",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_problem_is_named_with_row_and_key(tmp_path, change, key, message):
    file = written(tmp_path, ROW.replace(*change))
    with pytest.raises(InvalidFileError) as refused:
        load_factor_file(file, beside=builtin_factors().factor)
    found = [(p.file, p.key) for p in refused.value.problems if message in p.message]
    assert found == [(str(file), key)]


def a_factor(**changes):
    row = {
        "id": "a",
        "kind": FactorKind.CARBON_DIOXIDE,
        "carrier": "heat",
        "scope": "supplier",
        "value": 90,
        "unit": "kg/GJ",
        "park": "hill",
        "valid_from": date(2024, 1, 1),
        "source": "contract",
        "grade": "P",
    }
    return Factor.model_validate(row | changes)


def test_two_rows_of_one_day_need_to_say_which_corrects_which():
    old, new = a_factor(), a_factor(id="b", value=91)
    assert factor_problems([new], [old]) == [("b", "says the same as a from the same day on: use `supersedes`")]
    assert factor_problems([a_factor(id="b", value=91, supersedes="a")], [old]) == []
    assert factor_problems([a_factor(id="b", valid_from=date(2024, 2, 1))], [old]) == []
    assert factor_problems([a_factor(id="b", park="valley")], [old]) == []


def test_the_rows_of_the_platform_do_not_contradict_each_other():
    assert factor_problems(builtin_factors().factor) == []


def test_the_command_tells_machines_and_people(tmp_path, capsys):
    good, bad = written(tmp_path, ROW), tmp_path / "bad.toml"
    bad.write_text(ROW.replace("20.1", "-1"), encoding="utf-8")
    assert main(["factors", "check", str(good)]) == 0
    assert capsys.readouterr().out == f"{good}: ok, 1 rows\n"
    assert main(["factors", "check", "--json", str(good), str(bad)]) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["rows"]) == (2, 1)
    assert told["problems"][0]["key"] == "factor[hill:raw_coal:ncv:2026-10].value"
