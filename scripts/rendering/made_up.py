"""Parks that have something to show on every panel, in a PostgreSQL that lives as long as it is used.

They are those of the tests (tests/data/dashboard_parks.sql): amounts follow simple formulae. No park looks like this.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smartpark_storage import connect, embedded, migrate

TESTS = Path(__file__).resolve().parents[2] / "tests"


@contextmanager
def made_up() -> Iterator[str]:
    """Address of the database."""
    sys.path.append(str(TESTS))
    from dashboard_parks import seed  # noqa: PLC0415  the tests are reached for only where they are asked for

    with tempfile.TemporaryDirectory(prefix="smartpark-render-") as folder:
        # For root, PostgreSQL works under another account, which must be able to walk through.
        Path(folder).chmod(0o711)
        data = Path(folder) / "postgresql"
        try:
            dsn = embedded.start(data).dsn("postgres")
            with connect(dsn, application="render") as connection:
                migrate(connection)
                seed(connection)
            yield dsn
        finally:
            embedded.stop(data)
