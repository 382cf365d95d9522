"""CO2 by the methods that count green certificates: of months and years, from what is published of them.

What certificates cover is taken off what was bought in the whole period, and at most that. So these numbers do not
add up over time: a certificate that a month has no use for may cover what another month of the same year bought.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from smartpark.addition import in_order
from smartpark.business_figures import FigureGrain, FigurePeriod
from smartpark.coefficients import Coefficient, Lookup
from smartpark.factors import ElectricityMethod
from smartpark.green_claims import CLAIMED, GIVEN_AWAY, Figure, claims_of
from smartpark.periods import Grain, Period

from smartpark_analytics.energy import KG_PER_TONNE
from smartpark_analytics.purchased_electricity import electricity_carbon

METHODS: Final = {
    "carbon_market": ElectricityMethod.MARKET,
    "carbon_zero_carbon_park": ElectricityMethod.ZERO_CARBON_PARK,
}
"""Indicators, and the selection of factors behind each."""
VERSIONS: Final = {"carbon_market": "carbon-market/1", "carbon_zero_carbon_park": "carbon-zero-carbon-park/1"}
BOUGHT, SOLD, SELF_USED = "electricity_purchased", "electricity_exported", "photovoltaic_self_used"
DIRECT: Final = ("carbon_scope1", "carbon_heat")
INPUTS: Final = (*DIRECT, BOUGHT, SOLD, SELF_USED)
KWH_PER_MWH: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certified electricity of a period."""

    claimed_kwh: float = 0.0
    sold_kwh: float = 0.0
    """Certificates of own generation that were sold."""
    is_entered: bool = False
    """False: nobody has entered any, so none count."""


@dataclass(frozen=True, slots=True)
class CertifiedTerm:
    """One summand: amount x weight = contribution, exactly."""

    name: str
    amount: float
    unit: str
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class CertifiedCarbon:
    """CO2 of a period by one method."""

    indicator: str
    terms: tuple[CertifiedTerm, ...]
    coefficient: Coefficient
    unused_kwh: float
    """Certified, with nothing to cover."""

    @property
    def value(self) -> float:
        """Sum of the terms, from the first to the last, in tonnes."""
        first, *rest = (term.contribution for term in self.terms)
        for contribution in rest:
            first += contribution
        return first


def certificates_of(figures: Iterable[Figure], entity: str, period: Period) -> Certificates:
    """Green electricity entered for an entity and a month or year."""
    grain = FigureGrain.YEAR if period.grain is Grain.YEAR else FigureGrain.MONTH
    claims = claims_of(figures, entity, FigurePeriod(period.day, grain))
    claimed = in_order(claims[kind].mwh for kind in CLAIMED) * KWH_PER_MWH
    is_entered = any(claim.is_entered for claim in claims.values())
    return Certificates(claimed, claims[GIVEN_AWAY].mwh * KWH_PER_MWH, is_entered)


def certified_carbon(
    indicator: str, known: Mapping[str, float], certificates: Certificates, lookup: Lookup, grid_scope: str
) -> CertifiedCarbon:
    """CO2 of a period.

    Parameters
    ----------
    indicator : str
        One of `METHODS`.
    known : mapping of str to float
        Published values of the period, those of `INPUTS` that there are. [t, kWh]
    certificates : Certificates
    lookup : Lookup
        On the first day of the period.
    grid_scope : str
        Grid of the park.
    """
    coefficient = lookup.grid_carbon(METHODS[indicator], grid_scope)
    bought = np.array([known.get(BOUGHT, 0.0) - known.get(SOLD, 0.0)])
    electricity = electricity_carbon(
        bought,
        np.array([coefficient.value]),
        np.array([True]),
        certified=np.array([certificates.claimed_kwh]),
        self_consumed=np.array([known.get(SELF_USED, 0.0)]),
        certificates_sold=np.array([certificates.sold_kwh]),
    )
    weight = coefficient.value / KG_PER_TONNE
    signed = [
        *((name, known[name], 1.0) for name in (BOUGHT,) if name in known),
        *((name, known[name], -1.0) for name in (SOLD,) if name in known),
        ("claim_lost", float(electricity.claim_lost[0]), 1.0),
        ("certified", float(electricity.certified[0]), -1.0),
    ]
    terms = [CertifiedTerm(name, known[name], "t", 1.0, known[name]) for name in DIRECT if name in known]
    terms += [CertifiedTerm(n, kwh, "kWh", sign * weight, kwh * (sign * weight)) for n, kwh, sign in signed if kwh]
    return CertifiedCarbon(
        indicator,
        tuple(terms) or (CertifiedTerm("nothing", 0.0, "t", 1.0, 0.0),),
        coefficient,
        float(electricity.unused[0]),
    )
