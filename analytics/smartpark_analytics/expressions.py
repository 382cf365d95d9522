"""Virtual meters: expressions over the amounts of other meters, for all quarter-hours at once.

An amount is not known where any meter in the expression is not known, or where it divides by zero: NaN, complete to
nothing, never zero. Because quarter-hours are computed and then summed, hours add up to their day whatever the
expression is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.expressions import Expression, in_order_of_need

Floats = NDArray[np.float64]

__all__ = ["Expression", "VirtualAmounts", "evaluate", "evaluate_all"]


@dataclass(frozen=True, slots=True)
class VirtualAmounts:
    """Virtual meters, in the order asked for; arrays of shape (n_meters, n_periods)."""

    amount: Floats
    """NaN where not known. [unit]"""
    completeness: Floats
    """That of the least complete meter in it. [0-1]"""
    estimated_share: Floats
    """That of the most estimated meter in it. [0-1]"""


def evaluate(expression: Expression, amounts: Mapping[str, Floats]) -> Floats:
    """Value of an expression.

    Parameters
    ----------
    expression : Expression
        From `smartpark.expressions.parse_expression`.
    amounts : mapping of str to ndarray of float64, shape (n_periods,)
        Of each name in it. [unit]

    Returns
    -------
    ndarray of float64, shape (n_periods,)
        NaN where an amount is NaN, and where it divides by zero.

    Examples
    --------
    What a feeder delivers besides its two metered tenants:

    >>> from smartpark.expressions import parse_expression
    >>> rest = parse_expression("F1 - T1 - T2")
    >>> evaluate(rest, {"F1": np.array([10.0, 9.0]), "T1": np.array([4.0, 4.0]), "T2": np.array([3.0, np.nan])})
    array([ 3., nan])
    """
    size = max((a.size for a in amounts.values()), default=1)
    stack: list[Floats] = []
    for step in expression.steps:
        if step.operator == "number":
            stack.append(np.full(size, step.number))
        elif step.operator == "name":
            stack.append(amounts[step.name])
        elif step.operator == "negate":
            stack.append(-stack.pop())
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(_combine(step.operator, left, right))
    return stack.pop()


def _combine(operator: str, left: Floats, right: Floats) -> Floats:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return np.divide(left, right, out=np.full(left.shape, np.nan), where=right != 0.0)


def evaluate_all(
    meters: Mapping[int, Expression],
    names: Mapping[str, Sequence[tuple[int, int]]],
    place: Mapping[int, int],
    *,
    amount: Floats,
    completeness: Floats,
    estimated_share: Floats,
) -> VirtualAmounts:
    """Evaluate virtual meters that may rest on each other.

    Parameters
    ----------
    meters : mapping of int to Expression
        By their numbers.
    names : mapping of str to sequence of (int, int)
        What each name stands for: points or virtual meters, each with its sign.
    place : mapping of int to int
        Row of each point.
    amount, completeness, estimated_share : ndarray of float64, shape (n_points, n_periods)
        Of the points.
    """
    rows: dict[int, tuple[Floats, Floats, Floats]] = {}

    def row_of(number: int) -> tuple[Floats, Floats, Floats]:
        if number in rows:
            return rows[number]
        at = place[number]
        return amount[at], completeness[at], estimated_share[at]

    for number in _ordered(meters, names):
        expression = meters[number]
        parts = {name: [(row_of(p), sign) for p, sign in names[name]] for name in expression.names}
        found = evaluate(
            expression,
            {name: np.sum([sign * row[0] for row, sign in given], axis=0) for name, given in parts.items()},
        )
        inputs = [row for given in parts.values() for row, _ in given]
        is_known = np.isfinite(found)
        least = np.min([row[1] for row in inputs], axis=0) if inputs else np.ones(amount.shape[1])
        most = np.max([row[2] for row in inputs], axis=0) if inputs else np.zeros(amount.shape[1])
        # A number alone is the same in every period.
        value = np.broadcast_to(np.where(is_known, found, np.nan), least.shape)
        rows[number] = (value, np.where(np.isnan(value), 0.0, least), most)
    empty = np.empty((0, amount.shape[1]))
    columns = [np.stack([rows[n][k] for n in meters]) if meters else empty for k in range(3)]
    return VirtualAmounts(*columns)


def _ordered(meters: Mapping[int, Expression], names: Mapping[str, Sequence[tuple[int, int]]]) -> list[int]:
    """Each after those that it rests on."""
    by_text = {str(number): number for number in meters}
    needs = {
        str(number): tuple(str(p) for name in expression.names for p, _ in names[name] if p in meters)
        for number, expression in meters.items()
    }
    return [by_text[text] for text in in_order_of_need(needs)]
