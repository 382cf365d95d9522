"""The derivation of a number from gauges as the API gives it."""

from typing import Annotated

from pydantic import Field
from smartpark_analytics.gauges.derivation import Derivation, Item, Rule, Step

from smartpark_api.models.base import Answer


class DerivationInputOut(Answer):
    """Readings of a point that the number rests on."""

    point: Annotated[str, Field(examples=["minhou-demo/M0/active_power"])]
    unit: str
    minutes: Annotated[int, Field(description="Of the period.")]
    minutes_read: Annotated[int, Field(description="With a reading, good or bad.")]
    minutes_known: Annotated[
        int, Field(description="With a usable value, or one that stands until the next reading is due.")
    ]


class DerivationRuleOut(Answer):
    """A dated row that decided something."""

    id: str
    zh: str
    en: str
    source: str
    grade: str
    valid_from: str
    valid_to: str | None


class DerivationItemOut(Answer):
    """A value that a step is made of."""

    label: Annotated[str, Field(description="Time of day, date, phase, stack …")]
    value: Annotated[float | None, Field(description="null: not known.")]
    formula: Annotated[str, Field(description="How it follows from others, with the numbers put in.")]
    remark_zh: str
    remark_en: str


class DerivationStepOut(Answer):
    """One step of the way to the number."""

    zh: str
    en: str
    value: float | None
    unit: str
    formula: Annotated[
        str,
        Field(
            description="Arithmetic that gives the value; `listed` are the known values of the items, in order.",
            examples=["sum(listed) / 15"],
        ),
    ]
    items: list[DerivationItemOut]


class DerivationOut(Answer):
    """A number from gauges taken apart; the value of the last step is the number."""

    inputs: list[DerivationInputOut]
    rules: list[DerivationRuleOut]
    steps: list[DerivationStepOut]


def derivation_out(found: Derivation) -> DerivationOut:
    """A derivation in the API's words."""
    return DerivationOut(
        inputs=[DerivationInputOut.model_validate(one, from_attributes=True) for one in found.inputs],
        rules=[_rule(rule) for rule in found.rules],
        steps=[_step(step) for step in found.steps],
    )


def _rule(rule: Rule) -> DerivationRuleOut:
    zh, en = rule.says
    return DerivationRuleOut(
        id=rule.id,
        zh=zh,
        en=en,
        source=rule.source,
        grade=rule.grade,
        valid_from=rule.valid_from,
        valid_to=rule.valid_to,
    )


def _step(step: Step) -> DerivationStepOut:
    zh, en = step.says
    return DerivationStepOut(
        zh=zh, en=en, value=step.value, unit=step.unit, formula=step.formula, items=[_item(one) for one in step.items]
    )


def _item(item: Item) -> DerivationItemOut:
    zh, en = item.remark
    return DerivationItemOut(label=item.label, value=item.value, formula=item.formula, remark_zh=zh, remark_en=en)
