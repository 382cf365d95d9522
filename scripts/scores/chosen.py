"""Every method with its parameters, fixed on data that is not scored: docs/methods/alerts.md says on which."""

from baselines import Forest, SeasonalNaive, ThreeSigma
from methods import Method

BASELINES_NAB: dict[str, Method] = {
    "three_sigma": ThreeSigma(),
    "seasonal_naive": SeasonalNaive((2016, 288), limit=12.0),
    "isolation_forest": Forest(share=0.001),
}
"""Univariate, five minutes between samples: a season is a week where two are known, else a day."""

BASELINES_SKAB: dict[str, Method] = {
    "three_sigma": ThreeSigma(),
    "seasonal_naive": SeasonalNaive((60,), limit=8.0),
    "isolation_forest": Forest(share=0.05),
}
"""Eight channels, a second between samples: the season is a minute."""
