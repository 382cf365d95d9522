"""Faults of meters put into real series: what an instrument shows when it lies, beside what really flowed.

The faults of the running park (`faults`) are a choice of these; here are more of them, with durations and sizes drawn
by seed, for whoever wants to know what detectors find. A fault touches one meter. Pure: arrays in, arrays out.

====================  =======================================================================================
dropout               the meter says nothing for hours; its register goes on and catches up
gap                   the same for an hour or two
sensor_failure        power has no value, the register goes on
stuck_gauge           power repeats its last value, the register goes on
stuck_register        the register repeats its last value, power goes on
reset                 the register begins again at zero
backwards             the register falls by some of what it had counted and goes on from there
spike                 one reading of power, many times too large
unit                  power is too large or too small by ten or a thousand: a unit in a mapping
ratio                 power and register by a factor: the wrong ratio of a current transformer
phase_lost            power and register show two thirds: one phase of three is not counted
sign                  power is negative and the other register counts: a transformer turned round
creep                 power and register drift away, a little every day
clock                 every reading bears a time that is minutes off
====================  =======================================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from smartpark.clock import MICROSECONDS

from smartpark_simulators.flows import Floats, Instants

HOUR_US: Final = 3600 * MICROSECONDS
DAY_US: Final = 24 * HOUR_US


class SeriesFault(StrEnum):
    """What can be wrong with a meter."""

    DROPOUT = "dropout"
    GAP = "gap"
    SENSOR_FAILURE = "sensor_failure"
    STUCK_GAUGE = "stuck_gauge"
    STUCK_REGISTER = "stuck_register"
    RESET = "reset"
    BACKWARDS = "backwards"
    SPIKE = "spike"
    UNIT = "unit"
    RATIO = "ratio"
    PHASE_LOST = "phase_lost"
    SIGN = "sign"
    CREEP = "creep"
    CLOCK = "clock"


HOURS: Final[dict[SeriesFault, tuple[float, float]]] = {
    SeriesFault.DROPOUT: (3, 24),
    SeriesFault.GAP: (1.5, 2.5),
    SeriesFault.SENSOR_FAILURE: (3, 24),
    SeriesFault.STUCK_GAUGE: (6, 48),
    SeriesFault.STUCK_REGISTER: (12, 48),
    SeriesFault.RESET: (0, 0),
    SeriesFault.BACKWARDS: (0, 0),
    SeriesFault.SPIKE: (0, 0),
    SeriesFault.UNIT: (24, 96),
    SeriesFault.RATIO: (72, 144),
    SeriesFault.PHASE_LOST: (72, 144),
    SeriesFault.SIGN: (24, 96),
    SeriesFault.CREEP: (144, 144),
    SeriesFault.CLOCK: (6, 48),
}
"""Shortest and longest duration of each; 0: a moment, after which a register goes on from elsewhere. [h]"""
SIZES: Final[dict[SeriesFault, tuple[float, ...]]] = {
    SeriesFault.BACKWARDS: (0.02, 0.05),
    SeriesFault.SPIKE: (8.0, 12.0, 20.0),
    SeriesFault.UNIT: (10.0, 1000.0, 0.1, 0.001),
    SeriesFault.RATIO: (0.5, 1.5, 2.0),
    SeriesFault.PHASE_LOST: (2.0 / 3.0,),
    SeriesFault.CREEP: (0.6, 1.4),
    SeriesFault.CLOCK: (-600.0, -300.0, 300.0, 600.0),
}
"""What each may be by: share of what was counted, factors, seconds."""


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault of one meter."""

    kind: SeriesFault
    meter: str
    start_us: int
    end_us: int
    """Not included; of a moment the start itself."""
    size: float


@dataclass(frozen=True, slots=True)
class Shown:
    """What a meter shows at instants; arrays of shape (n,), NaN: it says that it knows no value."""

    said: np.ndarray
    """Whether it speaks at all."""
    power: Floats
    """[kW]"""
    imported: Floats
    """[kWh]"""
    exported: Floats
    """[kWh]"""
    offset_us: Instants
    """By how much its clock is ahead. [µs]"""


def draw(
    generator: np.random.Generator, kind: SeriesFault, meter: str, *, first_us: int, end_us: int, step_us: int
) -> Injected:
    """A fault of a kind that lies wholly within a span, on the grid of the readings."""
    low, high = HOURS[kind]
    length = round(generator.uniform(low, high) * HOUR_US) // step_us * step_us
    start = first_us + int(generator.integers(0, max((end_us - first_us - length) // step_us, 1))) * step_us
    sizes = SIZES.get(kind, (1.0,))
    return Injected(kind, meter, start, start + length, float(sizes[int(generator.integers(0, len(sizes)))]))


def show(true_kw: Floats, instants: Instants, faults: Sequence[Injected], *, gain: float = 1.0) -> Shown:
    """What a meter shows of a power that is known.

    Parameters
    ----------
    true_kw : ndarray of float64, shape (n,)
        Mean over the span that begins at each instant; NaN where nobody knows, and then nothing is said. [kW]
    instants : ndarray of int64, shape (n,)
        Even. [µs]
    faults : sequence of Injected
        Of this meter, apart from each other.
    gain : float
        Of a healthy meter: within its class. [1]
    """
    step_h = float(np.diff(instants[:2])[0]) / HOUR_US if instants.size > 1 else 0.25
    factor = np.full(instants.size, gain)
    for fault in faults:
        factor *= _factor(fault, instants)
    metered = true_kw * factor
    energy = np.nan_to_num(metered) * step_h
    power, offset = metered.copy(), np.zeros(instants.size, np.int64)
    said = np.isfinite(true_kw)
    imported, exported = _register(np.maximum(energy, 0.0)), _register(np.maximum(-energy, 0.0))
    for fault in faults:
        _lie(fault, instants, said=said, power=power, registers=(imported, exported), offset=offset)
    return Shown(said, power, imported, exported, offset)


def _register(energy: Floats) -> Floats:
    """What it shows at the begin of each span."""
    return 10_000.0 + np.concatenate([[0.0], np.cumsum(energy)[:-1]])


def _factor(fault: Injected, instants: Instants) -> Floats:
    """By how much power and register are wrong together."""
    inside = (instants >= fault.start_us) & (instants < fault.end_us)
    match fault.kind:
        case SeriesFault.RATIO | SeriesFault.PHASE_LOST:
            return np.where(inside, fault.size, 1.0)
        case SeriesFault.SIGN:
            return np.where(inside, -1.0, 1.0)
        case SeriesFault.CREEP:
            way = np.clip((instants - fault.start_us) / max(fault.end_us - fault.start_us, 1), 0.0, 1.0)
            return np.where(inside, 1.0 + (fault.size - 1.0) * way, 1.0)
        case _:
            return np.ones(instants.size)


def _lie(
    fault: Injected,
    instants: Instants,
    *,
    said: np.ndarray,
    power: Floats,
    registers: tuple[Floats, Floats],
    offset: Instants,
) -> None:
    """What is wrong with what is shown, in place."""
    inside = np.flatnonzero((instants >= fault.start_us) & (instants < fault.end_us))
    after = int(np.searchsorted(instants, fault.start_us))
    match fault.kind:
        case SeriesFault.DROPOUT | SeriesFault.GAP:
            said[inside] = False
        case SeriesFault.SENSOR_FAILURE:
            power[inside] = np.nan
        case SeriesFault.STUCK_GAUGE:
            power[inside] = power[max(after - 1, 0)]
        case SeriesFault.UNIT:
            power[inside] *= fault.size
        case SeriesFault.SPIKE:
            power[after] *= fault.size
        case SeriesFault.CLOCK:
            offset[inside] = round(fault.size * MICROSECONDS)
        case SeriesFault.STUCK_REGISTER:
            for register in registers:
                register[inside] = register[max(after - 1, 0)]
        case SeriesFault.RESET | SeriesFault.BACKWARDS:
            _fall(fault, after, registers)
        case _:
            pass


def _fall(fault: Injected, after: int, registers: tuple[Floats, Floats]) -> None:
    """The register that counts most falls, and goes on from there."""
    register = max(registers, key=lambda one: one[-1])
    share = 1.0 if fault.kind is SeriesFault.RESET else fault.size
    register[after:] -= share * register[after]
