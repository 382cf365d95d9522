"""Instruments: what a point of the catalogue shows of the world, with ratio, step, digits, reset and rollover.

A register counts whole steps and forgets the carry beyond its last digit; a gauge rounds to its step. Both show
secondary values where the catalogue puts transformers in between. What they show is text, exactly as the device
would print it; the truth ledger keeps that same text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from smartpark.catalogue import Catalogue, CataloguePoint
from smartpark.measurands import Carrier, Kind, Measurand

from smartpark_simulators.flows import Floats, Flow, Instants
from smartpark_simulators.gauges import Gauge, gauge
from smartpark_simulators.physics import REACTIVE_SHARE, World

Shown = str | None
"""Decimal text of a value; None: the instrument has no value."""


@dataclass(slots=True)
class Register:
    """A counter: whole steps of a flow's integral, from a first reading on."""

    flow: Flow
    per_step: float
    """What one step is on the primary side. [unit]"""
    modulus: int | None
    start: int
    """Steps it shows at the world's origin."""
    resets: list[int] = field(default_factory=list[int])
    """Instants right after which it begins again at zero, ascending. [us since the epoch]"""

    def steps(self, instants: Instants) -> NDArray[np.int64]:
        """Steps shown at each instant, shape (n,)."""
        counted = self._counted(instants) + self.start
        for reset in self.resets:
            since = self._counted(np.maximum(instants, reset), since=reset)
            counted = np.where(instants > reset, since, counted)
        return counted if self.modulus is None else counted % self.modulus

    def roll_over_at(self, instant: int) -> None:
        """Choose the first reading so that the register shows zero again about `instant`."""
        if self.modulus is not None:
            self.start = self.modulus - int(self._counted(np.array([instant]))[0])

    def _counted(self, instants: Instants, *, since: int | None = None) -> NDArray[np.int64]:
        amount = self.flow.integral(instants)
        if since is not None:
            amount = amount - self.flow.integral(np.array([since]))
        return np.floor(amount / self.per_step + 1e-9).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Instrument:
    """A point that can be read."""

    point: CataloguePoint
    source: Register | Gauge

    def show(self, instants: Instants) -> list[Shown]:
        """What it shows at each instant, in the measurand's unit."""
        exponent = self.point.exponent
        if isinstance(self.source, Register):
            return decimals(self.source.steps(instants), exponent or 0)
        values = self.source(instants) / self.point.multiplier
        if exponent is None:
            return [None if np.isnan(v) else repr(float(v)) for v in values]
        missing = np.isnan(values)
        steps = np.rint(np.where(missing, 0.0, values) / 10.0**exponent).astype(np.int64)
        shown: Sequence[Shown] = decimals(steps, exponent)
        return [None if gone else text for text, gone in zip(shown, missing, strict=True)]


def decimals(steps: NDArray[np.int64], exponent: int) -> list[Shown]:
    """Decimal text of counts of ``10**exponent``, digits kept: 12340 and -2 are ``123.40``."""
    if exponent >= 0:
        return [str(int(step) * 10**exponent) for step in steps]
    places, unit = -exponent, 10**-exponent
    texts: list[Shown] = []
    for step in steps.tolist():
        whole, part = divmod(abs(step), unit)
        texts.append(f"{'-' if step < 0 else ''}{whole}.{part:0{places}d}")
    return texts


def build_instruments(catalogue: Catalogue, world: World) -> dict[str, dict[str, Instrument]]:
    """Instruments of every device, by device code and point code."""
    devices: dict[str, dict[str, Instrument]] = {}
    for point in catalogue.points():
        source = (
            _register(world, point)
            if point.kind is Kind.COUNTER
            else gauge(world, point.device, point.code, point.measurand)
        )
        devices.setdefault(point.device, {})[point.code] = Instrument(point, source)
    return devices


def registers(instruments: Iterable[Instrument]) -> list[Register]:
    """Counters among these."""
    return [one.source for one in instruments if isinstance(one.source, Register)]


def _register(world: World, point: CataloguePoint) -> Register:
    per_step = 10.0 ** (point.exponent or 0) * point.multiplier
    # A meter has run for some years before anybody connects it; the reading belongs to the point and the seed.
    start = crc32(f"{world.seed}/{point.key}".encode()) % ((point.register_modulus or 10**9) // 5)
    return Register(_counted_flow(world, point), per_step, point.register_modulus, start)


def _counted_flow(world: World, point: CataloguePoint) -> Flow:
    if point.carrier not in {Carrier.ELECTRICITY, Carrier.PHOTOVOLTAIC}:
        return world.medium(point.device, point.measurand.value)
    forward = world.electric(point.device)
    backward = (
        world.electric(f"{point.device}:export")
        if point.device == "M0"
        else Flow(lambda _: _nothing(), world.origin_us)
    )
    if point.device == "PV1":
        forward, backward = backward, forward
    tangent = REACTIVE_SHARE.get(point.device, 0.35)
    match point.measurand:
        case Measurand.ACTIVE_ENERGY_IMPORT:
            return forward
        case Measurand.ACTIVE_ENERGY_EXPORT:
            return backward
        case Measurand.REACTIVE_ENERGY_IMPORT:
            return Flow(lambda day: forward.nodes(day) * tangent, world.origin_us)
        case _:
            raise KeyError(point.key)


def _nothing() -> Floats:
    return np.zeros(1440)
