"""A province under faults: the real puller over a bad link, killed again and again, and in the end compared.

Kills are SIGKILL at moments that a seed chooses. When the time is up the link becomes good, the puller may finish,
and its own `province verify` says whether both sides have the same numbers. Nothing is judged here beyond that.
"""

import json
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from smartpark.cli import command_line
from smartpark.errors import SmartparkError

from smartpark_simulators.province.bad_link import BadLink, LinkPlan

_LAST_S: Final = 600.0
"""For the last pull over the good link. [s]"""


@dataclass(frozen=True, slots=True)
class ProvinceStory:
    """What a run is made of."""

    url: str
    into: str
    """Address of the province's database."""
    source: str = "park"
    options: Sequence[str] = ()
    """Further options of `province pull` and `verify`: the key's file and the like."""
    seconds: float = 30.0
    least_faults: int = 0
    """Faults of the link that a run goes on for, on a machine that is slow to meet them."""
    share: float = 0.3
    """Of the moments at which a fault may happen, those at which one does."""
    longest_life_s: float = 3.0
    """A puller is killed at the latest after this."""
    seed: int = 1


@dataclass(slots=True)
class ProvinceReport:
    """What came of it."""

    pulls: int = 0
    kills: int = 0
    finished: int = 0
    """Pulls that came to their end before they were killed."""
    link: dict[str, int] = field(default_factory=dict[str, int])
    is_same: bool = False
    rows: int = 0
    their_digest: str = ""
    our_digest: str = ""


def pull_under_faults(story: ProvinceStory, *, before_the_end: Callable[[], None] = lambda: None) -> ProvinceReport:
    """Pull for a while under faults, then to the end, and compare.

    `before_the_end` is called when faults are over: whoever writes over there may come to rest, so that there is one
    state to compare.
    """
    chance = random.Random(story.seed)  # noqa: S311  kills that can be repeated, not a secret
    report = ProvinceReport()
    with BadLink(story.url, LinkPlan(share=story.share, seed=story.seed)) as link:
        until_s = time.monotonic() + story.seconds
        while time.monotonic() < until_s or link.met.total() < story.least_faults:
            _live_and_die(story, link, report, chance.uniform(0.05, story.longest_life_s))
        report.link = dict(link.met)
        before_the_end()
        link.is_bad = False
        _finish(story, link, report)
    return report


def _live_and_die(story: ProvinceStory, link: BadLink, report: ProvinceReport, life_s: float) -> None:
    report.pulls += 1
    visitors = link.visitors
    with subprocess.Popen(
        _command("pull", story, link.url), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as puller:
        # To begin takes it a while that says nothing: its life counts from when it first asks.
        while link.visitors == visitors and puller.poll() is None:
            time.sleep(0.01)
        try:
            _, said = puller.communicate(timeout=life_s)
        except subprocess.TimeoutExpired:
            puller.kill()
            report.kills += 1
            return
    if puller.returncode:
        raise SmartparkError(f"the puller ended with {puller.returncode}: {said.decode(errors='replace').strip()}")
    report.finished += 1


def _finish(story: ProvinceStory, link: BadLink, report: ProvinceReport) -> None:
    _asked(_command("pull", story, link.url), {0})
    compared = _asked([*_command("verify", story, link.url), "--json"], {0, 1})
    found: dict[str, Any] = json.loads(compared)
    report.is_same, report.rows = bool(found["is_same"]), int(found["our_rows"])
    report.their_digest, report.our_digest = str(found["their_digest"]), str(found["our_digest"])


def _asked(command: Sequence[str], fine: set[int]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LAST_S, check=False)
    if done.returncode not in fine:
        raise SmartparkError(f"{' '.join(command[3:5])} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _command(verb: str, story: ProvinceStory, url: str) -> list[str]:
    return [*command_line("province", verb, url), "--source", story.source, "--into", story.into, *story.options]


def as_json(report: ProvinceReport) -> str:
    """For machines, and people who read JSON."""
    return json.dumps(asdict(report))
