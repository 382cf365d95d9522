"""Uplinks: telling platforms elsewhere what is published here, in their words. What all kinds have in common.

A file of settings describes one uplink: its name and kind, how it is delivered, and which published number is which
item of the platform's. The codecs beside this file turn numbers into what goes over the line, and answers into
verdicts. Nothing in this folder opens a connection, asks the clock, or reads a secret.
"""

import hashlib
import json
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from smartpark.indicators import INDICATORS
from smartpark.periods import Grain
from smartpark.tomlfile import StrictModel

UplinkName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]


def _published(code: str) -> str:
    if code not in INDICATORS:
        raise ValueError(f"there is no indicator {code!r}; `smartpark indicators` lists them")
    return code


def _published_grain(grain: Grain) -> Grain:
    if grain is Grain.QUARTER_HOUR:
        raise ValueError("numbers are published by hour, day, month and year; write one of these")
    return grain


IndicatorCode = Annotated[str, AfterValidator(_published)]
PublishedGrain = Annotated[Grain, AfterValidator(_published_grain)]


class UplinkHead(StrictModel):
    """Table ``uplink``: which one it is. Each kind adds its own ``kind``."""

    name: UplinkName
    """Under which the queue is kept; a new name begins with an empty one."""


class Delivery(StrictModel):
    """Table ``delivery``: how what is queued leaves, whatever the protocol."""

    since: date
    """First day that is told."""
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    """For so long must a number have stood unchanged before it is queued."""
    live_for_h: Annotated[float, Field(gt=0, le=24 * 62)] = 48.0
    """A period that began longer ago is backlog."""
    live_first: bool = True
    """What is live goes before the backlog; else everything goes oldest first."""
    batch: Annotated[int, Field(ge=1, le=5_000)] = 100
    """Items told at once."""
    backlog_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """Items of the backlog that are told in a minute, at most."""
    first_wait_s: Annotated[float, Field(gt=0, le=3_600)] = 10.0
    """Before something that did not work is tried again; it doubles each time."""
    longest_wait_s: Annotated[float, Field(gt=0, le=86_400)] = 3_600.0
    keep_days: Annotated[int, Field(ge=183, le=36_500)] = 400
    """For so long is a period looked after, and is it on record what was acknowledged. At least half a year."""
    lease_s: Annotated[float, Field(ge=1, le=3_600)] = 60.0
    """A worker that does not move for so long loses its turn to another one."""
    poll_s: Annotated[float, Field(gt=0, le=3_600)] = 5.0
    """Wait after a round in which nothing was to be told."""
    plan_s: Annotated[float, Field(gt=0, le=3_600)] = 30.0
    """How often is looked for what is due among live periods."""
    look_back_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    """How often among all periods that are looked after: late data and corrections of long ago."""


class Source(StrictModel):
    """A published series."""

    park: Annotated[str, Field(min_length=1)]
    boundary: Annotated[str, Field(pattern=r"^(park|(sub_park|enterprise)/.+)$")] = "park"
    """``park``, ``sub_park/CODE`` or ``enterprise/CODE``."""
    indicator: IndicatorCode
    grain: PublishedGrain


def wait_s(failures: int, *, first_s: float, longest_s: float, jitter: float) -> float:
    """How long until the next attempt, after so many in a row that failed.

    Parameters
    ----------
    failures : int
        At least 1.
    first_s, longest_s : float
        Wait after the first, and at most. [s]
    jitter : float
        A random number of the caller's; takes up to a quarter off, so that many do not come back at once. [0-1]

    Examples
    --------
    >>> [wait_s(n, first_s=10, longest_s=3600, jitter=0) for n in (1, 2, 3, 50)]
    [10.0, 20.0, 40.0, 3600.0]
    >>> wait_s(1, first_s=10, longest_s=3600, jitter=1)
    7.5
    """
    return min(longest_s, first_s * 2 ** min(failures - 1, 30)) * (1 - jitter / 4)


def digest_of(*parts: object) -> str:
    """Short digest of what is told, by which it is known that it was told already.

    Examples
    --------
    >>> digest_of("a", 1.0) == digest_of("a", 1.0) != digest_of("a", 1.5)
    True
    """
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]
