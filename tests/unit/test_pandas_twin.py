"""The core and the same indicators plainly written in pandas give the same numbers."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "benches"))
import analytics_core as bench


@pytest.mark.parametrize("seed", range(5))
def test_both_ways_agree_to_1e9(seed: int):
    flows = bench.flows_of_a_park()
    plans = bench.plans_of_a_park(flows)
    steps = bench.registers_of_a_park(seed, 10 * bench.QUARTERS_A_DAY)
    ours = bench.statements(steps, flows, plans)
    assert {s.plan.recipe.indicator for s in ours} == set(bench.INDICATORS)
    assert any((s.completeness < 1).any() for s in ours), "the gap shows"
    assert bench.worst_difference(ours, bench.in_pandas(steps, flows, plans)) < 1e-9


def test_a_difference_would_show():
    flows = bench.flows_of_a_park()
    plans = bench.plans_of_a_park(flows)
    steps = bench.registers_of_a_park(1, 4 * bench.QUARTERS_A_DAY)
    theirs = bench.in_pandas(steps, flows, plans)
    nudged = steps.copy()
    nudged[0, 100:] += 1
    assert bench.worst_difference(bench.statements(nudged, flows, plans), theirs) > 1e-9
