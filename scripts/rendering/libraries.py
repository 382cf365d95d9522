"""Grafana's front-end libraries on this machine, and the page made of them.

They lie in a cache folder beside the repository's other caches: far too large to be committed, and nothing else needs
them. npm is asked once, for exactly what package-lock.json says; without npm nothing is rendered.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from smartpark.errors import SmartparkError

HERE: Final = Path(__file__).resolve().parents[2] / "dashboards" / "render"
"""package.json, its lock and the page's sources."""
LOCK: Final = HERE / "package-lock.json"
SOURCES: Final = HERE / "src"


class MissingProgramError(SmartparkError):
    """A program that rendering needs is not on this machine."""


def program(*names: str, package: str) -> str:
    """Path of the first of these programs that there is."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise MissingProgramError(f"no {names[0]} on the PATH: install it (Debian: apt-get install {package})")


def install(cache: Path) -> Path:
    """Libraries as the lock file says; returns their folder. Does nothing where they are there."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    folder = cache / wanted[:16]
    done = folder / "installed"
    if not done.exists():
        npm = program("npm", package="npm")
        program("node", package="nodejs")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder / name)
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, dict(os.environ))
        done.touch()
    return folder


def bundle(folder: Path) -> Path:
    """The page's program and, beside it, its style: our sources and Grafana's libraries in one piece.

    Made anew when a source has changed.
    """
    sources = sorted(path for path in SOURCES.iterdir() if path.suffix in {".js", ".jsx"})
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    made = folder / f"page-{digest}.js"
    if not made.exists():
        unfinished = folder / f"unfinished-{os.getpid()}.js"
        options = [
            "--bundle", "--format=iife", "--jsx=automatic", "--log-level=warning", f"--outfile={unfinished}",
            '--define:process.env.NODE_ENV="production"', "--define:global=window",
            "--alias:react-router-dom-v5-compat=react-router-dom",
            *(f"--loader:.{kind}=dataurl" for kind in ("svg", "woff2", "ttf")),
        ]  # fmt: skip
        environment = {**os.environ, "NODE_PATH": str(folder / "node_modules")}
        _run([str(folder / "node_modules/.bin/esbuild"), str(SOURCES / "main.jsx"), *options], folder, environment)
        unfinished.with_suffix(".css").rename(made.with_suffix(".css"))
        unfinished.rename(made)
    return made


def font(folder: Path, path: str) -> bytes | None:
    """A cut of Inter, which Grafana's pages are set in; Chinese comes from the machine's own fonts."""
    weights = {"Inter-Regular.woff2": "400", "Inter-Medium.woff2": "500"}
    weight = weights.get(path.rpartition("/")[2])
    if weight is None:
        return None
    return (folder / f"node_modules/@fontsource/inter/files/inter-latin-{weight}-normal.woff2").read_bytes()


def icon(folder: Path, path: str) -> bytes:
    """A symbol of Grafana's; an empty drawing where the library has none of that name."""
    icons = (folder / "node_modules/@grafana/ui/dist/public/img/icons").resolve()
    file = (icons / path.rpartition("/icons/")[2]).resolve()
    if file.is_relative_to(icons) and file.is_file():
        return file.read_bytes()
    return b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SmartparkError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
