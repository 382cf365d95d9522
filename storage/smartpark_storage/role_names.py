"""The roles that other rooms connect as. It imports nothing: every `smartpark` command passes here."""

from enum import StrEnum


class DatabaseRole(StrEnum):
    """Who connects, each with the least it needs."""

    INGEST = "smartpark_ingest"
    API = "smartpark_api"
    GRAFANA = "smartpark_grafana"
    BACKUP = "smartpark_backup"


READER_PREFIX = f"{DatabaseRole.GRAFANA.value}_"
"""Roles of Grafana's readers of some parks begin so."""
