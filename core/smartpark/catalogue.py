"""The park catalogue: park → sub-park → enterprise → device → point, as people write it in TOML.

It says what exists and what it is; it holds no readings, no addresses and no secrets (those are the edge's
settings). A catalogue is refused whole when anything in it is wrong, with every problem named by file and key.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationError, model_validator

from smartpark.catalogue_check import reference_problems
from smartpark.errors import InvalidFileError, Problem
from smartpark.measurands import MEANINGS, Carrier, Kind, Measurand, Ratio
from smartpark.price_plans import price_plans_in_use
from smartpark.tomlfile import StrictModel, load_toml, problems_of

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Characters of a unified social credit code (GB 32100-2015, 4.2): no I, O, S, V, Z."""


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a code: letters, digits, '.', '_' and '-', starting with a letter or digit, "
            "at most 63 characters"
        )
    return text


def uscc_check_character(first17: str) -> str:
    """Check character of a unified social credit code: weights 3^i mod 31 (GB 32100-2015, 5)."""
    total = sum(_USCC_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(first17))
    return _USCC_ALPHABET[-total % 31]


def _uscc(text: str) -> str:
    if len(text) != 18 or any(c not in _USCC_ALPHABET for c in text):
        raise ValueError(f"{text!r} is not a unified social credit code: 18 digits and capitals without I O S V Z")
    if text[17] != uscc_check_character(text[:17]):
        raise ValueError(f"{text!r}: check character should be {uscc_check_character(text[:17])!r}")
    return text


def _region(text: str) -> str:
    if not re.fullmatch(r"\d{6}", text):
        raise ValueError(f"{text!r} is not a GB/T 2260 region code: six digits, e.g. 350121")
    return text


def exponent_of(resolution: str) -> int:
    """Decimal exponent of a resolution such as ``"0.01"``: -2; only powers of ten are registers' steps."""
    try:
        step = Decimal(resolution).normalize()
    except InvalidOperation:
        raise ValueError(f'{resolution!r} is not a resolution; write a power of ten in quotes, e.g. "0.01"') from None
    sign, digits, exponent = step.as_tuple()
    if sign or digits != (1,) or not isinstance(exponent, int) or not -12 <= exponent <= 9:
        raise ValueError(f"{resolution!r} is not a power of ten between 1e-12 and 1e9")
    return exponent


def _resolution(value: object) -> object:
    if isinstance(value, float | int):
        raise ValueError(f'write the resolution in quotes, "{value}", so that it stays exact')  # noqa: TRY004  pydantic wants ValueError
    return value


Code = Annotated[str, AfterValidator(_code)]
Uscc = Annotated[str, AfterValidator(_uscc)]
RegionCode = Annotated[str, AfterValidator(_region)]
Resolution = Annotated[str, BeforeValidator(_resolution), AfterValidator(lambda r: (exponent_of(r), r)[1])]
Positive = Annotated[float, Field(gt=0)]


class Terrain(StrEnum):
    """Peer groups of the provincial evaluation differ by terrain."""

    COASTAL = "coastal"
    MOUNTAIN = "mountain"


class DeviceKind(StrEnum):
    """What stands there."""

    METER = "meter"
    STATION = "station"
    STACK = "stack"


class Role(StrEnum):
    """How a meter counts in the energy balance of its park."""

    BOUNDARY = "boundary"
    """Energy crosses the park's boundary here: what goes through is the park's purchase (or sale)."""
    GENERATION = "generation"
    """Energy is made inside the boundary here (photovoltaic, own turbine)."""
    DISTRIBUTION = "distribution"
    """Splits what its parent measured: feeders, transformers."""
    CONSUMPTION = "consumption"
    """A tenant's or a process's use."""
    NONE = "none"
    """Not an energy flow: air stations, stacks."""


class Furnace(StrEnum):
    """Where a fuel burns: decides how much of its sulfur leaves the stack."""

    CHAIN_GRATE = "chain_grate"
    PULVERISED = "pulverised"
    FLUIDISED_BED = "fluidised_bed"
    OIL_BOILER = "oil_boiler"
    GAS_BOILER = "gas_boiler"
    GAS_TURBINE = "gas_turbine"
    BIOMASS_BOILER = "biomass_boiler"
    KILN = "kiln"
    ENGINE = "engine"


class PressureReference(StrEnum):
    """What a pressure is counted from."""

    ABSOLUTE = "absolute"
    """From vacuum."""
    GAUGE = "gauge"
    """From the air around the instrument (表压)."""


class BasicCharge(StrEnum):
    """How the fixed part of a two-part tariff is charged (发改办价格〔2016〕1583号)."""

    CAPACITY = "capacity"
    """By the transformer capacity. [kVA]"""
    CONTRACT_DEMAND = "contract_demand"
    """By the demand agreed on, 105 % rule. [kW]"""
    ACTUAL_DEMAND = "actual_demand"
    """By the month's maximum demand. [kW]"""
    NONE = "none"
    """One-part tariff."""


class Park(StrictModel):
    """The park as a whole; ratios are formed over it and its sub-parks."""

    code: Code
    name: str
    name_en: str
    region: RegionCode
    terrain: Terrain
    peer_class: Annotated[int, Field(ge=1, le=4)]
    area_mu: Positive
    """Industrial land, supplied or built. 1 mu = 10000/15 m2."""
    time_zone: Literal["Asia/Shanghai"] = "Asia/Shanghai"
    contract_demand_kw: Positive | None = None
    electricity_factor_scope: str = "provincial:FJ"
    """Whose grid average counts for location-based carbon."""


class SubPark(StrictModel):
    """One of several parks under one zone (一区多园)."""

    code: Code
    name: str
    name_en: str
    area_mu: Positive | None = None
    terrain: Terrain | None = None
    """Where it differs from the zone's."""


class Enterprise(StrictModel):
    """A tenant."""

    code: Code
    name: str
    name_en: str
    uscc: Uscc
    sub_park: Code | None = None
    is_above_scale: bool = False
    industry: str | None = None
    """Class of GB/T 4754, e.g. C3120."""
    area_mu: Positive | None = None
    contract_demand_kw: Positive | None = None


class Transformer(StrictModel):
    """A transformer of the park or of a tenant; load rate is apparent power over `rated_kva`."""

    code: Code
    name: str
    rated_kva: Positive
    voltage_kv: Positive
    sub_park: Code | None = None
    enterprise: Code | None = None
    feeder: Code | None = None
    """The feeder that it hangs on; none: it is a main transformer, or nobody said."""
    station: Code | None = None
    """Transformers of the same station stand in for each other (N-1); none: nothing stands in for it."""


class Feeder(StrictModel):
    """A line from a main transformer; its capacity bounds what may be connected behind it."""

    code: Code
    name: str
    rated_kva: Positive
    """What it may carry for long: sqrt(3) x nominal voltage x rated current."""
    main_transformer: Code | None = None
    sub_park: Code | None = None


class Contract(StrictModel):
    """What was agreed on with the utility, for a span of time."""

    code: Code
    enterprise: Code | None = None
    """Whose; none: the park's."""
    valid_from: date
    valid_to: date | None = None
    """Day after the last; none: until further notice."""
    basic_charge: BasicCharge
    contract_demand_kw: Positive | None = None
    capacity_kva: Positive | None = None
    """Transformers and high-voltage motors together."""
    power_factor_standard: Literal["0.90", "0.85", "0.80"] | None = None
    """In quotes, so that it stays exact; none: not adjusted."""
    price_plan: str | None = None
    settlement_day: Annotated[int, Field(ge=1, le=28)] = 1
    """Day of the month whose midnight ends the billing month (抄表例日)."""

    @model_validator(mode="after")
    def _is_whole(self) -> "Contract":
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} is not after valid_from {self.valid_from}")
        if self.basic_charge is BasicCharge.CONTRACT_DEMAND and self.contract_demand_kw is None:
            raise ValueError("a charge by contract demand needs contract_demand_kw")
        if self.basic_charge is BasicCharge.CAPACITY and self.capacity_kva is None:
            raise ValueError("a charge by capacity needs capacity_kva")
        return self


class PointTemplate(StrictModel):
    """One measured quantity of a device."""

    measurand: Measurand
    code: Code | None = None
    """Name within the device; default the measurand. Needed where one measurand occurs per phase."""
    resolution: Resolution | None = None
    """Step of the value as the device gives it, a power of ten in quotes; none: stored as float64."""
    register_digits: Annotated[int, Field(ge=1, le=18)] | None = None
    """Digits of the register, decimals included: it rolls over at 10**digits steps. Counters only."""
    multiplier: Positive | None = None
    """Overrides the CT and PT ratios of the device."""
    max_rate: Positive | None = None
    """Fastest plausible movement of a counter on the primary side, in its unit per hour: a faster step is not
    counted. None: whatever it shows is believed."""

    @property
    def point_code(self) -> str:
        """Name of the point within its device."""
        return self.code or self.measurand.value

    @model_validator(mode="after")
    def _registers_have_a_step(self) -> "PointTemplate":
        if self.register_digits is not None:
            if MEANINGS[self.measurand].kind is not Kind.COUNTER:
                raise ValueError(f"register_digits is for counters; {self.measurand} is a gauge")
            if self.resolution is None:
                raise ValueError("register_digits needs a resolution: digits count its steps")
        if self.max_rate is not None and MEANINGS[self.measurand].kind is not Kind.COUNTER:
            raise ValueError(f"max_rate is for counters; {self.measurand} is a gauge")
        return self


class Profile(StrictModel):
    """A list of points that many devices share."""

    code: Code
    point: Annotated[tuple[PointTemplate, ...], Field(min_length=1)]


class Device(StrictModel):
    """A meter, an air station or a stack."""

    code: Code
    name: str
    name_en: str
    kind: DeviceKind
    carrier: Carrier
    role: Role = Role.NONE
    profile: Code | None = None
    point: tuple[PointTemplate, ...] = ()
    """Points of its own, beside those of the profile."""
    sub_park: Code | None = None
    enterprise: Code | None = None
    parent: Code | None = None
    """The meter upstream that also measures what this one does."""
    transformer: Code | None = None
    internal_transfer: bool = False
    """Energy handed on inside the park; left out of the park's sum."""
    ct_ratio: Positive = 1.0
    pt_ratio: Positive = 1.0
    model: str | None = None
    """Device model, as in the edge's library of models; for people and for `edge check`."""
    installed_on: date | None = None
    accuracy_class: Annotated[float, Field(gt=0, le=10)] | None = None
    """Limit of its error in percent of the reading, e.g. 0.5; none: nobody said, and no uncertainty is stated."""
    is_feedstock: bool = False
    """Energy used as raw material (原料用能): energy under GB/T 2589, left out under dual control."""
    nominal_voltage_v: Positive | None = None
    """Nominal voltage where it measures, as its voltage points show it on the primary side."""
    furnace: Furnace | None = None
    """Where the fuel burns that it measures, or whose stack it watches."""
    o2_reference_pct: Annotated[float, Field(ge=0, lt=20.9)] | None = None
    """Reference oxygen content of a stack; none: that of its `emission_limit`."""
    emission_limit: str | None = None
    """Limit set that a stack is held to."""
    pressure_reference: PressureReference = PressureReference.ABSOLUTE
    """What its pressure points count from: steam by enthalpy needs absolute pressure."""


class VirtualMeter(StrictModel):
    """A meter that is computed: an expression over other meters, e.g. ``"M1 - M2 - 0.5 * M3"``."""

    code: Code
    name: str
    name_en: str
    expression: Annotated[str, Field(min_length=1, max_length=1000)]
    """Over codes of devices or of virtual meters, in quotes where they hold signs: ``"'M-1' + M2"``."""
    carrier: Carrier
    measurand: Measurand = Measurand.ACTIVE_ENERGY_IMPORT
    role: Role = Role.NONE
    sub_park: Code | None = None
    enterprise: Code | None = None


class MeterChange(StrictModel):
    """A register that was replaced, as the fitter wrote it down: nothing between the two readings is lost."""

    device: Code
    point: Code
    at: AwareDatetime
    final: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")]
    """What the old register showed last, in quotes, before ratios."""
    initial: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")]
    """What the new register showed first, in quotes."""

    @property
    def key(self) -> str:
        """Names it within the park."""
        return f"{self.device}/{self.point}@{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


class CataloguePoint(StrictModel):
    """A point, resolved: what storage, ingest and analytics need to know of it."""

    key: str
    """``park/device/point``: how everything names it."""
    park: str
    device: str
    code: str
    measurand: Measurand
    kind: Kind
    unit: str
    carrier: Carrier
    exponent: int | None
    """Readings are integers times ten to this; None: float64."""
    register_modulus: int | None
    """Steps at which a counter rolls over; None: unknown."""
    multiplier: float
    """From the value the device gives to the primary value (CT x PT where they apply)."""
    max_rate: float | None = None
    """Fastest plausible movement of a counter. [unit/h]"""


class Catalogue(StrictModel):
    """A whole park, as in one TOML file."""

    park: Park
    sub_park: tuple[SubPark, ...] = ()
    enterprise: tuple[Enterprise, ...] = ()
    feeder: tuple[Feeder, ...] = ()
    transformer: tuple[Transformer, ...] = ()
    contract: tuple[Contract, ...] = ()
    profile: tuple[Profile, ...] = ()
    device: tuple[Device, ...] = ()
    virtual_meter: tuple[VirtualMeter, ...] = ()
    meter_change: tuple[MeterChange, ...] = ()

    def points(self) -> Iterator[CataloguePoint]:
        """Every point of every device, profile points first."""
        for device in self.device:
            for template in self.templates_of(device):
                yield _resolve(self.park.code, device, template)

    def templates_of(self, device: Device) -> tuple[PointTemplate, ...]:
        """Points of a device: those of its profile, then its own."""
        shared = next((p.point for p in self.profile if p.code == device.profile), ())
        return (*shared, *device.point)


def _resolve(park: str, device: Device, template: PointTemplate) -> CataloguePoint:
    meaning = MEANINGS[template.measurand]
    ratio = {
        Ratio.NONE: 1.0,
        Ratio.CT: device.ct_ratio,
        Ratio.PT: device.pt_ratio,
        Ratio.CT_PT: device.ct_ratio * device.pt_ratio,
    }[meaning.ratio]
    return CataloguePoint(
        key=f"{park}/{device.code}/{template.point_code}",
        park=park,
        device=device.code,
        code=template.point_code,
        measurand=template.measurand,
        kind=meaning.kind,
        unit=meaning.unit,
        carrier=device.carrier,
        exponent=None if template.resolution is None else exponent_of(template.resolution),
        register_modulus=None if template.register_digits is None else 10**template.register_digits,
        multiplier=ratio if template.multiplier is None else template.multiplier,
        max_rate=template.max_rate,
    )


def parse_catalogue(document: dict[str, Any], *, file: str) -> Catalogue:
    """Check a parsed document; `InvalidFileError` lists shape problems and broken references together."""
    problems: list[Problem] = []
    catalogue: Catalogue | None = None
    try:
        catalogue = Catalogue.model_validate(document)
    except ValidationError as error:
        problems = problems_of(error, document, file=file)
    # References are checked on the raw document too, so that one misspelt key does not hide ten broken links.
    problems += [Problem(file, key, message) for key, message in reference_problems(document)]
    if problems or catalogue is None:
        raise InvalidFileError(problems)
    return catalogue


def load_catalogue(path: Path) -> Catalogue:
    """Read and check a catalogue file, also against the price plans there are."""
    catalogue = parse_catalogue(load_toml(path), file=str(path))
    known = [plan.code for plan in price_plans_in_use().plan]
    problems = [
        Problem(
            str(path),
            f"contract[{contract.code}].price_plan",
            f"no price plan has the code {contract.price_plan!r}; there are: {', '.join(known)}. "
            "Plans of your own go into the file that SMARTPARK_PRICE_PLANS names",
        )
        for contract in catalogue.contract
        if contract.price_plan is not None and contract.price_plan not in known
    ]
    if problems:
        raise InvalidFileError(problems)
    return catalogue
