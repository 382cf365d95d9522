"""Files of factors that a park or an administrator writes, checked before anything is loaded.

The same form as the rows that come with the platform: ``[[factor]]`` entries, and ``[[table]]`` entries whose head
holds for each of their rows. A file is refused whole, with every problem named by file, row and key.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from smartpark.errors import InvalidFileError, Problem
from smartpark.factors import Factor, expand_tables
from smartpark.tomlfile import StrictModel, load_toml, parse_model


class FactorFile(StrictModel):
    """What a file of factors holds."""

    version: str = ""
    """For people; the version of a set of factors is the digest of its rows."""
    factor: tuple[Factor, ...] = Field(min_length=1)


def load_factor_file(path: Path, *, beside: Iterable[Factor] = ()) -> tuple[Factor, ...]:
    """Read and check a file.

    Parameters
    ----------
    path : Path
    beside : iterable of Factor
        Rows that are there already: those of the platform, or of the database.

    Raises
    ------
    InvalidFileError
        With every problem: shape and units, corrections of rows that do not exist, and rows between which a lookup
        could not choose.
    """
    file = str(path)
    document = expand_tables(load_toml(path))
    rows = parse_model(document, FactorFile, file=file).factor
    problems = [Problem(file, f"factor[{row}]", message) for row, message in factor_problems(rows, beside)]
    if problems:
        raise InvalidFileError(problems)
    return rows


def factor_problems(rows: Iterable[Factor], beside: Iterable[Factor] = ()) -> list[tuple[str, str]]:
    """Id and message of each row that does not fit the others."""
    new = list(rows)
    ids = [row.id for row in new]
    known = {row.id: row for row in beside if row.id not in set(ids)}
    everything = [*known.values(), *new]
    by_id = {row.id: row for row in everything}
    twice = sorted({i for i in ids if ids.count(i) > 1})
    problems = [(i, f"occurs {ids.count(i)} times; ids are unique") for i in twice]
    for row in new:
        if row.supersedes is None:
            continue
        corrected = by_id.get(row.supersedes)
        if corrected is None:
            problems.append((row.id, f"supersedes {row.supersedes}, which does not exist"))
        elif _subject(corrected) != _subject(row):
            problems.append((row.id, f"supersedes {row.supersedes}, which is about something else"))
    return problems + [(i, message) for i, message in _ambiguities(everything) if i in set(ids)]


def _subject(row: Factor) -> tuple[object, ...]:
    return row.kind, row.carrier, row.scope, row.park, row.device


def _ambiguities(rows: Iterable[Factor]) -> list[tuple[str, str]]:
    """Rows of one subject that begin on one day: a lookup would have to toss a coin."""
    everything = list(rows)
    corrected = {row.supersedes for row in everything}
    alike: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for row in everything:
        if row.id not in corrected and not row.historical:
            alike[*_subject(row), row.valid_from].append(row.id)
    return [
        (i, f"says the same as {', '.join(o for o in ids if o != i)} from the same day on: use `supersedes`")
        for ids in alike.values()
        if len(ids) > 1
        for i in ids
    ]
