"""What every detector does with flat arrays of many objects: check their order, spread parameters, add moments.

Nothing here judges, and nothing loops over samples or objects.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Floats, Ints, Samples, Verdicts

Bools = NDArray[np.bool_]
Index = NDArray[np.intp]


def per_row_us(value: ArrayLike, rows: int, name: str) -> Ints:
    """A duration or moment for every row, shape (rows,), in µs.

    Raises
    ------
    ValueError
        When it is neither one value nor one for each row.
    """
    return _per_row(np.asarray(value, np.int64), rows, name).astype(np.int64, copy=False)


def durations(value: ArrayLike, rows: int, name: str) -> Ints:
    """As `per_row_us`, and none below zero."""
    found = per_row_us(value, rows, name)
    if rows and int(found.min()) < 0:
        row = int(np.argmax(found < 0))
        raise ValueError(f"{name} of row {row} is {found[row]} µs; a duration is not below zero")
    return found


def per_row(value: ArrayLike, rows: int, name: str) -> Floats:
    """A parameter for every row, shape (rows,). Raises ValueError when the shapes do not fit."""
    return _per_row(np.asarray(value, np.float64), rows, name).astype(np.float64, copy=False)


def _per_row(value: NDArray[np.generic], rows: int, name: str) -> NDArray[np.generic]:
    if value.shape not in ((), (rows,)):
        raise ValueError(f"{name} has shape {value.shape}; wanted is one value, or one for each of {rows} rows")
    return np.broadcast_to(value, (rows,))


def later(moment: Ints, duration: Ints) -> Ints:
    """`moment + duration` in µs, and never past `NEVER_US`; durations are not below zero.

    Examples
    --------
    >>> bool(later(np.array([5]), np.array([NEVER_US]))[0] == NEVER_US)
    True
    """
    return np.where(moment > NEVER_US - duration, NEVER_US, moment + np.minimum(duration, NEVER_US - moment.clip(0)))


def opens_row(row: Ints) -> Bools:
    """True at the first sample of each row, shape (n,)."""
    opens = np.ones(len(row), np.bool_)
    np.not_equal(row[1:], row[:-1], out=opens[1:])
    return opens


def in_order(row: Ints, time_us: Ints, rows: int, seen_us: Ints | None = None) -> Bools:
    """Check the promise of `Samples` and say where rows open.

    Parameters
    ----------
    row, time_us : ndarray of int64, shape (n,)
        As of `Samples`.
    rows : int
        Number of objects.
    seen_us : ndarray of int64, shape (rows,), optional
        Latest moment judged so far; all given here must be later. [µs]

    Returns
    -------
    ndarray of bool, shape (n,)
        As `opens_row`.

    Raises
    ------
    ValueError
        When they are out of order, twice, of a row that there is not, or not later than what was judged.
    """
    if not row.size:
        return np.zeros(0, np.bool_)
    opens = opens_row(row)
    wrong = (row[1:] < row[:-1]) | ((time_us[1:] <= time_us[:-1]) & ~opens[1:])
    if wrong.any():
        at = int(np.argmax(wrong)) + 1
        raise ValueError(
            f"sample {at} (row {row[at]}, {time_us[at]} µs) does not come after the one before it "
            f"(row {row[at - 1]}, {time_us[at - 1]} µs)"
        )
    if row[0] < 0 or row[-1] >= rows:
        raise ValueError(f"samples of rows {row[0]} to {row[-1]}, of {rows} rows counted from 0")
    if seen_us is not None:
        first = np.flatnonzero(opens)
        old = time_us[first] <= seen_us[row[first]]
        if old.any():
            at = int(first[np.argmax(old)])
            raise ValueError(
                f"row {row[at]} was judged up to {seen_us[row[at]]} µs, and {time_us[at]} µs is not later: "
                "late or repeated samples are for judging that stretch anew (is_late)"
            )
    return opens


def some_samples(samples: Samples, which: Bools | Index | slice) -> Samples:
    """Samples chosen by a mask, places or a slice; views where it is a slice."""
    return Samples(samples.row[which], samples.time_us[which], samples.value[which])


def some_verdicts(verdicts: Verdicts, which: Bools | Index | slice) -> Verdicts:
    """Verdicts chosen by a mask, places or a slice; views where it is a slice."""
    return Verdicts(
        verdicts.row[which],
        verdicts.time_us[which],
        verdicts.level[which],
        verdicts.value[which],
        verdicts.limit[which],
    )


def is_late(row: Ints, time_us: Ints, seen_us: Ints) -> Bools:
    """What is late or a repetition: not after the moments judged so far, as a carry's `seen_us` tells them.

    It calls for judging its stretch anew, from stored readings; the others go on from the carry.

    Parameters
    ----------
    row, time_us : ndarray of int64, shape (n,)
        Of samples or verdicts, in any order.
    seen_us : ndarray of int64, shape (rows,)
        Of a carry. [µs]

    Examples
    --------
    >>> samples = Samples(np.array([0, 0]), np.array([5, 6]), np.array([1.0, 2.0]))
    >>> late = is_late(samples.row, samples.time_us, np.array([5]))
    >>> some_samples(samples, ~late).time_us.tolist()
    [6]
    """
    return time_us <= seen_us[row]


def seen_after(row: Ints, time_us: Ints, opens: Bools, seen_us: Ints, until_us: Ints) -> Ints:
    """Latest moment judged, in µs: of samples, or just before `until_us`, from which samples may still come."""
    seen = np.maximum(seen_us, np.where(until_us > NOT_YET_US, until_us - 1, NOT_YET_US))
    if row.size:
        last = np.append(np.flatnonzero(opens)[1:], len(row)) - 1
        seen[row[last]] = np.maximum(seen[row[last]], time_us[last])
    return seen


def last_not_after(row: Ints, time_us: Ints, of_row: Ints, of_time_us: Ints) -> Index:
    """For each moment of an object, where the object's last sample at or before it lies.

    Parameters
    ----------
    row, time_us : ndarray of int64, shape (n,)
        Moments asked for, in any order.
    of_row, of_time_us : ndarray of int64, shape (m,)
        Samples, in order.

    Returns
    -------
    ndarray of int64, shape (n,)
        Place among the samples; -1: the object has none so early.

    Raises
    ------
    ValueError
        When so many objects over so long do not fit into one integer.

    Examples
    --------
    >>> row, asked = np.array([0, 0, 1]), np.array([4, 7, 7])
    >>> last_not_after(row, asked, np.array([0, 0, 1]), np.array([5, 7, 9])).tolist()
    [-1, 1, -1]
    """
    if not of_row.size or not row.size:
        return np.full(len(row), -1, np.intp)
    low = min(int(of_time_us.min()), int(time_us.min()))
    stride = max(int(of_time_us.max()), int(time_us.max())) - low + 1
    n_rows = max(int(of_row[-1]), int(row.max())) + 1
    if n_rows * stride >= 2**63:
        raise ValueError(f"{n_rows} objects over {stride / 1e6:.0f} s are too many for one call; split them")
    found = np.searchsorted(of_row * stride + (of_time_us - low), row * stride + (time_us - low), side="right") - 1
    return np.where(of_row[found.clip(0)] == row, found, -1)
