"""What was compared, and what came of it. A step is done at once, or, in a dry run, only noted."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Action(StrEnum):
    """What a step does."""

    MAKE = "make"
    CHANGE = "change"
    REMOVE = "remove"
    KEEP = "keep"
    LEAVE = "leave"
    """Not ours: from files, or not declared."""
    PROBLEM = "problem"


WRITES = frozenset({Action.MAKE, Action.CHANGE, Action.REMOVE})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of the server."""

    organisation: str
    """Empty where it belongs to the whole server."""
    kind: str
    name: str
    action: Action
    detail: str = ""

    def __str__(self) -> str:
        """As people read it."""
        where = f"{self.organisation}: " if self.organisation else ""
        return f"{self.action.value:<8}{where}{self.kind} {self.name}" + (f" ({self.detail})" if self.detail else "")


@dataclass
class Book:
    """Steps so far."""

    dry: bool = False
    heard: Callable[[Step], object] = lambda _: None
    """Told of each step, after it is done."""
    steps: list[Step] = field(default_factory=list[Step])

    def do(self, step: Step, write: Callable[[], Any] | None = None) -> Any:
        """Do a step and note it; the answer is what writing gave, None in a dry run."""
        answer = write() if write is not None and not self.dry else None
        self.steps.append(step)
        self.heard(step)
        return answer

    @property
    def writes(self) -> list[Step]:
        """Those that changed, or would change, the server."""
        return [step for step in self.steps if step.action in WRITES]

    @property
    def problems(self) -> list[Step]:
        """Those that somebody must look at."""
        return [step for step in self.steps if step.action is Action.PROBLEM]

    def rows(self) -> list[Json]:
        """For machines."""
        return [asdict(step) for step in self.steps]


def differences(wanted: Any, found: Any, *, at: str = "") -> list[str]:
    """Places where something wanted is not found; what is there besides is Grafana's own, and no difference.

    Examples
    --------
    >>> differences({"a": 1, "b": [{"c": 2}]}, {"a": 1, "b": [{"c": 3, "id": 7}], "version": 4})
    ['b[0].c']
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        pairs = [(f"{at}.{key}" if at else str(key), value, found.get(key)) for key, value in wanted.items()]
    elif isinstance(wanted, list | tuple) and isinstance(found, list | tuple) and len(wanted) == len(found):
        pairs = [(f"{at}[{n}]", *pair) for n, pair in enumerate(zip(wanted, found, strict=True))]
    else:
        return [] if wanted == found else [at]
    return [place for name, one, other in pairs for place in differences(one, other, at=name)]
