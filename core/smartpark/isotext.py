"""Days and instants as people and programs write them in JSON and addresses: ISO 8601 text, never a bare number.

A number might be seconds, milliseconds or days since somebody's epoch, and ``20260101`` is a number too. Values that
are days or instants already pass as they are; whether an instant has an offset is for the type behind.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BeforeValidator, TypeAdapter

_NUMBER: Final = re.compile(r"[\s+-]*\d*\.?\d*\s*", re.ASCII)


def _read_as(kind: type[date]) -> Callable[[object], object]:
    """Reader of text as days or instants; the same whether what stands around it is read strictly or not."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def read(given: object) -> object:
        if given is None or isinstance(given, date):
            return given
        if not isinstance(given, str) or _NUMBER.fullmatch(given):
            raise ValueError("a bare number is no day or instant: write ISO 8601")
        return adapter.validate_python(given)

    return read


IsoDay = Annotated[date, BeforeValidator(_read_as(date))]
"""A day: ``2026-11-23``."""
IsoInstant = Annotated[AwareDatetime, BeforeValidator(_read_as(datetime))]
"""An instant with its offset: ``2026-11-23T08:00:00+08:00``."""
