"""A park's indicators as somebody would plainly write them in pandas: the twin that the core is measured against.

Same rules, same numbers: registers at quarter-hour boundaries; a fall counts from zero; an unknown boundary leaves
both quarter-hours unknown; an hour or a day is the sum of what is known, with its share; an indicator is the weighted
sum of its meters, without a value where one of them is not known at all, and as complete as the least complete one.
Nobody imports this but the bench and the test that holds both to the same result.
"""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True)
class PlainIndicator:
    """Value and completeness by period."""

    value: pd.Series
    completeness: pd.Series


def plain_indicators(
    registers: pd.DataFrame, weights: dict[str, dict[str, float]], freq: str
) -> dict[str, PlainIndicator]:
    """Indicators of one park.

    Parameters
    ----------
    registers : DataFrame
        What each meter (column) shows at quarter-hour boundaries (index), in its unit; NaN where not known.
    weights : dict of str to dict of str to float
        Per indicator: what a unit of each meter contributes.
    freq : str
        Length of the periods, e.g. ``"h"`` or ``"D"``.
    """
    energy = registers.diff().shift(-1).iloc[:-1]
    fallen = energy < 0
    energy = energy.mask(fallen, registers.shift(-1).iloc[:-1])
    known = energy.notna()
    per_period = energy.resample(freq).sum(min_count=1)
    share = known.resample(freq).mean()
    found: dict[str, PlainIndicator] = {}
    for indicator, weight in weights.items():
        meters = list(weight)
        value = (per_period[meters] * pd.Series(weight)).sum(axis=1, skipna=False)
        found[indicator] = PlainIndicator(value, share[meters].min(axis=1))
    return found
