"""Runs schemathesis over a served instance, as its users do: by its command, with every check, against the server.

The words that lead to something come from `OpenPark.words`: of each parameter one in so many is taken from there, the
rest is made up. All that is configured is which refusals of what is as described are no failure: those that
`openapi_checks` looks into.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openapi_checks import OWN
from openapi_park import API, OpenPark

CHECKS = Path(__file__).parent / "openapi_checks.py"
_ALONE = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
_HITS = 0.7
"""Share of parameters that are taken from the words."""
_REFUSALS = ["400", "401", "403", "404", "409", "410", "413", "422", "428", "429", "501"]
"""What something that is as described may be answered, besides a success."""


@dataclass(frozen=True)
class Ran:
    """What a run came to."""

    returncode: int
    output: str

    @property
    def told(self) -> str:
        """End of what was printed: the failures with their calls."""
        return self.output[-20_000:]


def run_schemathesis(
    park: OpenPark, folder: Path, *, examples: int, phases: Sequence[str], seed: int | None = None, timeout_s: float
) -> Ran:
    """One run; everything it writes goes to a folder."""
    config = folder / "schemathesis.toml"
    config.write_text(configuration(park), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "st"), "--config-file", str(config), "run"]
    command += [f"{park.address}{API}/openapi.json", "--checks", "all", "--no-color", "--continue-on-failure"]
    # A busy machine is no failure.
    command += ["--request-timeout", "120", "--suppress-health-check", "all"]
    command += ["--phases", ",".join(phases), "--max-examples", str(examples), "--generation-database", "none"]
    command += [] if seed is None else ["--seed", str(seed)]
    command += [part for name, value in park.headers.items() for part in ("--header", f"{name}: {value}")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        cwd=folder,
        env={**os.environ, **_ALONE, OWN: " ".join(park.own)},
    )
    return Ran(done.returncode, done.stdout + done.stderr)


def configuration(park: OpenPark) -> str:
    """Settings of a run, in TOML."""
    lines = [f"hooks = {json.dumps(str(CHECKS))}"]
    lines += ["[checks.positive_data_acceptance]", f"expected-statuses = {json.dumps(['2xx', '3xx', *_REFUSALS])}"]
    for part, words in park.words.items():
        for place, values in words.items():
            lines += [f"[dictionaries.{_name(part, place)}]", f"values = {json.dumps(values)}"]
    # Of several that fit an operation the first alone counts.
    for part in sorted(park.words, key=len, reverse=True):
        lines += ["[[operations]]", f"include-path-regex = {json.dumps(part)}"] if part else []
        lines += ["[operations.parameters]" if part else "[parameters]"]
        lines += [
            f'{json.dumps(place)} = {{ dictionary = "{name}", probability = {_HITS} }}'
            for place, name in _words_for(park, part).items()
        ]
    return "\n".join(lines) + "\n"


def _words_for(park: OpenPark, part: str) -> dict[str, str]:
    """Names of the words of a part of the addresses: its own, and of those around it what it does not have."""
    around = sorted((one for one in park.words if re.search(one, part)), key=len)
    return {place: _name(one, place) for one in around for place in park.words[one]}


def _name(part: str, place: str) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in f"{part}-{place}").strip("-")
