"""Human labels: no version is lost, none is stored twice, the newest counts; and what is computed from them."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from tests.support.store import Store, document_rows, done, entry, feed, human, merged, outlet, poll, stanced
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
    assert ask(store, "agreement")[0]["accuracy"] is None, "two are their n and nothing more"
    every = ask(store, "agreement", least="1")[0]
    assert (every["accuracy"], every["f1_favor"]) == (0.25, 0.4)  # 2 * 1 / (1 + 4)


TEN = {f"d{n}": "favor" if n < 6 else "neutral" for n in range(10)}


def prevalence(store: Store, **params: str) -> dict[str, Any]:
    """Ask for the share in favor, over stories as clusters: all these documents are of one outlet."""
    return ask(store, "prevalence", **{"least": "2", "cluster": "story", **params})[0]


def test_prevalence_by_hand(store: Store) -> None:
    """Six of ten in favor; of five coded ones two are no favor: errors 0 1 1 0 0, mean 0.4, and 0.6 - 0.4 = 0.2.

    Each adds (m - 0.6) / 10, a coded one less (error - 0.4) / 5: 0.12, -0.08 twice, 0.02 twice, 0.04 thrice, -0.06 twice; squares 0.04.
    """
    stanced(store, TEN)
    stanced(store, {"irrelevant": "favor"}, relevant=False)
    said = {"d0": "favor", "d1": "neutral", "d2": "against", "d6": "neutral", "d7": "neutral"}
    bring(store, *(human(name, "ada", label) for name, label in said.items()))
    row = prevalence(store)
    assert (row["target"], row["label"], row["n"], row["n_coded"], row["raw"]) == ("binding_rules", "favor", 10, 5, 0.6)
    t4, t9 = 2.776, 2.262
    margin = t9 * math.sqrt(2.4 / 100 * 10 / 9)
    assert [row["raw_low"], row["raw_high"]] == pytest.approx([0.6 - margin, 0.6 + margin], abs=0.001)
    assert row["corrected"] == 0.2
    assert row["high"] == pytest.approx(0.2 + t4 * math.sqrt(0.04 * 5 / 4), abs=0.001)
    assert row["low"] == 0.0
    against = ask(store, "prevalence", least="2", cluster="story")[1]
    assert (against["label"], against["raw"], against["corrected"]) == ("against", 0.0, 0.2)
    assert against["high"] == 0.8, "3 / 5: of five coded ones as many as three errors in five may go unseen"
    assert ask(store, "prevalence", cluster="story")[0]["corrected"] is None, "five are too few"
    (alone, _) = ask(store, "prevalence", least="2")
    assert [alone[name] for name in ("n", "n_coded", "clusters", "raw", "raw_low", "corrected")] == [
        10,
        5,
        1,
        None,
        None,
        None,
    ]


def test_prevalence_with_weights_by_hand(store: Store) -> None:
    stanced(store, TEN)
    said = {"d0": ("favor", 1), "d1": ("neutral", 1), "d2": ("neutral", 3), "d6": ("neutral", 5), "d7": ("neutral", 2)}
    bring(store, *(human(name, "ada", label, weight=weight) for name, (label, weight) in said.items()))
    row = prevalence(store)
    error = {"d0": 0, "d1": 1, "d2": 1, "d6": 0, "d7": 0}
    middle = (1 + 3) / 12
    added = [
        (0.4 if name < "d6" else -0.6) / 10 - (said[name][1] * (error[name] - middle) / 12 if name in said else 0)
        for name in TEN
    ]
    assert row["corrected"] == round(0.6 - middle, 4)
    margin = max(
        2.776 * math.sqrt(sum(each**2 for each in added) * 5 / 4), 3 * 40 / 144
    )  # 40 squares of weights, (sum of 12) squared
    assert (row["low"], row["high"]) == (0.0, 1.0)
    assert 0.6 - middle + margin > 1


def test_where_everything_is_coded_the_people_are_right(store: Store) -> None:
    stanced(store, TEN)
    bring(store, *(human(name, "ada", "favor" if name < "d3" else "against") for name in TEN))
    bring(store, human("d9", "bob", "favor"))  # half a document
    assert (prevalence(store)["raw"], prevalence(store)["corrected"]) == (0.6, 0.35)
    assert prevalence(store, bloc="china")["corrected"] == 0.35
    assert ask(store, "prevalence", bloc="us") == ask(store, "prevalence", lang="fr") == []
    assert prevalence(store, codebook="9")["n_coded"] == 0


def test_prevalence_counts_a_story_once_a_country(store: Store) -> None:
    """d0 to d4 are one story, all in favor; with d5 (favor) and four neutral ones that is two of six votes."""
    stanced(store, TEN)
    copy = {"story_id": "d0", "method": "1", "computed_at": "2026-11-20T08:00:00Z"}
    store.load("stories", story=[{**copy, "document_id": f"d{n}", "link": "copy" if n else "origin"} for n in range(5)])
    row = prevalence(store)
    assert (row["n"], row["documents"], row["clusters"], row["raw"]) == (6, 10, 6, round(2 / 6, 4))
    bring(store, *(human(f"d{n}", "ada", "neutral" if n in (0, 5) else TEN[f"d{n}"]) for n in (0, 5, 6, 7, 8, 9)))
    # errors: one fifth of a vote for d0, one for d5, over 1/5 + 1 + 4 coded votes
    assert prevalence(store)["corrected"] == round(2 / 6 - 1.2 / 5.2, 4)


TRUTH, OUTLETS, EACH, CODED, TIMES = 0.3, 20, 10, 60, 150


def simulated(store: Store) -> tuple[Any, Any, Any]:
    """Load 150 targets over 200 documents of 20 outlets: each time other outlets, another classifier, and 60 other coded documents.

    Return what is true, what the model says and what is coded: arrays of targets by documents.
    """
    chance = np.random.default_rng(11)
    n, home = OUTLETS * EACH, np.repeat(np.arange(OUTLETS), EACH)
    shape = (TIMES, OUTLETS)
    true = chance.random((TIMES, n)) < chance.beta(3, 7, shape)[:, home]  # mean 0.3
    right = np.where(true, chance.beta(17, 3, shape)[:, home], chance.beta(16, 4, shape)[:, home])
    model = np.where(chance.random((TIMES, n)) < right, true, ~true)
    coded = chance.random((TIMES, n)).argsort(axis=1) < CODED
    names = [f"o{each:02}" for each in range(OUTLETS)]
    store.load("feeds", outlet=[outlet(name) for name in names], feed=[feed(f"f-{name}", name) for name in names])
    owners = [names[each] for each in home]
    store.load(
        "poll",
        poll=[poll("p", "f-o00", offered=n)],
        entry=[entry(f"e{d}", d, f"f-{who}", who) for d, who in enumerate(owners)],
    )
    rows = merged(*(document_rows(f"d{d}", f"e{d}", who, f"f-{who}") for d, who in enumerate(owners)))
    (one, *_) = rows["stance_label"]
    rows["stance_label"] = [
        {**one, "document_id": f"d{d}", "target": f"t{k:03}", "label": "favor" if model[k, d] else "neutral"}
        for d in range(n)
        for k in range(TIMES)
    ]
    store.load("documents", entry=[done(f"e{d}", f"d{d}") for d in range(n)], **rows)
    bring(store, *(human(f"d{d}", "ada", "favor" if true[k, d] else "neutral", target=f"t{k:03}") for k, d in np.argwhere(coded)))  # fmt: skip
    return true, model, coded


def test_the_corrected_interval_holds_sampling_and_the_error_of_the_classifier(store: Store) -> None:
    """150 times a share of 0.3 among all outlets, a classifier that sees 0.39, and 60 coded documents: nineteen of twenty intervals hold it."""
    true, model, coded = simulated(store)
    rows = [row for row in ask(store, "prevalence") if row["label"] == "favor"]
    assert len(rows) == TIMES
    found = {
        name: np.array([row[name] for row in rows], float)
        for name in ("raw", "raw_low", "raw_high", "corrected", "low", "high")
    }
    assert np.mean((found["raw_low"] <= TRUTH) & (found["raw_high"] >= TRUTH)) < 0.5, "what the model counts is off"
    assert 0.92 <= np.mean((found["low"] <= TRUTH) & (found["high"] >= TRUTH)) <= 0.99
    half = (found["high"] - found["low"]) / 2
    sampling = (found["raw_high"] - found["raw_low"]) / 2
    assert np.mean(abs(found["corrected"] - TRUTH) <= sampling) < 0.85, "sampling alone is too narrow"
    assert np.mean(half) == pytest.approx(2.093 * np.std(found["corrected"]), rel=0.12)
    sample_means = np.array([true[k][coded[k]].mean() for k in range(TIMES)])
    assert abs(np.mean(found["corrected"]) - TRUTH) < 0.01
    assert np.std(found["corrected"]) < 1.1 * np.std(sample_means), "the model helps, or does no harm"
    drawn = bootstrapped(model[0] - 0.0, (model[0] - 1.0 * true[0]) * coded[0], coded[0])
    assert half[0] == pytest.approx(2.093 * np.std(drawn), rel=0.12)


def bootstrapped(model: Any, error: Any, coded: Any) -> Any:
    """Compute the corrected share over 4,000 samples of the outlets."""
    sums = np.stack([each.reshape(OUTLETS, EACH).sum(axis=1) for each in (model, error, coded)], axis=1)
    total = sums[np.random.default_rng(3).integers(0, OUTLETS, (4000, OUTLETS))].sum(axis=1)
    return total[:, 0] / (OUTLETS * EACH) - total[:, 1] / total[:, 2]


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
