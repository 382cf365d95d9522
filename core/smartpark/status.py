"""Quality of a reading: the raw 32-bit OPC UA status code, kept as the device gave it.

Sources that have no such codes use the few named here. The two highest bits are the severity
(OPC 10000-4, 7.39): 00 good, 01 uncertain, 10 bad.
"""

from typing import Final

GOOD: Final = 0x0000_0000
"""The value is what the device measured."""
UNCERTAIN: Final = 0x4000_0000
"""The device doubts its own value."""
UNCERTAIN_SUBSTITUTE: Final = 0x4091_0000
"""UncertainSubstituteValue: put in by hand or by rule, not measured."""
UNCERTAIN_OVER_RANGE: Final = 0x4094_0000
"""UncertainEngineeringUnitsExceeded: above the sensor's range, CEMS flag T."""
BAD: Final = 0x8000_0000
"""The device says that the value is useless."""
BAD_NO_DATA: Final = 0x809B_0000
"""BadNoData: the device answered, and had no value."""
BAD_SENSOR_FAILURE: Final = 0x808C_0000
"""BadSensorFailure: sensor or analyser fault, CEMS flag D."""
BAD_OUT_OF_SERVICE: Final = 0x808D_0000
"""BadOutOfService: calibration or maintenance, CEMS flags C and M."""
BAD_SHUTDOWN: Final = 0x800C_0000
"""BadShutdown: the furnace that is watched is off, CEMS flag F: nobody's fault, and not a zero."""

_SEVERITY: Final = 0xC000_0000


def is_good(code: int) -> bool:
    """Whether the severity bits say good."""
    return code & _SEVERITY == 0


def is_bad(code: int) -> bool:
    """Whether the severity bits say bad (uncertain values stay usable, with their flag)."""
    return code & BAD != 0


def as_int32(code: int) -> int:
    """Two's complement of the unsigned code: how a signed 32-bit column holds it."""
    return code - 0x1_0000_0000 if code & BAD else code


def as_uint32(stored: int) -> int:
    """Undo `as_int32`."""
    return stored & 0xFFFF_FFFF
