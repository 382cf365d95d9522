"""Arrow, whose stubs pyright cannot follow: unknown types end here, as `Any` that says so."""

from importlib import import_module
from typing import Any

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")
pq: Any = import_module("pyarrow.parquet")

Array = Any
"""A `pyarrow.Array`."""
Batch = Any
"""A `pyarrow.RecordBatch`."""
