"""Items of a data packet of HJ 212: what is told of each factor, in the words of the standard.

A value that is not there is not written: no zero and no dash stands for it, only its mark says what was the matter.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from smartpark.uplinks.hj212_factors import ToldFactor
from smartpark.uplinks.hj212_segments import Item, data_time
from smartpark.uplinks.hj212_settings import DataTime, Missing

NORMAL: Final = "N"
NO_DATA: Final = "B"
"""Mark of what has not come: communication."""


def written(value: float, decimals: int) -> str:
    """A number as it is told: so many digits behind the point at most, and no zeros at the end.

    >>> written(35.2, 3), written(120000.0, 3), written(33.33333, 3), written(-0.0001, 2), written(1e-7, 9)
    ('35.2', '120000', '33.333', '0', '0.0000001')
    """
    text = f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def told_value(factor: ToldFactor, value: float | None) -> str | None:
    """A value in the unit of the factor; None stays None."""
    return None if value is None else written(value * factor.times / factor.per, factor.decimals)


def told_total(factor: ToldFactor, value: float | None) -> str | None:
    """A total in its unit; None stays None."""
    return None if value is None else written(value * factor.total_times / factor.total_per, factor.decimals)


def factor_item(
    factor: ToldFactor, fields: Sequence[tuple[str, str | None]], letter: str, missing: Missing
) -> Item | None:
    """Item of a factor: what is known of its fields, and its mark; None: nothing is told of it.

    Parameters
    ----------
    factor : ToldFactor
    fields : sequence of (str, str or None)
        Suffix and text: ``("Avg", "35.2")``.
    letter : str
        Mark.
    missing : Missing
        Whether the mark is told alone.
    """
    known = [(f"{factor.code}-{suffix}", text) for suffix, text in fields if text is not None]
    if not known and missing is Missing.OMIT:
        return None
    # A mark that says normal beside no value would be a lie.
    mark = NO_DATA if not known and letter == NORMAL else letter
    return (*known, (f"{factor.code}-Flag", mark))


def packet_items(moment: datetime, items: Sequence[Item | None]) -> list[Item] | None:
    """All items of a packet under its time; None: no factor has anything to be told."""
    told = [item for item in items if item is not None]
    return [(("DataTime", data_time(moment)),), *told] if told else None


def named_time(start: datetime, length: timedelta, which: DataTime) -> datetime:
    """The end of a period that its ``DataTime`` names."""
    return start if which is DataTime.START else start + length
