"""Steps of changed business figures: claim stale months, publish their ratios and budgets, in one transaction."""

from typing import Final

from smartpark.factors import FactorSet
from smartpark_analytics.ratios.book import month_of, start_us
from smartpark_storage import Connection, transaction
from smartpark_storage.deriving import lock_parks, park_factor_scopes
from smartpark_storage.factors import load_factor_set
from smartpark_storage.figures import claim_stale_ratios

from smartpark_ingest.derive import StepReport
from smartpark_ingest.derive_certified import publish_certified
from smartpark_ingest.derive_ratios import publish_ratios

CLAIM_MONTHS: Final = 48
"""Months whose ratios one step forms."""


class RatioDeriver:
    """Publishes the ratios of months in which a business figure changed."""

    def __init__(self, factors: FactorSet | None = None, *, claim_months: int = CLAIM_MONTHS) -> None:
        self._factors = factors
        self._claim_months = claim_months

    def step(self, connection: Connection, *, now_us: int) -> StepReport:
        """Deal with some of what is stale; may be repeated when its outcome is not known."""
        with transaction(connection):
            claimed = claim_stale_ratios(connection, limit=self._claim_months)
            if not claimed:
                return StepReport()
            lock_parks(connection, claimed)
            factors, scopes = self._factors or load_factor_set(connection), park_factor_scopes(connection)
            published = 0
            for park, firsts in claimed.items():
                months = [start_us(month_of(first)) for first in firsts]
                # Certificates are business figures too, and ratios rest on what they make of the carbon.
                published += publish_certified(
                    connection, park, months, now_us, factors=factors, grid_scope=scopes[park]
                )
                published += publish_ratios(connection, park, months, now_us, factors=factors).published
        return StepReport(indicators_published=published, months=sum(map(len, claimed.values())))
