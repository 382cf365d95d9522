"""Every indicator of the closed list has a publisher, and nobody publishes what is not on it."""

from smartpark.air_quality import POLLUTANTS
from smartpark.indicators import INDICATORS
from smartpark_analytics.accounting.certified import METHODS
from smartpark_analytics.gauges.quality import SUBJECTS
from smartpark_analytics.gauges.stacks import POLLUTANTS as STACK_POLLUTANTS
from smartpark_analytics.ratios.specs import RATIOS
from smartpark_ingest.derive_publish import PUBLISHED

OF_POWER = {
    "maximum_demand",
    "maximum_demand_block",
    "contract_demand_use",
    "load_factor",
    "peak_valley_ratio",
    "utilisation_hours",
    "coincidence_factor",
    "transformer_load_rate",
    "transformer_heavy_hours",
    "transformer_overload_hours",
}
"""Seen in tests/integration/test_derive_gauges.py."""


def test_the_list_and_its_publishers_are_the_same():
    quality = {name for subject in SUBJECTS for name in (subject.share, subject.value95) if name is not None}
    air = {"air_quality_index", *(f"iaqi_{p.value.removeprefix('ambient_')}" for p in POLLUTANTS)}
    stacks = {f"{p}_{what}" for p in STACK_POLLUTANTS.values() for what in ("mass", "corrected", "in_limit")}
    stacks |= {"flue_gas_volume"}
    published = {*PUBLISHED, *METHODS, *RATIOS, *OF_POWER, *quality, *air, *stacks}
    assert published == set(INDICATORS)
