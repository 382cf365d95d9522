"""The only room that speaks SQL: migrations, binary COPY, ledger, registry, indicators.

What other rooms use is listed here; connections are opaque to them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smartpark_storage.batches import (
        Batch,
        BatchKey,
        DeadLetterRow,
        PreparedBatches,
        StoreResult,
        insert_dead_letters,
        known_sequences,
        prepare_batches,
        store_batches,
        store_prepared,
    )
    from smartpark_storage.catalogues import EntityChange, LoadReport, load_catalogue
    from smartpark_storage.connections import (
        Connection,
        DatabaseInfo,
        Pool,
        connect,
        describe_database,
        dsn_from_environment,
        open_pool,
        transaction,
    )
    from smartpark_storage.copying import READING_DTYPE, Readings
    from smartpark_storage.dead_letters import (
        DeadLetterRecord,
        dead_letters_by_id,
        list_dead_letters,
        mark_replayed,
    )
    from smartpark_storage.dead_reasons import DeadReason
    from smartpark_storage.derived import (
        IndicatorRow,
        StaleSpan,
        claim_stale,
        count_readings,
        fetch_interval_energy,
        fetch_neighbours,
        fetch_readings,
        publish_indicators,
        write_interval_energy,
    )
    from smartpark_storage.edges import EdgeOverview, edges_overview, record_birth, record_death, record_status
    from smartpark_storage.errors import (
        CatalogueConflictError,
        MigrationError,
        StorageConflictError,
        StorageRefusedError,
        StorageUnavailableError,
        translate_errors,
    )
    from smartpark_storage.factors import (
        FactorConflictError,
        FactorLoadReport,
        count_factors,
        factor_uses,
        list_factors,
        load_factor_set,
        load_factors,
    )
    from smartpark_storage.migrations import migrate, refresh_aggregates
    from smartpark_storage.packing import INTERVAL_DTYPE
    from smartpark_storage.registry import (
        POINT_VERSION_DTYPE,
        MeterChangeRecord,
        PointRecord,
        Registry,
        current_catalogue,
        load_registry,
        meter_changes,
        point_versions,
        register_edge,
        registry_version,
    )

__all__ = [
    "INTERVAL_DTYPE",
    "POINT_VERSION_DTYPE",
    "READING_DTYPE",
    "Batch",
    "BatchKey",
    "CatalogueConflictError",
    "Connection",
    "DatabaseInfo",
    "DeadLetterRecord",
    "DeadLetterRow",
    "DeadReason",
    "EdgeOverview",
    "EntityChange",
    "FactorConflictError",
    "FactorLoadReport",
    "IndicatorRow",
    "LoadReport",
    "MeterChangeRecord",
    "MigrationError",
    "PointRecord",
    "Pool",
    "PreparedBatches",
    "Readings",
    "Registry",
    "StaleSpan",
    "StorageConflictError",
    "StorageRefusedError",
    "StorageUnavailableError",
    "StoreResult",
    "claim_stale",
    "connect",
    "count_factors",
    "count_readings",
    "current_catalogue",
    "dead_letters_by_id",
    "describe_database",
    "dsn_from_environment",
    "edges_overview",
    "factor_uses",
    "fetch_interval_energy",
    "fetch_neighbours",
    "fetch_readings",
    "insert_dead_letters",
    "known_sequences",
    "list_dead_letters",
    "list_factors",
    "load_catalogue",
    "load_factor_set",
    "load_factors",
    "load_registry",
    "mark_replayed",
    "meter_changes",
    "migrate",
    "open_pool",
    "point_versions",
    "prepare_batches",
    "publish_indicators",
    "record_birth",
    "record_death",
    "record_status",
    "refresh_aggregates",
    "register_edge",
    "registry_version",
    "store_batches",
    "store_prepared",
    "transaction",
    "translate_errors",
    "write_interval_energy",
]

_MODULES = (
    "batches",
    "catalogues",
    "connections",
    "copying",
    "dead_letters",
    "dead_reasons",
    "derived",
    "edges",
    "errors",
    "factors",
    "migrations",
    "packing",
    "registry",
)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what is asked for when it is asked for: the commands of this room are registered by everybody."""
        if name in __all__:
            for module in map(import_module, (f"{__name__}.{module}" for module in _MODULES)):
                if name in vars(module):
                    return vars(module)[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
