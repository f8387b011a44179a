"""Coded files: every good line is read, every bad one is named, nothing is guessed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import load_codebook
from pipeline.coding import Coding, Defaults, Fault, read_codings
from pipeline.errors import ConfigError

BOOK = load_codebook()
NOW = datetime(2026, 11, 21, tzinfo=UTC)
TOPICS = [topic.id for topic in BOOK.topics]


def read(text: str, coder: str | None = "ada") -> list[Coding | Fault]:
    return list(read_codings(text, Defaults(codebook=BOOK, coder=coder, coded_at=NOW)))


def said(text: str) -> list[tuple[int, str, str, str]]:
    found = read(text)
    assert all(isinstance(each, Coding) for each in found), found
    return [(each.line, each.kind, each.target, each.label) for each in found if isinstance(each, Coding)]


def faults(text: str, coder: str | None = "ada") -> dict[int, str]:
    return {each.line: each.why for each in read(text, coder) if isinstance(each, Fault)}


def line(**fields: object) -> str:
    return json.dumps({"document_id": "d1", **fields}) + "\n"


def test_a_json_line_is_a_document() -> None:
    text = line(relevance=True, topics=["safety"], stances={"restriction": "Against", "binding_rules": " favor "})
    assert said(text) == [
        (1, "relevance", "relevance", "yes"),
        *((1, "topic", topic, "yes" if topic == "safety" else "no") for topic in TOPICS),
        (1, "stance", "restriction", "against"),
        (1, "stance", "binding_rules", "favor"),
    ]


def test_what_is_not_coded_says_nothing() -> None:
    assert said(line(title="T", text="x\u2028y", lang="en", url="https://x/1", weight=2.5) + "\n\n") == []
    assert said(line(relevance=None, topics=None, stances={})) == []
    assert said("document_id,target,label\nd1,binding_rules,\n") == []


def test_fields_and_defaults() -> None:
    (one,) = read(
        line(
            stances={"restriction": "favor"},
            coder="bob",
            codebook=BOOK.version,
            weight=3,
            coded_at="2026-11-20T08:00:00+02:00",
        )
    )
    assert isinstance(one, Coding)
    assert (one.coder, one.weight, one.coded_at.astimezone(UTC).hour) == ("bob", 3.0, 6)
    (one,) = read(json.dumps({"id": "x", "url": "https://x/1", "relevance": False}))
    assert isinstance(one, Coding)
    assert (one.document, one.coder, one.coded_at, one.codebook_version) == ("https://x/1", "ada", NOW, BOOK.version)
    (naive,) = read(line(relevance=True, coded_at="2026-11-20T08:00:00"))
    assert isinstance(naive, Coding)
    assert naive.coded_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ('{"document_id": "d1", "relevance": tru}', "no JSON"),
        ('{"document_id": "d1", "relevance": "perhaps"}', "relevance"),
        ('{"document_id": "d1", "stance": {"restriction": "favor"}}', "stance: Extra inputs"),
        ('{"document_id": "d1", "stances": {"restrictions": "favor"}}', "no stance 'restrictions'"),
        ('{"document_id": "d1", "stances": {"safety": "favor"}}', "no stance 'safety'"),
        ('{"document_id": "d1", "stances": {"restriction": "pro"}}', "restriction: 'pro' is none of favor, against, neutral"),
        ('{"document_id": "d1", "topics": ["safety", "cakes"]}', "no topic cakes"),
        ('{"relevance": true}', "names no document"),
        ('{"document_id": "d1", "relevance": true, "codebook": "0.9"}', "codebook 0.9, at hand is"),
        ('{"document_id": "d1", "relevance": true, "weight": 0}', "weight"),
        ('{"document_id": "d1", "relevance": true, "weight": NaN}', "weight"),
        ('{"document_id": "d1", "relevance": true, "coded_at": "yesterday"}', "coded_at"),
        ("[1]", "line"),
        ("[" * 100_000, "no JSON"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_the_others_are_read(bad: str, words: str) -> None:
    text = line(relevance=True) + bad + "\n" + line(relevance=False)
    assert set(faults(text)) == {2}
    assert words in faults(text)[2]
    assert [each.line for each in read(text) if isinstance(each, Coding)] == [1, 3]


def test_without_a_coder_anywhere_there_is_none() -> None:
    assert "--coder" in faults(line(relevance=True), coder=None)[1]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_csv_row_is_a_label(mark: str) -> None:
    rows = [
        ["Document_ID", "target", "Label", "note", "coder"],
        ["d1", "binding_rules", "Favor", '"two\nlines, and; more"', "bob"],
        ["d1", "relevance", "TRUE", "", ""],
        ["d2", "safety", "no", "", ""],
    ]
    text = "".join(mark.join(row) + "\r\n" for row in rows)
    assert said(text) == [
        (2, "stance", "binding_rules", "favor"),
        (4, "relevance", "relevance", "yes"),
        (5, "topic", "safety", "no"),
    ]
    assert [each.coder for each in read(text) if isinstance(each, Coding)] == ["bob", "ada", "ada"]


def test_bad_csv_rows_are_named() -> None:
    text = 'url,target,label\nhttps://x/1,restriction,favor\n,restriction,favor\nu,nothing,favor\nu,restriction\nu,restriction,favor,more\nu,restriction,"fav'
    assert sorted(faults(text)) == [3, 4, 5, 6, 7]
    assert "names no document" in faults(text)[3]
    assert "as many cells" in faults(text)[5]
    with pytest.raises(ConfigError, match="document_id or url, target and label"):
        read("document,target,label\n")
    with pytest.raises(ConfigError):
        read("")
    assert len(read("url,target,label,text\nu,restriction,favor," + "x" * 500_000 + "\n")) == 1


@given(st.text(alphabet=st.sampled_from('{}[]":,\n\r\t;ad1 \u2028'), max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    for head in ("{", "url,target,label\n"):
        assert all(isinstance(each, (Coding, Fault)) for each in read(head + text))
