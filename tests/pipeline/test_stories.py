"""What texts are compared by: shingles that never change, numbers that are alike in all languages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.shingles import SAMPLE, shared, shingles, sketch
from pipeline.stories import find_source, piece, sketches
from pipeline.translations import agreement, marks, numbers, outline, weight

PINNED = 4720200252685117116
PINNED_MARKS = [1793300705991747565, 2059799218657336879, 8094835363787805652]
WORDS = "one two three four five six seven eight nine ten"


def test_shingles_are_runs_of_words_in_order() -> None:
    whole = shingles(WORDS)
    assert len(whole) == 6
    assert shared(whole, shingles("ONE two, three: four (five) SIX seven eight nine ten!")) == 6
    assert shared(whole, shingles("zero one two three four five six")) == 2
    assert shared(whole, shingles(" ".join(reversed(WORDS.split())))) == 0
    assert len(shingles("one two three four")) == 0


def test_scripts_without_spaces_are_cut_into_characters() -> None:
    whole = shingles("十四个非洲国家周二商定，设立总额的基金")  # 18 characters
    assert len(whole) == 9
    assert shared(whole, shingles("据悉：十四个非洲国家 周二商定")) == 2
    assert shared(shingles("ルールが必要だと大臣は述べた"), shingles("ルールが必要だと大臣は述べたが")) == 5


def test_a_hash_never_changes() -> None:
    """Sketches are stored: another hash would need another METHOD."""
    assert shingles("the rules of the road").tolist() == [PINNED]
    assert sketches("They paid 240 million for 318 mills in 2024.")[1] == PINNED_MARKS


def test_a_sketch_keeps_about_one_shingle_in_eight() -> None:
    whole = shingles(" ".join(f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}" for n in range(4000)))
    assert len(sketch(whole)) == pytest.approx(len(whole) / SAMPLE, rel=0.15)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("240 million, 8.5 million and 12,000", ["2.4e+08", "8.5e+06", "12000"]),
        ("240 Millionen, 8,5 Millionen und 12.000", ["2.4e+08", "8.5e+06", "12000"]),
        ("2.4亿、850万、1.2万", ["2.4e+08", "8.5e+06", "12000"]),
        ("2억 4,000만 원", ["2e+08", "4e+07"]),  # two parts of one number stay two
        ("12 000 et 8,5 millions", ["12000", "8.5e+06"]),
        ("cuatro 4 mil millones", ["4e+09"]),
        ("4 миллиарда и ٣ или １２", ["4e+09", "12"]),
        ("GPT4 and co2 on 14 February", ["14"]),
        ("2024, 2025", ["2024", "2025"]),
        ("no number", []),
    ],
)
def test_numbers_are_alike_in_all_languages(text: str, found: list[str]) -> None:
    assert numbers(text) == found


def test_marks_are_pairs_of_numbers_that_say_something() -> None:
    assert marks("318 mills, 45 men, 7 days") == {"318 45", "318 7", "45 7"}
    assert marks("On 26 July 2025, 3 of 5") == set()
    assert weight(["318", "26", "2025", "5"]) == 4.5


def test_sentences_align_although_two_became_one() -> None:
    one = outline("The bridge cost 318 million. It opened in May. Nobody came to see it. Tolls are 45 crowns.")
    same = outline(
        "Die Brücke kostete 318 Millionen und öffnete im Mai. Niemand kam zum Sehen. Die Maut ist 45 Kronen."
    )
    other = outline(
        "Niemand weiss, was die Brücke im Mai gekostet hat, doch die Maut von 45 Kronen, heisst es, bleibt. Schade."
    )
    assert agreement(one, same) > 3
    assert agreement(one, same) == pytest.approx(agreement(same, one))
    assert agreement(one, other) < 1.5


@given(st.text(max_size=400), st.text(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    pieces = [
        piece({"document_id": str(n), "outlet_id": None, "lang": ("en", "de")[n], "text": text})
        for n, text in enumerate((one, other))
    ]
    link = find_source(pieces[1], pieces[:1])
    assert link is None or 0 < link.similarity <= 1
    sketches(one)
