"""What the environmental methods say of real, published measurements: numbers for docs/validation.md and its tests.

Reads the sets in the folder that `SMARTPARK_SHARED_DATA` names; none of them is part of the project.

    python tests/validation/environment_sets.py     every number, as JSON
"""

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from smartpark.air_quality import POLLUTANTS, Form, air_quality_rules
from smartpark.emission_limits import emission_limits
from smartpark.measurands import Measurand
from smartpark_analytics.air_quality import Breakpoints, air_quality_index
from smartpark_analytics.air_quality_means import day_maximum_of_eight_hours, day_mean, eight_hour_means
from smartpark_analytics.cems import corrected_concentration
from smartpark_analytics.cems_compliance import limit_findings
from smartpark_analytics.rounding import round_gb8170

COLUMNS = {
    Measurand.AMBIENT_SO2: "SO2",
    Measurand.AMBIENT_NO2: "NO2",
    Measurand.AMBIENT_CO: "CO",
    Measurand.AMBIENT_O3: "O3",
    Measurand.AMBIENT_PM10: "PM10",
    Measurand.AMBIENT_PM25: "PM2.5",
}
NAMES = [COLUMNS[pollutant] for pollutant in POLLUTANTS]
OLD, NEW = date(2019, 1, 1), date(2026, 3, 1)


@dataclass(frozen=True)
class Stations:
    """Published hours of stations; the hour of an array's column begins at that column's instant."""

    cells: dict[str, np.ndarray]
    """Type as published, to an array of shape (n_stations, n_days, 24)."""

    def six(self) -> np.ndarray:
        """Concentrations of one hour, shape (6, n)."""
        return np.stack([self.cells[name].ravel() for name in NAMES])


def fujian_stations(data: Path, year: int = 2019) -> Stations:
    """Every station of the four cities. A published hour is named by its end; 00:00 ends the day before."""
    end = pd.date_range(f"{year}-01-01 01:00", f"{year + 1}-01-01 00:00", freq="h")
    found: dict[str, list[np.ndarray]] = {}
    for file in sorted((data / "environment/cnemc_fujian_2019").glob("china_sites_*.csv.gz")):
        table = pd.read_csv(file)
        for kind, rows in table.groupby("type"):
            when = pd.to_datetime(rows["date"].astype(str)) + pd.to_timedelta(rows["hour"], unit="h")
            cells = rows.drop(columns=["date", "hour", "type"]).set_axis(when, axis=0).reindex(end)
            found.setdefault(str(kind), []).append(cells.to_numpy(np.float64).T.reshape(-1, len(end) // 24, 24))
    return Stations({kind: np.concatenate(parts) for kind, parts in found.items()})


def fujian_first_hour(data: Path) -> Stations:
    """The hour that ended on 1 January at 00:00: in the set, and not of its year."""
    found: dict[str, list[np.ndarray]] = {}
    for file in sorted((data / "environment/cnemc_fujian_2019").glob("china_sites_*.csv.gz")):
        table = pd.read_csv(file)
        rows = table[(table["date"] == 20190101) & (table["hour"] == 0)].set_index("type")
        for kind, row in rows.drop(columns=["date", "hour"]).iterrows():
            found.setdefault(str(kind), []).append(row.to_numpy(np.float64))
    return Stations({kind: np.concatenate(parts) for kind, parts in found.items()})


def published_index(stations: list[Stations]) -> dict[str, Any]:
    """Our hourly index of 2012 beside the one that the stations published, row by row."""
    six = np.concatenate([s.six() for s in stations], axis=1)
    published = np.concatenate([s.cells["AQI"].ravel() for s in stations])
    table = Breakpoints.of(air_quality_rules(), Form.HOUR, OLD)
    ours = air_quality_index(six, table)
    whole = ~ours.missing.any(axis=0)
    both = whole & np.isfinite(published)
    partial = ~whole & np.isfinite(published)
    largest = np.max(np.nan_to_num(ours.individual, nan=-1.0), axis=0)
    nearest = _index_rounded_to_nearest(six[:, both], table)
    return {
        "rows": int(six.shape[1]),
        "rows_with_all_six": int(whole.sum()),
        "rows_with_all_six_and_index": int(both.sum()),
        "rows_that_agree": int((ours.index[both] == published[both]).sum()),
        "would_agree_rounding_to_nearest": int((nearest == published[both]).sum()),
        "would_agree_with_24_hour_particles": _agree_with_day_particles(stations, published, table),
        "index_published_with_a_pollutant_missing": int(partial.sum()),
        "of_these_the_largest_of_the_rest": int((largest[partial] == published[partial]).sum()),
        "of_these_with_nothing_but_particles_or_nothing": int(
            (partial & (largest != published) & np.isnan(six[:4]).all(axis=0)).sum()
        ),
        "largest_index": int(np.nanmax(published)),
    }


def _index_rounded_to_nearest(six: np.ndarray, table: Breakpoints) -> np.ndarray:
    """What one would get by rounding to the nearest rather than up."""
    rows = [
        np.interp(row, column[np.isfinite(column)], table.index[np.isfinite(column)])
        for row, column in zip(six, table.concentration, strict=True)
    ]
    return np.rint(np.max(rows, axis=0))


def _agree_with_day_particles(stations: list[Stations], published: np.ndarray, table: Breakpoints) -> float:
    """Share of rows that would agree if particles counted with their 24-hour means."""
    names = [f"{name}_24h" if name.startswith("PM") else name for name in NAMES]
    six = np.concatenate([np.stack([s.cells[name].ravel() for name in names]) for s in stations], axis=1)
    index = air_quality_index(six, table).index
    both = np.isfinite(index) & np.isfinite(published)
    return round(float((index[both] == published[both]).mean()), 4)


def published_means(stations: Stations) -> dict[str, Any]:
    """The network's own moving means beside ours: where all hours are there, and what it does with a half."""
    found: dict[str, Any] = {}
    for name in ("SO2", "NO2", "PM10", "PM2.5"):
        hours = stations.cells[name].reshape(len(stations.cells[name]), -1)
        sums = np.lib.stride_tricks.sliding_window_view(hours, 24, axis=1).sum(axis=2)
        means = stations.cells[f"{name}_24h"].reshape(hours.shape)[:, 23:]
        found[f"{name}_24h"] = _agreement(sums / 24, means)
    eight = eight_hour_means(stations.cells["O3"], required_hours=8)
    found["O3_8h"] = _agreement(eight, stations.cells["O3_8h"][..., 7:])
    return found


def _agreement(mean: np.ndarray, published: np.ndarray) -> dict[str, int]:
    both = np.isfinite(mean) & np.isfinite(published)
    half = both & (mean % 1.0 == 0.5)
    agrees = round_gb8170(mean) == published
    return {
        "means": int(both.sum()),
        "agree": int((agrees & both).sum()),
        "halves": int(half.sum()),
        "halves_to_even": int((agrees & half).sum()),
    }


def beijing(data: Path) -> dict[str, Any]:
    """Four stations of Beijing, March 2013 to February 2017: days by both editions."""
    six, n_days = _beijing_days(data)
    tables = {
        edition: Breakpoints.of(air_quality_rules(), Form.DAY, day) for edition, day in (("2012", OLD), ("2026", NEW))
    }
    result: dict[str, Any] = {"station_days": n_days}
    for edition, table in tables.items():
        found = air_quality_index(six, table)
        known = found.level > 0
        result[edition] = {
            "days_with_index": int(known.sum()),
            "mean_index": round(float(np.nanmean(found.index)), 1),
            "share_of_levels": np.bincount(found.level[known], minlength=7)[1:].tolist(),
            "excellent_or_good": round(float((found.level[known] <= 2).mean()), 4),
            "primary": dict(zip(NAMES, found.primary.sum(axis=1).tolist(), strict=True)),
        }
    missing = air_quality_index(six, tables["2012"]).missing
    result["missing"] = dict(zip(NAMES, missing.sum(axis=1).tolist(), strict=True))
    return result


def _beijing_days(data: Path) -> tuple[np.ndarray, int]:
    """Daily values of the six, shape (6, n station days)."""
    rule = air_quality_rules().validity_on(OLD)
    limit = air_quality_rules().limits_on(date(2016, 1, 1)).day[Measurand.AMBIENT_O3]
    days: list[np.ndarray] = []
    for file in sorted((data / "environment/beijing_prsa").glob("PRSA_Data_*.csv.gz")):
        table = pd.read_csv(file)
        hours = {name: table[name].to_numpy(np.float64).reshape(-1, 24) for name in NAMES}
        hours["CO"] = hours["CO"] / 1000.0
        means = {name: day_mean(hours[name], required_hours=rule.day_hours) for name in NAMES}
        means["O3"] = day_maximum_of_eight_hours(
            hours["O3"],
            required_hours=rule.eight_hour_hours,
            required_means=rule.day_eight_hour_means,
            limit=limit,
        )
        days.append(np.stack([means[name] for name in NAMES]))
    six = np.concatenate(days, axis=1)
    return six, six.shape[1]


def gas_turbine(data: Path) -> dict[str, Any]:
    """NOx of a gas turbine, hours of 2011 to 2013, against the limit of GB 13223 at 15 % oxygen.

    The set has no oxygen: the concentrations are taken as of the reference state, and as of 14 and 16 % to show what
    a percent of oxygen makes.
    """
    files = sorted((data / "stack_emissions/gas_turbine_uci").glob("gt_*.csv.gz"))
    nox = np.concatenate([pd.read_csv(file, header=None)[10].to_numpy(np.float64) for file in files])[np.newaxis]
    limit = emission_limits().on("gb13223-2011:gas_turbine", date(2013, 1, 1))
    result: dict[str, Any] = {"hours": nox.size, "mean": round(float(nox.mean()), 2), "limit": limit.nox}
    for oxygen in (14.0, limit.reference_oxygen_pct, 16.0):
        corrected = corrected_concentration(nox, np.full(nox.shape, oxygen), limit.reference_oxygen_pct)
        found = limit_findings(corrected.value, corrected.flags, np.array([limit.nox], np.float64))
        result[f"at_{oxygen:g}_percent"] = {
            "mean": round(float(corrected.value.mean()), 2),
            "hours_above": int(found.exceeded_hours[0]),
            "share_above": round(1.0 - float(found.compliance_rate[0]), 4),
        }
    return result


def sulfur_of_coal(data: Path) -> dict[str, float]:
    """SO2 of bituminous coal in US boilers, kg per tonne and percent of sulfur, as its agencies' factors have it."""
    table = pd.read_csv(data / "carbon/factors/oge/emission_factors_for_so2.csv")
    rows = table[
        (table["energy_source_code"] == "BIT")
        & (table["prime_mover_code"] == "ST")
        & (table["multiply_by_sulfur_content"] == 1)
    ]
    pounds_per_short_ton = rows.set_index("boiler_firing_type")["emission_factor"]
    return {str(firing): round(float(factor) / 2.0, 2) for firing, factor in pounds_per_short_ton.items()}


def main() -> None:
    """Print every number."""
    given = os.environ.get("SMARTPARK_SHARED_DATA")
    if not given:
        raise SystemExit("set SMARTPARK_SHARED_DATA to the folder of the sets (docs/validation.md)")
    data = Path(given)
    stations = fujian_stations(data)
    numbers = {
        "published_index": published_index([fujian_first_hour(data), stations]),
        "published_means": published_means(stations),
        "beijing": beijing(data),
        "gas_turbine": gas_turbine(data),
        "sulfur_of_coal": sulfur_of_coal(data),
    }
    print(json.dumps(numbers, indent=2))  # noqa: T201  that is what it is for


if __name__ == "__main__":
    main()
