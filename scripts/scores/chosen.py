"""Every method with its parameters, fixed on data that is not scored: docs/methods/alerts.md says on which."""

from baselines import Always, Forest, SeasonalNaive, Sigma
from injected import Scaled
from methods import Method
from ours import Channels, Departures

MINUTE_US = 60_000_000

OURS_NAB: Method = Departures(windows=(1, 12, 72), limit=1.5, max_age_us=24 * 60 * MINUTE_US)
"""Single values, an hour and six hours of five minutes."""
OURS_SKAB: Method = Channels(window=20, limit=2.0, max_age_us=MINUTE_US)

BASELINES_NAB: dict[str, Method] = {
    "three_sigma": Sigma(3.0),
    "sigma_chosen": Sigma(10.0),
    "seasonal_naive": SeasonalNaive((2016, 288), limit=12.0),
    "isolation_forest": Forest(share=0.0003),
}
"""Univariate, five minutes between samples: a season is a week where two are known, else a day."""

BASELINES_INJECTED: dict[str, Method] = {
    "three_sigma": Sigma(4.5),
    "seasonal_naive": SeasonalNaive((672, 96)),
    "isolation_forest": Scaled(Forest(share=0.01), 0.9),
}
"""Power and energy of quarter-hours: the season is the week before."""

BASELINES_SKAB: dict[str, Method] = {
    "three_sigma": Sigma(3.0),
    "sigma_chosen": Sigma(3.0),
    "seasonal_naive": SeasonalNaive((60,), limit=12.0),
    "isolation_forest": Forest(share=0.05),
    "always": Always(),
}
"""Eight channels, a second between samples: the season is a minute."""
