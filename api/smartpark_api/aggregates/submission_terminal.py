"""What the verbs of `smartpark submissions` do, and how it is told on a terminal; they print nothing themselves."""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartpark.aggregates import BadManifestError, Manifest, period_named
from smartpark.clock import utc_now
from smartpark.periods import Period
from smartpark_storage.aggregates import (
    SealKey,
    Submission,
    read_submission,
    read_submissions,
    retire_seal_key,
    submission_rows,
)
from smartpark_storage.connections import Connection, connect, dsn_from_environment, transaction

from smartpark_api.aggregates.models import SealedOut
from smartpark_api.aggregates.seal_keys import KEY_FILE_VARIABLE, SealKeyError, load_key, make_key, pem_of
from smartpark_api.aggregates.sealing import (
    Correction,
    Gap,
    IncompletePeriodError,
    Seal,
    corrections_of,
    current_rows,
    seal_period,
)
from smartpark_api.aggregates.submitting import (
    all_keys,
    correction_out,
    gap_out,
    key_out,
    submission_members,
    submission_out,
)
from smartpark_api.aggregates.terminal import AskedError, check_known_parks, write_down
from smartpark_api.aggregates.verifying import Paper, read_paper, verify, write_paper
from smartpark_api.models.base import iso

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """What a verb says, and the exit code of the process."""

    lines: tuple[str, ...]
    code: int = 0


def seal(arguments: argparse.Namespace) -> Told:
    """Submit a period."""
    wanted = Seal(
        park=arguments.park,
        period=_period(arguments.period),
        sealed_by=arguments.by,
        note=arguments.note,
        accept_incomplete=arguments.accept_incomplete,
    )
    key = load_key(_key_file(os.environ))
    with _connected() as connection:
        check_known_parks(connection, [wanted.park])
        try:
            with transaction(connection):
                sealed = seal_period(connection, wanted, key, now=utc_now())
                one = sealed.submission
                _log(connection, "seal", one.park, one.rows, about=one.code, by=one.sealed_by, gaps=len(sealed.gaps))
        except IncompletePeriodError as error:
            return _refused(error, as_json=arguments.json)
    if arguments.json:
        gaps = [gap_out(gap) for gap in sealed.gaps]
        return Told((SealedOut(**submission_members(one), gaps=gaps).model_dump_json(indent=2),))
    return Told((*_lines_of(one), *map(_line_of_gap, sealed.gaps)))


def list_all(arguments: argparse.Namespace) -> Told:
    """Submissions in the order in which they became known."""
    with _connected() as connection:
        if arguments.park is not None:
            check_known_parks(connection, [arguments.park])
        found = list(_all(connection, arguments.park))
    if arguments.json:
        return Told((_json([submission_out(one).model_dump(mode="json") for one in found]),))
    return Told(tuple(f"{one.code}  {one.rows} rows  {iso(one.sealed_at)[:16]}  {one.sealed_by}" for one in found))


def show(arguments: argparse.Namespace) -> Told:
    """One submission, its corrections or its files."""
    into: Path | None = arguments.into
    with _connected() as connection, transaction(connection):
        one = read_submission(connection, arguments.code)
        rows = submission_rows(connection, one.code)
        period = _period(Manifest.parse(one.manifest).period)
        changed = list(corrections_of(rows, current_rows(connection, one.park, period)))
        keys = {key.key_id: key for key in all_keys(connection)}
        _log(connection, "show", one.park, one.rows, about=one.code)
    written: list[Path] = []
    if into is not None:
        lines = b"".join(line + b"\n" for line in rows.lines())
        paper = Paper(one.manifest.encode(), one.signature, lines, _public(keys, one.key_id))
        written = write_paper(paper, into)
    if arguments.json:
        document = submission_out(one).model_dump(mode="json")
        if arguments.corrections:
            document["corrections"] = [correction_out(change).model_dump(mode="json") for change in changed]
        return Told((_json(document),))
    told = [*_lines_of(one), *(str(path) for path in written), f"  corrected or added since: {len(changed)}"]
    return Told((*told, *(map(_line_of_correction, changed) if arguments.corrections else ())))


def verify_folder(arguments: argparse.Namespace) -> Told:
    """Verify the files of a folder."""
    verdict = verify(read_paper(arguments.folder, key=arguments.key))
    code = 0 if verdict.holds else 1
    if arguments.json:
        about = None if verdict.manifest is None else verdict.manifest.code
        return Told((_json({"code": about, "holds": verdict.holds, "complaints": verdict.complaints}),), code)
    if verdict.manifest is None or not verdict.holds:
        return Told(("does not hold:", *(f"  {complaint}" for complaint in verdict.complaints)), code)
    said = verdict.manifest
    return Told(
        (
            f"holds: {said.code}, {said.rows} rows, sealed by {said.sealed_by} at {iso(said.sealed_at)}",
            f"  digest {said.digest}",
            f"  key {said.key_id}"
            + ("" if arguments.key else " (from the folder itself; compare it with the sealer's)"),
        ),
        code,
    )


def make(arguments: argparse.Namespace) -> Told:
    """Make a key."""
    key = make_key(arguments.into)
    if arguments.json:
        said = {"key_id": key.key_id, "file": str(arguments.into), "public_key": pem_of(key.public)}
        return Told((_json(said),))
    return Told((f"{arguments.into}: {key.key_id}", *pem_of(key.public).splitlines()))


def list_keys(arguments: argparse.Namespace) -> Told:
    """Public halves of keys."""
    with _connected() as connection:
        found = all_keys(connection)
    if arguments.json:
        return Told((_json([key_out(key).model_dump(mode="json") for key in found]),))
    return Told(tuple(_line_of_key(key) for key in found))


def retire(arguments: argparse.Namespace) -> Told:
    """Seal no more with a key."""
    with _connected() as connection, transaction(connection):
        known = {key.key_id: key for key in all_keys(connection)}
        if arguments.key_id not in known:
            raise SealKeyError(f"there is no key {arguments.key_id!r}; smartpark submissions key list names them")
        if known[arguments.key_id].source is not None:
            raise SealKeyError(f"{arguments.key_id} is a key of source {known[arguments.key_id].source}, not ours")
        retire_seal_key(connection, arguments.key_id, utc_now())
        _log(connection, "key retire", None, None, about=arguments.key_id)
    return Told((_json({"retired": arguments.key_id}) if arguments.json else f"{arguments.key_id} is retired",))


def _connected() -> Connection:
    return connect(dsn_from_environment(), application="smartpark submissions")


def _log(connection: Connection, verb: str, park: str | None, rows: int | None, **detail: Any) -> None:
    write_down(connection, f"cli:submissions {verb}", park, rows=rows, **detail)


def _key_file(environment: Mapping[str, str]) -> Path:
    named = environment.get(KEY_FILE_VARIABLE)
    if not named:
        raise SealKeyError(
            f"{KEY_FILE_VARIABLE} is not set; it names the file of the key that seals, "
            "which smartpark submissions key make --into FILE makes"
        )
    return Path(named)


def _period(text: str) -> Period:
    try:
        return period_named(text)
    except BadManifestError as error:
        raise AskedError(str(error)) from None


def _public(keys: Mapping[str, SealKey], key_id: str) -> bytes:
    if key_id not in keys:
        raise SealKeyError(f"the public half of {key_id} is not known here")
    return keys[key_id].public_key


def _all(connection: Connection, park: str | None) -> Iterator[Submission]:
    page = read_submissions(connection, scope=None, park=park, after=None, limit=_PAGE)
    yield from page.submissions
    while page.more:
        page = read_submissions(connection, scope=None, park=park, after=page.next, limit=_PAGE)
        yield from page.submissions


def _refused(error: IncompletePeriodError, *, as_json: bool) -> Told:
    if as_json:
        return Told((_json({"submitted": None, "gaps": [gap_out(gap).model_dump() for gap in error.gaps]}),), 1)
    said = f"{len(error.gaps)} numbers are missing or incomplete; nothing was submitted:"
    return Told((said, *map(_line_of_gap, error.gaps), "mend them, or confirm them with --accept-incomplete"), 1)


def _lines_of(one: Submission) -> tuple[str, ...]:
    return (
        f"{one.code}  {one.rows} rows, sealed by {one.sealed_by} at {iso(one.sealed_at)}",
        f"  digest {one.digest}",
        f"  key {one.key_id}" + (f"  {one.note}" if one.note else ""),
    )


def _line_of_gap(gap: Gap) -> str:
    share = "" if gap.completeness is None else f" {gap.completeness:.1%} complete"
    return f"  {gap.kind}: {gap.boundary} {gap.indicator}{share}" + (f" ({gap.reason})" if gap.reason else "")


def _line_of_correction(change: Correction) -> str:
    now, before = change.current, change.submitted
    was = "was not there" if before is None else f"{before.value} (revision {before.revision})"
    return f"  {now.boundary} {now.indicator}: {was} -> {now.value} (revision {now.revision}) {now.unit}"


def _line_of_key(key: SealKey) -> str:
    whose = "ours" if key.source is None else f"of source {key.source}"
    until = "" if key.retired_at is None else f", retired {iso(key.retired_at)[:16]}"
    return f"{key.key_id}  {whose}, known since {iso(key.known_since)[:16]}{until}"


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
