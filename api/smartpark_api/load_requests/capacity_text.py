"""What capacity answers, as lines for a terminal, in Chinese or English."""

from collections.abc import Iterator

from smartpark_api.display import DASH
from smartpark_api.load_requests.capacity_models import CapacityOut, LevelOut
from smartpark_api.words import Language, Words, words_of


def capacity_lines(answer: CapacityOut, language: Language) -> Iterator[str]:
    """The verdict, a line a level, and everything it rests on."""
    words = words_of(language)
    asked = answer.asked
    start = "" if asked.start is None else f" {words('capacity.from')} {asked.start}"
    yield f"{answer.park}: {_shown(asked.kva)} kVA{start}"
    verdict = words(f"capacity.verdict_{answer.verdict or 'connected'}")
    yield f"{verdict} ({words('capacity.basis_' + answer.basis)})"
    for level in answer.levels:
        yield _level(level, words, is_binding=level.node == answer.binding_node)
    for one in answer.assumptions:
        yield f"- {words.either(one.zh, one.en)}"
    yield words("capacity.source", rule=answer.rule, grade=answer.grade, source=answer.source)


def _level(level: LevelOut, words: Words, *, is_binding: bool) -> str:
    values = {
        "rated": level.rated_kva,
        "peak": level.planned_peak_kva,
        "reserved": level.reserved_kva,
        "asked": level.asked_kva,
        "left": level.left_kva,
    }
    told = ", ".join(f"{words('capacity.' + name)} {_shown(value)}" for name, value in values.items())
    rule = f", {words('capacity.rule_' + level.binding)}" if level.binding else ""
    why = f" ({words('capacity.because_' + level.because)})" if level.because else ""
    verdict = words(f"capacity.verdict_{level.verdict}")
    return f"{'*' if is_binding else ' '} {level.node}: {told}{rule}: {verdict}{why}"


def _shown(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f}"
