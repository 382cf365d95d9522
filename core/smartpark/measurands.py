"""What can be measured: one closed list of measurands, and one of carriers.

Everything else refers to these by name; a measurand that is not here does not exist for the platform.
Units are fixed per measurand: devices that speak another unit are converted by the edge's mapping, once.
The Chinese and English words are what people see (see docs/nomenclature.md).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How the readings of a point combine over time."""

    GAUGE = "gauge"
    """A level at an instant: averages, minima and maxima make sense, differences do not."""
    COUNTER = "counter"
    """A register that only grows until it rolls over, is reset or is replaced."""


class Ratio(StrEnum):
    """Which instrument-transformer ratio stands between the meter's terminals and the primary side."""

    NONE = "none"
    CT = "ct"
    PT = "pt"
    CT_PT = "ct_pt"


class Carrier(StrEnum):
    """What carries the energy or the medium through the meter, or the material a process decomposes."""

    ELECTRICITY = "electricity"
    PHOTOVOLTAIC = "photovoltaic"
    NATURAL_GAS = "natural_gas"
    HEAT = "heat"
    STEAM = "steam"
    WATER = "water"
    RAW_COAL = "raw_coal"
    DIESEL = "diesel"
    FUEL_OIL = "fuel_oil"
    LPG = "lpg"
    LNG = "lng"
    BIOMASS = "biomass"
    COMPRESSED_AIR = "compressed_air"
    OXYGEN = "oxygen"
    NITROGEN = "nitrogen"
    HYDROGEN = "hydrogen"
    FLUE_GAS = "flue_gas"
    AMBIENT_AIR = "ambient_air"
    ANTHRACITE = "anthracite"
    BITUMINOUS = "bituminous"
    LIGNITE = "lignite"
    CLEANED_COAL = "cleaned_coal"
    OTHER_WASHED_COAL = "other_washed_coal"
    MIDDLINGS = "middlings"
    COAL_SLURRY = "coal_slurry"
    BRIQUETTE = "briquette"
    COKE = "coke"
    PETROLEUM_COKE = "petroleum_coke"
    CRUDE_OIL = "crude_oil"
    GASOLINE = "gasoline"
    KEROSENE = "kerosene"
    METHANOL = "methanol"
    ETHANOL = "ethanol"
    REFINERY_GAS = "refinery_gas"
    COKE_OVEN_GAS = "coke_oven_gas"
    BF_GAS = "bf_gas"
    CONVERTER_GAS = "converter_gas"
    PRODUCER_GAS = "producer_gas"
    WATER_GAS = "water_gas"
    BIOGAS = "biogas"
    SOFT_WATER = "soft_water"
    DEAERATED_WATER = "deaerated_water"
    NITROGEN_BY = "nitrogen_by"
    NITROGEN_MAIN = "nitrogen_main"
    CO2_GAS = "co2_gas"
    ACETYLENE = "acetylene"
    CARBIDE = "carbide"
    LIMESTONE = "limestone"
    SODA_ASH = "soda_ash"


CARRIER_WORDS: Final[dict[Carrier, tuple[str, str]]] = {
    Carrier.ELECTRICITY: ("电力", "electricity"),
    Carrier.PHOTOVOLTAIC: ("光伏", "photovoltaic"),
    Carrier.NATURAL_GAS: ("天然气", "natural gas"),
    Carrier.HEAT: ("热力", "heat"),
    Carrier.STEAM: ("蒸汽", "steam"),
    Carrier.WATER: ("水", "water"),
    Carrier.RAW_COAL: ("原煤", "raw coal"),
    Carrier.DIESEL: ("柴油", "diesel"),
    Carrier.FUEL_OIL: ("燃料油", "fuel oil"),
    Carrier.LPG: ("液化石油气", "LPG"),
    Carrier.LNG: ("液化天然气", "LNG"),
    Carrier.BIOMASS: ("生物质", "biomass"),
    Carrier.COMPRESSED_AIR: ("压缩空气", "compressed air"),
    Carrier.OXYGEN: ("氧气", "oxygen"),
    Carrier.NITROGEN: ("氮气", "nitrogen"),
    Carrier.HYDROGEN: ("氢气", "hydrogen"),
    Carrier.FLUE_GAS: ("烟气", "flue gas"),
    Carrier.AMBIENT_AIR: ("环境空气", "ambient air"),
    Carrier.ANTHRACITE: ("无烟煤", "anthracite"),
    Carrier.BITUMINOUS: ("烟煤", "bituminous coal"),
    Carrier.LIGNITE: ("褐煤", "lignite"),
    Carrier.CLEANED_COAL: ("洗精煤", "cleaned coal"),
    Carrier.OTHER_WASHED_COAL: ("其他洗煤", "other washed coal"),
    Carrier.MIDDLINGS: ("洗中煤", "middlings"),
    Carrier.COAL_SLURRY: ("煤泥", "coal slurry"),
    Carrier.BRIQUETTE: ("型煤", "briquette"),
    Carrier.COKE: ("焦炭", "coke"),
    Carrier.PETROLEUM_COKE: ("石油焦", "petroleum coke"),
    Carrier.CRUDE_OIL: ("原油", "crude oil"),
    Carrier.GASOLINE: ("汽油", "gasoline"),
    Carrier.KEROSENE: ("煤油", "kerosene"),
    Carrier.METHANOL: ("甲醇", "methanol"),
    Carrier.ETHANOL: ("乙醇", "ethanol"),
    Carrier.REFINERY_GAS: ("炼厂干气", "refinery gas"),
    Carrier.COKE_OVEN_GAS: ("焦炉煤气", "coke-oven gas"),
    Carrier.BF_GAS: ("高炉煤气", "blast-furnace gas"),
    Carrier.CONVERTER_GAS: ("转炉煤气", "converter gas"),
    Carrier.PRODUCER_GAS: ("发生炉煤气", "producer gas"),
    Carrier.WATER_GAS: ("水煤气", "water gas"),
    Carrier.BIOGAS: ("沼气", "biogas"),
    Carrier.SOFT_WATER: ("软化水", "softened water"),
    Carrier.DEAERATED_WATER: ("除氧水", "deaerated water"),
    Carrier.NITROGEN_BY: ("氮气(副产品)", "nitrogen, by-product"),
    Carrier.NITROGEN_MAIN: ("氮气(主产品)", "nitrogen, main product"),
    Carrier.CO2_GAS: ("二氧化碳气", "carbon dioxide gas"),
    Carrier.ACETYLENE: ("乙炔", "acetylene"),
    Carrier.CARBIDE: ("电石", "calcium carbide"),
    Carrier.LIMESTONE: ("石灰石", "limestone"),
    Carrier.SODA_ASH: ("纯碱", "soda ash"),
}

MEDIA: Final[frozenset[Carrier]] = frozenset(
    {
        Carrier.WATER,
        Carrier.SOFT_WATER,
        Carrier.DEAERATED_WATER,
        Carrier.COMPRESSED_AIR,
        Carrier.OXYGEN,
        Carrier.NITROGEN,
        Carrier.NITROGEN_BY,
        Carrier.NITROGEN_MAIN,
        Carrier.CO2_GAS,
        Carrier.ACETYLENE,
        Carrier.CARBIDE,
    }
)
"""Energy-consuming working media (耗能工质): counted by GB/T 2589-2020 when bought in, never by statistics."""

MATERIALS: Final[frozenset[Carrier]] = frozenset({Carrier.LIMESTONE, Carrier.SODA_ASH})
"""What gives off CO2 in a process without being burnt: no energy."""


class Measurand(StrEnum):
    """What a point measures."""

    ACTIVE_POWER = "active_power"
    REACTIVE_POWER = "reactive_power"
    APPARENT_POWER = "apparent_power"
    POWER_FACTOR = "power_factor"
    VOLTAGE = "voltage"
    CURRENT = "current"
    FREQUENCY = "frequency"
    ACTIVE_ENERGY_IMPORT = "active_energy_import"
    ACTIVE_ENERGY_EXPORT = "active_energy_export"
    REACTIVE_ENERGY_IMPORT = "reactive_energy_import"
    REACTIVE_ENERGY_EXPORT = "reactive_energy_export"
    MAXIMUM_DEMAND = "maximum_demand"
    VOLTAGE_THD = "voltage_thd"
    CURRENT_THD = "current_thd"
    VOLTAGE_UNBALANCE = "voltage_unbalance"
    GAS_VOLUME = "gas_volume"
    GAS_FLOW = "gas_flow"
    HEAT_ENERGY = "heat_energy"
    HEAT_POWER = "heat_power"
    STEAM_MASS = "steam_mass"
    STEAM_FLOW = "steam_flow"
    WATER_VOLUME = "water_volume"
    WATER_FLOW = "water_flow"
    FUEL_MASS = "fuel_mass"
    TEMPERATURE = "temperature"
    SUPPLY_TEMPERATURE = "supply_temperature"
    RETURN_TEMPERATURE = "return_temperature"
    PRESSURE = "pressure"
    SO2_CONCENTRATION = "so2_concentration"
    NOX_CONCENTRATION = "nox_concentration"
    DUST_CONCENTRATION = "dust_concentration"
    O2_CONTENT = "o2_content"
    FLUE_GAS_FLOW = "flue_gas_flow"
    FLUE_GAS_MOISTURE = "flue_gas_moisture"
    AMBIENT_PM25 = "ambient_pm25"
    AMBIENT_PM10 = "ambient_pm10"
    AMBIENT_SO2 = "ambient_so2"
    AMBIENT_NO2 = "ambient_no2"
    AMBIENT_O3 = "ambient_o3"
    AMBIENT_CO = "ambient_co"
    RELATIVE_HUMIDITY = "relative_humidity"
    WIND_SPEED = "wind_speed"
    WIND_DIRECTION = "wind_direction"
    AIR_PRESSURE = "air_pressure"
    SOLAR_IRRADIANCE = "solar_irradiance"
    SOUND_LEVEL = "sound_level"


@dataclass(frozen=True, slots=True)
class Meaning:
    """Unit, kind and plausible range of a measurand, and its two names."""

    unit: str
    kind: Kind
    zh: str
    en: str
    low: float
    """Smallest value the physics allows, in the unit, before instrument-transformer ratios."""
    high: float
    """Largest value any real park would show; beyond it a reading is impossible, not merely high."""
    ratio: Ratio = Ratio.NONE


_G, _C = Kind.GAUGE, Kind.COUNTER
_POWER, _REGISTER = 2e6, 1e12

MEANINGS: Final[dict[Measurand, Meaning]] = {
    Measurand.ACTIVE_POWER: Meaning("kW", _G, "有功功率", "active power", -_POWER, _POWER, Ratio.CT_PT),
    Measurand.REACTIVE_POWER: Meaning("kvar", _G, "无功功率", "reactive power", -_POWER, _POWER, Ratio.CT_PT),
    Measurand.APPARENT_POWER: Meaning("kVA", _G, "视在功率", "apparent power", 0, _POWER, Ratio.CT_PT),
    Measurand.POWER_FACTOR: Meaning("1", _G, "功率因数", "power factor", -1, 1),
    Measurand.VOLTAGE: Meaning("V", _G, "电压", "voltage", 0, 8e5, Ratio.PT),
    Measurand.CURRENT: Meaning("A", _G, "电流", "current", -1e5, 1e5, Ratio.CT),
    Measurand.FREQUENCY: Meaning("Hz", _G, "频率", "frequency", 0, 100),
    Measurand.ACTIVE_ENERGY_IMPORT: Meaning(
        "kWh", _C, "正向有功电能", "active energy, import", 0, _REGISTER, Ratio.CT_PT
    ),
    Measurand.ACTIVE_ENERGY_EXPORT: Meaning(
        "kWh", _C, "反向有功电能", "active energy, export", 0, _REGISTER, Ratio.CT_PT
    ),
    Measurand.REACTIVE_ENERGY_IMPORT: Meaning(
        "kvarh", _C, "正向无功电能", "reactive energy, import", 0, _REGISTER, Ratio.CT_PT
    ),
    Measurand.REACTIVE_ENERGY_EXPORT: Meaning(
        "kvarh", _C, "反向无功电能", "reactive energy, export", 0, _REGISTER, Ratio.CT_PT
    ),
    Measurand.MAXIMUM_DEMAND: Meaning("kW", _G, "最大需量", "maximum demand", 0, _POWER, Ratio.CT_PT),
    Measurand.VOLTAGE_THD: Meaning("%", _G, "电压总谐波畸变率", "voltage THD", 0, 400),
    Measurand.CURRENT_THD: Meaning("%", _G, "电流总谐波畸变率", "current THD", 0, 1000),
    Measurand.VOLTAGE_UNBALANCE: Meaning("%", _G, "三相电压不平衡度", "voltage unbalance", 0, 100),
    Measurand.GAS_VOLUME: Meaning("m3", _C, "燃气量(标况)", "gas volume, standard state", 0, _REGISTER),
    Measurand.GAS_FLOW: Meaning("m3/h", _G, "燃气流量(标况)", "gas flow, standard state", 0, 1e6),
    Measurand.HEAT_ENERGY: Meaning("GJ", _C, "热量", "heat", 0, _REGISTER),
    Measurand.HEAT_POWER: Meaning("kW", _G, "热功率", "heat power", -_POWER, _POWER),
    Measurand.STEAM_MASS: Meaning("t", _C, "蒸汽量", "steam mass", 0, _REGISTER),
    Measurand.STEAM_FLOW: Meaning("t/h", _G, "蒸汽流量", "steam flow", 0, 1e5),
    Measurand.WATER_VOLUME: Meaning("m3", _C, "水量", "water volume", 0, _REGISTER),
    Measurand.WATER_FLOW: Meaning("m3/h", _G, "水流量", "water flow", 0, 1e6),
    Measurand.FUEL_MASS: Meaning("t", _C, "燃料量", "fuel mass", 0, _REGISTER),
    Measurand.TEMPERATURE: Meaning("Cel", _G, "温度", "temperature", -100, 2000),
    Measurand.SUPPLY_TEMPERATURE: Meaning("Cel", _G, "供水温度", "supply temperature", -50, 700),
    Measurand.RETURN_TEMPERATURE: Meaning("Cel", _G, "回水温度", "return temperature", -50, 700),
    Measurand.PRESSURE: Meaning("kPa", _G, "压力", "pressure", -200, 1e6),
    Measurand.SO2_CONCENTRATION: Meaning("mg/m3", _G, "二氧化硫实测浓度", "SO2, measured, dry", 0, 2e5),
    Measurand.NOX_CONCENTRATION: Meaning("mg/m3", _G, "氮氧化物实测浓度", "NOx as NO2, measured, dry", 0, 1e5),
    Measurand.DUST_CONCENTRATION: Meaning("mg/m3", _G, "颗粒物实测浓度", "dust, measured, dry", 0, 1e6),
    Measurand.O2_CONTENT: Meaning("%", _G, "含氧量", "oxygen content, dry", 0, 25),
    Measurand.FLUE_GAS_FLOW: Meaning("m3/h", _G, "标干流量", "flue gas flow, dry standard state", 0, 1e8),
    Measurand.FLUE_GAS_MOISTURE: Meaning("%", _G, "烟气湿度", "flue gas moisture", 0, 100),
    Measurand.AMBIENT_PM25: Meaning("ug/m3", _G, "细颗粒物", "PM2.5", 0, 1e4),
    Measurand.AMBIENT_PM10: Meaning("ug/m3", _G, "可吸入颗粒物", "PM10", 0, 1e4),
    Measurand.AMBIENT_SO2: Meaning("ug/m3", _G, "二氧化硫(环境)", "ambient SO2", 0, 1e5),
    Measurand.AMBIENT_NO2: Meaning("ug/m3", _G, "二氧化氮(环境)", "ambient NO2", 0, 1e5),
    Measurand.AMBIENT_O3: Meaning("ug/m3", _G, "臭氧(环境)", "ambient O3", 0, 1e4),
    Measurand.AMBIENT_CO: Meaning("mg/m3", _G, "一氧化碳(环境)", "ambient CO", 0, 1e4),
    Measurand.RELATIVE_HUMIDITY: Meaning("%", _G, "相对湿度", "relative humidity", 0, 110),
    Measurand.WIND_SPEED: Meaning("m/s", _G, "风速", "wind speed", 0, 120),
    Measurand.WIND_DIRECTION: Meaning("deg", _G, "风向", "wind direction", 0, 360),
    Measurand.AIR_PRESSURE: Meaning("hPa", _G, "气压", "air pressure", 500, 1100),
    Measurand.SOLAR_IRRADIANCE: Meaning("W/m2", _G, "太阳辐照度", "solar irradiance", -20, 2000),
    Measurand.SOUND_LEVEL: Meaning("dB", _G, "噪声", "sound level", 0, 200),
}
