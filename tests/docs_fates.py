"""Which commands of the documents are not run by the test that runs them, and why; everything else is run."""

import re
from dataclasses import dataclass
from typing import Final

from docs_commands import Command


@dataclass(frozen=True)
class ReadOnly:
    """Commands that are read and not run."""

    pattern: str
    """Of the whole command, from its beginning."""
    why: str
    tests: tuple[str, ...] = ()
    """Files that run it, or what it stands for, in another way."""
    documents: str = ""
    """Only of these documents: part of their name."""


_ON_A_SERVER = "needs root, or files of a machine on which the platform is deployed"
READ_ONLY: Final = (
    ReadOnly(r"docker ", "needs a container engine", ("test_compose", "test_deployment_documents")),
    ReadOnly(r"scripts/demo|smartpark demo", "minutes of a whole park", ("test_demo",)),
    ReadOnly(r"\. var/demo/env", "the demo writes that file", ("test_demo",)),
    ReadOnly(r"(\w+=\w+ )?scripts/test", "it is what runs this"),
    ReadOnly(r"scripts/chaos|export SMARTPARK_DSN=\S*chaos", "minutes", ("test_chaos_run", "test_chaos")),
    ReadOnly(r"scripts/fuzz", "minutes", ("test_fuzz",)),
    ReadOnly(r"scripts/bench", "minutes", ("test_benches",)),
    ReadOnly(r"scripts/render-dashboards", "fetches a front end, and needs a browser"),
    ReadOnly(r"scripts/score alerts", "needs sets that are no part of the project", ("test_alert_scores",)),
    ReadOnly(r"scripts/score-forecast", "half a minute", ("test_forecast_real",)),
    ReadOnly(r"scripts/init-secrets", "makes keys for half a minute", ("test_init_secrets",)),
    ReadOnly(r"([A-Z_]+=\S+ )*scripts/(backup|restore-drill)", "needs a server's backups", ("test_backup",)),
    ReadOnly(
        r"(cp|rm|install|chmod|systemctl|systemd-sysusers|UV_\w+=\S+ uv)\b", _ON_A_SERVER, ("test_systemd_units",)
    ),
    ReadOnly(r"openssl x509 -in secrets", _ON_A_SERVER, ("test_init_secrets",)),
    ReadOnly(r"SMARTPARK_DSN=postgresql://\S+ smartpark ", _ON_A_SERVER, ("test_storage_access",)),
    ReadOnly(r"smartpark edge spool /etc", _ON_A_SERVER, ("test_edge_agent",)),
    ReadOnly(r"smartpark ingest run", "goes on for good", ("test_ingest", "test_metrics")),
    ReadOnly(r"smartpark edge (run|spool)", "goes on for good, and leaves a spool", ("test_edge_agent",)),
    ReadOnly(r"smartpark derive run", "goes on for good", ("test_metrics",)),
    ReadOnly(r"smartpark alerts run", "goes on for good", ("test_alerting_worker", "test_alert_end_to_end")),
    ReadOnly(r"smartpark province run sources.toml$", "goes on for good", ("test_province_pull",)),
    ReadOnly(r"(SMARTPARK_\w+=\S+ )?smartpark api serve", "goes on for good", ("test_api_command",)),
    ReadOnly(r"export SMARTPARK_DSN=", "the test's own database it is", (), "api/"),
    ReadOnly(r"smartpark edge (listen|browse)", "needs meters that speak", ("test_edge_proposals",)),
    ReadOnly(r"smartpark simulate (broker|park|nhjc-platform|hj212-server)", "goes on for good", ("test_demo",)),
    ReadOnly(r"smartpark simulate province", "a minute", ("test_province_under_faults",)),
    ReadOnly(r"smartpark province (pull|verify) http", "needs a second instance", ("test_province_pull",)),
    ReadOnly(r"smartpark province status", "needs a second instance", ("test_province_pull",)),
    ReadOnly(r"curl -u .*client_credentials", "needs a program's secret", ("test_oauth",)),
    ReadOnly(r"smartpark alerts contacts test", "tells people", ("test_alert_contacts_commands",)),
    ReadOnly(r"smartpark verify (truth|TRUTH)", "needs the ledger of a run", ("test_demo", "test_storage_verify")),
    ReadOnly(r"smartpark dashboards build", "writes into the project", ("test_dashboards",)),
    ReadOnly(r"smartpark database reader", "makes a role of the whole server", ("test_grafana_readers",)),
    ReadOnly(r"smartpark grafana report --database", "needs a reader of its own", ("test_dashboard_report",)),
    ReadOnly(r"smartpark explain energy_per_value_added", "needs a whole month", ("test_explain_whole",)),
    ReadOnly(r"uv (build|export)|python3 -m|/opt/smartpark/bin/pip|sha256sum smartpark-images", _ON_A_SERVER),
    ReadOnly(r"scripts/verify-grafana", "needs a living Grafana", ("test_verify_grafana",)),
    ReadOnly(r"smartpark grafana sync", "needs a living Grafana", ("test_grafana_sync",)),
    ReadOnly(r"timedatectl|chronyc|journalctl|df -h|lint-imports|uv lock", "a program of the machine, not ours"),
)
"""The first that fits holds."""


SLOW: Final = re.compile(
    r"smartpark (derive --park|api describe|import|migrate|grafana report|forecast|alerts backtest)"
)
"""Commands that are run in the long test only: they take a second or more."""


def fate_of(command: Command) -> ReadOnly | None:
    """Why a command is not run; None: it is."""
    for row in READ_ONLY:
        if row.documents in command.document and re.match(row.pattern, command.text):
            return row
    return None
