"""Whether stacks keep their limits: corrected hourly concentrations against limit values.

Only hours that were measured are judged. Substituted hours, stopped hours and hours that could not be corrected are
neither kept nor broken, and are counted as what they are: not judged.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.cems import StackFlag

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Flags = NDArray[np.uint16]

_NOT_JUDGED = StackFlag.STOPPED | StackFlag.SUBSTITUTED | StackFlag.OXYGEN_OF_AIR | StackFlag.MISSING


@dataclass(frozen=True, slots=True)
class LimitFindings:
    """How several series stand against their limits."""

    exceeded: Bools
    """Hours above the limit; shape (n_series, n_hours)."""
    ratio: Floats
    """Concentration over limit; NaN where not judged; shape (n_series, n_hours)."""
    judged_hours: Ints
    """Shape (n_series,)."""
    exceeded_hours: Ints
    """Shape (n_series,)."""

    @property
    def compliance_rate(self) -> Floats:
        """Share of the judged hours that kept the limit; NaN where none was judged. [0-1]."""
        kept = (self.judged_hours - self.exceeded_hours).astype(np.float64)
        return np.divide(kept, self.judged_hours, out=np.full_like(kept, np.nan), where=self.judged_hours > 0)


def limit_findings(corrected: Floats, flags: Flags, limit: Floats) -> LimitFindings:
    """Compare corrected hourly means with limits.

    Parameters
    ----------
    corrected : ndarray of float64, shape (n_series, n_hours)
        Hourly means at the reference oxygen. [mg/m3]
    flags : ndarray of uint16, same shape
        `StackFlag` of each hour.
    limit : ndarray of float64, shape (n_series,) or (n_series, n_hours)
        NaN where there is none: not judged. [mg/m3]

    Returns
    -------
    LimitFindings
        A value that equals its limit keeps it.

    References
    ----------
    GB 13271-2014, 5.2; HJ 75-2017: the hourly corrected mean is compared with the limit.

    Examples
    --------
    >>> hours = np.array([[48.0, 50.0, 51.0, 400.0]])
    >>> found = limit_findings(hours, np.array([[0, 0, 0, 32]], np.uint16), np.array([50.0]))
    >>> found.exceeded, found.judged_hours
    (array([[False, False,  True, False]]), array([3]))
    """
    bound = np.broadcast_to(limit[:, np.newaxis] if limit.ndim == 1 else limit, corrected.shape)
    judged = np.isfinite(corrected) & np.isfinite(bound) & ((flags & _NOT_JUDGED) == 0)
    exceeded = judged & (corrected > bound)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(judged, corrected / bound, np.nan)
    return LimitFindings(exceeded, ratio, judged.sum(axis=1), exceeded.sum(axis=1))
