"""The derivation of a number from gauges on the terminal: inputs, rules, and the steps with their listed values."""

from collections.abc import Iterable, Sequence
from typing import Final

from smartpark_analytics.gauges.derivation import Derivation, Input, Item, Rule, Step

_WIDTH: Final = 100
"""Columns that values without a remark share."""
_EN: Final = {
    "inputs": "inputs",
    "input": "{known} of {minutes} minutes known, {read} with a reading",
    "rules": "rules",
    "steps": "steps; `listed` are the values below, added up from the first to the last",
    "again": "listed: as in step {number}",
    "unknown": "not known",
}
_ZH: Final = {
    "inputs": "输入",
    "input": "{minutes} 分钟中 {known} 分钟有效, {read} 分钟有读数",
    "rules": "规则",
    "steps": "步骤; listed 指下列各值, 从首到尾依次相加",
    "again": "listed 同第 {number} 步",
    "unknown": "未知",
}


def derivation_lines(derivation: Derivation, *, chinese: bool, are_parts_listed: bool) -> Iterable[str]:
    """Everything of a derivation; values that stand above as parts are not listed again."""
    words, side = (_ZH, 0) if chinese else (_EN, 1)
    if derivation.inputs:
        yield f"  {words['inputs']}"
        yield from (_input(one, words) for one in derivation.inputs)
    if derivation.rules:
        yield f"  {words['rules']}"
        for rule in derivation.rules:
            yield from _rule(rule, side)
    yield f"  {words['steps']}"
    told: dict[tuple[Item, ...], int] = {}
    for number, step in enumerate(derivation.steps, 1):
        yield _step(number, step, words, side)
        is_plain = not any(item.formula or any(item.remark) for item in step.items)
        if step.items in told:
            yield f"         {words['again'].format(number=told[step.items])}"
        elif step.items and not (are_parts_listed and is_plain):
            told[step.items] = number
            yield from _items(step.items, words, side)


def _input(one: Input, words: dict[str, str]) -> str:
    said = words["input"].format(known=one.minutes_known, minutes=one.minutes, read=one.minutes_read)
    return f"    {one.point} [{one.unit}]: {said}"


def _rule(rule: Rule, side: int) -> Iterable[str]:
    until = f" to {rule.valid_to}" if rule.valid_to else ""
    yield f"    {rule.id}: {rule.says[side]}"
    yield f"        {rule.source}, grade {rule.grade} (from {rule.valid_from}{until})"


def _step(number: int, step: Step, words: dict[str, str], side: int) -> str:
    unit = "" if step.unit in {"", "1"} else f" {step.unit}"
    value = words["unknown"] if step.value is None else f"{step.value!r}{unit}"
    formula = f"{step.formula} = " if step.formula else ""
    return f"    {number}. {step.says[side]}: {formula}{value}"


def _items(items: Sequence[Item], words: dict[str, str], side: int) -> Iterable[str]:
    """Values, as many to a line as go in; one that has a formula or a remark has a line of its own."""
    line = ""
    for item in items:
        value = words["unknown"] if item.value is None else repr(item.value)
        if item.formula or any(item.remark):
            if line:
                yield f"         {line}"
            formula = f" = {item.formula}" if item.formula else ""
            remark = f"  ({item.remark[side]})" if any(item.remark) else ""
            yield f"         {item.label}: {value}{formula}{remark}"
            line = ""
            continue
        said = f"{item.label} {value}"
        if line and len(line) + len(said) > _WIDTH:
            yield f"         {line}"
            line = ""
        line = f"{line}, {said}" if line else said
    if line:
        yield f"         {line}"
