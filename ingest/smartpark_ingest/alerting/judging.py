"""Giving samples to rules: each is handed what concerns it, and what it finds is put into words of alerts.

Rules with the same objects share the work of sorting out what is theirs. Samples must come in the order of time,
point by point; what came late is for `late`.
"""

from collections.abc import Callable, Iterable, Sequence

from smartpark.alerts.events import About
from smartpark_analytics.alerts.evaluating import Found
from smartpark_analytics.alerts.evaluating.detection import Inputs, no_inputs
from smartpark_analytics.alerts.evaluating.stepping import delays
from smartpark_analytics.alerts.evaluating.watched import Channel, Selector
from smartpark_analytics.alerts.samples import NOT_YET_US, Ints, Samples

from smartpark_ingest.alerting.book import Book
from smartpark_ingest.alerting.reexamining import News
from smartpark_ingest.alerting.rules_in_force import InForce, put_aside

AboutOf = Callable[[InForce, int], About | None]
"""What an alert of a row is about; none: it cannot be said."""


def share_selectors(rules: Iterable[InForce]) -> None:
    """Let rules with equal feeds use one selector."""
    known: dict[bytes, Selector] = {}
    for one in rules:
        one.evaluation.selectors = {
            channel: known.setdefault(selector.key, selector)
            for channel, selector in one.evaluation.selectors.items()
        }


def judge(
    rules: Sequence[InForce], samples: Samples, until_us: int = NOT_YET_US, received_us: Ints | None = None
) -> list[tuple[InForce, Found]]:
    """Let rules go on from what they remember.

    Parameters
    ----------
    rules : sequence of InForce
        All of one source.
    samples : Samples
        Of series; later than those before.
    until_us : int
        No more from before this moment, as far as is known. [µs]
    received_us : ndarray of int64, shape (n,), optional
        When they came in; for rules about clocks. [µs]
    """
    selected: dict[tuple[bool, int], Samples] = {}
    delayed = no_inputs() if received_us is None else delays(samples, received_us)
    found: list[tuple[InForce, Found]] = []
    for one in rules:
        inputs: Inputs = _inputs(one, samples, delayed, selected)
        with put_aside(one):
            found += [(one, news) for news in one.evaluation.judge(inputs, until_us)]
    return found


def _inputs(one: InForce, samples: Samples, delayed: Samples, selected: dict[tuple[bool, int], Samples]) -> Inputs:
    inputs: dict[Channel, Samples] = {}
    for channel, selector in one.evaluation.selectors.items():
        is_delay = channel is Channel.DELAY
        key = (is_delay, id(selector))
        if key not in selected:
            selected[key] = selector.select(delayed if is_delay else samples)
        inputs[channel] = selected[key]
    return inputs


def as_news(found: Iterable[tuple[InForce, Found]], about: AboutOf) -> list[News]:
    """What was found, in words of alerts."""
    news: list[News] = []
    for one, known in found:
        row, episode = known.row, known.episode
        what = about(one, row)
        if what is not None:
            news.append(News(one.keys[row], episode, what, one.rule.severity))
    return news


def still_standing(book: Book, history: Iterable[tuple[InForce, Found]]) -> list[tuple[InForce, Found]]:
    """Of what history shows: what holds, and the end of what is on record as if it held."""
    last: dict[tuple[int, int], tuple[InForce, Found]] = {}
    for one, found in history:
        last[id(one), found.row] = (one, found)

    def matters(one: InForce, found: Found) -> bool:
        alert = book.newest(one.keys[found.row])
        return found.episode.cleared_at is None or (alert is not None and alert.holds)

    return [(one, found) for one, found in last.values() if matters(one, found)]
