"""Makes `.venv` with the locked workspace, on a machine that may have nothing but python3.

It needs `uv`, and takes the first that works: the one on the PATH, the one obtained last time, or one fetched by
its package name with pip. Where Python came without pip, pip itself is found in turn: in a throw-away venv, or in
the distribution's package of pip, unpacked here without being installed. So neither root nor an "externally
managed" Python stands in the way, and nothing outside this folder (and uv's cache) is written.

Refuses to download a Python, to change the lock file, and to name any package registry: which one is asked is
pip's configuration and environment (PIP_INDEX_URL and so on).
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
STAMP = VENV / "smartpark-bootstrap"
OLDEST_UV = (0, 9, 0)
"""Reads this lock file's revision, and knows what a package may be told while it is built."""

BY_HAND = """\
bootstrap: uv could not be obtained (what was tried stands above).
Either run this once, then this script again:
    sudo apt-get install python3-pip ca-certificates
or put uv (https://docs.astral.sh/uv/) on the PATH."""


class BootstrapError(Exception):
    """A step that cannot be got around; the message says what to do."""


def main() -> int:
    """Make the environment, or find in a moment that it is there."""
    parser = argparse.ArgumentParser(
        prog="scripts/bootstrap", description="Makes .venv with the locked workspace. A second run takes a moment."
    )
    parser.add_argument("--dev", action="store_true", help="also the tools that the tests need")
    arguments = parser.parse_args()
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "bootstrap.lock").open("w") as lock:
        # Two scripts started together would build the same folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            _make(dev=arguments.dev or _stamped().endswith(" dev"))
        except BootstrapError as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


def _make(*, dev: bool) -> None:
    wanted = f"{fingerprint()}{' dev' if dev else ''}"
    if _stamped() == wanted and venv_is_usable():
        return
    begin = time.monotonic()
    _say("bringing .venv up to date" if venv_is_usable() else f"making .venv with {base_python()}")
    uv = obtain_uv()
    _sync(uv, dev=dev)
    _compile()
    STAMP.write_text(wanted)
    _say(f"ready after {time.monotonic() - begin:.0f} s")


def _stamped() -> str:
    return STAMP.read_text() if STAMP.exists() else ""


def fingerprint() -> str:
    """What the environment depends on: the lock and each room's pyproject."""
    digest = hashlib.sha256()
    for file in [ROOT / "uv.lock", ROOT / "pyproject.toml", *sorted(ROOT.glob("*/pyproject.toml"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def venv_is_usable() -> bool:
    """Whether `.venv` is complete and its Python still there (a distribution's upgrade takes it away)."""
    return (VENV / "bin" / "python").exists() and (VENV / "bin" / "smartpark").exists()


def base_python() -> str:
    """Interpreter behind this one, should this one belong to a virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


# --- uv ---------------------------------------------------------------------------------------------------------


def obtain_uv() -> Path:
    """Path of a uv that is new enough; `BootstrapError` when every way fails."""
    fetched = CACHE / "uv" / "bin" / "uv"
    on_path = shutil.which("uv")
    for candidate in ([Path(on_path)] if on_path else []) + [fetched]:
        if uv_version(candidate) >= OLDEST_UV:
            return candidate
    for describe, pip in _pips():
        _say(f"fetching uv with {describe}")
        quiet = os.environ | {"PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        if _run([*pip, "install", "-q", "--upgrade", "--target", str(CACHE / "uv"), "uv"], environment=quiet):
            if uv_version(fetched) >= OLDEST_UV:
                return fetched
            _say(f"that brought no uv of version {'.'.join(map(str, OLDEST_UV))} or newer")
    raise BootstrapError(BY_HAND)


def uv_version(uv: Path) -> tuple[int, ...]:
    """Version of this uv; () when it does not run."""
    try:
        answer = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.match(r"uv (\d+)\.(\d+)\.(\d+)", answer)
    return tuple(map(int, found.groups())) if found else ()


def _pips() -> Iterator[tuple[str, list[str]]]:
    """Ways to run pip, cheapest first; each is prepared only when the one before did not help."""
    ways: list[tuple[str, Callable[[], list[str] | None]]] = [
        ("this Python's pip", _own_pip),
        ("the pip of a throw-away virtual environment", _venv_pip),
        ("the pip of the distribution's package, unpacked in .cache", _packaged_pip),
    ]
    for describe, prepare in ways:
        pip = prepare()
        if pip is not None:
            yield describe, pip


def _own_pip() -> list[str] | None:
    pip = [base_python(), "-m", "pip"]
    return pip if _runs([*pip, "--version"]) else None


def _venv_pip() -> list[str] | None:
    venv = CACHE / "pip-venv"
    if not _runs([base_python(), "-m", "venv", "--clear", str(venv)]):
        shutil.rmtree(venv, ignore_errors=True)
        return None
    return [str(venv / "bin" / "python"), "-m", "pip"]


def _packaged_pip() -> list[str] | None:
    """Fetch Debian's or Ubuntu's package of pip's wheel as an ordinary user, and run the wheel where it lies."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    _say("this Python has no pip: asking apt for one (nothing gets installed)")
    apt = CACHE / "apt"
    (apt / "state" / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (apt / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    # Package lists of our own: the machine's may be empty, and only root may refresh those.
    options = ["-qq", "-o", f"Dir::State={apt / 'state'}", "-o", f"Dir::Cache={apt / 'cache'}"]
    options += ["-o", "Dir::State::Status=/var/lib/dpkg/status", "-o", "APT::Sandbox::User="]
    options += ["-o", "Debug::NoLocking=1"]
    if not (
        _run(["apt-get", *options, "update"])
        and _run(["apt-get", *options, "download", "python3-pip-whl", "ca-certificates"], cwd=apt)
        and all(_run(["dpkg-deb", "-x", str(deb), str(apt)]) for deb in apt.glob("*.deb"))
    ):
        return None
    _trust_unpacked_certificates(apt)
    wheel = next((apt / "usr/share/python-wheels").glob("pip-*.whl"), None)
    return None if wheel is None else [base_python(), str(wheel / "pip")]


def _trust_unpacked_certificates(apt: Path) -> None:
    """Use the certificates of the package where the machine has none of its own."""
    if Path("/etc/ssl/certs/ca-certificates.crt").exists() or "PIP_CERT" in os.environ:
        return
    bundle = CACHE / "ca-certificates.crt"
    certificates = sorted((apt / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    bundle.write_bytes(b"".join(certificate.read_bytes() for certificate in certificates))
    os.environ["PIP_CERT"] = str(bundle)


# --- the environment --------------------------------------------------------------------------------------------


def _sync(uv: Path, *, dev: bool) -> None:
    environment = uv_environment(os.environ)
    index = _own_index()
    done = (
        _sync_from_index(uv, index, environment, dev=dev)
        if index
        else _run([uv, "sync", "--locked", "--all-packages", "--dev" if dev else "--no-dev"], environment=environment)
    )
    if not done:
        raise BootstrapError("bootstrap: uv could not make .venv (its message stands above)")


def uv_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Environment for uv: the Python that is here, and what pip was told about network and certificates."""
    environment = {key: value for key, value in given.items() if key != "VIRTUAL_ENV"}
    if not venv_is_usable():
        environment["UV_PYTHON"] = base_python()
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    for pip_name, uv_name in (
        ("PIP_CERT", "SSL_CERT_FILE"),
        ("PIP_DEFAULT_TIMEOUT", "UV_HTTP_TIMEOUT"),
        ("PIP_PROXY", "ALL_PROXY"),
    ):
        if pip_name in given:
            environment.setdefault(uv_name, given[pip_name])
    if "UV_CACHE_DIR" not in given and not os.access(Path.home(), os.W_OK):
        environment["UV_CACHE_DIR"] = str(CACHE / "uv-cache")
    return environment


def _compile() -> None:
    """Compile what was installed, on all cores, before a dozen processes of a first start do so side by side.

    Where PYTHONDONTWRITEBYTECODE is set, as in many images, each command would do so again. What does not compile
    (templates of code, examples for other Pythons) is told to whoever imports it, and stops nothing here.
    """
    folders = [*VENV.glob("lib/python3*/site-packages"), *(ROOT / room for room in _rooms())]
    tests = r"[/\\]tests?[/\\]"
    command = [str(VENV / "bin" / "python"), "-m", "compileall", "-q", "-j", "0", "-x", tests, *map(str, folders)]
    _runs(command)


def _own_index() -> str | None:
    """Package index that pip was told to use instead of the public one, e.g. a mirror nearby."""
    if "PIP_INDEX_URL" in os.environ:
        return os.environ["PIP_INDEX_URL"]
    command = [base_python(), "-m", "pip", "config", "get", "global.index-url"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def _sync_from_index(uv: Path, index: str, environment: dict[str, str], *, dev: bool) -> bool:
    """Install what the lock says, by hash, but from this index: the lock itself names where it was resolved."""
    environment = environment | {"UV_DEFAULT_INDEX": index}
    requirements = CACHE / "requirements.txt"
    install = [uv, "pip", "install", "--python", VENV / "bin" / "python"]
    export = [uv, "export", "--quiet", "--frozen", "--all-packages", "--no-emit-workspace", "-o", requirements]
    return (
        _run([*export, "--dev" if dev else "--no-dev"], environment=environment)
        and _run([uv, "venv", "--clear", "--quiet", "--python", base_python(), VENV], environment=environment)
        and _run([*install, "--require-hashes", "-r", requirements], environment=environment)
        and _run([*install, "--no-deps", *_editable_rooms()], environment=environment)
    )


def _editable_rooms() -> list[str]:
    return [argument for room in _rooms() for argument in ("--editable", str(ROOT / room))]


def _rooms() -> list[str]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    members: list[str] = document["tool"]["uv"]["workspace"]["members"]
    return members


# --- small tools ------------------------------------------------------------------------------------------------


def _say(message: str) -> None:
    print(f"bootstrap: {message}", file=sys.stderr, flush=True)


def _run(command: list[str | Path], *, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> bool:
    """Run with the output shown; whether it succeeded."""
    return subprocess.run(command, cwd=cwd, env=environment, check=False, stdin=subprocess.DEVNULL).returncode == 0


def _runs(command: list[str]) -> bool:
    """Run silently; whether it succeeded."""
    return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
