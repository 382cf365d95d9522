"""Steps of changed business figures: claim stale months, publish their ratios and budgets, in one transaction."""

from typing import Final

from smartpark.factors import FactorSet
from smartpark_storage import Connection, transaction
from smartpark_storage.deriving import lock_parks
from smartpark_storage.figures import claim_stale_ratios

from smartpark_ingest.derive import StepReport
from smartpark_ingest.derive_ratios import publish_ratios
from smartpark_ingest.ratios.book import month_of, start_us

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
            lock_parks(connection, claimed)
            published = sum(
                publish_ratios(
                    connection, park, (start_us(month_of(first)) for first in firsts), now_us, factors=self._factors
                ).published
                for park, firsts in claimed.items()
            )
        return StepReport(indicators_published=published, months=sum(map(len, claimed.values())))
