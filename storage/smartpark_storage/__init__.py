"""The only room that speaks SQL: migrations, binary COPY, ledger, registry, indicators.

What other rooms use is listed here; connections are opaque to them.
"""

from smartpark_storage.connections import (
    Connection,
    DatabaseInfo,
    Pool,
    borrow,
    connect,
    describe_database,
    dsn_from_environment,
    open_pool,
    transaction,
)
from smartpark_storage.errors import (
    CatalogueConflictError,
    MigrationError,
    StorageConflictError,
    StorageRefusedError,
    StorageUnavailableError,
    translate_errors,
)
from smartpark_storage.migrations import migrate, refresh_aggregates

__all__ = [
    "CatalogueConflictError",
    "Connection",
    "DatabaseInfo",
    "MigrationError",
    "Pool",
    "StorageConflictError",
    "StorageRefusedError",
    "StorageUnavailableError",
    "borrow",
    "connect",
    "describe_database",
    "dsn_from_environment",
    "migrate",
    "open_pool",
    "refresh_aggregates",
    "transaction",
    "translate_errors",
]
