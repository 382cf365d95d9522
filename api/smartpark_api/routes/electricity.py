"""What a month's electricity costs, and how long which power is drawn."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.accounts import PARK
from smartpark.errors import SmartparkError

from smartpark_api.access.needs import needs
from smartpark_api.database import reading
from smartpark_api.electricity.advice import Prices
from smartpark_api.electricity.asking import AskedError, curve_period, month_of
from smartpark_api.electricity.billing import state_bill
from smartpark_api.electricity.load_curve import curve_of
from smartpark_api.electricity.models import BillOut, LoadCurveOut, bill_out, curve_out
from smartpark_api.lookup import find_park
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.parks import ParkCode

router = APIRouter(tags=["electricity"])
Yuan = Annotated[float | None, Query(ge=0, le=1e6, description="Where the price plan has none. [yuan]")]


@router.get("/parks/{code}/bill", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def get_bill(
    request: Request,
    code: ParkCode,
    *,
    month: Annotated[str, Query(description="Month in which it begins.", examples=["2026-11"], max_length=10)],
    enterprise: Annotated[str | None, Query(description="Default: the park's contract.", max_length=100)] = None,
    contract: Annotated[str | None, Query(description="By its code.", max_length=100)] = None,
    flat_price: Yuan = None,
    fund_price: Yuan = None,
    demand_price: Yuan = None,
    capacity_price: Yuan = None,
    capacity_kva: Annotated[float | None, Query(gt=0, le=1e7, description="Where the contract has none.")] = None,
) -> BillOut:
    """A month's electricity in terms that add up, and what each way of charging would have cost.

    A term that is not known makes the total not known; `missing` says what to enter.
    """
    prices = Prices(flat_price, fund_price, demand_price, capacity_price, capacity_kva)
    with reading(request) as connection:
        find_park(connection, code)
        try:
            asked = month_of(month)
            return bill_out(
                state_bill(connection, code, asked, enterprise=enterprise, contract=contract, prices=prices)
            )
        except AskedError as error:
            raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from error
        except SmartparkError as error:
            raise ProblemError(ProblemKind.NOT_FOUND, str(error)) from error


@router.get("/parks/{code}/load-curve", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def get_load_curve(
    request: Request,
    code: ParkCode,
    *,
    period: Annotated[str, Query(description="A day, a month or a year.", examples=["2026-11"], max_length=20)],
    boundary: Annotated[
        str, Query(description="Whose.", examples=["park", "enterprise/T01", "device/M0"], max_length=200)
    ] = PARK,
    steps: Annotated[int, Query(ge=1, le=1000, description="Steps of equal time.")] = 100,
) -> LoadCurveOut:
    """Load duration curve: the powers of a period in descending order, and how evenly it was drawn."""
    with reading(request) as connection:
        find_park(connection, code)
        try:
            return curve_out(curve_of(connection, code, boundary, curve_period(period), steps=steps))
        except AskedError as error:
            raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from error
        except SmartparkError as error:
            raise ProblemError(ProblemKind.NOT_FOUND, str(error)) from error
