"""What the page needs to show what stands behind a number: names, and where a published number is explained."""

from datetime import datetime
from typing import Final

from smartpark.clock import PARK_ZONE, parse_instant
from smartpark.periods import Grain, period_containing

from smartpark_api.explaining.input_models import FigureBehindOut, NumberBehindOut
from smartpark_api.explaining.names import names
from smartpark_api.explaining.questions import period_text


class Behind:
    """Helpers of the template ``_behind.html``."""

    _names: Final = names()

    def name(self, code: str) -> tuple[str, str]:
        """Name in Chinese and English."""
        return self._names[code]

    @staticmethod
    def when(number: NumberBehindOut) -> str:
        """Period of a published number, as its explanation's address has it."""
        start: datetime = number.start
        return period_text(period_containing(start, Grain(number.grain)))

    @staticmethod
    def on(figure: FigureBehindOut) -> str:
        """Day and time at which a figure was entered."""
        return f"{parse_instant(figure.recorded_at).astimezone(PARK_ZONE):%Y-%m-%d %H:%M}"
