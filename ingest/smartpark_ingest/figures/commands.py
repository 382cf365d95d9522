"""`smartpark figures`: business figures from tables, checked, imported and listed."""

import argparse
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from smartpark.cli import Subparsers, command_group
from smartpark.errors import InvalidFileError, SmartparkError

if TYPE_CHECKING:
    from smartpark_storage.connections import Connection
    from smartpark_storage.figures import FigureReport, FigureRow

    from smartpark_ingest.figures.files import FigureTable

_WHERE = "The database is the one SMARTPARK_DSN names."
_COLUMNS = """\
A table has one figure per row, with these columns (code name or Chinese heading, in any order):
  park, entity, kind, product, period, value, unit, price_basis, is_estimated, source_document, entered_by, note
entity is park, sub_park/CODE or enterprise/CODE; period is 2026-05, 2026Q2 or 2026. docs/methods/business-figures.md
has an example of every kind; `smartpark figures template` writes an empty table.
"""


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verbs of ``smartpark figures``."""
    verbs = command_group(
        subparsers, "figures", "business figures: output, value added, tax, land, certificates, budgets"
    )
    _register_template(verbs)
    _register_check(verbs)
    _register_import(verbs)
    _register_list(verbs)


def _register_template(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    template = verbs.add_parser(
        "template",
        help="write an empty table to fill in",
        description="Writes a table with headings, examples (remarked with #) and the list of kinds.",
    )
    template.add_argument("--out", type=Path, required=True, metavar="FILE", help="FILE.xlsx or FILE.csv")
    template.add_argument("--lang", choices=("zh", "en"), default="zh", help="language of the headings (default zh)")
    template.set_defaults(run=_template)


def _register_check(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    check = verbs.add_parser(
        "check",
        help="report every wrong row of tables, with file, sheet, row and column",
        description="Checks tables of figures without touching any database. Exit code 2 when a row is wrong.",
        epilog=_COLUMNS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("file", type=Path, nargs="+", metavar="FILE")
    check.add_argument("--by", default="", metavar="NAME", help="who enters the figures of rows that do not say")
    check.add_argument("--json", action="store_true", help="one JSON object: figures, problems")
    check.set_defaults(run=_check)


def _register_import(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    import_ = verbs.add_parser(
        "import",
        help="record the figures of tables, all or none",
        description=(
            "Records the figures of tables (CSV in UTF-8 or GB18030, XLSX). When a row is wrong nothing is recorded, "
            "unless --accept-valid sets the wrong ones aside. Recording the same table again changes nothing; a "
            f"corrected number becomes a new revision, and the old one stays on record. {_WHERE}"
        ),
        epilog=_COLUMNS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    import_.add_argument("file", type=Path, nargs="+", metavar="FILE")
    import_.add_argument("--by", default="", metavar="NAME", help="who enters the figures of rows that do not say")
    import_.add_argument(
        "--accept-valid", action="store_true", help="record what is right, and write the other rows to --rejected"
    )
    import_.add_argument(
        "--rejected",
        type=Path,
        metavar="FILE",
        help="CSV for rows set aside, with what is wrong (default: beside the first file, NAME.rejected.csv)",
    )
    import_.add_argument("--json", action="store_true", help="one JSON object: added, corrected, problems …")
    import_.set_defaults(run=_import)


def _register_list(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    list_ = verbs.add_parser(
        "list",
        help="figures on record, and their history",
        description=f"Lists the figures that stand; with --history every revision, by whom and until when. {_WHERE}",
    )
    list_.add_argument("--park", metavar="CODE", help="only of this park")
    list_.add_argument("--entity", metavar="ENTITY", help="only of park, sub_park/CODE or enterprise/CODE")
    list_.add_argument("--kind", metavar="KIND", help="only of this kind, e.g. value_added")
    list_.add_argument("--year", type=int, metavar="YEAR", help="only of periods in this year")
    list_.add_argument("--history", action="store_true", help="every revision, withdrawn ones too")
    list_.add_argument("--json", action="store_true", help="one JSON object per figure")
    list_.set_defaults(run=_list)


def _template(arguments: argparse.Namespace) -> int:
    from smartpark_ingest.figures.files import write_template

    out: Path = arguments.out
    try:
        write_template(out, chinese=arguments.lang == "zh")
    except OSError as error:
        raise SmartparkError(f"{out} cannot be written: {error.strerror or error}") from error
    print(out)
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from smartpark_ingest.figures.files import read_tables

    table = read_tables(arguments.file, entered_by=arguments.by)
    problems = table.all_problems
    if arguments.json:
        print(json.dumps(_facts(table), ensure_ascii=False))
        return 2 if problems else 0
    if problems:
        raise InvalidFileError(problems)
    print(f"{len(table.figures)} figures, all in order")
    return 0


def _facts(table: "FigureTable") -> dict[str, object]:
    return {"figures": len(table.figures), "problems": [asdict(problem) for problem in table.all_problems]}


def _import(arguments: argparse.Namespace) -> int:
    from smartpark.clock import utc_now
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.figures import entity_complaint, figure_entities, record_figures

    from smartpark_ingest.figures.files import read_tables, with_complaints, write_rejected

    files: list[Path] = arguments.file
    table = read_tables(files, entered_by=arguments.by)
    with connect(dsn_from_environment(), application="smartpark figures") as connection:
        known = figure_entities(connection)
        table = with_complaints(table, [entity_complaint(figure, known) for figure in table.figures])
        problems = table.all_problems
        # A file that cannot be read has no rows that could be set aside.
        accepted = not problems or (arguments.accept_valid and not table.problems)
        if not accepted and not arguments.json:
            raise InvalidFileError(problems)
        report = record_figures(connection, table.figures, at=utc_now()) if accepted else None
        if report is not None:
            _write_down(connection, files, table)
        connection.commit()
    rejected = _rejected_file(arguments) if accepted and table.wrong_rows else None
    if rejected is not None:
        write_rejected(table.wrong_rows, rejected)
    _tell(table, report, rejected, as_json=arguments.json)
    return 2 if problems else 0


def _write_down(connection: "Connection", files: Sequence[Path], table: "FigureTable") -> None:
    """Add a line to the audit log for each park."""
    from smartpark.access import LOCAL
    from smartpark.clock import utc_now
    from smartpark_storage.access import AuditEntry, add_audit

    now, names = utc_now(), ", ".join(file.name for file in files)
    for park, count in sorted(Counter(figure.park for figure in table.figures).items()):
        entry = AuditEntry(now, LOCAL.name, LOCAL.proof, "cli:figures import", names, park=park, rows=count)
        add_audit(connection, entry)


def _rejected_file(arguments: argparse.Namespace) -> Path:
    first: Path = arguments.file[0]
    return arguments.rejected or first.with_name(f"{first.stem}.rejected.csv")


def _tell(table: "FigureTable", report: "FigureReport | None", rejected: Path | None, *, as_json: bool) -> None:
    if as_json:
        done = asdict(report) if report is not None else {}
        aside = str(rejected) if rejected is not None else None
        print(
            json.dumps(
                {**_facts(table), "recorded": report is not None, **done, "rejected": aside}, ensure_ascii=False
            )
        )
        return
    if report is not None:
        counts = ", ".join(f"{count} {name}" for name, count in asdict(report).items() if count)
        print(counts or "no figures")
    if rejected is not None:
        print(f"{len(table.wrong_rows)} rows set aside in {rejected}:")
        print(os.linesep.join(str(problem) for problem in table.all_problems))


def _list(arguments: argparse.Namespace) -> int:
    from smartpark_storage import connect, dsn_from_environment
    from smartpark_storage.figures import EVER, read_figures

    year: int | None = arguments.year
    start, end = EVER if year is None else (date(year, 1, 1), date(year + 1, 1, 1))
    with connect(dsn_from_environment(), application="smartpark figures") as connection:
        rows = read_figures(
            connection,
            park=arguments.park,
            entity=arguments.entity,
            kind=arguments.kind,
            start=start,
            end=end,
            history=arguments.history,
        )
    for row in rows:
        print(json.dumps(_row_facts(row), ensure_ascii=False) if arguments.json else _row_line(row))
    return 0


def _row_facts(row: "FigureRow") -> dict[str, object]:
    facts = asdict(row) | {"period": str(row.period)}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}


def _row_line(row: "FigureRow") -> str:
    what = " ".join(part for part in (row.kind, row.product, row.price_basis) if part)
    value = (
        "withdrawn" if row.value is None else f"{row.value:g} {row.unit}{' (estimated)' if row.is_estimated else ''}"
    )
    until = f", until {row.superseded_at:%Y-%m-%d %H:%M}" if row.superseded_at is not None else ""
    by = f"revision {row.revision} by {row.entered_by}, {row.recorded_at:%Y-%m-%d %H:%M}{until}"
    return f"{row.period!s:8} {row.park}/{row.entity:20} {what:32} {value:>20}  {row.source_document}  [{by}]"
