"""Meters against each other: what a parent measures that its children do not, and whether their errors explain it.

All parents and periods at once, by index arrays: which registers hang on which meter, and with which sign. What is
missing is not known; a parent of which one register is not known has no residual. Nothing is spread or repaired here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.accounts import Flow, MeterNode

Floats = NDArray[np.float64]
Index = NDArray[np.intp]


class Verdict(IntEnum):
    """What a residual says."""

    NOT_KNOWN = 0
    """A register of the parent or of a child is not known."""
    NOT_JUDGED = 1
    """The class of a meter is not known, or it is doubtful what hangs on the parent."""
    WITHIN = 2
    """No more than the meters' permissible errors explain."""
    MISSING = 3
    """The parent measures more than its children and their errors: losses, or a use that nobody measures."""
    CHILDREN_EXCEED = 4
    """The children measure more than their parent and the errors: a meter, a ratio or the tree is wrong."""


@dataclass(frozen=True, slots=True)
class MeterTree:
    """Registers of parents and children as one list of entries; arrays of shape (n_entries,)."""

    node: Index
    """Parent that the entry belongs to, 0 … n_nodes - 1."""
    series: Index
    """Row of the register in the amounts."""
    sign: Floats
    """+1 what comes from above or is made beneath, -1 what the children take."""
    error: Floats
    """Limit of the register's error, as a share of its amount; NaN: nobody said. [1]"""
    is_certain: NDArray[np.bool_]
    """Whether it is known what hangs on each parent, shape (n_nodes,)."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """Parent minus children; arrays of shape (n_nodes, n_periods)."""

    residual: Floats
    """NaN where not known. [unit]"""
    tolerance: Floats
    """What the meters' permissible errors explain, NaN where a class is not known. [unit]"""
    throughput: Floats
    """What came from above or was made beneath. [unit]"""
    verdict: NDArray[np.int8]
    """`Verdict`."""


def meter_tree(nodes: Sequence[MeterNode], place: Mapping[int, int]) -> MeterTree:
    """Index arrays of meters with others beneath them.

    Parameters
    ----------
    nodes : sequence of MeterNode
        From `smartpark.accounts.park_accounts`.
    place : mapping of int to int
        Row of each point in the amounts.
    """
    entries = [
        (n, place[flow.point_id], sign * flow.sign, _error(flow))
        for n, node in enumerate(nodes)
        for flows, sign in ((node.parent, 1), (node.children, -1))
        for flow in flows
    ]
    columns = np.array(entries, np.float64).reshape(len(entries), 4)
    return MeterTree(
        columns[:, 0].astype(np.intp),
        columns[:, 1].astype(np.intp),
        columns[:, 2],
        columns[:, 3],
        np.array([node.is_certain for node in nodes], np.bool_),
    )


def _error(flow: Flow) -> float:
    return np.nan if flow.accuracy_class is None else flow.accuracy_class / 100.0


def residuals(tree: MeterTree, amount: Floats) -> Residuals:
    """Parent minus children, and what it says.

    Parameters
    ----------
    tree : MeterTree
    amount : ndarray of float64, shape (n_series, n_periods)
        Of each register; NaN where not known. [unit]

    Returns
    -------
    Residuals

    Notes
    -----
    The tolerance is the sum of the permissible errors, not their root mean square: the class limits a meter's error,
    and meters of one make err to the same side.

    References
    ----------
    GB 17167-2006, 4.3 (metering at each level of a unit); accuracy classes of meters as limits of their percentage
    error, GB/T 17215.321-2021.

    Examples
    --------
    A feeder of class 0.5 with 1000 kWh, its two tenants of class 1 with 600 and 380:

    >>> tree = MeterTree(
    ...     np.zeros(3, np.intp), np.arange(3), np.array([1.0, -1.0, -1.0]), np.array([0.005, 0.01, 0.01]),
    ...     np.array([True]),
    ... )
    >>> found = residuals(tree, np.array([[1000.0], [600.0], [380.0]]))
    >>> found.residual[0], found.tolerance[0].round(2), Verdict(int(found.verdict[0, 0])).name
    (array([20.]), array([14.8]), 'MISSING')
    """
    entries = amount[tree.series]
    signed = tree.sign[:, np.newaxis] * entries
    n_nodes = len(tree.is_certain)
    residual = _sum_by_node(tree.node, signed, n_nodes)
    tolerance = _sum_by_node(tree.node, np.abs(entries) * tree.error[:, np.newaxis], n_nodes)
    throughput = _sum_by_node(tree.node, np.where(tree.sign[:, np.newaxis] > 0, entries, 0.0), n_nodes)
    return Residuals(residual, tolerance, throughput, verdicts(residual, tolerance, tree.is_certain))


VERDICT_WORDS: Final = {
    Verdict.NOT_KNOWN: "",
    Verdict.NOT_JUDGED: "not judged: a meter's class or its place in the tree is not known",
    Verdict.WITHIN: "within the meters' errors",
    Verdict.MISSING: "more than the meters' errors explain: lost, or not metered",
    Verdict.CHILDREN_EXCEED: "children exceed their parent by more than the meters' errors",
}
"""What a residual says, as it stands beside the published number."""


def verdicts(residual: Floats, tolerance: Floats, is_certain: NDArray[np.bool_]) -> NDArray[np.int8]:
    """`Verdict` of residuals, shape (n_nodes, n_periods); `is_certain` as in `MeterTree`."""
    judged = is_certain[:, np.newaxis] & ~np.isnan(tolerance)
    return np.select(
        [np.isnan(residual), ~judged, residual > tolerance, residual < -tolerance],
        [Verdict.NOT_KNOWN, Verdict.NOT_JUDGED, Verdict.MISSING, Verdict.CHILDREN_EXCEED],
        Verdict.WITHIN,
    ).astype(np.int8)


def _sum_by_node(node: Index, values: Floats, n_nodes: int) -> Floats:
    """Sum of entries that share a node, shape (n_nodes, n_periods)."""
    n_periods = values.shape[1]
    cell = (node[:, np.newaxis] * n_periods + np.arange(n_periods)).ravel()
    sums = np.bincount(cell, weights=values.ravel(), minlength=n_nodes * n_periods).astype(np.float64)
    return sums.reshape(n_nodes, n_periods)
