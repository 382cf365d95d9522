"""Parts on a Dask cluster: what the cluster knows is which parts there are, and where each is computed.

Every worker needs this package and, in its own environment, the database's address: no address and no password
travels. A worker that dies is Dask's to notice; it gives the part to another one. Needs the extra `cluster`.
"""

from collections.abc import Callable, Sequence
from typing import Final

from smartpark.errors import SmartparkError

from smartpark_ingest.recompute import Part, RecomputeReport, recompute_part

RETRIES: Final = 3
"""How often a part that failed is tried again, on whichever worker is free."""
CONNECT_TIMEOUT_S: Final = 20


class ClusterError(SmartparkError):
    """The cluster cannot be used."""


def recompute_on_cluster(
    parts: Sequence[Part], scheduler: str, progress: Callable[[Part, int], None]
) -> RecomputeReport:
    """Compute parts anew on the workers of a Dask scheduler, e.g. ``tcp://scheduler:8786``."""
    try:
        from distributed import Client, KilledWorker, as_completed  # noqa: PLC0415  only those who have a cluster need it
    except ImportError as error:
        raise ClusterError("--scheduler needs Dask: pip install 'smartpark-ingest[cluster]'") from error
    report = RecomputeReport()
    try:
        client = Client(scheduler, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler at {scheduler}: {error}") from error
    with client:
        # Never the result of an earlier run: the same part of other readings is another part.
        futures = {client.submit(recompute_part, part, pure=False, retries=RETRIES): part for part in parts}
        for future in as_completed(futures, loop=client.loop):
            part = futures[future]
            try:
                report.add(future.result())
            except KilledWorker as error:
                raise ClusterError(
                    f"{part.month} of {part.park} has ended several workers; what was computed before is kept"
                ) from error
            progress(part, len(part.days))
    return report
