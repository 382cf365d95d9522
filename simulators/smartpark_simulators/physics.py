"""The physics of the park that does not exist: who draws what, and how it adds up.

Deterministic by seed and time: any process that asks for the power or the energy of a device at an instant gets
the same answer. Electricity balances by construction,

    incomer = feeders + transformer losses - photovoltaic,   feeder = sum of its tenants,

and so do gas (boundary = boiler house + kiln) and water. Two loads are real ones moved here (see `replay`).
Values are primary and true; what an instrument makes of them (ratios, steps, digits, faults) is `instruments`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import tau

import numpy as np

from smartpark_simulators import replay
from smartpark_simulators.flows import DAY_US, Floats, Flow, Instants
from smartpark_simulators.shapes import (
    air_temperature,
    flicker,
    irradiance,
    local_minutes,
    plateau,
    random_for,
    shifts,
    wander,
)

GJ_PER_KWH = 0.0036


@dataclass(frozen=True, slots=True)
class Load:
    """A tenant's electric load: a base day and night, and what its shifts add."""

    code: str
    feeder: str
    base_kw: float
    shift_kw: float
    spans: tuple[tuple[int, int], ...] = ()
    """Shifts in local hours; an end beyond 24 runs into the next morning."""
    days: int = 7
    """Working days of the week, from Monday on."""
    unrest: float = 0.02
    """Standard deviation from minute to minute. [1]"""


LOADS = (
    Load("T02", "F1", 1450, 260, ((8, 20),), 7, 0.01),
    Load("T03", "F1", 130, 980, ((8, 24),), 6, 0.03),
    Load("T04", "F1", 310, 190, ((5, 13),), 7, 0.05),
    Load("T05", "F1", 220, 620, ((8, 32),), 6, 0.02),
    Load("T06", "F2", 640, 410, ((8, 20),), 6, 0.015),
    Load("T07", "F2", 9, 130, ((8, 18),), 6, 0.06),
    Load("T08", "F2", 22, 160, ((7, 22),), 6, 0.04),
    Load("T09", "F2", 14, 46, ((6, 23),), 7, 0.05),
    Load("T10", "F2", 700, 45, ((9, 23),), 7, 0.005),
    Load("T11", "F2", 18, 95, ((8, 19),), 5, 0.04),
    Load("T12", "F2", 480, 140, ((7, 19),), 7, 0.02),
    Load("C01", "F3", 70, 60, ((6, 22),), 7, 0.03),
)
"""Every electric load but T01, the steel works, whose load is replayed."""
STEEL_TENANT, STEEL_SCALE = "T01", 1.6
FEEDERS = ("F1", "F2", "F3")
PV_PEAK_KW = 2400.0
HEAT_SCALE = 420.0
"""Danish houses that the purchased heat of the park amounts to."""

NO_LOAD_LOSS_KW, LOAD_LOSS_PER_KW = 14.0, 1.1e-6
"""Iron losses of the transformers, and copper losses as a share of load per kW of load. [kW], [1/kW]"""
REACTIVE_SHARE = {"T01": 0.55, "T03": 0.48, "T07": 0.62, "T10": 0.14, "T11": 0.25, "PV1": 0.02}
"""Reactive per active power (tangent of phi); others 0.35."""


class World:
    """Everything that flows in the park from its origin on.

    Parameters
    ----------
    seed : int
        Names one of many possible parks.
    origin_us : int
        Instant from which energies are counted; its UTC day's start is used. [us since the epoch]
    """

    def __init__(self, seed: int, origin_us: int) -> None:
        self.seed = seed
        self.origin_us = origin_us // DAY_US * DAY_US
        self._electric: dict[str, Flow] = {}
        self._other: dict[tuple[str, str], Flow] = {}
        self._build_electric()
        self._build_media()
        self.irradiance = self._flow(lambda day: irradiance(day, random_for(seed, "sky", day)))
        self.air_temperature = self._flow(lambda day: air_temperature(day, random_for(seed, "air", day)))

    def electric(self, device: str) -> Flow:
        """Active power of a device, positive into the consumer; for PV1 what it generates [kW]."""
        return self._electric[device]

    def medium(self, device: str, measurand: str) -> Flow:
        """Flow of a medium, per hour, whose integral is the counter `measurand` [unit of the counter per hour]."""
        return self._other[device, measurand]

    @property
    def electric_devices(self) -> tuple[str, ...]:
        """Devices that have an electric flow, `M0:export` excluded."""
        return tuple(code for code in self._electric if ":" not in code)

    @property
    def media(self) -> tuple[tuple[str, str], ...]:
        """(device, counter measurand) of every other flow."""
        return tuple(self._other)

    def net_import_kwh(self, instants: Instants) -> Floats:
        """Electricity bought less electricity sold since the origin, shape (n,) [kWh]."""
        return self._electric["M0"].integral(instants) - self._electric["M0:export"].integral(instants)

    def _flow(self, nodes: Callable[[int], Floats]) -> Flow:
        return Flow(nodes, self.origin_us)

    def _sum(self, parts: Sequence[Flow]) -> Flow:
        return self._flow(lambda day: np.sum([part.nodes(day) for part in parts], axis=0))

    def _build_electric(self) -> None:
        flows = self._electric
        for load in LOADS:
            flows[load.code] = self._flow(lambda day, load=load: _load_nodes(load, self.seed, day))
        flows[STEEL_TENANT] = self._flow(lambda day: replay.daily_nodes(replay.steel_power(), 15, day) * STEEL_SCALE)
        feeder_of = {load.code: load.feeder for load in LOADS} | {STEEL_TENANT: "F1"}
        for feeder in FEEDERS:
            flows[feeder] = self._sum([flows[code] for code, its in feeder_of.items() if its == feeder])
        flows["PV1"] = self._flow(lambda day: self.irradiance.nodes(day) / 1000.0 * PV_PEAK_KW * 0.84)
        flows["M0"] = self._flow(lambda day: np.maximum(self._net(day), 0.0))
        flows["M0:export"] = self._flow(lambda day: np.maximum(-self._net(day), 0.0))

    def _net(self, day: int) -> Floats:
        """Power through the incomer, shape (1440,) [kW]."""
        load = np.sum([self._electric[feeder].nodes(day) for feeder in FEEDERS], axis=0)
        losses = NO_LOAD_LOSS_KW + LOAD_LOSS_PER_KW * load**2
        return load + losses - self._electric["PV1"].nodes(day)

    def _build_media(self) -> None:
        seed, other = self.seed, self._other
        other["G2", "gas_volume"] = self._flow(lambda day: 420.0 * boiler_load(seed, day))
        other["G3", "gas_volume"] = self._flow(lambda day: 260.0 * kiln_load(seed, day))
        other["G1", "gas_volume"] = self._sum([other["G2", "gas_volume"], other["G3", "gas_volume"]])
        other["H1", "heat_energy"] = self._flow(
            lambda day: replay.daily_nodes(replay.heat_power(), 60, day) * HEAT_SCALE * GJ_PER_KWH
        )
        other["W1", "water_volume"] = self._flow(lambda day: _water_nodes(seed, day))


def _load_nodes(load: Load, seed: int, day: int) -> Floats:
    minute, weekday = local_minutes(day)
    generator = random_for(seed, load.code, day)
    work = shifts(minute, weekday, spans=load.spans, days=load.days)
    slow, fast = wander(generator, knots=48, spread=0.04), flicker(generator, load.unrest)
    return np.maximum((load.base_kw + load.shift_kw * work) * slow * fast, 0.02 * load.base_kw)


def boiler_load(seed: int, day: int) -> Floats:
    """Load of the gas boiler at each minute of a UTC day, shape (1440,) [0-1]."""
    minute, _ = local_minutes(day)
    generator = random_for(seed, "boiler", day)
    demand = 0.30 + 0.55 * plateau(minute, 6.5 * 60, 21 * 60, 60.0)
    return np.clip(demand * wander(generator, knots=48, spread=0.06), 0.2, 1.0)


def kiln_load(seed: int, day: int) -> Floats:
    """Load of the ceramic kiln, which never cools, at each minute of a UTC day, shape (1440,) [0-1]."""
    return np.clip(0.86 * wander(random_for(seed, "kiln", day), knots=24, spread=0.03), 0.6, 1.0)


def _water_nodes(seed: int, day: int) -> Floats:
    minute, weekday = local_minutes(day)
    generator = random_for(seed, "water", day)
    people = shifts(minute, weekday, spans=((7, 19),), days=6)
    return (9.0 + 26.0 * people) * wander(generator, knots=48, spread=0.08)


def ripple(instants: Instants, name: str, period_s: float = 47.0) -> Floats:
    """Small quick change between -1 and 1 that no energy follows, shape (n,).

    Two sines whose periods share no multiple within a day; the phase belongs to the name.
    """
    phase = (sum(name.encode()) % 97) / 97.0 * tau
    seconds = instants / 1e6
    return (np.sin(tau * seconds / period_s + phase) + np.sin(tau * seconds / (period_s * 2.618) + 2 * phase)) / 2
