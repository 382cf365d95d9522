"""What really flowed in each quarter of an hour, and the CO2 that follows from it, for the truth ledger.

The CO2 is computed here in plain Python from true energies and the factor values noted in the ledger, on purpose
not by the platform's analytics: two ways to one number. Electricity counts as net purchase times the provincial
factor, gas and heat by what crossed the boundary; the roof's electricity counts zero.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.catalogue import Catalogue
from smartpark.clock import from_us
from smartpark.factors import FactorKind, builtin_factors, choose_factor
from smartpark.measurands import Carrier
from smartpark.periods import Grain, period_containing

from smartpark_simulators.flows import Flow
from smartpark_simulators.ledger import TruthLedger
from smartpark_simulators.physics import World

QUARTER_US = 900_000_000


@dataclass(frozen=True, slots=True)
class CarbonFactors:
    """Factors in force on the day the park started."""

    electricity_kg_per_kwh: float
    gas_kg_per_m3: float
    heat_kg_per_gj: float
    ids: dict[str, str]

    @staticmethod
    def on(catalogue: Catalogue, instant_us: int) -> "CarbonFactors":
        """Choose them by the accounting day of an instant."""
        day = period_containing(from_us(instant_us), Grain.DAY).day
        scopes = {
            Carrier.ELECTRICITY: catalogue.park.electricity_factor_scope,
            Carrier.NATURAL_GAS: "table",
            Carrier.HEAT: "table",
        }
        chosen = {
            carrier: choose_factor(
                builtin_factors().factor, kind=FactorKind.CARBON_DIOXIDE, carrier=carrier, scope=scope, on=day
            )
            for carrier, scope in scopes.items()
        }
        return CarbonFactors(
            chosen[Carrier.ELECTRICITY].value,
            chosen[Carrier.NATURAL_GAS].value,
            chosen[Carrier.HEAT].value,
            {carrier.value: choice.factor.id for carrier, choice in chosen.items()},
        )

    def facts(self) -> dict[str, str]:
        """What the ledger notes: which factors, and their values in kg."""
        values = {
            "electricity": self.electricity_kg_per_kwh,
            "natural_gas": self.gas_kg_per_m3,
            "heat": self.heat_kg_per_gj,
        }
        return {"factor_ids": json.dumps(self.ids), "factor_values_kg": json.dumps(values)}


def complete_quarters(start_us: int, end_us: int) -> NDArray[np.int64]:
    """Starts of the quarters of an hour that lie wholly within [start, end], shape (n,) [us]."""
    first = -(-start_us // QUARTER_US) * QUARTER_US
    return np.arange(first, end_us - QUARTER_US + 1, QUARTER_US, dtype=np.int64)


def write_truth(ledger: TruthLedger, world: World, factors: CarbonFactors, start_us: int, end_us: int) -> int:
    """Enter every complete quarter of an hour between two instants; returns how many."""
    starts = complete_quarters(start_us, end_us)
    if not starts.size:
        return 0
    for device in world.electric_devices:
        ledger.add_energy(device, _pairs(starts, _amounts(world.electric(device), starts)))
    for device, measurand in world.media:
        ledger.add_amount(device, measurand, _pairs(starts, _amounts(world.medium(device, measurand), starts)))
    ledger.add_park(_park_rows(world, factors, starts))
    return int(starts.size)


def _amounts(flow: Flow, starts: NDArray[np.int64]) -> NDArray[np.float64]:
    return flow.integral(starts + QUARTER_US) - flow.integral(starts)


def _pairs(starts: NDArray[np.int64], amounts: NDArray[np.float64]) -> list[tuple[int, float]]:
    return list(zip(starts.tolist(), amounts.tolist(), strict=True))


def _park_rows(world: World, factors: CarbonFactors, starts: NDArray[np.int64]) -> Iterable[tuple[int, float, float]]:
    net = (world.net_import_kwh(starts + QUARTER_US) - world.net_import_kwh(starts)).tolist()
    gas = _amounts(world.medium("G1", "gas_volume"), starts).tolist()
    heat = _amounts(world.medium("H1", "heat_energy"), starts).tolist()
    for start, net_kwh, gas_m3, heat_gj in zip(starts.tolist(), net, gas, heat, strict=True):
        carbon_kg = (
            net_kwh * factors.electricity_kg_per_kwh
            + gas_m3 * factors.gas_kg_per_m3
            + heat_gj * factors.heat_kg_per_gj
        )
        yield start, net_kwh, carbon_kg / 1000.0
