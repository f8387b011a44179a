"""Human labels: no version is lost, none is stored twice, the newest counts; and what is computed from them."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from tests.support.store import Store, human, stanced
from warehouse.human import find_documents
from warehouse.query import run_checks, run_query

LATER, LATEST = "2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z"


def ask(store: Store, name: str, **params: str) -> list[dict[str, Any]]:
    columns, rows = run_query(store.target, name, params)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def current(store: Store) -> list[tuple[Any, ...]]:
    sql = "SELECT document_id, coder, label FROM current_human_stance ORDER BY ALL"
    return [tuple(row.values()) for row in store.rows(sql)]


def bring(store: Store, *rows: dict[str, Any]) -> int:
    return store.load("human", human_label=list(rows)).get("human_label", 0)


def test_twice_is_once_and_only_a_change_is_a_version(filled: Store) -> None:
    first = [human("d1", "ada", "favor"), human("d1", "bob", "against", weight=2.5), human("d2", "ada", "neutral")]
    assert bring(filled, *first, *first) == 3
    assert bring(filled, *first) == 0
    assert bring(filled, *({**row, "coded_at": LATER} for row in first)) == 0, "said again is no change"
    assert bring(filled, human("d1", "ada", "against", coded_at=LATER)) == 1
    assert bring(filled, *first) == 0, "an older file never becomes the newest word"
    assert current(filled) == [("d1", "ada", "against"), ("d1", "bob", "against"), ("d2", "ada", "neutral")]
    assert bring(filled, human("d1", "ada", "favor", coded_at=LATEST)) == 1, "and back again"
    assert filled.rows("SELECT count(*) AS n FROM human_label") == [{"n": 5}]
    assert run_checks(filled.target) == {}


def test_the_order_of_import_does_not_decide(filled: Store) -> None:
    said = (("favor", "2026-11-20T08:00:00Z"), ("against", LATER), ("neutral", LATEST))
    for coder, order in enumerate(itertools.permutations(said)):
        for label, when in order:
            bring(filled, human("d1", f"coder{coder}", label, coded_at=when))
    assert current(filled) == [("d1", f"coder{coder}", "neutral") for coder in range(6)]
    assert filled.rows("SELECT count(*) AS n FROM human_label") == [{"n": 18}]


def test_a_correction_under_the_same_time_counts_by_its_import(filled: Store) -> None:
    bring(filled, human("d1", "ada", "favor"))
    assert bring(filled, human("d1", "ada", "against")) == 1
    assert bring(filled, human("d1", "ada", "favor")) == 0
    assert current(filled) == [("d1", "ada", "against")]
    assert bring(filled, human("d1", "ada", "against", weight=3.0)) == 1, "a weight that was missing is no repetition"
    assert bring(filled, human("d1", "ada", "against", codebook_version="2")) == 1
    assert run_checks(filled.target) == {}


def test_unknown_documents_are_left_out_and_checked(filled: Store) -> None:
    assert bring(filled, human("nobody", "ada", "favor")) == 0
    assert current(filled) == []


def test_irrelevant_is_neutral_until_it_is_taken_back(filled: Store) -> None:
    no = human("d1", "ada", "no", kind="relevance", target="relevance")
    bring(filled, human("d1", "ada", "favor"), human("d1", "bob", "favor"))
    bring(filled, {**no, "coded_at": LATER})
    assert current(filled) == [("d1", "ada", "neutral"), ("d1", "bob", "favor")]
    bring(filled, {**no, "coded_at": LATEST, "label": "yes"})
    assert current(filled) == [("d1", "ada", "favor"), ("d1", "bob", "favor")]


def test_documents_are_found_by_id_and_by_every_address(filled: Store) -> None:
    names = [
        "d1",
        "https://x/e1",
        "HTTPS://X/e4?utm_source=mail#top",
        "https://x/e3",
        "d1'; DROP TABLE document; --",
        "",
    ]
    assert find_documents(filled.target, names) == {"d1": "d1", names[1]: "d1", names[2]: "d2"}
    assert find_documents(filled.target, []) == {}


# Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011: the examples B, C and D, one string a coder, a dot for none.
PUBLISHED = [
    (("0100000010", "1110010000"), 0.095),
    (("aabbdcccedda", "babbbccceddd"), 0.692),
    (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),
]


@pytest.mark.parametrize(("coders", "alpha"), PUBLISHED)
def test_alpha_is_the_published_one(store: Store, coders: tuple[str, ...], alpha: float) -> None:
    units = range(len(coders[0]))
    assert {len(each) for each in coders} == {len(units)}
    stanced(store, {f"d{unit}": "neutral" for unit in units})
    bring(store, *(human(f"d{unit}", f"coder{n}", said[unit]) for n, said in enumerate(coders) for unit in units if said[unit] != "."))  # fmt: skip
    assert [row["alpha_humans"] for row in ask(store, "agreement")] == [pytest.approx(alpha, abs=0.0006)] * 2


def test_agreement(store: Store) -> None:
    stanced(store, {"d1": "favor", "d2": "favor", "d3": "against", "d4": "neutral?", "d5": "neutral", "d6": "favor"})
    stanced(store, {"d7": "against"}, lang="zh-Hant")
    said = {"d1": "favor", "d2": "neutral", "d3": "against", "d4": "favor", "d5": "neutral", "d7": "against"}
    bring(
        store,
        *(human(name, "ada", label) for name, label in said.items()),
        human("d6", "ada", "favor"),
        human("d6", "bob", "against"),
    )
    every, english, chinese = ask(store, "agreement")
    assert (every["lang"], english["lang"], chinese["lang"]) == ("all", "en", "zh")
    assert (every["n"], english["n"], chinese["n"]) == (6, 5, 1), "d6 has no majority"
    assert english["accuracy"] == 0.6
    assert english["f1_favor"] == 0.5  # found d1, d2; gold d1, d4
    assert english["f1_against"] == 1.0
    assert english["abstained"] == 0.2
    # model and people: favor 4, against 2, neutral 4 of 10; 4 of 10 in pairs that differ: 1 - 9 * 4 / (100 - 36)
    assert english["alpha_model"] == round(1 - 9 * 4 / (100 - 36), 3)
    assert english["alpha_humans"] == 0.0  # one favor, one against: as bad as chance
    assert (chinese["alpha_model"], chinese["alpha_humans"], chinese["f1_favor"]) == (None, None, None)
    assert ask(store, "agreement", codebook="9") == ask(store, "agreement", target="nothing") == []


def test_agreement_weighs_by_the_sample(store: Store) -> None:
    stanced(store, {"d1": "favor", "d2": "neutral"})
    bring(store, human("d1", "ada", "favor", weight=1.0), human("d2", "ada", "favor", weight=3.0))
    every = ask(store, "agreement")[0]
    assert (every["accuracy"], every["f1_favor"]) == (0.25, 0.4)  # 2 * 1 / (1 + 4)


TEN = {f"d{n}": "favor" if n < 6 else "neutral" for n in range(10)}


def prevalence(store: Store, **params: str) -> dict[str, Any]:
    return ask(store, "prevalence", least="2", **params)[0]


def test_prevalence_by_hand(store: Store) -> None:
    stanced(store, TEN)
    stanced(store, {"irrelevant": "favor"}, relevant=False)
    bring(store, *(human(name, "ada", label) for name, label in (("d0", "favor"), ("d1", "neutral"), ("d2", "against"), ("d6", "neutral"))))  # fmt: skip
    row = prevalence(store)
    assert (row["target"], row["label"], row["n"], row["n_coded"], row["raw"]) == ("binding_rules", "favor", 10, 4, 0.6)
    margin = 1.96 * math.sqrt(0.6 * 0.4 * 10 / 9 / 10)
    assert (row["raw_low"], row["raw_high"]) == (round(0.6 - margin, 4), round(0.6 + margin, 4))
    # errors 0, 1, 1, 0: mean 1/2, variance 1/3 of 4
    assert row["corrected"] == 0.1
    assert row["high"] == round(0.1 + 1.96 * math.sqrt(0.24 / 9 + 1 / 12), 4)
    assert row["low"] == 0.0
    assert ask(store, "prevalence", least="1")[0]["low"] == 0.0
    against = ask(store, "prevalence", least="2")[1]
    assert (against["label"], against["raw"], against["corrected"]) == ("against", 0.0, 0.25)
    assert ask(store, "prevalence")[0]["corrected"] is None, "four are too few"


def test_prevalence_with_weights_by_hand(store: Store) -> None:
    stanced(store, TEN)
    said = (("d0", "favor", 1), ("d1", "neutral", 1), ("d2", "neutral", 3), ("d6", "neutral", 5))
    bring(store, *(human(name, "ada", label, weight=weight) for name, label, weight in said))
    row = prevalence(store)
    variance = (0.01 * 0.16 + 0.01 * 0.36 + 0.09 * 0.36 + 0.25 * 0.16) * 4 / 3  # mean error (1 + 3) / 10
    assert row["corrected"] == 0.2
    assert row["high"] == round(0.2 + 1.96 * math.sqrt(0.24 / 9 + variance), 4)


def test_where_everything_is_coded_the_people_are_right(store: Store) -> None:
    stanced(store, TEN)
    bring(store, *(human(name, "ada", "favor" if name < "d3" else "against") for name in TEN))
    bring(store, human("d9", "bob", "favor"))  # half a document
    assert (prevalence(store)["raw"], prevalence(store)["corrected"]) == (0.6, 0.35)
    assert prevalence(store, bloc="china")["corrected"] == 0.35
    assert ask(store, "prevalence", bloc="us") == ask(store, "prevalence", lang="fr") == []
    assert prevalence(store, codebook="9")["n_coded"] == 0


def test_a_sample_holds_rare_labels_and_its_weights_add_up(store: Store) -> None:
    stanced(store, {f"n{n}": "neutral" for n in range(20)})
    stanced(store, {f"f{n}": "favor" for n in range(6)} | {"a0": "against"}, lang="fr")
    stanced(store, {f"i{n}": "neutral" for n in range(40)}, relevant=False)
    rows = ask(store, "coding_sample", size="13")
    kinds = {kind: [row["weight"] for row in rows if row["id"].startswith(kind)] for kind in "nfai"}
    assert kinds == {"n": [5.0] * 4, "f": [1.5] * 4, "a": [1.0], "i": [10.0] * 4}
    assert sum(row["weight"] for row in rows) == 67
    assert ask(store, "coding_sample", size="13") == rows
    assert [row["id"] for row in ask(store, "coding_sample", size="13", seed="1")] != [row["id"] for row in rows]
    assert {row["weight"] for row in ask(store, "coding_sample", size="500")} == {1.0}
    assert sum(row["weight"] for row in ask(store, "coding_sample", size="4", lang="fr")) == 7
    assert {row["strata"] for row in ask(store, "coding_sample", size="2")} == {4}
    assert all(set(row) == {"id", "title", "text", "url", "lang", "weight", "strata"} for row in rows), (
        "no label leads the coder"
    )
