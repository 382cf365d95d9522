"""What the park's gauges would show: levels at an instant, primary side, before an instrument rounds them.

Every function is deterministic in seed, device and time. Concentrations follow the fire that makes them, voltages
the load that pulls at them; none of it claims to be a plant's model. NaN: the station has no value just then.
"""

from collections.abc import Callable, Mapping

import numpy as np
from smartpark.measurands import Measurand

from smartpark_simulators import replay
from smartpark_simulators.flows import DAY_US, MINUTE_US, Floats, Flow, Instants
from smartpark_simulators.physics import REACTIVE_SHARE, World, boiler_load, kiln_load, ripple

Gauge = Callable[[Instants], Floats]
"""Values at instants [us since the epoch], shape (n,) to (n,), in the measurand's unit."""

_PHASE_SHARE = {"a": 0.338, "b": 0.334, "c": 0.328}
HIGH_VOLTAGE = frozenset({"M0", "F1", "F2", "F3", "T02"})


def gauge(world: World, device: str, code: str, measurand: Measurand) -> Gauge:
    """Gauge of a point; `KeyError` when the park has nothing there to measure."""
    if device in {"S1", "S2"}:
        return _stack(world, device)[measurand]
    if device in {"A1", "A2"}:
        return _ambient(world, device)[measurand]
    if device == "PV1" and measurand in {Measurand.SOLAR_IRRADIANCE, Measurand.TEMPERATURE}:
        return _roof(world)[measurand]
    if device in world.electric_devices:
        return _electric(world, device, code.rpartition("_")[2])[measurand]
    return _medium(world, device)[measurand]


def phase_voltage(world: World, device: str, instants: Instants, phase: str = "a") -> Floats:
    """Voltage between phase and neutral, sagging a little with the park's load, shape (n,) [V]."""
    nominal = 10_000 / np.sqrt(3) if device in HIGH_VOLTAGE else 232.0
    sag = 0.012 * world.electric("M0").at(instants) / 8000.0
    return nominal * (1.015 - sag + 0.003 * ripple(instants, device + phase, 311.0))


def _electric(world: World, device: str, phase: str) -> Mapping[Measurand, Gauge]:
    flow = world.electric(device)
    sign = -1.0 if device == "PV1" else 1.0
    tangent = REACTIVE_SHARE.get(device, 0.35)
    factor = 1.0 / np.sqrt(1.0 + tangent**2)
    share = _PHASE_SHARE.get(phase, 1.0 / 3.0)

    def power(instants: Instants) -> Floats:
        return sign * flow.at(instants) * (1.0 + 0.004 * ripple(instants, device, 7.0))

    def current(instants: Instants) -> Floats:
        apparent_w = np.abs(power(instants)) / factor * 1000.0 * share
        return apparent_w / phase_voltage(world, device, instants, phase)

    return {
        Measurand.ACTIVE_POWER: power,
        Measurand.REACTIVE_POWER: lambda t: np.abs(power(t)) * tangent,
        Measurand.APPARENT_POWER: lambda t: np.abs(power(t)) / factor,
        Measurand.POWER_FACTOR: lambda t: factor * (1.0 + 0.004 * ripple(t, device, 131.0)) * 0.995,
        Measurand.FREQUENCY: lambda t: 50.0 + 0.02 * ripple(t, "grid", 23.0),
        Measurand.VOLTAGE: lambda t: phase_voltage(world, device, t, phase),
        Measurand.CURRENT: current,
    }


def _level(nodes: Callable[[int, int], Floats], world: World) -> Flow:
    return Flow(lambda day: nodes(world.seed, day), world.origin_us)


def _stack(world: World, device: str) -> Mapping[Measurand, Gauge]:
    """A gas boiler (S1) burns clean with more air at low load; a kiln (S2) has sulfur from its clay."""
    load = _level(boiler_load if device == "S1" else kiln_load, world)
    boiler = device == "S1"
    flow, oxygen, nox, so2 = (9_800.0, 3.4, 58.0, 6.0) if boiler else (21_000.0, 9.2, 96.0, 24.0)

    def burning(instants: Instants) -> Floats:
        return load.at(instants) * (1.0 + 0.01 * ripple(instants, device, 19.0))

    def noise(instants: Instants, name: str, spread: float) -> Floats:
        return 1.0 + spread * ripple(instants, device + name, 13.0)

    return {
        Measurand.SO2_CONCENTRATION: lambda t: so2 * (0.6 + 0.5 * burning(t)) * noise(t, "so2", 0.08),
        Measurand.NOX_CONCENTRATION: lambda t: nox * (0.55 + 0.5 * burning(t)) * noise(t, "nox", 0.04),
        Measurand.DUST_CONCENTRATION: lambda t: (1.4 if boiler else 5.2) * noise(t, "dust", 0.15),
        Measurand.O2_CONTENT: lambda t: (oxygen + 4.5 * (1.0 - burning(t))) * noise(t, "o2", 0.02),
        Measurand.FLUE_GAS_FLOW: lambda t: flow * burning(t) * noise(t, "flow", 0.02),
        Measurand.FLUE_GAS_MOISTURE: lambda t: (15.5 if boiler else 9.0) * noise(t, "h2o", 0.03),
        Measurand.TEMPERATURE: lambda t: 74.0 + 42.0 * burning(t),
        Measurand.PRESSURE: lambda t: -0.12 * noise(t, "draught", 0.2),
    }


def _ambient(world: World, device: str) -> Mapping[Measurand, Gauge]:
    return _replayed_air() if device == "A2" else _modelled_air(world)


def _replayed_air() -> Mapping[Measurand, Gauge]:
    """The real station's hours; its CO is in micrograms, ours in milligrams."""

    def column(name: str, scale: float = 1.0) -> Gauge:
        return lambda t: replay.hourly_at(replay.air_column(name), t) * scale

    return {
        Measurand.AMBIENT_PM25: column("PM2.5"),
        Measurand.AMBIENT_PM10: column("PM10"),
        Measurand.AMBIENT_SO2: column("SO2"),
        Measurand.AMBIENT_NO2: column("NO2"),
        Measurand.AMBIENT_O3: column("O3"),
        Measurand.AMBIENT_CO: column("CO", 0.001),
        Measurand.TEMPERATURE: column("TEMP"),
        Measurand.AIR_PRESSURE: column("PRES"),
        Measurand.WIND_SPEED: column("WSPM"),
        Measurand.RELATIVE_HUMIDITY: lambda t: 55.0 + 20.0 * ripple(t, "A2rh", 40_000.0),
        Measurand.WIND_DIRECTION: lambda t: 180.0 + 170.0 * ripple(t, "A2wd", 9_000.0),
    }


def _day_wave(instants: Instants, peak_hour: float) -> Floats:
    """Cosine over the Shanghai day with its top at `peak_hour`, shape (n,) [-1 to 1]."""
    hours = ((instants + 480 * MINUTE_US) % DAY_US) / (60 * MINUTE_US)
    return np.cos(2 * np.pi * (hours - peak_hour) / 24.0)


def _modelled_air(world: World) -> Mapping[Measurand, Gauge]:
    """Morning and evening traffic for NO2 and PM, the sun for ozone."""

    def traffic(instants: Instants) -> Floats:
        return 1.0 + 0.35 * _day_wave(instants, 8.0) + 0.25 * _day_wave(instants, 19.5)

    def breath(name: str) -> Gauge:
        return lambda t: 1.0 + 0.25 * ripple(t, name, 50_000.0) + 0.02 * ripple(t, name, 31.0)

    return {
        Measurand.AMBIENT_PM25: lambda t: 24.0 * traffic(t) * breath("pm25")(t),
        Measurand.AMBIENT_PM10: lambda t: 43.0 * traffic(t) * breath("pm10")(t),
        Measurand.AMBIENT_SO2: lambda t: 6.0 * breath("so2")(t),
        Measurand.AMBIENT_NO2: lambda t: 21.0 * traffic(t) * breath("no2")(t),
        Measurand.AMBIENT_O3: lambda t: 62.0 + 0.06 * world.irradiance.at(t) + 14.0 * _day_wave(t, 15.0),
        Measurand.AMBIENT_CO: lambda t: 0.55 * traffic(t) * breath("co")(t),
        Measurand.TEMPERATURE: world.air_temperature.at,
        Measurand.RELATIVE_HUMIDITY: lambda t: 72.0 - 12.0 * _day_wave(t, 14.5),
        Measurand.WIND_SPEED: lambda t: 2.4 + 1.1 * _day_wave(t, 15.0) + 0.8 * ripple(t, "wind", 29.0),
        Measurand.WIND_DIRECTION: lambda t: 140.0 + 90.0 * ripple(t, "vane", 5_000.0),
        Measurand.AIR_PRESSURE: lambda t: 1012.0 + 2.0 * _day_wave(t, 10.0),
    }


def _roof(world: World) -> Mapping[Measurand, Gauge]:
    return {
        Measurand.SOLAR_IRRADIANCE: world.irradiance.at,
        Measurand.TEMPERATURE: lambda t: world.air_temperature.at(t) + 0.028 * world.irradiance.at(t),
    }


def _medium(world: World, device: str) -> Mapping[Measurand, Gauge]:
    """Rates beside the counters of gas, heat and water, and what else their meters show."""
    if device == "H1":
        heat = world.medium("H1", "heat_energy")
        return {
            Measurand.HEAT_POWER: lambda t: heat.at(t) / 0.0036,
            Measurand.SUPPLY_TEMPERATURE: lambda t: 118.0 + 2.0 * ripple(t, "supply", 600.0),
            Measurand.RETURN_TEMPERATURE: lambda t: 66.0 + 3.0 * ripple(t, "return", 900.0),
        }
    counter, rate = ("water_volume", Measurand.WATER_FLOW) if device == "W1" else ("gas_volume", Measurand.GAS_FLOW)
    pressure = 320.0 if device == "W1" else 380.0
    return {
        rate: world.medium(device, counter).at,
        Measurand.PRESSURE: lambda t: pressure * (1.0 + 0.01 * ripple(t, device, 61.0)),
        Measurand.TEMPERATURE: lambda t: world.air_temperature.at(t) - 1.5,
    }
