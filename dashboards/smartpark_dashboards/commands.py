"""Commands of this room: `smartpark dashboards build` and `check`, `smartpark grafana report` and `sync`."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartpark.cli import Subparsers, command_group
from smartpark.errors import InvalidFileError

from smartpark_dashboards.sync.commands import register as register_sync
from smartpark_dashboards.words import Language

if TYPE_CHECKING:
    from smartpark_dashboards.report import ReportedQuery

_FOLDER = Path("dashboards/generated")
_PROVISIONING = Path("dashboards/provisioning")


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `dashboards build`, `dashboards check`, `grafana report` and `grafana sync`."""
    _register_report(subparsers)
    verbs = command_group(subparsers, "dashboards", "Grafana dashboards: build, check")
    build = verbs.add_parser(
        "build",
        help="write the dashboards' JSON, and the platform's alert rules",
        description="Writes the JSON files of the dashboards and the alert rules of the platform, as Grafana reads "
        "them. They are committed: running Grafana needs no Python.",
    )
    check = verbs.add_parser(
        "check",
        help="say whether the files that Grafana reads are up to date",
        description="Compares the dashboards' JSON and the platform's alert rules with the code. Exit code 2 when "
        "one differs.",
    )
    for parser, run in ((build, _build), (check, _check)):
        parser.add_argument(
            "--folder", type=Path, default=_FOLDER, metavar="DIR", help=f"where the files are (default {_FOLDER})"
        )
        parser.add_argument(
            "--provisioning", type=Path, default=_PROVISIONING, metavar="DIR",
            help=f"where Grafana's provisioning is (default {_PROVISIONING})",
        )  # fmt: skip
        parser.set_defaults(run=run)


def _register_report(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    verbs = command_group(subparsers, "grafana", "what Grafana is given: report, sync")
    register_sync(verbs)
    report = verbs.add_parser(
        "report",
        help="list every dashboard, panel and query, the checks and their results",
        description="Lists every dashboard, panel and query (of panels, choices, marks, alert rules), the views that "
        "it reads, the checks and their results. Without --database only rules are applied; with it, each "
        "query is asked as Grafana's role does when a page is opened. Exit code 2 when a check fails.",
    )
    report.add_argument("--language", choices=[language.value for language in Language], default=Language.ZH.value,
                        help="which set (default zh)")  # fmt: skip
    report.add_argument("--database", metavar="DSN", nargs="?", const="",
                        help="ask every query of this database (no DSN: the one of SMARTPARK_DSN)")  # fmt: skip
    report.add_argument("--role", default="smartpark_grafana",
                        help="role that asks, such as a park's reader (default smartpark_grafana)")  # fmt: skip
    report.add_argument("--folder", type=Path, default=_FOLDER, metavar="DIR",
                        help=f"where the committed files are (default {_FOLDER})")  # fmt: skip
    report.add_argument("--json", action="store_true", help="for machines: dashboards, queries, checks, results")
    report.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> int:
    from smartpark_dashboards.generated import outdated_files, render_documents
    from smartpark_dashboards.lint import problems_of
    from smartpark_dashboards.report import report_document, report_lines, reported

    documents = render_documents()
    shown = {name: document for name, document in documents.items() if name.startswith(f"{arguments.language}/")}
    queries = reported(shown, alerts=True)
    if arguments.database is not None:
        queries = _asked(queries, shown, arguments)
    outdated = outdated_files(arguments.folder) if arguments.folder.is_dir() else None
    if arguments.json:
        print(json.dumps(report_document(shown, queries, outdated), ensure_ascii=False, indent=2))
    else:
        print("\n".join([*report_lines(shown, queries), *map(str, outdated or ())]))
    return 2 if problems_of(documents) or outdated or any(query.failed for query in queries) else 0


def _asked(
    queries: "list[ReportedQuery]", documents: dict[str, Any], arguments: argparse.Namespace
) -> "list[ReportedQuery]":
    from smartpark.clock import utc_now
    from tqdm import tqdm

    from smartpark_dashboards.report import answered

    asked = answered(queries, documents, dsn=arguments.database, role=arguments.role, now=utc_now())
    return list(tqdm(asked, total=len(queries), unit="query", disable=None, leave=False))


def _build(arguments: argparse.Namespace) -> int:
    from smartpark_dashboards.generated import write_files
    from smartpark_dashboards.platform_alerts.provisioned import write_platform_file

    written = [*write_files(arguments.folder), *write_platform_file(arguments.provisioning)]
    print("\n".join(f"wrote {path}" for path in written) or "up to date")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from smartpark_dashboards.generated import outdated_files, render_files
    from smartpark_dashboards.platform_alerts.provisioned import outdated_platform_file

    problems = [*outdated_files(arguments.folder), *outdated_platform_file(arguments.provisioning)]
    if problems:
        raise InvalidFileError(problems)
    print(f"{len(render_files())} dashboards and the platform's alert rules are up to date")
    return 0
