"""Hours of stacks put together: mass from the measured concentration, the limit's value from the corrected one.

The corrected hour is that of the hour's means: mean concentration at the mean oxygen. Mass needs no oxygen, and the
corrected concentration no flow: what is lost of one does not take the other with it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.cems import OXYGEN_SUSPICIOUS_PCT, StackFlag, corrected_concentration, hourly_mass
from smartpark_analytics.cems_hours import HourMeans

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Flags = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class StackHours:
    """Hours of several pollutants of several stacks; all arrays have shape (n_series, n_hours)."""

    mass: Floats
    """NaN where stopped, or without concentration or flow; the rest is the substitution's. [kg]"""
    corrected: Floats
    """At the reference oxygen; NaN where stopped or not known. [mg/m3]"""
    flags: Flags
    """`StackFlag` of the corrected concentration."""
    stopped: Bools
    """Where the furnace was off."""


def stack_hours(
    concentration: HourMeans,
    oxygen: HourMeans,
    flow: HourMeans,
    reference_oxygen: Floats,
    *,
    suspicious_above: float = OXYGEN_SUSPICIOUS_PCT,
) -> StackHours:
    """Mass and corrected concentration of each hour.

    Parameters
    ----------
    concentration : HourMeans, shape (n_series, n_hours)
        Measured, dry, standard state; one series for each pollutant of each stack. [mg/m3]
    oxygen, flow : HourMeans, shape (n_series, n_hours)
        Those of the stack that each series belongs to. [%], [m3/h dry standard]
    reference_oxygen : ndarray of float64, shape (n_series,)
        Of the stack's limit set. [%]
    suspicious_above : float
        Oxygen above which the value is flagged. [%]

    Returns
    -------
    StackHours
        An hour is stopped when concentration, oxygen or flow says so and there is no valid concentration.

    References
    ----------
    HJ 75-2017, annex C.

    Examples
    --------
    >>> def hour(value):
    ...     return HourMeans(np.array([[value]]), np.array([[60]]), np.zeros((1, 1), np.uint16))
    >>> found = stack_hours(hour(35.2), hour(8.5), hour(120_000.0), np.array([9.0]))
    >>> round(float(found.mass[0, 0]), 3), round(float(found.corrected[0, 0]), 3)
    (4.224, 33.792)
    """
    stopped = (concentration.stopped | oxygen.stopped | flow.stopped) & ~concentration.valid
    corrected = corrected_concentration(
        concentration.value,
        oxygen.value,
        reference_oxygen[:, np.newaxis],
        stopped=stopped,
        suspicious_above=suspicious_above,
    )
    few = ((concentration.flags | oxygen.flags) & StackFlag.TOO_FEW_MINUTES) * ~stopped
    mass = np.where(stopped, np.nan, hourly_mass(concentration.value, flow.value))
    return StackHours(mass, corrected.value, (corrected.flags | few).astype(np.uint16), stopped)
