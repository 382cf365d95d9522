"""Business figures: output, value added, tax, land, products, certificates and budgets, as people report them.

One figure is one number of one kind for one entity (the park, a sub-park, an enterprise) and one month, quarter or
year, with its source document and who entered it. Text as it stands in a table (Chinese words, ``yes``/``否``) and
typed values as an API gives them are both understood; what is not clear is refused with the column named. Nothing is
converted between units or price bases here: a number in another unit is a mistake that should be seen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from smartpark.catalogue import Code
from smartpark.errors import Problem
from smartpark.tomlfile import StrictModel, problems_of

SQUARE_METRES_PER_MU: Final = 10_000.0 / 15.0
"""1 mu (亩). [m2]"""


class FigureGrain(StrEnum):
    """Length of a figure's period."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True, order=True)
class FigurePeriod:
    """Accounting period of a figure: calendar dates in the park's zone."""

    first: date
    """First day."""
    grain: FigureGrain

    @property
    def months(self) -> tuple[date, ...]:
        """First days of its months."""
        count = {FigureGrain.MONTH: 1, FigureGrain.QUARTER: 3, FigureGrain.YEAR: 12}[self.grain]
        return tuple(self.first.replace(month=self.first.month + n) for n in range(count))

    def __str__(self) -> str:
        """Write it as people do: 2026-05, 2026Q2, 2026."""
        match self.grain:
            case FigureGrain.MONTH:
                return f"{self.first:%Y-%m}"
            case FigureGrain.QUARTER:
                return f"{self.first:%Y}Q{(self.first.month + 2) // 3}"
            case FigureGrain.YEAR:
                return f"{self.first:%Y}"


def parse_period(text: str) -> FigurePeriod:
    """Read ``2026-05``, ``2026Q2`` or ``2026``; `ValueError` says what a period looks like."""
    match = re.fullmatch(r"(20\d\d)(?:-(0[1-9]|1[0-2])|-?[Qq]([1-4]))?", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a period: write a month 2026-05, a quarter 2026Q2 or a year 2026")
    year, month, quarter = int(match[1]), match[2], match[3]
    if month:
        return FigurePeriod(date(year, int(month), 1), FigureGrain.MONTH)
    if quarter:
        return FigurePeriod(date(year, int(quarter) * 3 - 2, 1), FigureGrain.QUARTER)
    return FigurePeriod(date(year, 1, 1), FigureGrain.YEAR)


class FigureKind(StrEnum):
    """Everything that may be entered."""

    OUTPUT = "output"
    VALUE_ADDED = "value_added"
    REVENUE = "revenue"
    TAX = "tax"
    PRODUCT_OUTPUT = "product_output"
    INDUSTRIAL_LAND = "industrial_land"
    FLOOR_AREA = "floor_area"
    DIRECT_GREEN = "direct_green_mwh"
    GREEN_TRADE = "green_trade_mwh"
    GEC = "gec_mwh"
    GEC_SOLD = "gec_sold_mwh"
    CLEAN_ENERGY = "clean_energy_tce"
    PROCESS_CARBON = "process_carbon_t"
    SOLID_WASTE = "solid_waste_t"
    SOLID_WASTE_USED = "solid_waste_used_t"
    WASTE_HEAT = "waste_heat_gj"
    WASTE_HEAT_USED = "waste_heat_used_gj"
    WATER_TOTAL = "water_total_m3"
    WATER_REUSED = "water_reused_m3"
    QUOTA_PRODUCTS = "quota_products"
    QUOTA_PRODUCTS_LEVEL_2 = "quota_products_level_2"
    ENERGY_BUDGET = "energy_budget_tce"
    CARBON_BUDGET = "carbon_budget_t"
    ENERGY_TARGET = "energy_intensity_target"
    CARBON_TARGET = "carbon_intensity_target"
    PLANNED_VALUE_ADDED = "planned_value_added"


@dataclass(frozen=True, slots=True)
class FigureMeaning:
    """Unit and names of a kind, and what goes with it."""

    unit: str
    """Empty: the row names it."""
    zh: str
    en: str
    priced: bool = False
    """An amount of money that statistics give at current and at constant prices."""
    may_be_negative: bool = False
    is_level: bool = False
    """A state (land, floor area) rather than a flow: parts of a year do not add up to it."""
    yearly: bool = False
    """Only for whole years: budgets and targets."""


_M = FigureMeaning
FIGURES: Final[dict[FigureKind, FigureMeaning]] = {
    FigureKind.OUTPUT: _M("万元", "工业总产值", "gross industrial output", priced=True),
    FigureKind.VALUE_ADDED: _M("万元", "工业增加值", "industrial value added", priced=True, may_be_negative=True),
    FigureKind.REVENUE: _M("万元", "营业收入", "revenue"),
    FigureKind.TAX: _M("万元", "税收", "tax", may_be_negative=True),
    FigureKind.PRODUCT_OUTPUT: _M("", "产品产量", "output of a product"),
    FigureKind.INDUSTRIAL_LAND: _M("亩", "工业用地面积", "industrial land, supplied or built", is_level=True),
    FigureKind.FLOOR_AREA: _M("m2", "总建筑面积", "floor area", is_level=True),
    FigureKind.DIRECT_GREEN: _M("MWh", "绿电直连电量", "renewable electricity over a direct line"),
    FigureKind.GREEN_TRADE: _M("MWh", "绿电交易电量", "traded green power, certificates included"),
    FigureKind.GEC: _M("MWh", "核销绿证电量", "green certificates bought without power and cancelled"),
    FigureKind.GEC_SOLD: _M("MWh", "自发绿电已售绿证电量", "certificates of own generation that were sold"),
    FigureKind.CLEAN_ENERGY: _M("tce", "清洁能源消费量", "consumption of clean energy"),
    FigureKind.PROCESS_CARBON: _M("t", "未计量的工业过程排放", "CO2 of industrial processes that no meter counts"),
    FigureKind.SOLID_WASTE: _M("t", "工业固体废物产生量", "industrial solid waste"),
    FigureKind.SOLID_WASTE_USED: _M("t", "工业固体废物综合利用量", "industrial solid waste made use of"),
    FigureKind.WASTE_HEAT: _M("GJ", "可回收余热余冷余压", "recoverable waste heat, cold and pressure"),
    FigureKind.WASTE_HEAT_USED: _M("GJ", "余热余冷余压利用量", "waste heat, cold and pressure made use of"),
    FigureKind.WATER_TOTAL: _M("m3", "工业用水总量(含重复)", "industrial water, reused water included"),
    FigureKind.WATER_REUSED: _M("m3", "工业重复用水量", "industrial water reused"),
    FigureKind.QUOTA_PRODUCTS: _M("1", "有能耗限额标准的产品数", "products with an energy quota standard"),
    FigureKind.QUOTA_PRODUCTS_LEVEL_2: _M("1", "达到限额2级及以上的产品数", "products at quota level 2 or better"),
    FigureKind.ENERGY_BUDGET: _M("tce", "能耗预算", "energy budget", yearly=True),
    FigureKind.CARBON_BUDGET: _M("t", "碳排放预算", "carbon budget", yearly=True),
    FigureKind.ENERGY_TARGET: _M(
        "tce/万元", "单位增加值能耗目标", "target of energy per value added", priced=True, yearly=True
    ),
    FigureKind.CARBON_TARGET: _M(
        "t/万元", "单位增加值碳排放目标", "target of carbon per value added", priced=True, yearly=True
    ),
    FigureKind.PLANNED_VALUE_ADDED: _M("万元", "计划增加值", "planned value added", priced=True, yearly=True),
}

COLUMNS: Final[dict[str, str]] = {
    "park": "园区",
    "entity": "主体",
    "kind": "指标",
    "product": "产品",
    "period": "期间",
    "value": "数值",
    "unit": "单位",
    "price_basis": "价格口径",
    "is_estimated": "是否估计",
    "source_document": "来源文件",
    "entered_by": "填报人",
    "note": "备注",
}
"""Columns of a table of figures, and their Chinese headings."""

CURRENT_PRICES: Final = "current"
_WITHDRAWN: Final = frozenset({"withdrawn", "撤销"})
_YES: Final = frozenset({"yes", "true", "1", "是"})
_NO: Final = frozenset({"", "no", "false", "0", "否"})
_BY_NAME: Final = {meaning.zh: kind for kind, meaning in FIGURES.items()}


def _entity(text: str) -> str:
    if text == "park":
        return text
    if not re.fullmatch(r"(sub_park|enterprise)/[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", text):
        raise ValueError(f"{text!r} is not an entity: write park, sub_park/CODE or enterprise/CODE")
    return text


def _kind(given: object) -> object:
    if isinstance(given, str):
        name = given.strip()
        if name not in {*FigureKind} and name not in _BY_NAME:
            raise ValueError(f"{given!r} is not a kind of figure; there are: {', '.join(FigureKind)}")
        return _BY_NAME.get(name, name)
    return given


def _number(given: object) -> object:
    if not isinstance(given, str):
        return given
    text = given.strip()
    if text in _WITHDRAWN:
        return None
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text):
        raise ValueError(
            f"{given!r} is not a number: write digits with a point and nothing else, e.g. 12345.6; "
            "an empty cell is no figure, and 'withdrawn' (撤销) takes an earlier one back"
        )
    return float(text)


def _yes_or_no(given: object) -> object:
    if given is None:
        return False
    if not isinstance(given, str):
        return given
    word = given.strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise ValueError(f"{given!r} is neither yes (是) nor no (否)")


def _price_basis(given: object) -> object:
    if not isinstance(given, str):
        return given
    text = given.strip()
    if text in {"", CURRENT_PRICES, "现价"}:
        return CURRENT_PRICES if text else ""
    match = re.fullmatch(r"(?:constant-)?(20\d\d)年?(?:不变价)?", text)
    if match is None or text.isdigit():
        raise ValueError(
            f"{given!r} is not a price basis: write current (现价), or constant-2025 (2025年不变价) by base year"
        )
    return f"constant-{match[1]}"


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("required, and not there")
    return text.strip()


Said = Annotated[str, Field(max_length=500), AfterValidator(_said)]


class BusinessFigure(StrictModel):
    """One number that somebody answers for."""

    park: Code
    entity: Annotated[str, AfterValidator(_entity)] = "park"
    """Whose: ``park``, ``sub_park/CODE`` or ``enterprise/CODE``."""
    kind: Annotated[FigureKind, BeforeValidator(_kind)]
    product: Annotated[str, Field(max_length=100)] = ""
    """Name of the product; for product_output only."""
    period: Annotated[str, AfterValidator(lambda text: str(parse_period(text)))]
    """``2026-05``, ``2026Q2`` or ``2026``."""
    value: Annotated[float | None, BeforeValidator(_number)]
    """None: a figure entered earlier is withdrawn."""
    unit: Annotated[str, Field(max_length=20)] = ""
    """That of the kind; a product has its own."""
    price_basis: Annotated[str, BeforeValidator(_price_basis)] = ""
    """``current`` or ``constant-YEAR``, where the kind has prices."""
    is_estimated: Annotated[bool, BeforeValidator(_yes_or_no)] = False
    source_document: Said
    entered_by: Said
    note: Annotated[str, Field(max_length=500)] = ""

    @property
    def key(self) -> tuple[str, str, str, str, str, str]:
        """What it is a figure of: a later figure of the same key is a revision."""
        return (self.park, self.entity, self.kind.value, self.product, self.price_basis, self.period)

    @property
    def span(self) -> FigurePeriod:
        """Its period."""
        return parse_period(self.period)

    @model_validator(mode="before")
    @classmethod
    def _unit_of_the_kind(cls, document: Any) -> Any:
        if not isinstance(document, dict) or document.get("unit"):
            return document
        given: dict[str, Any] = document
        name = given.get("kind")
        kind = _BY_NAME.get(str(name), name)
        return {**given, "unit": FIGURES[FigureKind(kind)].unit} if kind in {*FigureKind} else given

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "BusinessFigure":
        complaints = [complaint for complaint in _complaints(self) if complaint]
        if complaints:
            raise ValueError("\n".join(complaints))
        return self


def _complaints(figure: BusinessFigure) -> list[str]:
    """What does not fit the kind, a sentence each."""
    meaning, kind = FIGURES[figure.kind], figure.kind
    is_product = kind is FigureKind.PRODUCT_OUTPUT
    return [
        f"unit: {kind} is entered in {meaning.unit}, not in {figure.unit}: convert the value"
        * bool(meaning.unit and figure.unit != meaning.unit),
        "unit: a product needs its unit, e.g. t" * (is_product and not figure.unit),
        "product: product_output needs the name of the product" * (is_product and not figure.product),
        f"product: {kind} is of no product; leave it empty" * (not is_product and bool(figure.product)),
        "entity: products are those of an enterprise: write enterprise/CODE"
        * (is_product and not figure.entity.startswith("enterprise/")),
        f"price_basis: {kind} needs current or constant-YEAR" * (meaning.priced and not figure.price_basis),
        f"price_basis: {kind} has none; leave it empty" * (not meaning.priced and bool(figure.price_basis)),
        f"period: {kind} is for a whole year, e.g. 2026"
        * (meaning.yearly and figure.span.grain is not FigureGrain.YEAR),
        f"value: {kind} cannot be negative"
        * (not meaning.may_be_negative and figure.value is not None and figure.value < 0.0),
    ]


def figure_problems(error: ValidationError, document: Mapping[str, object], *, file: str, row: str) -> list[Problem]:
    """Findings of a row as problems that name file, row and column."""
    problems: list[Problem] = []
    for found in problems_of(error, document, file=file):
        # What concerns several columns at once names them itself.
        for message in found.message.splitlines():
            column, _, rest = message.partition(": ")
            named = not found.key and column in COLUMNS
            problems.append(
                Problem(file, f"{row}, {column if named else found.key}".rstrip(", "), rest if named else message)
            )
    return problems
