"""From dashboards to the files that Grafana reads, and whether the committed ones are up to date."""

import json
from pathlib import Path

from smartpark.errors import Problem

from smartpark_dashboards.overview import overview
from smartpark_dashboards.panels import Dashboard


def all_dashboards() -> list[Dashboard]:
    """Every dashboard there is."""
    return [overview()]


def render_files() -> dict[str, str]:
    """Name and text of each file; the same each time."""
    return {
        f"{dashboard.uid}.json": json.dumps(dashboard.render(), ensure_ascii=False, indent=2) + "\n"
        for dashboard in all_dashboards()
    }


def write_files(folder: Path) -> list[Path]:
    """Write what differs; returns the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, text in render_files().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def outdated_files(folder: Path) -> list[Problem]:
    """Files that are missing, differ from the code, or come from no dashboard."""
    wanted = render_files()
    problems = [Problem(str(path), "", "comes from no dashboard") for path in sorted(folder.glob("*.json"))
                if path.name not in wanted]  # fmt: skip
    for name, text in wanted.items():
        path = folder / name
        if not path.exists():
            problems.append(Problem(str(path), "", "is missing; smartpark dashboards build writes it"))
        elif path.read_text(encoding="utf-8") != text:
            problems.append(
                Problem(str(path), "", "differs from the code; smartpark dashboards build writes it anew")
            )
    return problems
