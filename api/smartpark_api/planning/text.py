"""Forecast and headroom on the terminal, in English or Chinese."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from smartpark.clock import PARK_ZONE

from smartpark_api.planning.forecasting import Score
from smartpark_api.planning.models import ForecastOut, HeadroomOut, PathOut
from smartpark_api.sentences import in_chinese


class PlanningText:
    """Lines in one language."""

    def __init__(self, *, chinese: bool) -> None:
        self._is_chinese = chinese

    def _of(self, zh: str, en: str) -> str:
        return zh if self._is_chinese else en

    def _said(self, text: str) -> str:
        return in_chinese(text) if self._is_chinese else text

    def forecast(self, answer: ForecastOut) -> Iterable[str]:
        """Load of the days ahead, slot by slot, and the coming year's peak."""
        detail = self._said(answer.detail)
        yield self._of(
            f"{answer.park}: 负荷预测, {answer.unit}, {detail}",
            f"{answer.park}: load ahead in {answer.unit}, {detail}",
        )
        yield self._of(
            f"历史: 449 天中已知 {answer.history_days:g} 天", f"history: {answer.history_days:g} of 449 days known"
        )
        yield from (f"{self._of('注', 'note')}: {self._said(note)}" for note in answer.notes)
        yield f"{'':16}" + "".join(f"{f'{band.quantile:.0%}':>11}" for band in answer.bands)
        for n, second in enumerate(answer.time):
            start = datetime.fromtimestamp(second, UTC).astimezone(PARK_ZONE)
            yield f"{start:%Y-%m-%d %H:%M}" + "".join(f"{_shown(band.values[n]):>11}" for band in answer.bands)
        peak = answer.yearly_peak
        values = ", ".join(f"{share:.0%}: {_shown(v)}" for share, v in zip(peak.quantiles, peak.values, strict=True))
        told = self._said(peak.detail)
        yield self._of(
            f"来年最大负荷, {peak.unit}: {values} ({told})",
            f"coming year's peak in {peak.unit}: {values} ({told})",
        )

    def score(self, score: Score | None) -> Iterable[str]:
        """How the method did on the park's own newest weeks."""
        if score is not None:
            yield self._of(
                f"近几周 {score.origins} 次回测: MASE {score.mase:.3f}, 照搬上周 {score.naive_mase:.3f}; "
                f"{score.coverage:.0%} 的实际值落在区间内",
                f"score over {score.origins} forecasts of the last weeks: MASE {score.mase:.3f}, repeating the week "
                f"before {score.naive_mase:.3f}; {score.coverage:.0%} of what came lay in the interval",
            )

    def headroom(self, answer: HeadroomOut) -> Iterable[str]:
        """Nodes, paths with their verdicts, and everything the answer rests on."""
        yield self._of(
            f"{answer.park}: 可开放容量, {answer.unit} ({answer.rule}, 证据等级 {answer.grade})",
            f"{answer.park}: free capacity in {answer.unit} ({answer.rule}, grade {answer.grade})",
        )
        head = self._of("节点 额定 峰值 预留 可开放 约束", "node rated peak reserved headroom rule").split()
        yield from _table(
            head,
            [
                [
                    node.code,
                    _shown(node.rated_kva),
                    _shown(node.peak_kva) + ("*" if node.is_lower_bound and node.peak_kva is not None else ""),
                    _shown(node.reserved_kva),
                    _shown(node.headroom_kva),
                    self._said(node.binding or node.reason or ""),
                ]
                for node in answer.nodes
            ],
        )
        if any(node.is_lower_bound and node.peak_kva is not None for node in answer.nodes):
            yield self._of(
                "* 全年已知不足一半: 峰值至少如此, 可开放容量至多如此",
                "* less than half of the year is known: the peak is at least this, the headroom at most this",
            )
        yield from (self._path(path) for path in answer.paths)
        yield from (f"- {self._said(assumption)}" for assumption in answer.assumptions)

    def _path(self, path: PathOut) -> str:
        at_most = self._of("至多", "at most")
        free = _shown(path.headroom_kva) if path.headroom_kva is not None else f"{at_most} {_shown(path.at_most_kva)}"
        plain, cautious = self._said(path.verdict or ""), self._said(path.cautious_verdict or "None")
        said = self._of(f": {plain} (审慎: {cautious})", f": {plain} (cautious: {cautious})") if plain else ""
        return f"{' > '.join(path.nodes)}  {free}{said}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(_columns(row[n]) for row in [head, *rows]) for n in range(len(head))]
    for row in [head, *rows]:
        padded = [" " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [
            cell + pad if n in {0, len(head) - 1} else pad + cell
            for n, (cell, pad) in enumerate(zip(row, padded, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _columns(text: str) -> int:
    """Columns on a terminal; a Chinese character takes two."""
    return sum(2 if ord(one) > 0x2E7F else 1 for one in text)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
