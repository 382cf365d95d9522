"""Arithmetic as the steps of a derivation write it: numbers, the four operations, a few functions, and `listed`.

What a reader is shown is what is reckoned with: a formula that does not give its number is a wrong explanation.
"""

import ast
import operator
from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, Final

import numpy as np
from smartpark.addition import in_order


def _hypotenuse(one: float, other: float) -> float:
    """As the computation has it: that of the standard library may differ in the last digit."""
    return float(np.hypot(one, other))


_OPERATIONS: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "sum": in_order,
    "max": max,
    "min": min,
    "len": len,
    "sorted": sorted,
    "ceil": ceil,
    "hypot": _hypotenuse,
}


def evaluate(formula: str, listed: Sequence[float] = ()) -> float:
    """Value of a formula.

    Parameters
    ----------
    formula : str
    listed : sequence of float
        What the name `listed` stands for.

    Raises
    ------
    ValueError
        When it is anything but arithmetic.

    Examples
    --------
    >>> evaluate("sum(listed) / 2", [800.0, 1200.0])
    1000.0
    >>> evaluate("50 + ceil((431 - 350) * 50 / 250)")
    67.0
    """
    return float(_value(ast.parse(formula, mode="eval").body, listed))


def _value(node: ast.expr, listed: Sequence[float]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id="listed"):
            return listed
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, listed)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return _OPERATIONS[type(op)](_value(left, listed), _value(right, listed))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(arg, listed) for arg in args))
        case ast.Subscript(value=value, slice=place):
            return _value(value, listed)[_value(place, listed)]
        case _:
            raise ValueError(f"no arithmetic: {ast.unparse(node)}")
