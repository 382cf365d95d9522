"""The file beside an imported one that holds what could not be taken: row, column, what is written there, why.

It is added to and flushed before the rest of its piece is stored. An import that is continued, or repeated, finds in
it what it has told before and does not tell it twice.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from smartpark.errors import SmartparkError

from smartpark_ingest.history.tables import Wrong

_HEADINGS: Final = ("row", "column", "text", "reason")


class RejectsError(SmartparkError):
    """What is wrong in a file cannot be set aside, so nothing is imported from it."""


class Rejects:
    """What is set aside of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        """Told now, and told before."""
        self._known = _told_before(path)
        self._file: Any = None

    def add(self, wrong: Iterable[Wrong]) -> None:
        """Set aside; what was told before only counts."""
        fresh: list[Wrong] = []
        for one in wrong:
            self.count += 1
            if (key := (one.row, one.column)) not in self._known:
                self._known.add(key)
                fresh.append(one)
        if fresh:
            self._write(fresh)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _write(self, fresh: list[Wrong]) -> None:
        try:
            if self._file is None:
                is_new = not self.path.exists()
                self._file = self.path.open("a", encoding="utf-8", newline="")
                if is_new:
                    csv.writer(self._file).writerow(_HEADINGS)
            csv.writer(self._file).writerows(fresh)
            self._file.flush()
        except OSError as error:
            raise RejectsError(f"{self.path}: wrong rows cannot be set aside there: {error.strerror}") from error


def _told_before(path: Path) -> set[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RejectsError(f"{path}: cannot be read: {error}") from error
    # The last row may have been cut off by a kill.
    return {
        (int(row["row"]), row["column"]) for row in rows if row.get("reason") and (row.get("row") or "").isdigit()
    }
