"""The closed list of reasons for dead letters. It imports nothing: every `smartpark` command passes here."""

from enum import StrEnum


class DeadReason(StrEnum):
    """Why something could not be stored as a reading."""

    UNKNOWN_POINT = "unknown_point"
    UNKNOWN_ALIAS = "unknown_alias"
    IMPOSSIBLE_VALUE = "impossible_value"
    CLOCK_OUT_OF_RANGE = "clock_out_of_range"
    MALFORMED = "malformed"
    UNMAPPED = "unmapped"
    CONFLICTING_VALUE = "conflicting_value"
    OTHER = "other"
