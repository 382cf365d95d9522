"""How numbers, units, ages and instants look on a page, in both languages.

Thousands are set apart by a narrow no-break space, a value that is not known is a dash; never a zero.
"""

from datetime import datetime
from typing import Final

from smartpark.clock import PARK_ZONE
from smartpark.indicators import INDICATORS
from smartpark.measurands import CARRIER_WORDS, MEANINGS, Carrier, Measurand

from smartpark_api.words import Words

DASH: Final = "—"
THIN: Final = "\u202f"
MINUS: Final = "\u2212"

_UNITS: Final = {
    "1": "",
    "%": "%",
    "Cel": "°C",
    "deg": "°",
    "m3": "m³",
    "m3/h": "m³/h",
    "kg/m3": "kg/m³",
    "GJ/m3": "GJ/m³",
    "mg/m3": "mg/m³",
    "ug/m3": "µg/m³",
    "W/m2": "W/m²",
}

_SHORT_NAMES: Final = {
    Measurand.SO2_CONCENTRATION: ("SO₂", "SO₂"),
    Measurand.NOX_CONCENTRATION: ("NOₓ", "NOₓ"),
    Measurand.DUST_CONCENTRATION: ("颗粒物", "dust"),
    Measurand.O2_CONTENT: ("O₂", "O₂"),
    Measurand.FLUE_GAS_FLOW: ("标干流量", "flow, dry"),
    Measurand.FLUE_GAS_MOISTURE: ("湿度", "moisture"),
    Measurand.AMBIENT_PM25: ("PM2.5", "PM2.5"),
    Measurand.AMBIENT_PM10: ("PM10", "PM10"),
    Measurand.AMBIENT_SO2: ("SO₂", "SO₂"),
    Measurand.AMBIENT_NO2: ("NO₂", "NO₂"),
    Measurand.AMBIENT_O3: ("O₃", "O₃"),
    Measurand.AMBIENT_CO: ("CO", "CO"),
    Measurand.RELATIVE_HUMIDITY: ("湿度", "humidity"),
}
"""Names that are enough in a tile that already says stack or air station."""


def number(value: float | None, digits: int | None = None) -> str:
    r"""A number with as many decimals as its size deserves, or exactly `digits`.

    >>> number(12345.6), number(-3.14159), number(None)
    ('12\u202f346', '−3.14', '—')
    """
    if value is None:
        return DASH
    decimals = _digits_for(round(abs(value), 1)) if digits is None else digits
    text = f"{abs(value):,.{decimals}f}".replace(",", THIN)
    is_negative = value < 0 and any(c in "123456789" for c in text)
    return (MINUS if is_negative else "") + text


def _digits_for(size: float) -> int:
    if size >= 1000:
        return 0
    return 1 if size >= 100 else 2


def percent(share: float | None) -> str:
    r"""A share of one as percent; what is not quite all never reads as 100 %, nor a little as nothing.

    >>> percent(0.99996), percent(1.0), percent(0.0001)
    ('99.9\u202f%', '100\u202f%', '<\u202f0.1\u202f%')
    """
    if share is None:
        return DASH
    if 0 < share < 0.001:
        return f"<{THIN}0.1{THIN}%"
    if share >= 1:
        return f"{share * 100:.0f}{THIN}%"
    return f"{min(share * 100, 99.9):.1f}{THIN}%"


def bare_percent(share: float | None) -> str:
    r"""A share in percent without its sign, for a table whose rows name the unit.

    >>> bare_percent(0.99996), bare_percent(0.4271)
    ('99.9', '42.7')
    """
    return percent(share).removesuffix(f"{THIN}%")


def exactly(value: float | None) -> str:
    """Every digit there is, so that it can be added up."""
    return DASH if value is None else repr(value)


def why_chosen(why: str, words: Words) -> str:
    """Why a factor was chosen: the rule in the visitor's language, then as it is recorded."""
    rules = [key.partition(".")[2] for key in words.entries if key.startswith("chosen.")]
    found = next((rule for rule in rules if f": {rule}" in why), None)
    return why if found is None else f"{words('chosen.' + found)} ({why})"


def unit(code: str) -> str:
    """A unit as people write it.

    >>> unit("ug/m3")
    'µg/m³'
    """
    return _UNITS.get(code, code)


def clock(instant: datetime | None) -> str:
    """Time of day in the park's zone."""
    return DASH if instant is None else instant.astimezone(PARK_ZONE).strftime("%H:%M:%S")


def day_and_clock(instant: datetime | None) -> str:
    """Day and time in the park's zone."""
    return DASH if instant is None else instant.astimezone(PARK_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def day_and_minute(instant: datetime | None) -> str:
    """The same without the seconds, for what people only want to place."""
    return DASH if instant is None else instant.astimezone(PARK_ZONE).strftime("%Y-%m-%d %H:%M")


def age(seconds: float | None, words: Words) -> str:
    """How long ago, in the coarsest unit that still says something."""
    if seconds is None:
        return words("age.none")
    if seconds < 1:
        return words("age.now")
    count, name = _coarse(seconds)
    return words(f"age.{name}", n=count)


def span(seconds: float | None, words: Words) -> str:
    """A length of time, as coarse."""
    if seconds is None:
        return DASH
    count, name = _coarse(max(seconds, 0))
    return words(f"span.{name}", n=count)


def measured(value: float | None, code: str, words: Words) -> str:
    """A value with its unit; seconds in whole ones, from a minute on in hours and minutes.

    >>> from smartpark_api.words import Language, words_of
    >>> english = words_of(Language.EN)
    >>> measured(9000, "s", english), measured(0.4, "s", english), measured(541.2, "kW", english)
    ('2 h 30 min', '0 s', '541.2 kW')
    """
    if value is not None and code == "s":
        seconds = round(abs(value))
        minutes = round(seconds / 60)
        parts = [("hours", minutes // 60), ("minutes", minutes % 60)] if seconds >= 60 else [("seconds", seconds)]
        said = " ".join(words(f"span.{name}", n=count) for name, count in parts if count or name == "seconds")
        return f"{MINUS}{said}" if value < 0 and seconds else said
    return f"{number(value)} {unit(code)}".strip() if value is not None else DASH


def _coarse(seconds: float) -> tuple[int, str]:
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        # Two of a unit before it is used: 90 min says more than 1 h.
        if seconds >= 2 * size:
            return int(seconds // size), name
    return int(seconds), "seconds"


def measurand_name(measurand: str, words: Words) -> str:
    """What a point measures, short where everybody understands it."""
    known = Measurand(measurand)
    return words.either(*_SHORT_NAMES.get(known, (MEANINGS[known].zh, MEANINGS[known].en)))


def term_name(meter: str, measurand: str, words: Words) -> str:
    """A meter of an explanation: its code and what it measures, or the indicator that stands in a meter's place."""
    if meter in INDICATORS:
        return words.either(INDICATORS[meter].zh, INDICATORS[meter].en)
    _, _, rest = meter.partition("/")
    device, _, _ = rest.partition("/")
    is_known = bool(device) and measurand in set(Measurand)
    return f"{device} {measurand_name(measurand, words)}" if is_known else rest or meter


def carrier_name(carrier: str, words: Words) -> str:
    """What flows through a meter."""
    return words.either(*CARRIER_WORDS[Carrier(carrier)])
