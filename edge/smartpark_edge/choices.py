"""The words that settings and commands choose from. It imports nothing: every `smartpark` command passes here."""

from enum import StrEnum


class Protocol(StrEnum):
    """Version of MQTT. Every broker speaks 3.1.1; 5 adds a say in how long a session is kept."""

    V5 = "5"
    V311 = "3.1.1"


class WhenFull(StrEnum):
    """What a full spool gives up."""

    DROP_OLDEST = "drop-oldest"
    DROP_NEWEST = "drop-newest"


class OpcUaSecurity(StrEnum):
    """Security policy and mode."""

    NONE = "none"
    SIGN = "basic256sha256-sign"
    SIGN_AND_ENCRYPT = "basic256sha256-sign-and-encrypt"


class OpcUaMode(StrEnum):
    """How values are fetched."""

    SUBSCRIBE = "subscribe"
    POLL = "poll"
