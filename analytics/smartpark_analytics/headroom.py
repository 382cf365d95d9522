"""Free capacity for new load: what a node may carry, less its peak, less what has been promised.

All in kVA; whoever has kW says by which power factor it becomes kVA (`apparent_power_of`) before anything is added.
Two rules are computed side by side, share of rating and N-1, and the tighter one binds. An unknown peak makes an
unknown headroom, never a free one. Hosting capacity for photovoltaics has the same Chinese name; it is another thing.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from smartpark.headroom_rules import HeadroomRule

METHOD = "headroom/1"
"""Name and version of the method."""
Floats = NDArray[np.float64]
Codes = NDArray[np.int8]


class Criterion(IntEnum):
    """Rules that bound a node; the column of each in `NodeHeadroom`."""

    LOAD_SHARE = 0
    """Load at most a share of the rating (80 %)."""
    N_MINUS_1 = 1
    """The remaining units carry the load while the largest is out."""


class Verdict(IntEnum):
    """What may be said of a request."""

    NOT_KNOWN = -1
    """A node of the path has no known peak."""
    FITS = 0
    """Within the free capacity of every node."""
    AFTER_UPGRADE = 1
    """Not within that of some node, but those nodes can be upgraded and the others have room."""
    DOES_NOT_FIT = 2
    """A node that cannot be upgraded has no room."""


@dataclass(frozen=True)
class NodeHeadroom:
    """Free capacity of each node; arrays have shape (n_nodes,) unless said."""

    limit: Floats
    """What each rule allows, shape (n_nodes, 2); NaN where the rule does not apply. [kVA]"""
    by_criterion: Floats
    """Limit less peak less promised load, shape (n_nodes, 2); may be negative, NaN where not known. [kVA]"""
    headroom: Floats
    """The smaller of both; negative: already beyond. [kVA]"""
    binding: Codes
    """Which `Criterion` binds; -1 where the headroom is not known."""

    @property
    def available(self) -> Floats:
        """Headroom that can be given away [kVA]: never below zero; NaN where not known."""
        return np.where(np.isnan(self.headroom), np.nan, np.maximum(0.0, self.headroom))


@dataclass(frozen=True)
class PathHeadroom:
    """Free capacity of each path: the least of its nodes. Arrays have shape (n_paths,)."""

    headroom: Floats
    """NaN where a node of the path is not known. [kVA]"""
    at_most: Floats
    """Least of the nodes that are known: whatever the others have, no more than this. NaN: none known. [kVA]"""
    binding: NDArray[np.intp]
    """Node that gives `at_most`; -1 where none is known."""


def node_headroom(
    units: Floats,
    peak: Floats,
    reserved: Floats,
    rule: HeadroomRule,
    *,
    needs_n_minus_1: NDArray[np.bool_],
    is_short_time_allowed: bool = True,
) -> NodeHeadroom:
    """Free capacity of nodes under both rules.

    Parameters
    ----------
    units : ndarray of float64, shape (n_nodes, n_units)
        Ratings of the units that share the node's load, e.g. the transformers of a station; NaN pads. [kVA]
    peak : ndarray of float64, shape (n_nodes,)
        Seasonal maximum of the node's load, as one node; NaN where not known. [kVA]
    reserved : ndarray of float64, shape (n_nodes,)
        What requests under way will add to the peak: `reserved_load`. [kVA]
    rule : HeadroomRule
        Share of the rating, and factor while a unit is out.
    needs_n_minus_1 : ndarray of bool, shape (n_nodes,)
        Whether the load must be carried while a unit is out. It takes two units; one alone has no N-1.
    is_short_time_allowed : bool
        Whether the remaining units may be loaded by the short-time factor; else they carry their rating (of two equal
        units: 50 % of both).

    Returns
    -------
    NodeHeadroom

    References
    ----------
    docs/methods/headroom.md, with the worked examples.

    Examples
    --------
    Two units of 50 MVA with a peak of 65.263 MVA: within 80 %, but not when one of them fails:

    >>> from smartpark.headroom_rules import builtin_headroom_rules
    >>> rule = builtin_headroom_rules().headroom[0]
    >>> node = node_headroom(
    ...     np.array([[50e3, 50e3]]), np.array([65263.0]), np.zeros(1), rule, needs_n_minus_1=np.array([True])
    ... )
    >>> node.by_criterion, node.available, Criterion(int(node.binding[0])).name
    (array([[14737.,  -263.]]), array([0.]), 'N_MINUS_1')
    """
    known = np.isfinite(units)
    total = np.where(known, units, 0.0).sum(axis=1)
    largest = np.where(known, units, 0.0).max(axis=1, initial=0.0)
    applies = needs_n_minus_1 & (known.sum(axis=1) >= 2)
    factor = rule.short_time_factor if is_short_time_allowed else 1.0
    by_share = np.where(known.any(axis=1), rule.load_share * total, np.nan)
    # Remaining units never carry more without the largest than all of them do together.
    by_outage = np.where(applies, np.minimum(factor * (total - largest), total), np.nan)
    limit = np.stack([by_share, by_outage], axis=1)
    left = limit - (peak + reserved)[:, np.newaxis]
    least = np.fmin(left[:, 0], left[:, 1])
    binding = np.where(left[:, 1] < left[:, 0], Criterion.N_MINUS_1, Criterion.LOAD_SHARE)
    return NodeHeadroom(limit, left, least, np.where(np.isnan(least), -1, binding).astype(np.int8))


def path_headroom(nodes: Floats, paths: NDArray[np.bool_]) -> PathHeadroom:
    """Free capacity of paths through the network.

    Parameters
    ----------
    nodes : ndarray of float64, shape (n_nodes,)
        Headroom of each node; NaN where not known. [kVA]
    paths : ndarray of bool, shape (n_paths, n_nodes)
        Which nodes each path leads through.

    Returns
    -------
    PathHeadroom

    Examples
    --------
    >>> path_headroom(np.array([800.0, 1299.0, np.nan]), np.array([[True, True, False], [True, True, True]]))
    PathHeadroom(headroom=array([800.,  nan]), at_most=array([800., 800.]), binding=array([0, 0]))
    """
    on_path = np.where(paths, nodes, np.inf)
    known = paths & np.isfinite(nodes)
    least = np.where(known, on_path, np.inf)
    any_known = known.any(axis=1)
    at_most = np.where(any_known, least.min(axis=1, initial=np.inf), np.nan)
    binding = np.where(any_known, least.argmin(axis=1), -1) if nodes.size else np.full(len(paths), -1)
    complete = any_known & (known == paths).all(axis=1)
    return PathHeadroom(np.where(complete, at_most, np.nan), at_most, binding.astype(np.intp))


def reserved_load(requested: Floats, coincidence: Floats, at_node: NDArray[np.bool_]) -> Floats:
    """Load that requests under way will add to the peak of each node.

    Parameters
    ----------
    requested : ndarray of float64, shape (n_requests,)
        Capacity promised and not yet connected. [kVA]
    coincidence : ndarray of float64, shape (n_requests,)
        Share of it that falls together with the peak. There is no default: 1 where nobody said. [0-1]
    at_node : ndarray of bool, shape (n_nodes, n_requests)
        Which requests hang on which node.

    Returns
    -------
    ndarray of float64, shape (n_nodes,)
        [kVA]

    Examples
    --------
    >>> reserved_load(np.array([1000.0]), np.array([0.8]), np.array([[True], [False]]))
    array([800.,   0.])
    """
    added: Floats = at_node @ (requested * coincidence)
    return added


def verdict(path_nodes: Floats, requested: float, can_be_upgraded: NDArray[np.bool_]) -> Verdict:
    """Whether a request fits a path.

    Parameters
    ----------
    path_nodes : ndarray of float64, shape (n_nodes,)
        Headroom of the nodes of the path. [kVA]
    requested : float
        [kVA]
    can_be_upgraded : ndarray of bool, shape (n_nodes,)
        Nodes that may be replaced or reinforced for it (a distribution transformer, say).

    Returns
    -------
    Verdict
        A node without room settles it, whatever is not known of the others.

    Examples
    --------
    >>> verdict(np.array([300.0, 2500.0]), 2000.0, np.array([True, False])).name
    'AFTER_UPGRADE'
    """
    is_short = np.maximum(0.0, path_nodes) < requested
    if bool((is_short & ~can_be_upgraded).any()):
        return Verdict.DOES_NOT_FIT
    if path_nodes.size == 0 or bool(np.isnan(path_nodes).any()):
        return Verdict.NOT_KNOWN
    return Verdict.AFTER_UPGRADE if bool(is_short.any()) else Verdict.FITS


def apparent_power_of(active: Floats, reactive: Floats, *, assumed_power_factor: float) -> tuple[Floats, Floats]:
    """Apparent power, from reactive power where it is measured and else by an assumed power factor.

    Parameters
    ----------
    active, reactive : ndarray of float64, same shape
        Means of the intervals; NaN in gaps. [kW], [kvar]
    assumed_power_factor : float
        For intervals without reactive power. [0-1]

    Returns
    -------
    apparent, assumed : tuple of ndarray of float64
        Apparent power [kVA]; and 1 where the power factor was assumed, 0 where it was measured, NaN in gaps.

    Examples
    --------
    >>> apparent_power_of(np.array([800.0, 810.0]), np.array([600.0, np.nan]), assumed_power_factor=0.9)
    (array([1000.,  900.]), array([0., 1.]))
    """
    measured = np.hypot(active, reactive)
    by_factor = np.abs(active) / assumed_power_factor
    apparent = np.where(np.isfinite(measured), measured, by_factor)
    is_assumed = np.where(np.isfinite(measured), 0.0, np.where(np.isfinite(active), 1.0, np.nan))
    return apparent, is_assumed
