"""Which contract with the utility holds for whom on a day, and which month it settles. Nothing is computed here."""

from datetime import UTC, date, datetime, time, timedelta

from smartpark.catalogue import Catalogue, Contract
from smartpark.clock import PARK_ZONE
from smartpark.periods import Grain, Period, period_containing


def contract_on(catalogue: Catalogue | None, enterprise: str | None, on: date) -> Contract | None:
    """Contract of an enterprise, or the park's own, in force on a day."""
    contracts = () if catalogue is None else catalogue.contract
    found = [
        c
        for c in contracts
        if c.enterprise == enterprise and c.valid_from <= on and (c.valid_to is None or on < c.valid_to)
    ]
    return max(found, key=lambda c: c.valid_from, default=None)


def settlement_day(catalogue: Catalogue | None, enterprise: str | None, on: date) -> int:
    """Day of the month with which a settlement month begins."""
    contract = contract_on(catalogue, enterprise, on)
    return 1 if contract is None else contract.settlement_day


def settlement_month(on: date, settlement_day: int) -> Period:
    """Month from one settlement day to the next that contains a day."""
    if settlement_day == 1:
        return period_containing(datetime.combine(on, time(12), tzinfo=PARK_ZONE), Grain.MONTH)
    first = on.replace(day=settlement_day)
    if on < first:
        first = (first.replace(day=1) - timedelta(days=1)).replace(day=settlement_day)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=settlement_day)
    start, end = (datetime.combine(day, time.min, tzinfo=PARK_ZONE).astimezone(UTC) for day in (first, last))
    return Period(start, end, Grain.MONTH)
