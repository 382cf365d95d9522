"""The time of a plan: it goes as the clock goes, and stands still while the park has not got over what it had.

Faults that come faster than a machine can get over them teach nothing: on a slow and busy one each would only find
the park as the last has left it. So the next fault waits while the park has not got over an earlier one for half a
minute. On a machine that keeps up the plan never waits. Same faults, same order, everywhere.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from smartpark_simulators.chaos.plan import Strike

PATIENCE_S = 30.0
_LONGEST_STEP_S = 1.0
"""Who asks more rarely has been away himself: that is no time of the plan. [s]"""


@dataclass(slots=True)
class Pace:
    """The time of one plan.

    Examples
    --------
    >>> from smartpark_simulators.chaos.plan import Kind
    >>> now = [100.0]
    >>> pace, strike = Pace(clock=lambda: now[0]), Strike(1.0, Kind.CUT, "intake", 1.0)
    >>> for now[0] in range(100, 105):
    ...     pace.tick()
    >>> pace.elapsed_s, pace.held_s
    (4.0, 0.0)
    >>> pace.begins(strike)
    >>> for now[0] in range(105, 145):
    ...     pace.tick()
    >>> pace.elapsed_s, pace.held_s
    (35.0, 9.0)
    >>> pace.is_over(strike)
    >>> now[0] = 145
    >>> pace.tick()
    >>> pace.elapsed_s
    36.0
    """

    clock: Callable[[], float] = time.monotonic
    elapsed_s: float = 0.0
    held_s: float = 0.0
    """How long it stood still."""
    _last_s: float | None = None
    _open: dict[Strike, float] = field(default_factory=dict[Strike, float])

    def tick(self) -> None:
        """Some time has passed; to be called several times a second."""
        now_s = self.clock()
        step_s = min(now_s - (now_s if self._last_s is None else self._last_s), _LONGEST_STEP_S)
        self._last_s = now_s
        if any(now_s - begun_s > PATIENCE_S + strike.length_s for strike, begun_s in self._open.items()):
            self.held_s += step_s
        else:
            self.elapsed_s += step_s

    def begins(self, strike: Strike) -> None:
        """A fault begins, or waits for its turn."""
        self._open[strike] = self.clock()

    def is_over(self, strike: Strike) -> None:
        """The park has got over it, or never will."""
        self._open.pop(strike, None)
