"""Aggregates as others pull them: rows and their canonical lines, cursors, manifests of what is submitted; pure.

What other rooms use is listed here. Nothing in here knows a database, a key or the clock.
"""

from datetime import UTC, datetime
from typing import Final

from smartpark.aggregates.cursor import (
    BadCursorError,
    Cursor,
    CursorError,
    CursorGoneError,
    CursorOfOtherFiltersError,
    CursorScopeChangedError,
)
from smartpark.aggregates.manifest import BadManifestError, Manifest, key_id_of, name_of_period, period_named
from smartpark.aggregates.rows import (
    CANONICAL,
    FIELDS,
    AggregateRow,
    Field,
    FieldType,
    canonical_line,
    digest_of,
    instant_text,
    key_of,
    line_head,
    line_middle,
    line_tail,
)

EXAMPLE_ROW: Final = AggregateRow(
    park="minhou",
    boundary="park",
    indicator="electricity_consumption",
    grain="day",
    start=datetime(2026, 10, 30, 16, tzinfo=UTC),
    end=datetime(2026, 10, 31, 16, tzinfo=UTC),
    revision=2,
    value=48210.5,
    numerator=None,
    denominator=None,
    unit="kWh",
    completeness=1.0,
    estimated_share=0.125,
    uncertainty=0.006,
    method="comprehensive-energy@1",
    factor_set="2026-11",
    factors=("GB/T 2589-2020 electricity",),
    reason="",
    computed_at=datetime(2026, 10, 31, 16, 0, 4, 250_000, tzinfo=UTC),
    submitted=False,
    submission=None,
    region="350121",
    uscc=None,
)
"""A row as it may be, for documents and examples."""

__all__ = [
    "CANONICAL",
    "EXAMPLE_ROW",
    "FIELDS",
    "AggregateRow",
    "BadCursorError",
    "BadManifestError",
    "Cursor",
    "CursorError",
    "CursorGoneError",
    "CursorOfOtherFiltersError",
    "CursorScopeChangedError",
    "Field",
    "FieldType",
    "Manifest",
    "canonical_line",
    "digest_of",
    "instant_text",
    "key_id_of",
    "key_of",
    "line_head",
    "line_middle",
    "line_tail",
    "name_of_period",
    "period_named",
]
