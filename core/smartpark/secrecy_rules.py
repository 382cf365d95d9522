"""When a total is not told because it would tell the number of one member, as dated rows.

The rows are in ``data/statistics_secrecy.toml``; what a total is made of is known elsewhere, and given here.
"""

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, model_validator

from smartpark.dated import DatedRow, in_force, unique_ids
from smartpark.tomlfile import StrictModel, parse_model


class SecrecyRule(DatedRow):
    """How many members a total needs, and how much of it one of them may have."""

    least_members: Annotated[int, Field(ge=1)]
    largest_share: Annotated[float, Field(gt=0, le=1)]

    def objection(self, contributions: Sequence[float]) -> str:
        """Why a total of these contributions is not told; empty: it may be.

        Examples
        --------
        >>> rule = builtin_secrecy_rules().on(date(2026, 11, 23))
        >>> rule.objection([5.0, 4.0])
        '2 members: fewer than 3 are not told'
        >>> rule.objection([90.0, 4.0, 6.0])
        'one member has more than 80 % of it'
        >>> rule.objection([40.0, 30.0, 30.0])
        ''
        """
        sizes = [abs(one) for one in contributions]
        if len(sizes) < self.least_members:
            return f"{len(sizes)} members: fewer than {self.least_members} are not told"
        if sum(sizes) > 0 and max(sizes) > self.largest_share * sum(sizes):
            return f"one member has more than {self.largest_share * 100:g} % of it"
        return ""


class SecrecyRules(StrictModel):
    """Every row that comes with the platform; ask by day."""

    version: str
    secrecy: tuple[SecrecyRule, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "SecrecyRules":
        unique_ids(self.secrecy)
        return self

    def on(self, day: date) -> SecrecyRule:
        """Rule in force on a day."""
        return in_force(self.secrecy, day, what="rule of the secrecy of statistics")


@cache
def builtin_secrecy_rules() -> SecrecyRules:
    """Rows that come with the platform."""
    name = "statistics_secrecy.toml"
    text = files("smartpark.data").joinpath(name).read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), SecrecyRules, file=f"smartpark/data/{name}")
