"""What the analytics say of real, published measurements: numbers for docs/validation.md, and for the tests beside.

The sets are not part of the project (only some of them have an open licence): `SMARTPARK_SHARED_DATA` names the
folder that holds them, as laid out in docs/validation.md. Each function reads one set, sends it through the functions
that the platform publishes by, and returns plain numbers. Nothing here is tuned to a set.

    python tests/validation/real_sets.py [SET ...]    every number, as JSON
"""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from CoolProp.CoolProp import PropsSI
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark_analytics import Intervals, RegisterPoints, RegisterReadings, interval_amounts, register_movements
from smartpark_analytics.balance import MeterTree, Verdict, residuals
from smartpark_analytics.demand import block_maximum_demand, sliding_maximum_demand
from smartpark_analytics.power_factor import power_factor_hundredths

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
QUARTER_US = HOUR_US // 4
CLASS_ASSUMED = 0.005
"""Nobody says what the campus's meters are; class 0.5 is usual for feeders of that size."""


def folder() -> Path | None:
    """Where the sets lie; None where nobody said."""
    given = os.environ.get("SMARTPARK_SHARED_DATA")
    return Path(given) if given else None


def microseconds(times: pd.Series) -> np.ndarray:
    """Instants in µs since the epoch."""
    return pd.to_datetime(times, utc=True).to_numpy("datetime64[us]").astype(np.int64)


def register_amounts(
    time_us: np.ndarray, shown: np.ndarray, *, resolution: float, start: int, width: int, count: int
) -> np.ndarray:
    """Interval amounts of registers given as doubles of a decimal resolution, shape (n_registers, count)."""
    n_points, n_times = shown.shape
    known = np.isfinite(shown)
    readings = RegisterReadings(
        point=np.repeat(np.arange(n_points, dtype=np.int64), n_times)[known.ravel()],
        time=np.tile(time_us, n_points)[known.ravel()],
        steps=np.rint(shown[known] / resolution).astype(np.int64),
        status=np.zeros(int(known.sum()), np.int32),
        scale=np.full(int(known.sum()), resolution),
    )
    movements = register_movements(readings, RegisterPoints.unknown(n_points))
    found = interval_amounts(movements, Intervals.dense(n_points, start, count, width), nominal_us=HOUR_US)
    return found.amount.reshape(n_points, count)


def campus(data: Path) -> dict[str, Any]:
    """UCSD campus: load metered on its own against generation plus import, quarter-hours of 18 months."""
    table = pd.read_csv(data / "electricity/ucsd/DemandCharge_2018-01_2019-06.csv.gz", encoding="utf-8-sig")
    when = pd.to_datetime(table["DateTime"], format="%m/%d/%Y %H:%M")
    load, made, bought = (
        table[name].to_numpy() for name in ("TotalCampusLoad", "OnCampusGeneration", "SDG&E Import")
    )
    tree = MeterTree(
        node=np.zeros(3, np.intp),
        series=np.arange(3),
        sign=np.array([-1.0, 1.0, 1.0]),
        error=np.full(3, CLASS_ASSUMED),
        is_certain=np.array([True]),
    )
    found = residuals(tree, np.array([load, made, bought]))
    residual = -found.residual[0]
    verdicts = {Verdict(v).name.lower(): int((found.verdict == v).sum()) for v in np.unique(found.verdict)}
    month = when.dt.strftime("%Y-%m")
    by_month = pd.DataFrame({"month": month, "load": load / 4e3, "residual": residual / 4e3}).groupby("month").sum()
    share = (by_month["residual"] / by_month["load"]).round(6)
    frozen = int((np.diff(table.iloc[:, 1:5].to_numpy(), axis=0) == 0).all(axis=1).sum())
    return {
        "quarter_hours": len(table),
        "stamps_twice": int(when.duplicated().sum()),
        "verdicts_if_all_meters_were_of_class_0.5": verdicts,
        "within_1_kw_share": round(float(np.mean(np.abs(residual) < 1)), 4),
        "frozen_quarter_hours": frozen,
        "load_gwh": round(float(load.sum() / 4e6), 3),
        "residual_gwh": round(float(residual.sum() / 4e6), 3),
        "residual_share_by_month": {str(k): float(v) for k, v in share.items()},
    }


def steel(data: Path) -> dict[str, Any]:
    """Steel plant of UCI 851: power factors recomputed row by row, totals, demand."""
    table = pd.read_csv(data / "electricity/steel_uci/Steel_industry_data_2018-01_08.csv.gz", encoding="utf-8-sig")
    energy = table["Usage_kWh"].to_numpy()
    off = {}
    for side in ("Lagging", "Leading"):
        reactive = table[f"{side}_Current_Reactive_Power_kVarh"].to_numpy()
        published = table[f"{side}_Current_Power_Factor"].to_numpy()
        hundredths = power_factor_hundredths(energy, reactive)
        judged = hundredths >= 0
        # Ours is rounded to 0.01 as a bill is, theirs is in percent with two decimals.
        off[side.lower()] = float(np.max(np.abs(hundredths - published)[judged]))
        off[f"{side.lower()}_rows"] = int(judged.sum())
    # The row of 00:00 stands after that of 23:45 of the same day; the energy is that of the quarter before the stamp.
    day = np.arange(len(table)) // 96
    month = pd.to_datetime(table["date"].str[:10].iloc[::96], format="%d/%m/%Y").dt.month.to_numpy()
    billed = block_maximum_demand(4 * energy[None, :], month[day].astype(np.int64) - 1, 8)
    return {
        "quarter_hours": len(table),
        "energy_kwh": round(float(energy.sum()), 2),
        "power_factor_worst_difference_points": off,
        "co2_published_t": round(float(table["CO2(tCO2)"].sum()), 2),
        "block_demand_kw_by_month": [round(float(v), 2) for v in billed.demand_kw[0]],
    }


def _heat_of_water(celsius: float) -> float:
    """Heat that a cubic metre of water takes up per kelvin, at 4 bar. [kWh/(m³·K)]"""
    density, heat = (PropsSI(name, "T", celsius + 273.15, "P", 4e5, "IF97::Water") for name in ("D", "C"))
    return density * heat / 3.6e6


def heat_meter(data: Path) -> dict[str, Any]:
    """Danish heat meter: the energy register against volume times temperature difference, from the same device."""
    table = pd.read_csv(data / "gas_heat/danish_heat_meter/processed_final_data_sample_2018_2019.csv.gz")
    columns = ["energy_heat_kwh", "volume_flow_m3", "inlet_flow_energy_m3xC", "back_flow_energy_m3xC"]
    time = microseconds(table["time_rounded"])
    start = -(-time[0] // DAY_US) * DAY_US
    days = int((time[-1] - start) // DAY_US)
    shown = table[columns].to_numpy().T
    energy, volume, inlet, back = register_amounts(
        time, shown, resolution=1e-6, start=int(start), width=DAY_US, count=days
    )
    total = energy.sum() / (inlet - back).sum()
    by_day = energy / (inlet - back)
    warm = (inlet - back) > 20
    return {
        "hours": len(table),
        "days": days,
        "energy_kwh": round(float(energy.sum()), 1),
        "register_difference_kwh": round(
            float(np.diff(np.interp([start, start + days * DAY_US], time, shown[0]))[0]), 1
        ),
        "mean_inlet_cel": round(float(inlet.sum() / volume.sum()), 2),
        "mean_return_cel": round(float(back.sum() / volume.sum()), 2),
        "kwh_per_m3_kelvin": round(float(total), 5),
        "kwh_per_m3_kelvin_of_water_at_inlet": round(_heat_of_water(inlet.sum() / volume.sum()), 5),
        "kwh_per_m3_kelvin_of_water_at_return": round(_heat_of_water(back.sum() / volume.sum()), 5),
        "kwh_per_m3_kelvin_days_p5_p95": [round(float(v), 4) for v in np.percentile(by_day[warm], [5, 95])],
    }


def household_with_photovoltaics(data: Path) -> dict[str, Any]:
    """CoSSMic residential 4: grid, photovoltaics, six appliances as registers; what is left must not be negative."""
    table = pd.read_csv(data / "electricity/opsd_cossmic/household_data_60min_2015-10_2016-06.csv.gz")
    own = "DE_KN_residential4_"
    appliances = ["dishwasher", "ev", "freezer", "heat_pump", "refrigerator", "washing_machine"]
    names = ["grid_import", "pv", "grid_export", *appliances]
    time = microseconds(table["utc_timestamp"])
    shown = table[[own + name for name in names]].to_numpy().T
    count = len(time) - 1
    hourly = register_amounts(time, shown, resolution=1e-3, start=int(time[0]), width=HOUR_US, count=count)
    consumption = hourly[0] + hourly[1] - hourly[2]
    rest = consumption - hourly[3:].sum(axis=0)
    known = np.isfinite(rest)
    off = []
    for row, register in zip(hourly, shown, strict=True):
        times = time[np.isfinite(register)]
        span = int(times[-1] - times[0])
        whole = register_amounts(time, register[None, :], resolution=1e-3, start=int(times[0]), width=span, count=1)[
            0, 0
        ]
        off.append(abs(whole - (np.nanmax(register) - np.nanmin(register))))
        off.append(max(float(np.nansum(row) - whole), 0.0))
    return {
        "hours": count,
        "hours_with_every_register": int(known.sum()),
        "hours_negative_consumption": int((consumption[np.isfinite(consumption)] < -1e-9).sum()),
        "hours_negative_rest": int((rest[known] < -1e-9).sum()),
        "most_negative_rest_kwh": round(float(rest[known].min()), 3),
        "rest_share": round(float(rest[known].sum() / consumption[known].sum()), 4),
        "registers_off_by_kwh": round(max(off), 9),
    }


def household_demand(data: Path) -> dict[str, Any]:
    """UCI household, one-minute power of 2008: what sliding windows find that quarter-hours do not."""
    table = pd.read_csv(data / "electricity/household_1min/householdpower_2008-01_12.csv.gz")
    when = pd.to_datetime(table["date_time"])
    power = table["Global_active_power"].to_numpy()
    month = when.dt.month.to_numpy().astype(np.int64) - 1
    rule = builtin_electricity_rules().demand[0]
    sliding = sliding_maximum_demand(power[None, :], month, 12, rule).demand_kw[0]
    whole = len(power) // 15 * 15
    quarters = power[:whole].reshape(-1, 15).mean(axis=1)
    block = block_maximum_demand(quarters[None, :], month[:whole:15], 12).demand_kw[0]
    return {
        "minutes": len(power),
        "sliding_kw": [round(float(v), 3) for v in sliding],
        "block_kw": [round(float(v), 3) for v in block],
        "sliding_over_block_mean": round(float(np.mean(sliding / block)), 4),
        "sliding_over_block_max": round(float(np.max(sliding / block)), 4),
    }


SETS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "campus": campus,
    "steel": steel,
    "heat_meter": heat_meter,
    "household_with_photovoltaics": household_with_photovoltaics,
    "household_demand": household_demand,
}


def main() -> None:
    """Print every number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", choices=[*SETS, []], metavar="SET", help="default: all")
    given = parser.parse_args()
    data = folder()
    if data is None:
        raise SystemExit("set SMARTPARK_SHARED_DATA to the folder of the sets (docs/validation.md)")
    print(json.dumps({name: SETS[name](data) for name in given.sets or SETS}, indent=1))  # noqa: T201  a command


if __name__ == "__main__":
    main()
