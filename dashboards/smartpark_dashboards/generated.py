"""From dashboards to the files that Grafana reads, and whether the committed ones are up to date.

One folder per language, because Grafana's folders are made from them: ``zh`` becomes 智慧园区, ``en`` Smart park.
"""

import json
from pathlib import Path

from smartpark.errors import Problem

from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.pages import PAGES
from smartpark_dashboards.words import Json, Language


def all_dashboards() -> list[Dashboard]:
    """Every dashboard there is."""
    return [page() for page in PAGES]


def render_documents() -> dict[str, Json]:
    """Name of each file, below the folder of its language, and what stands in it."""
    dashboards = all_dashboards()
    known = {dashboard.uid: dashboard.chosen for dashboard in dashboards}
    documents = {
        f"{language}/{dashboard.uid}.json": dashboard.render(language, known=known)
        for language in Language
        for dashboard in dashboards
    }
    return dict(sorted(documents.items()))


def render_files() -> dict[str, str]:
    """Name and text of each file; the same each time."""
    return {
        name: json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        for name, document in render_documents().items()
    }


def write_files(folder: Path) -> list[Path]:
    """Write what differs; returns the files written."""
    written: list[Path] = []
    for name, text in render_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def outdated_files(folder: Path) -> list[Problem]:
    """Files that are missing, differ from the code, or come from no dashboard."""
    wanted = render_files()
    problems = [Problem(str(path), "", "comes from no dashboard") for path in sorted(folder.rglob("*.json"))
                if path.relative_to(folder).as_posix() not in wanted]  # fmt: skip
    for name, text in wanted.items():
        path = folder / name
        if not path.exists():
            problems.append(Problem(str(path), "", "is missing; smartpark dashboards build writes it"))
        elif path.read_text(encoding="utf-8") != text:
            problems.append(
                Problem(str(path), "", "differs from the code; smartpark dashboards build writes it anew")
            )
    return problems
