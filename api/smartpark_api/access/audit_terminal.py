"""What the verbs of `smartpark audit` do; they print nothing themselves, and take nothing out of the log."""

import argparse
import json
from typing import Any

from smartpark.clock import PARK_ZONE
from smartpark_storage.access import AuditEntry, AuditFilter, audit_pages, read_audit
from tqdm import tqdm

from smartpark_api.access.telling import Told, instant_of, new_file, note, working


def audit_list(arguments: argparse.Namespace) -> Told:
    """The newest entries."""
    with working() as connection:
        entries = read_audit(connection, _wanted(arguments), limit=arguments.limit)
    return Told(
        [
            f"{one.at.astimezone(PARK_ZONE):%Y-%m-%d %H:%M:%S} {one.status} {one.principal} {one.action}"
            f" {one.park or '-'} {one.object}" + ("" if one.rows is None else f", {one.rows} rows")
            for one in entries
        ]
        or ["no entry fits"],
        [_document(one) for one in entries],
    )


def audit_export(arguments: argparse.Namespace) -> Told:
    """Write entries into a file."""
    count = 0
    with new_file(arguments.into) as write, working() as connection, tqdm(unit=" entries", disable=None) as bar:
        for page in audit_pages(connection, _wanted(arguments)):
            write("\n".join(json.dumps(_document(one), ensure_ascii=False) for one in page))
            count += len(page)
            bar.update(len(page))
        note(connection, "audit export", str(arguments.into), entries=count)
    return Told([f"{count:,} entries written into {arguments.into}"], {"file": str(arguments.into), "entries": count})


def _wanted(arguments: argparse.Namespace) -> AuditFilter:
    return AuditFilter(
        principal=arguments.by,
        action=arguments.action,
        parks=arguments.park,
        since=None if arguments.since is None else instant_of(arguments.since),
        until=None if arguments.until is None else instant_of(arguments.until),
        refused_only=arguments.refused,
    )


def _document(entry: AuditEntry) -> dict[str, Any]:
    return {
        "entry": entry.entry_id,
        "at": entry.at.isoformat(),
        "principal": entry.principal,
        "proof": entry.proof,
        "action": entry.action,
        "park": entry.park,
        "object": entry.object,
        "status": entry.status,
        "rows": entry.rows,
        "detail": dict(entry.detail),
        "remote": entry.remote,
        "request_id": entry.request_id,
    }
