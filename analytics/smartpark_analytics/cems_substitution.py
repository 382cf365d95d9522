"""What stands in for the mass of hours that a monitor lost: the rules of HJ 75, in one pass over all stacks.

A substituted hour is mass and nothing else: it is flagged, its share is shown, and it never counts for compliance. An
hour in which the furnace was off is not substituted. Below the lowest capture rate there is no rule, and no number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.cems_rules import SubstitutionRow

from smartpark_analytics.aggregate import period_sums
from smartpark_analytics.cems import StackFlag

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Flags = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class SubstitutionRules:
    """Rows of the table, in any order; all arrays have shape (n_rules,)."""

    capture_from: Floats
    """Capture rate of the quarter from which the row holds, inclusive. [0-1]"""
    capture_below: Floats
    """… and below which; infinity for the last. [0-1]"""
    longest_hours: Floats
    """Longest run of bad hours that it covers; infinity: any. A longer run takes the next row of that rate. [h]"""
    look_back_hours: Ints
    """How many valid hours before the run the maximum is taken of. [h]"""

    @staticmethod
    def of(rows: Sequence[SubstitutionRow]) -> "SubstitutionRules":
        """From dated rows (`smartpark.cems_rules.CemsRules.substitution_on`)."""
        return SubstitutionRules(
            capture_from=np.array([row.capture_from for row in rows]),
            capture_below=np.array([row.capture_below for row in rows]),
            longest_hours=np.array([row.longest_hours for row in rows]),
            look_back_hours=np.array([row.look_back_hours for row in rows], np.int64),
        )


@dataclass(frozen=True, slots=True)
class SubstitutedMass:
    """Mass with the gaps closed; both arrays have shape (n_stacks, n_hours)."""

    mass: Floats
    """Measured, or substituted; NaN where stopped or without a substitute. [kg]"""
    flags: Flags
    """`StackFlag`: `STOPPED`, `SUBSTITUTED`, `SHORT_HISTORY`, `NO_SUBSTITUTE`."""

    @property
    def substituted(self) -> Bools:
        """Hours that were put in."""
        return (self.flags & StackFlag.SUBSTITUTED) != 0


def capture_rate(valid: Bools, stopped: Bools, quarter: Ints, n_quarters: int) -> Floats:
    """Valid-data capture rate (有效数据捕集率) of each quarter of the year.

    Parameters
    ----------
    valid : ndarray of bool, shape (n_stacks, n_hours)
    stopped : ndarray of bool, same shape
        Hours in which the furnace was off.
    quarter : ndarray of int64, shape (n_hours,)
        Index of the quarter that each hour belongs to.
    n_quarters : int
        How many there are.

    Returns
    -------
    ndarray of float64, shape (n_stacks, n_quarters)
        Valid hours over hours in which the furnace ran; NaN where it did not run. [0-1]

    References
    ----------
    HJ 75-2017, 12.2.

    Examples
    --------
    >>> valid = np.array([[True, True, True, False]])
    >>> capture_rate(valid, np.array([[False] * 4]), np.zeros(4, np.int64), 1)
    array([[0.75]])
    """
    slots = np.ones(n_quarters, np.int64)

    def count(hours: Bools) -> Floats:
        ones = np.ones(hours.shape)
        return np.nan_to_num(period_sums(hours.astype(np.float64), ones, ones, quarter, slots).amount)

    ran = count(~stopped)
    return np.divide(count(valid & ~stopped), ran, out=np.full_like(ran, np.nan), where=ran > 0)


def substitute_mass(
    mass: Floats, stopped: Bools, quarter: Ints, capture: Floats, rules: SubstitutionRules
) -> SubstitutedMass:
    """Put the maximum of the last valid hours in for the hours that a monitor lost.

    Parameters
    ----------
    mass : ndarray of float64, shape (n_stacks, n_hours)
        Hourly mass, all hours in order; NaN where not valid. A monitor found out of control is not valid back to its
        last good calibration: the caller makes those hours NaN. [kg]
    stopped : ndarray of bool, same shape
        Hours in which the furnace was off: they stay NaN, and end a run of bad hours.
    quarter : ndarray of int64, shape (n_hours,)
        Index of the quarter that each hour belongs to.
    capture : ndarray of float64, shape (n_stacks, n_quarters)
        From `capture_rate`. [0-1]
    rules : SubstitutionRules
        From `smartpark.cems_rules`.

    Returns
    -------
    SubstitutedMass

    References
    ----------
    HJ 75-2017, tables 5 and 6.

    Examples
    --------
    Quarter at 95 %, one bad hour: the largest of the last hours stands in.

    >>> rules = SubstitutionRules(np.array([0.9]), np.array([np.inf]), np.array([24.0]), np.array([180]))
    >>> hours = np.array([[3.0, 5.0, 4.0, np.nan, 2.0]])
    >>> substitute_mass(hours, np.zeros((1, 5), bool), np.zeros(5, int), np.array([[0.95]]), rules).mass
    array([[3., 5., 4., 5., 2.]])
    """
    bad = ~np.isfinite(mass) & ~stopped
    flags = (stopped * StackFlag.STOPPED).astype(np.uint16)
    filled = np.where(stopped, np.nan, mass)
    if not bad.any():
        return SubstitutedMass(filled, flags)
    stack, hour = np.nonzero(bad)
    run = _runs(stack, hour)
    rule = _choose(capture[stack, quarter[hour]], np.bincount(run)[run], rules)
    wanted = np.where(rule >= 0, rules.look_back_hours[rule], 0)
    first = np.searchsorted(run, np.arange(run[-1] + 1))[run]
    value, is_short = _maxima_before(np.where(stopped, np.nan, mass), stack, hour[first], wanted)
    found = np.isfinite(value)
    filled[stack, hour] = value
    flags[stack, hour] |= np.where(found, StackFlag.SUBSTITUTED, StackFlag.NO_SUBSTITUTE).astype(np.uint16)
    flags[stack, hour] |= np.where(found & is_short, StackFlag.SHORT_HISTORY, 0).astype(np.uint16)
    return SubstitutedMass(filled, flags)


def _runs(stack: Ints, hour: Ints) -> Ints:
    """Number of the run of consecutive bad hours that each bad hour belongs to."""
    new = np.ones(len(hour), np.int64)
    new[1:] = (stack[1:] != stack[:-1]) | (hour[1:] != hour[:-1] + 1)
    return np.cumsum(new) - 1


def _choose(capture: Floats, length: Ints, rules: SubstitutionRules) -> Ints:
    """Row of the table for each bad hour: of those that hold, the one for the shortest runs; -1: none holds."""
    order = np.argsort(rules.longest_hours, kind="stable")
    rate, hours = capture[:, np.newaxis], length[:, np.newaxis]
    holds = (rate >= rules.capture_from[order]) & (rate < rules.capture_below[order])
    holds &= hours <= rules.longest_hours[order]
    return np.where(holds.any(axis=1), order[holds.argmax(axis=1)], -1)


def _maxima_before(mass: Floats, stack: Ints, hour: Ints, wanted: Ints) -> tuple[Floats, Bools]:
    """Maximum of the last `wanted` valid hours before each hour given, and whether there were fewer than that."""
    valid = np.isfinite(mass)
    history = np.append(mass[valid], -np.inf)  # one more, so that a span may end at the last one
    before = np.cumsum(valid.ravel()) - valid.ravel()  # valid hours before each hour, all stacks in a row
    origin = before[stack * mass.shape[1]]  # where the stack's own history begins
    end = before[stack * mass.shape[1] + hour]
    start = np.maximum(end - wanted, origin)
    spans, which = np.unique(np.stack([start, np.maximum(end, start + 1)], axis=1), axis=0, return_inverse=True)
    maxima = np.maximum.reduceat(history, np.minimum(spans, len(history) - 1).ravel())[::2]
    return np.where(end > start, maxima[which.ravel()], np.nan), end - start < wanted
