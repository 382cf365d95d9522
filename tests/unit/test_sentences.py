"""Sentences that numbers say about themselves have Chinese forms, and nothing is guessed of the others."""

import pytest
from smartpark_analytics.balance import VERDICT_WORDS
from smartpark_analytics.headroom import Criterion
from smartpark_analytics.headroom import Verdict as HeadroomVerdict
from smartpark_analytics.planning.park_ahead import BASIS_WORDS
from smartpark_analytics.sufficiency import REASONS
from smartpark_analytics.zero_carbon_park import Verdict
from smartpark_api.planning import forecasting
from smartpark_api.sentences import in_chinese, sentence, untold
from smartpark_api.words import Language, words_of


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "comprehensive_energy / output; current prices; output 2026-05: book (Chen, revision 1)",
            "综合能耗(当量值) / 工业总产值; 现价; 工业总产值 2026-05: book (Chen, 第 1 版)",
        ),
        (
            (
                "numerator and denominator are not of the same enterprises: enterprise/B: "
                "comprehensive_energy of 2026-05 is not known"
            ),
            "分子与分母不是同一批企业: enterprise/B: 2026-05 的综合能耗(当量值)未知",
        ),
        ("no certificates entered; in_force", "未填报绿证; 该日有效"),
        ("2000 MWh gec_mwh, 15 MWh gec_sold_mwh", "核销绿证电量 2000 MWh, 自发绿电已售绿证电量 15 MWh"),
        ("asked: 2000 kVA x 0.8 at the peak", "申请: 2000 kVA x 0.8 (峰值同时)"),
        ("not_known", "未知"),
        ("no_threshold", "没有对应的门槛值"),
    ],
)
def test_a_sentence_is_told_in_chinese(english: str, chinese: str):
    assert in_chinese(english) == chinese
    assert sentence(english, words_of(Language.ZH)) == chinese
    assert sentence(english, words_of(Language.EN)) == english


def test_what_fits_no_form_stays_as_it_was_published():
    assert in_chinese("no data; something nobody foresaw 3") == "没有数据; something nobody foresaw 3"
    assert untold("no data; something nobody foresaw 3") == ["something nobody foresaw 3"]
    assert untold("enterprise/B: something nobody foresaw") == ["enterprise/B: something nobody foresaw"]


def test_every_closed_list_that_people_see_has_chinese_words():
    lists = (
        [verdict.name.lower() for verdict in (*HeadroomVerdict, *Verdict)],
        [criterion.name.lower() for criterion in Criterion],
        VERDICT_WORDS.values(),
        REASONS.values(),
        BASIS_WORDS.values(),
        forecasting._PEAK_WORDS.values(),
    )
    assert [text for words in lists for text in words if untold(text)] == []
