"""Virtual meters: what an expression says, what it refuses, and what comes out of it."""

import numpy as np
import pytest
from accounting_cases import GRID, IMPORT, day, hill, point
from hypothesis import given
from hypothesis import strategies as st
from smartpark.catalogue import Role, VirtualMeter
from smartpark.catalogue_check import reference_problems
from smartpark.expressions import ExpressionError, cycle_in, in_order_of_need, parse_expression
from smartpark.measurands import Carrier
from smartpark_analytics.expressions import evaluate

AMOUNTS = {"A": np.array([6.0]), "B": np.array([4.0]), "C": np.array([2.0])}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A - B - C", 0.0),
        ("A - (B - C)", 4.0),
        ("A / B * C", 3.0),
        ("A ÷ (B × C)", 0.75),
        ("-A + B", -2.0),
        ("A − -B", 10.0),
        ("2 * A + 0.5 * B", 14.0),
        ("'A'*'B'", 24.0),
        ("+A", 6.0),
    ],
)
def test_an_expression_means_what_it_means_on_paper(text, value):
    expression = parse_expression(text)
    assert evaluate(expression, {name: AMOUNTS[name] for name in expression.names}) == pytest.approx([value])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends where a code"),
        ("A +", "ends where a code"),
        ("A B", "'B' before character 4"),
        ("(A", "not closed"),
        ("A)", "does not belong there"),
        ("A ** B", "is wanted"),
        ("2A", "neither a code, a number"),
        ("A; import os", "neither a code, a number"),
        ("A()", "does not belong there"),
        ("__import__('os')", "does not belong there"),
        ("(" * 60 + "A" + ")" * 60, "nested more than"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text, said):
    with pytest.raises(ExpressionError, match=said.replace("(", r"\(")):
        parse_expression(text)


@st.composite
def expressions(draw, depth: int = 3) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["A", "B", "C", "0.5", "3"]))
    left, right = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    return draw(st.sampled_from([f"{left} + {right}", f"({left}) * ({right})", f"{left} - ({right})", f"-({left})"]))


@given(text=expressions())
def test_it_computes_what_python_computes(text):
    expected = eval(text, {name: float(amount[0]) for name, amount in AMOUNTS.items()})  # noqa: S307  ours
    expression = parse_expression(text)
    found = evaluate(expression, {name: AMOUNTS[name] for name in expression.names})
    assert found == pytest.approx([expected])


def test_what_is_not_known_and_what_divides_by_zero_is_not_known():
    amounts = {"A": np.array([1.0, np.nan, 1.0]), "B": np.array([2.0, 1.0, 0.0])}
    assert np.isnan(evaluate(parse_expression("A / B"), amounts)).tolist() == [False, True, True]
    assert np.isnan(evaluate(parse_expression("A + B"), amounts)).tolist() == [False, True, False]


def test_meters_that_need_each_other_in_a_circle_are_found():
    assert cycle_in({"a": ("b", "x"), "b": ("c",), "c": ("a",)}) == ["a", "b", "c", "a"]
    assert cycle_in({"a": ("b", "c"), "b": ("c",), "c": ()}) is None
    assert in_order_of_need({"a": ("b", "c"), "b": ("c",), "c": ()}) == ["c", "b", "a"]
    with pytest.raises(ExpressionError, match="in a circle: a, b"):
        in_order_of_need({"a": ("b",), "b": ("a",)})


def problems(**expressions: str) -> dict[str, str]:
    meters = [{"code": code, "expression": text} for code, text in expressions.items()]
    devices = [{"code": "M1", "carrier": "electricity", "point": [{"measurand": "active_energy_import"}]}]
    return dict(reference_problems({"device": devices, "virtual_meter": meters}))


def test_a_catalogue_names_what_is_wrong_with_an_expression():
    assert problems(V1="M1 + 'M1/active_energy_import' - V2", V2="0.5 * M1") == {}
    assert (
        "no device, virtual meter or device/point has the code 'M9'"
        in (problems(V1="M1 - M9")["virtual_meter[V1].expression"])
    )
    assert "is wanted" in problems(V1="M1 -")["virtual_meter[V1].expression"]
    assert "needs itself: V1 → V2 → V1" in problems(V1="V2 + M1", V2="V1")["virtual_meter[V1].expression"]
    assert "a number alone" in problems(V1="1.5")["virtual_meter[V1].expression"]


def virtual(code: str, expression: str, role: Role, **more) -> VirtualMeter:
    return VirtualMeter(
        code=code, name=code, name_en=code, expression=expression, carrier=Carrier.ELECTRICITY, role=role, **more
    )


def test_a_virtual_meter_counts_like_any_other_and_hours_add_up_to_its_day():
    feeder = point(2, "F1", IMPORT, Carrier.ELECTRICITY, Role.DISTRIBUTION)
    accounts = hill(
        GRID,
        feeder,
        virtual_meters=[
            virtual("V1", "V2 / 2", Role.CONSUMPTION, enterprise="E1"),
            virtual("V2", "M0 - F1", Role.NONE),
        ],
    )
    amounts = np.arange(96.0)
    series = day(accounts, {1: amounts + 10, 2: amounts})
    boundary = accounts.boundary("enterprise/E1")
    assert boundary is not None
    (flow,) = boundary.flows
    assert series.sums.amount[series.place[flow.point_id]] == pytest.approx([96 * 5.0])
    unknown = day(accounts, {1: amounts, 2: np.nan})
    assert np.isnan(unknown.sums.amount[unknown.place[flow.point_id]]).all()
    assert unknown.sums.completeness[unknown.place[flow.point_id]].tolist() == [0.0]
