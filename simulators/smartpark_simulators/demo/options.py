"""What the command line of the demo says."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line says."""

    data: Path | None
    run_for_s: float | None
    as_json: bool
    port: int
    faults: str
    backfill_days: float
    seed: int
    broker_kind: str = "auto"

    @property
    def is_headless(self) -> bool:
        """Nobody watches: no browser, and it ends by itself."""
        return self.as_json or self.run_for_s is not None
