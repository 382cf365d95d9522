"""Whether edge agents are there, as samples that rules judge: one for each sign of life, and their goodbyes.

An edge shows that it lives by its birth and by what it says of itself from time to time; a death that the broker
tells is a goodbye. Moments are those at which it was heard here.
"""

from collections.abc import Sequence

import numpy as np
from smartpark_analytics.alerts.samples import Samples
from smartpark_storage import Connection
from smartpark_storage.alerts.progress import EdgePresence, edge_presence


class EdgeWatch:
    """Remembers what each edge was heard to say last."""

    def __init__(self) -> None:
        self._series: dict[int, int] = {}
        self._heard: dict[int, int] = {}

    def watch(self, edges: Sequence[EdgePresence]) -> None:
        """These are the edges, by series; what was heard of them is forgotten."""
        self._series = {edge.edge_id: place for place, edge in enumerate(edges)}
        self._heard = {}

    def heard(self, connection: Connection) -> Samples:
        """What edges have said since last time; 0 is a goodbye."""
        return self.samples(edge_presence(connection))

    def samples(self, edges: Sequence[EdgePresence]) -> Samples:
        """As `heard`, of what is known of edges."""
        rows: list[tuple[int, int, float]] = []
        for edge in edges:
            series = self._series.get(edge.edge_id)
            if series is None:
                continue
            for moment, value in _signs(edge):
                if moment > self._heard.get(edge.edge_id, 0):
                    rows.append((series, moment, value))
                    self._heard[edge.edge_id] = moment
        rows.sort()
        row, time_us, value = zip(*rows, strict=True) if rows else ((), (), ())
        return Samples(np.array(row, np.int64), np.array(time_us, np.int64), np.array(value, np.float64))

    def has_new(self, connection: Connection) -> bool:
        """Whether there are edges that are not watched."""
        return any(edge.edge_id not in self._series for edge in edge_presence(connection))


def _signs(edge: EdgePresence) -> list[tuple[int, float]]:
    """Moments at which it was heard, in order, no moment twice."""
    lives = {moment: 1.0 for moment in (edge.born_us, edge.status_us) if moment is not None}
    if edge.died_us is not None:
        lives.setdefault(edge.died_us, 0.0)
    return sorted(lives.items())
