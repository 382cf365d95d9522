"""For the law of detectors: judging in steps, cut anywhere, comes to the same as judging at once."""

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from smartpark_analytics.alerts.samples import Samples, Verdicts

MINUTE = 60_000_000


def samples_of(series: dict[int, Sequence[tuple[int, float]]]) -> Samples:
    """Samples of objects, each a list of moments and values."""
    flat = [(row, time, value) for row in sorted(series) for time, value in sorted(series[row])]
    return Samples(
        np.array([row for row, _, _ in flat], np.int64),
        np.array([time for _, time, _ in flat], np.int64),
        np.array([value for _, _, value in flat], np.float64),
    )


def series_of(values: Sequence[float], step_us: int, *, row: int = 0, start_us: int = 0) -> Samples:
    """One object at regular moments."""
    n = len(values)
    return Samples(np.full(n, row, np.int64), start_us + step_us * np.arange(n), np.array(values, np.float64))


@st.composite
def many_samples(
    draw: st.DrawFn, *, rows: int, span_us: int, step_us: int, values: st.SearchStrategy[float]
) -> Samples:
    """Samples of each object on a grid of moments from 0 until the span, of which some are not there."""
    n = span_us // step_us
    value = draw(arrays(np.float64, (rows, n), elements=values))
    lost = draw(st.sets(st.integers(0, rows * n - 1), max_size=draw(st.sampled_from([0, 3, rows * n]))))
    kept = np.setdiff1d(np.arange(rows * n), list(lost))
    return Samples(kept // n, kept % n * step_us, value.ravel()[kept])


def cuts(span_us: int) -> st.SearchStrategy[list[int]]:
    """Moments at which the steps end, the last at the end of the span."""
    return st.lists(st.integers(0, span_us), max_size=6).map(lambda found: [*sorted(found), span_us])


def between(samples: Samples, from_us: int, until_us: int) -> Samples:
    """Samples from a moment on and before another."""
    inside = (samples.time_us >= from_us) & (samples.time_us < until_us)
    return Samples(samples.row[inside], samples.time_us[inside], samples.value[inside])


def in_steps(
    judge: Callable[[int, int, object], tuple[Verdicts, object]], carry: object, ends: Sequence[int]
) -> Verdicts:
    """All verdicts of `judge(from_us, until_us, carry)` over consecutive steps, sorted."""
    found, start = [], ends[0] - (1 << 60)
    for end in ends:
        verdicts, carry = judge(start, end, carry)
        found.append(verdicts)
        start = end
    together = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    order = np.lexsort((together[1], together[0]))
    return Verdicts(*(part[order] for part in together))


def assert_same(one: Verdicts, other: Verdicts) -> None:
    """Same moments and levels, values equal but for rounding."""
    for name in ("row", "time_us", "level"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
    for name in ("value", "limit"):
        assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-9)
