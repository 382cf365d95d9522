"""Reads for the API: rows as plain values, series as arrays; every statement is in ``sql/queries/api.sql``.

Nothing here writes: `read_only` opens a transaction in which PostgreSQL refuses to, and which it ends when a
statement takes too long. What a number means (fresh, missing, a share of what) is decided by the caller.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
