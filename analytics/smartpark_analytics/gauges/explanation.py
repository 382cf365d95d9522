"""A derivation as an explanation: beside those of sums and ratios, with the published parts of a longer period."""

from collections.abc import Sequence

from smartpark_analytics.accounting.explained import ExplainedPart, Explanation, Published
from smartpark_analytics.gauges.derivation import Derivation


def explain_gauge(derivation: Derivation, parts: Sequence[Published] = ()) -> Explanation:
    """What is to be said of a number from gauges.

    Parameters
    ----------
    derivation : Derivation
    parts : sequence of Published
        Days of a month or months of a year that it was formed from, where they are of the same indicator.
    """
    number = derivation.number
    above, below = number.numerator, number.denominator
    is_quotient = above is not None and bool(below) and above / (below or 1.0) == number.value
    return Explanation(
        indicator=number.indicator,
        boundary=number.boundary,
        method=number.method,
        formula=derivation.formula,
        value=number.value,
        completeness=number.completeness,
        estimated_share=number.estimated_share,
        uncertainty=None,
        reason=number.reason,
        parts=tuple(
            ExplainedPart(p.start_us, p.revision, p.value, p.numerator, p.denominator, p.completeness, p.reason)
            for p in parts
        ),
        # A share of hours is one of records: both sides times their length, and divided only to all digits but one.
        numerator=above if is_quotient else None,
        denominator=below if is_quotient else None,
        derivation=derivation,
    )
