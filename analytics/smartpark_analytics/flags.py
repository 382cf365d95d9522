"""What can be said about one interval of one point, beside its amount. Bits are stored: never renumber them."""

from enum import IntFlag


class IntervalFlag(IntFlag):
    """Findings of `interval_amounts`; several may hold at once."""

    GAP = 1
    """The amount is not known: a boundary lies where no two readings within `max_gap` stand around it."""
    ESTIMATED = 2
    """Part of the amount was apportioned across a span longer than the nominal one."""
    RESET = 4
    """The register started again from zero; what flowed between the last reading and then is not counted."""
    ROLLOVER = 8
    """The register passed its last digit and went on from zero; the amount is whole."""
    GLITCH = 16
    """A reading that went back or jumped up for a moment was set aside."""
    REPLACED = 32
    """The register went on from another value (another meter?): the step is not counted, the amount not complete."""
    BAD_STATUS = 64
    """A reading whose status is bad was set aside."""
    UNCERTAIN = 128
    """A reading whose status is uncertain was used."""
    CONFLICT = 256
    """Two readings of one instant disagreed; the smaller was used, so that nothing is invented."""
    IMPLAUSIBLE = 512
    """The register rose faster than the point can; the step is not counted, the amount not complete."""
    MULTIPLIER_CHANGED = 1024
    """The multiplier changed between two readings; the earlier one holds until the later reading."""
    METER_CHANGED = 2048
    """The meter was replaced, and what both registers showed was written down: the amount is whole."""
