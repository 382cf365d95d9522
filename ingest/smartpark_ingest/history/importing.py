"""Imports files: piece by piece into the readings, each piece of each point exactly once.

The identity. An import is an edge like any other in the batch ledger, under the code ``import:files``: what a file
holds and the name of a point in it make the boot, the number of the piece the sequence. So a file that comes twice,
under whatever name, or an import that was killed and is continued, finds its pieces in the ledger and stores
nothing twice; and a point that is added to the map later is imported from the same file then. The other way round:
what was imported is not imported again when the map changes its scale or its zone.

A piece is one transaction. While the database stores one, the next one is read and judged by another thread.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from smartpark.clock import utc_now
from smartpark.errors import InvalidFileError, Problem
from smartpark_storage import Batch, known_sequences, register_edge, store_batches

from smartpark_ingest.database import PatientDatabase
from smartpark_ingest.desk import REPLAY_BOOT
from smartpark_ingest.history.mapfile import PointMap
from smartpark_ingest.history.rejects import Rejects
from smartpark_ingest.history.sorting import Sorted, Sorter, wanted_columns
from smartpark_ingest.history.tables import BLOCK_BYTES, PIECE_CELLS, Piece, digest, headings, pieces

EDGE: Final = "import:files"
"""No agent can have this code, and where agents are shown it is not."""


@dataclass(slots=True)
class FileReport:
    """What became of one file."""

    file: str
    readings: int = 0
    """Stored now."""
    known: int = 0
    """Stored before: by an import that was broken off, or of the same file."""
    rejected: int = 0
    """Cells and rows that could not be taken."""
    rejects: str | None = None
    """Where they are set aside."""
    unknown: dict[str, int] = field(default_factory=dict[str, int])
    """Names that the map does not have, and in how many rows."""


def check_files(files: list[Path], point_map: PointMap) -> None:
    """See that every file is there and has the columns; `InvalidFileError` names all that is wrong."""
    problems: list[Problem] = []
    wanted = wanted_columns(point_map.file, point_map.point)
    for path in files:
        try:
            names = headings(path, point_map.file)
        except InvalidFileError as error:
            problems += error.problems
            continue
        for name in (*wanted.texts, *wanted.numbers):
            if names.count(name) != 1:
                problems.append(
                    Problem(str(path), name, "two columns of this name" if name in names else "no such column")
                )
    if problems:
        raise InvalidFileError(problems)


class Importer:
    """Imports files of one map."""

    def __init__(
        self, database: PatientDatabase, point_map: PointMap, sorter: Sorter, tell: Callable[[str], None]
    ) -> None:
        self._database, self._map, self._sorter, self._tell = database, point_map, sorter, tell

    def import_file(
        self, path: Path, rejects: Rejects, *, dry_run: bool, progress: Callable[[int], object]
    ) -> FileReport:
        """Import one file; `progress` hears how many of its bytes are done."""
        report = FileReport(str(path))
        ledger = _Ledger(self._database, path, [point.name for point in self._map.point])
        unknown: Counter[str] = Counter()
        for piece, found in self._ahead(path):
            for name in found.unknown.keys() - unknown.keys():
                self._tell(f"{path}: row {_first_row(found, name)}: the map has no point {name!r}; set aside")
            unknown.update(found.unknown)
            rejects.add(found.wrong)
            batches, known = ledger.fresh(piece.number, found)
            report.known += known
            report.readings += sum(len(batch.readings) for batch in batches)
            if batches and not dry_run:
                self._store(batches)
            progress(piece.read_bytes)
        rejects.close()
        report.rejected, report.unknown = rejects.count, dict(unknown)
        report.rejects = str(rejects.path) if rejects.count else None
        return report

    def _store(self, batches: list[Batch]) -> None:
        self._database.run(lambda connection: store_batches(connection, batches, received_at=utc_now()))

    def _ahead(self, path: Path) -> Iterator[tuple[Piece, Sorted]]:
        """Pieces, read and judged one ahead of the database."""
        source = pieces(path, self._map.file, self._sorter.wanted)

        def following() -> tuple[Piece, Sorted] | None:
            piece = next(source, None)
            return None if piece is None else (piece, self._sorter.sort(piece))

        with ThreadPoolExecutor(1, "import-reader") as reader:
            coming: Future[tuple[Piece, Sorted] | None] = reader.submit(following)
            while (found := coming.result()) is not None:
                coming = reader.submit(following)
                yield found


class _Ledger:
    """What of a file is stored already."""

    def __init__(self, database: PatientDatabase, path: Path, names: list[str]) -> None:
        content = digest(path)
        self._boots = {name: _boot(content, name) for name in names}
        self._edge = database.run(lambda connection: register_edge(connection, EDGE))
        boots = list(self._boots.values())
        self._known = database.run(lambda connection: known_sequences(connection, self._edge, boots))

    def fresh(self, number: int, found: Sorted) -> tuple[list[Batch], int]:
        """Batches of a piece that are not stored, and how many readings are."""
        batches: list[Batch] = []
        known = 0
        for name, readings in found.by_point.items():
            boot = self._boots[name]
            if (boot, number) in self._known:
                known += len(readings)
            else:
                batches.append(Batch(self._edge, boot, number, 0, readings))
        return batches, known


def _boot(content: bytes, name: str) -> int:
    # How files fall into pieces is part of it: a piece of another cut is another piece.
    cut = f"{BLOCK_BYTES} {PIECE_CELLS} ".encode()
    return int.from_bytes(hashlib.sha256(content + cut + name.encode()).digest()[:8]) % REPLAY_BOOT


def _first_row(found: Sorted, name: str) -> int:
    return min(one.row for one in found.wrong if one.text == name)
