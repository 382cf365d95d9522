"""The little language of virtual meters: codes, numbers, ``+ - * /`` and parentheses; nothing else exists in it.

A code names a device (what it takes, net of what it gives back) or, as ``'device/point'``, one register of it; codes
that hold other signs than letters, digits, ``_`` and ``.``, or begin with a digit, stand in quotes. ``×``, ``÷`` and
``−`` mean the same as their typewriter forms. Expressions are parsed once, into the order in which a pocket
calculator with a stack takes them; whoever has amounts evaluates that.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from smartpark.errors import SmartparkError

_PIECE: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<name>[A-Za-z_][\w.]*)|'(?P<quoted>[^']+)'|(?P<sign>[-+*/()×÷−]))"
)
_SAME: Final = {"×": "*", "÷": "/", "−": "-"}
_DEEPEST: Final = 50


class ExpressionError(SmartparkError):
    """An expression of a virtual meter cannot be understood."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the calculator: a number or a name is put on the stack, an operator takes from it."""

    operator: str
    """``number``, ``name``, ``negate``, or one of ``+ - * /``."""
    number: float = 0.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    text: str
    steps: tuple[Step, ...]
    """Operands before their operator."""

    @property
    def names(self) -> tuple[str, ...]:
        """Codes that it needs, each once, in order."""
        return tuple(dict.fromkeys(step.name for step in self.steps if step.operator == "name"))


def parse_expression(text: str) -> Expression:
    """Parse an expression.

    Raises
    ------
    ExpressionError
        With the place that is not understood.

    Examples
    --------
    >>> [step.name or step.number or step.operator for step in parse_expression("M1 - 0.5 * 'T-2'").steps]
    ['M1', 0.5, 'T-2', '*', '-']
    """
    parser = _Parser(text)
    parser.sum()
    parser.end()
    return Expression(text, tuple(parser.steps))


class _Parser:
    """Recursive descent: a sum is made of products, a product of operands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0
        self._next = self._read()
        self.steps: list[Step] = []

    def sum(self) -> None:
        self._chain(self._product, ("+", "-"))

    def _product(self) -> None:
        self._chain(self._operand, ("*", "/"))

    def _chain(self, part: Callable[[], None], operators: tuple[str, str]) -> None:
        part()
        while (operator := self._sign) in operators:
            self._advance()
            part()
            self.steps.append(Step(operator))

    def _operand(self) -> None:
        found = self._next
        if isinstance(found, Step):
            self.steps.append(found)
            self._advance()
        elif found in {"-", "+", "("}:
            self._advance()
            self._depth += 1
            if self._depth > _DEEPEST:
                raise ExpressionError(f"{self._text[:40]!r}… is nested more than {_DEEPEST} deep")
            self._nested(found)
            self._depth -= 1
        else:
            wanted = "a code, a number or a parenthesis is wanted"
            raise ExpressionError(
                f"{wanted}, not {self._shown()}" if found else f"{self._text!r} ends where {wanted}"
            )

    def _nested(self, sign: str) -> None:
        if sign != "(":
            self._operand()
            self.steps += [Step("negate")] if sign == "-" else []
            return
        self.sum()
        if self._sign != ")":
            raise ExpressionError(f"a parenthesis of {self._text!r} is not closed")
        self._advance()

    def end(self) -> None:
        if self._next:
            raise ExpressionError(f"{self._shown()} does not belong there")

    @property
    def _sign(self) -> str:
        return "" if isinstance(self._next, Step) else self._next

    def _shown(self) -> str:
        return f"{self._text[: self._place].split()[-1][-12:]!r} before character {self._place + 1} of {self._text!r}"

    def _advance(self) -> None:
        self._next = self._read()

    def _read(self) -> Step | str:
        """Next piece: an operand, a sign, or nothing at the end."""
        rest = self._text[self._place :]
        if not rest.strip():
            return ""
        found = _PIECE.match(self._text, self._place)
        if found is None:
            here = self._place + len(rest) - len(rest.lstrip())
            raise ExpressionError(
                f"{self._text[here:][:12]!r} at character {here + 1} is neither a code, a number, + - * / nor a "
                "parenthesis; a code with other signs stands in quotes: 'M-1'"
            )
        self._place = found.end()
        if found["number"] is not None:
            return Step("number", number=float(found["number"]))
        if found["sign"] is not None:
            return _SAME.get(found["sign"], found["sign"])
        return Step("name", name=found["name"] or found["quoted"])


def cycle_in(needs: Mapping[str, tuple[str, ...]]) -> list[str] | None:
    """Meters that need each other in a circle, the first one repeated at the end; None where there is no circle."""
    done = set[str]()
    for start in needs:
        path: list[str] = []
        todo = [(start, iter(needs[start]))] if start not in done else []
        path += [start] if todo else []
        while todo:
            code, rest = todo[-1]
            following = next((n for n in rest if n in needs and n not in done), None)
            if following is None:
                done.add(code)
                todo.pop()
                path.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            else:
                path.append(following)
                todo.append((following, iter(needs[following])))
    return None


def in_order_of_need(needs: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Meters such that each comes after those it needs; there is no circle among them."""
    order: list[str] = []
    left = {code: {n for n in names if n in needs} for code, names in needs.items()}
    while left:
        ready = [code for code, names in left.items() if not names]
        if not ready:
            raise ExpressionError(f"virtual meters need each other in a circle: {', '.join(sorted(left))}")
        order += ready
        left = {code: names - set(ready) for code, names in left.items() if code not in set(ready)}
    return order
