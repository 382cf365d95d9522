"""Files of alert rules: what is wrong is named by file and key, all of it at once; the built-in ones are complete."""

import pytest
from smartpark.alerts.rules import builtin_rules, load_rules, parse_rules
from smartpark.alerts.words import Cause, Severity
from smartpark.errors import InvalidFileError

GOOD = """
[[rule]]
code = "tank-high"
name = "液位高"
name_en = "Tank level high"
why = "It overflows at 4 m."
severity = "warning"
cause = "process"
  [rule.scope]
  points = ["*/T01/level"]
  [rule.detector]
  kind = "limit"
  above = 3.6
  clear_above = 3.4
"""


def problems_of(tmp_path, text):
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidFileError) as caught:
        load_rules(path)
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return {problem.key: problem.message for problem in caught.value.problems}


def test_a_good_file_is_read(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(GOOD, encoding="utf-8")
    (rule,) = load_rules(path)
    assert (rule.code, rule.detector.kind, rule.detector.clear_above) == ("tank-high", "limit", 3.4)


@pytest.mark.parametrize(
    ("old", "new", "key", "word"),
    [
        ('severity = "warning"', 'severity = "bad"', "severity", "critical"),
        ("above = 3.6", 'above = "high"', "above", "number"),
        ("clear_above = 3.4", "clear_above = 4.0", "detector", "clear_above"),
        ('kind = "limit"', 'kind = "magic"', "detector", "magic"),
        ('cause = "process"', 'cause = "process"\nsource = "edge"', "rule", "edge"),
        ('why = "It overflows at 4 m."', "", "why", "required"),
        ('points = ["*/T01/level"]', 'edges = ["gw-1"]', "rule", "edges"),
        ("above = 3.6", "above = 3.6\nabvoe = 1.0", "abvoe", ""),
    ],
)
def test_what_is_wrong_is_named_by_its_key(tmp_path, old, new, key, word):
    assert old in GOOD
    found = problems_of(tmp_path, GOOD.replace(old, new, 1))
    assert any(key in name and word in message for name, message in found.items()), found


def test_all_problems_are_told_at_once(tmp_path):
    text = GOOD.replace('"warning"', '"bad"').replace('"process"', '"weather"')
    assert len(problems_of(tmp_path, text)) == 2


def test_a_code_that_stands_twice_is_refused(tmp_path):
    assert "rule[tank-high].code" in problems_of(tmp_path, GOOD + GOOD)


def test_a_register_rule_looks_at_readings_only():
    document = {
        "code": "reset",
        "name": "清零",
        "name_en": "reset",
        "why": "a test",
        "severity": "info",
        "cause": "meter_fault",
        "source": "hour",
        "detector": {"kind": "register"},
    }
    with pytest.raises(InvalidFileError, match="a register detector looks at reading"):
        parse_rules({"rule": [document]}, file="rules.toml")


def test_the_built_in_rules_cover_all_causes_in_both_languages():
    rules = builtin_rules()
    assert {rule.cause for rule in rules} == set(Cause)
    assert {rule.severity for rule in rules} == set(Severity)
    assert 15 <= len(rules) <= 30
    for rule in rules:
        assert any("\u4e00" <= sign <= "\u9fff" for sign in rule.name), rule.code
        assert any("\u4e00" <= sign <= "\u9fff" for sign in rule.advice), rule.code
        assert rule.name_en.isascii(), rule.code
        assert rule.advice_en.isascii(), rule.code


def test_a_built_in_rule_on_windows_pages_what_is_known_only_at_their_end():
    """An hour is known an hour after it began: a rule must not call that late."""
    width = {"quarter": 900, "hour": 3600}
    for rule in builtin_rules():
        if rule.source in width:
            assert rule.late_after_s >= 2 * width[rule.source], rule.code
