"""`smartpark demo`: one start of it, from the command line to the exit code, and what a Ctrl-C does to it.

What happens in between is in `story`.
"""

import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from smartpark.errors import SmartparkError

from smartpark_simulators.demo.layout import Layout
from smartpark_simulators.demo.options import DemoOptions
from smartpark_simulators.demo.story import Demo


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM: everything stops, cleanly."""


def run_demo(options: DemoOptions) -> int:
    """Run the demo; the exit code says whether the comparison came out right."""
    folder, is_temporary = _folder(options)
    with _signals():
        exit_code = _run_in(options, folder)
    if is_temporary and not exit_code:
        shutil.rmtree(folder, ignore_errors=True)
    elif exit_code:
        sys.stderr.write(f"logs, database and truth ledger are kept in {folder}\n")
    return exit_code


def _run_in(options: DemoOptions, folder: Path) -> int:
    demo = Demo(options, Layout(folder))
    try:
        return demo.run()
    except Interrupted:
        demo.tell("stopping")
        return 0
    except SmartparkError as error:
        sys.stderr.write(f"smartpark: {error}\n")
        return 1
    finally:
        demo.end()


@contextmanager
def _signals() -> Generator[None]:
    def interrupt(_number: int, _frame: object) -> None:
        # Once is enough: a second Ctrl-C must not interrupt the stopping.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _folder(options: DemoOptions) -> tuple[Path, bool]:
    """Where its things go, and whether that is only for this run."""
    if options.data is not None or not options.is_headless:
        return (options.data or Path("var/demo")).absolute(), False
    folder = Path(tempfile.mkdtemp(prefix="smartpark-demo-"))
    # For root, PostgreSQL works under another account, which must be able to walk to the database in it.
    folder.chmod(0o711)
    return folder, True
