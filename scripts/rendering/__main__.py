"""Draws our dashboards with Grafana's own front-end libraries in a headless Chromium, outside Grafana.

    scripts/render-dashboards                                  every dashboard, in both languages
    scripts/render-dashboards --dashboard park-power --lang zh --width 1440

Takes the committed JSON, asks SMARTPARK_DSN (or --dsn) as Grafana's role, and writes one picture per dashboard; with
--made-up it asks parks that have something on every panel, in a PostgreSQL of its own that ends with it.

For each panel it says: rendered, empty (rendered, and no values), stand-in (drawn by us, because Grafana's panel is
not on npm), or failed, and why. Exit code 1 when one failed. Nothing leaves the machine while it draws; the first run
installs about 560 MB of npm packages into .cache/render. dashboards/README.md says what this proves, and what not.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import psycopg
from headless import Desk, Picture, chromium, render
from libraries import bundle, install
from made_up import made_up
from server_half import Source
from smartpark.errors import SmartparkError
from tqdm import tqdm

ROOT: Final = Path(__file__).resolve().parents[2]
GENERATED: Final = ROOT / "dashboards" / "generated"
LANGUAGES: Final = ("zh", "en")


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    try:
        found = _draw_all(options)
    except SmartparkError as error:
        print(f"render-dashboards: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found, ensure_ascii=False, indent=1) if options.json else told(found))
    return 1 if found["counts"].get("failed") or found["pages_failed"] else 0


def _parser() -> argparse.ArgumentParser:
    text, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="scripts/render-dashboards", description=text, epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--dashboard", action="append", metavar="UID", help="only this one; may be repeated")
    parser.add_argument("--lang", choices=LANGUAGES, help="only this language (default: both)")
    parser.add_argument("--width", type=int, default=1440, help="of the picture in pixels (default 1440)")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark", help="default dark, as Grafana's is")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "var" / "render", help="folder of pictures (default var/render)"
    )
    parser.add_argument("--dsn", default=os.environ.get("SMARTPARK_DSN"), help="the database (default SMARTPARK_DSN)")
    parser.add_argument("--made-up", action="store_true", help="a database of its own with the parks of the tests")
    parser.add_argument("--role", default="smartpark_grafana", help="asked as this role (default smartpark_grafana)")
    parser.add_argument(
        "--choose", action="append", default=[], metavar="NAME=VALUE", help="of a variable, e.g. park=park-a"
    )
    parser.add_argument(
        "--from", dest="start", metavar="WHEN", help="e.g. now-7d, instead of the dashboard's own range"
    )
    parser.add_argument("--to", dest="end", metavar="WHEN", default="now", help="with --from (default now)")
    parser.add_argument(
        "--pages", type=Path, default=GENERATED, help="folder of zh/ and en/ (default dashboards/generated)"
    )
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "render", help="where npm's packages lie")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object: every panel, its fields and last values"
    )
    return parser


def _draw_all(options: argparse.Namespace) -> dict[str, Any]:
    if not options.dsn and not options.made_up:
        raise SmartparkError(
            "which database? Set SMARTPARK_DSN, or give --dsn or --made-up; for the demo's: . var/demo/env"
        )
    jobs = _jobs(options)
    folder = install(options.cache)
    script = bundle(folder)
    options.out.mkdir(parents=True, exist_ok=True)
    pages: list[dict[str, Any]] = []
    with _database(options) as connection, chromium() as browser:
        desk = Desk(browser, Source(connection, options.role), folder, script)
        for language, job in tqdm(jobs, unit="dashboard", disable=not sys.stderr.isatty()):
            file = options.out / f"{job['document']['uid'].removesuffix('-en')}-{language}.png"
            pages.append(_page(job, language, file, render(desk, job, file)))
    counts = Counter(panel["result"] for page in pages for panel in page["panels"])
    return {"pages": pages, "counts": dict(counts), "pages_failed": sum(bool(page["trouble"]) for page in pages)}


@contextmanager
def _database(options: argparse.Namespace) -> Iterator[psycopg.Connection]:
    """Connection to the database that is asked."""
    with made_up() if options.made_up else nullcontext(options.dsn) as dsn:
        try:
            connection = psycopg.connect(dsn, autocommit=True, application_name="render")
        except psycopg.Error as error:
            raise SmartparkError(f"the database does not answer: {str(error).strip()}") from error
        with connection:
            yield connection


def _jobs(options: argparse.Namespace) -> list[tuple[str, dict[str, Any]]]:
    jobs: list[tuple[str, dict[str, Any]]] = []
    for language in [options.lang] if options.lang else LANGUAGES:
        known = {path.stem: path for path in sorted((options.pages / language).glob("*.json"))}
        unknown = set(options.dashboard or []) - set(known)
        if unknown:
            raise SmartparkError(f"no dashboard {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        for uid in options.dashboard or known:
            document = json.loads(known[uid].read_text(encoding="utf-8"))
            job = {"document": document, "theme": options.theme, "language": language, "width": options.width}
            when = {"from": options.start, "to": options.end} if options.start else None
            jobs.append((language, {**job, "choices": _choices(options, document), "range": when}))
    return jobs


def _choices(options: argparse.Namespace, document: dict[str, Any]) -> dict[str, str]:
    """What is chosen where the page's own choice does not do: of the made-up parks the first has nothing."""
    one_park = any(one["name"] == "park" and not one.get("multi") for one in document["templating"]["list"])
    choices = {"park": "p1"} if options.made_up and one_park else {}
    return choices | dict(choice.split("=", 1) for choice in options.choose if "=" in choice)


def _page(job: dict[str, Any], language: str, file: Path, picture: Picture) -> dict[str, Any]:
    trouble = [f"asked for {url}, which was refused" for url in picture.refused]
    trouble += [f"annotation {mark['name']}: {error}" for mark in picture.marks for error in mark["errors"]]
    if not picture.panels:
        trouble.append("nothing was drawn")
    return {
        "uid": job["document"]["uid"], "title": job["document"]["title"], "language": language, "picture": str(file),
        "trouble": trouble, "console": picture.console, "marks": picture.marks,
        "panels": [{**panel, "result": _result(panel)} for panel in picture.panels],
    }  # fmt: skip


def _result(panel: dict[str, Any]) -> str:
    if panel["errors"]:
        return "failed"
    if panel["is_stand_in"]:
        return "stand-in"
    return "empty" if panel["is_empty"] else "rendered"


def told(found: dict[str, Any]) -> str:
    """The report for people."""
    lines: list[str] = []
    for page in found["pages"]:
        lines.append(f"{page['uid']} {page['title']} ({page['language']}): {page['picture']}")
        lines += [f"  ! {text}" for text in page["trouble"]]
        lines += [f"  {mark['count']} marks of {mark['name']}" for mark in page["marks"]]
        lines += [f"  console: {text.splitlines()[0]}" for text in page["console"]]
        for panel in page["panels"]:
            empty = ", no values" if panel["is_empty"] and panel["result"] == "stand-in" else ""
            lines.append(f"  {panel['result']:9} {panel['id']:>4} {panel['title']} ({panel['type']}{empty})")
            lines += [f"            {text}" for text in panel["errors"]]
    lines.append(", ".join(f"{count} {result}" for result, count in sorted(found["counts"].items())))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
