"""Which contract with the utility holds for whom on a day."""

from datetime import date

from smartpark.catalogue import Catalogue, Contract


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
