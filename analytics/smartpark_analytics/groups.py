"""Columns of a matrix taken together: minutes of a month, intervals of a day, quarters of a tariff period.

Groups are told by one label per column; a column labelled below zero belongs to none. They are sorted once and used
for many matrices, so that each reduction is one pass of numpy over contiguous memory. NaN never takes part, and a
group without a known value has none.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Index = NDArray[np.intp]
Number = TypeVar("Number", np.float64, np.int64)


@dataclass(frozen=True, slots=True)
class Groups:
    """Columns sorted into groups."""

    n_groups: int
    columns: Index | slice
    """Columns that belong to a group, ascending by group and within it; a slice where they lie in order already."""
    first: Index
    """Column of the matrix for each sorted column."""
    present: Index
    """Groups that have columns."""
    starts: Index
    """Where each of them starts among the sorted columns."""
    sizes: Ints
    """Columns of every group, shape (n_groups,)."""

    @staticmethod
    def of(label: Ints, n_groups: int) -> "Groups":
        """Sort columns by label.

        Parameters
        ----------
        label : ndarray of int64, shape (n_columns,)
            Group of each column, 0 … n_groups - 1; below zero: of none.
        n_groups : int
            Groups there are, with columns or without.

        Raises
        ------
        ValueError
            When a label is `n_groups` or more.
        """
        if label.size and label.max() >= n_groups:
            raise ValueError(f"a column is labelled {label.max()}, of {n_groups} groups counted from 0")
        order = np.argsort(label, kind="stable")
        order = order[np.count_nonzero(label < 0) :]
        is_run = order.size > 0 and bool(np.all(np.diff(order) == 1))
        sizes = np.bincount(label[order], minlength=n_groups).astype(np.int64)
        present = np.flatnonzero(sizes)
        starts = (np.cumsum(sizes) - sizes)[present]
        columns = slice(int(order[0]), int(order[-1]) + 1) if is_run else order
        return Groups(n_groups, columns, order, present, starts, sizes)

    def maximum(self, values: Floats) -> Floats:
        """Largest known value of each group, shape (n_rows, n_groups); NaN where none is known."""
        return self._reduce(np.fmax, values[:, self.columns], np.nan)

    def minimum(self, values: Floats) -> Floats:
        """Smallest known value of each group; NaN where none is known."""
        return self._reduce(np.fmin, values[:, self.columns], np.nan)

    def total(self, values: Floats) -> Floats:
        """Sum of the known values of each group; 0 where none is known."""
        return self._reduce(np.add, np.nan_to_num(values[:, self.columns], nan=0.0), 0.0)

    def count(self, chosen: Bools) -> Ints:
        """How many columns of each group are true."""
        return self._reduce(np.add, chosen[:, self.columns].astype(np.int64), 0)

    def known_share(self, values: Floats) -> Floats:
        """Share [0-1] of each group's columns that are known; 0 where it has no columns."""
        return np.divide(self.count(np.isfinite(values)), np.maximum(self.sizes, 1))

    def first_column_equal(self, values: Floats, wanted: Floats) -> Ints:
        """First column of each group with the value wanted of it, shape (n_rows, n_groups); -1: there is none."""
        inside = values[:, self.columns]
        sizes = self.sizes[self.present]
        spread = wanted[:, self.present]
        if sizes.size > 1:
            spread = np.repeat(spread, sizes, axis=1)
        row, place = np.nonzero(inside == spread)
        group = np.repeat(self.present, sizes)[place]
        found = np.full((values.shape[0], self.n_groups), -1, dtype=np.int64)
        # Backwards, because of several assignments to one place the last holds.
        found[row[::-1], group[::-1]] = self.first[place[::-1]]
        return found

    def padded(self, values: Floats) -> Floats:
        """Values by group, shape (n_rows, n_groups, longest group), filled up with NaN."""
        longest = int(self.sizes.max(initial=0))
        out = np.full((values.shape[0], self.n_groups, longest), np.nan)
        group = np.repeat(self.present, self.sizes[self.present])
        place = np.arange(group.size) - np.repeat(self.starts, self.sizes[self.present])
        out[:, group, place] = values[:, self.columns]
        return out

    def _reduce(self, ufunc: np.ufunc, inside: NDArray[Number], empty: float) -> NDArray[Number]:
        out = np.full((inside.shape[0], self.n_groups), empty, dtype=inside.dtype)
        if self.starts.size:
            out[:, self.present] = ufunc.reduceat(inside, self.starts, axis=1)
        return out
