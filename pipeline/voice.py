"""Tell a document's own voice from the speech of others: a text and a sentence in, voice and speaker out.

A sentence is *quoted* where a third of it or more stands between quotation marks, *reported* where it says that somebody
says, and else the document's *own*. A speaker is named by role or organization as the text does ("foreign ministry spokesperson"),
looked for in the sentence, and for quoted or reported speech in its neighbours of the same paragraph. Persons' names are
left out on purpose, as far as a rule can tell them ("spokesman for" somebody keeps one word of the name). The words are in
`data/voices.toml`.

It is a rule over the surface of the text: irony, headlines in quotation marks and pronouns over long distances escape it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

SHORT = 12  # code points; a shorter quotation is a term or a title, not speech
LONGEST = 80  # code points of a speaker's name
REACH = 600  # code points around a sentence that are looked at: bounds the work on hostile text
_MARKS = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", "＂": "＂", '"': '"'}
_CJK = r"\u3040-\u30ff\u3400-\u9fff"
_HAN = r"A-Za-zの\u30a0-\u30ff\u3400-\u9fff"
_VERBS = "据了在是对對與与向将將要被把从從由给給到来來说說称稱请請"  # and prepositions: no name of a body has them
_EDGE = r"，,。；;：:！!？?\s…”」』、据と"
_WORD = r"[^\W\d_][\w’&.-]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Who says a sentence: own, quoted or reported; the speaker's role or organization where the text names one."""

    voice: str
    speaker: str | None = None


def voice_of(text: str, span: tuple[int, int]) -> Voice:
    """Return the voice of the sentence `span`, in code points of `text`."""
    start, end = _paragraph(text, span)
    clipped = [(max(a, span[0]), min(b, span[1])) for a, b in _quotations(text, start, end)]
    quoted = [(a, b) for a, b in clipped if a < b]
    inside = sum(b - a for a, b in quoted)
    outside = _outside(text, span, quoted)
    words = _words()
    says = bool(words.says.search(outside)) and not words.own.search(outside)
    if 3 * inside >= span[1] - span[0]:
        voice = "quoted"
    elif says:
        voice = "reported"
    else:
        return Voice(voice="own")
    return Voice(voice=voice, speaker=_speaker(outside) or _neighbour(text, (start, end), span))


def _paragraph(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Return the bounds of the paragraph of a sentence, no further than REACH."""
    start = max(text.rfind("\n", 0, span[0]) + 1, span[0] - REACH)
    end = text.find("\n", span[1], span[1] + REACH)
    return start, end if end >= 0 else min(len(text), span[1] + REACH)


def _quotations(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the offsets of what stands between quotation marks and is long enough to be speech."""
    closing, begin = "", start
    for i in range(start, end):
        mark = text[i]
        if closing:
            if mark in closing:
                if i - begin > (SHORT if not re.match(f"[{_CJK}]", text[begin + 1]) else SHORT // 2):
                    yield begin, i + 1
                closing = ""
        elif mark in _MARKS:
            closing, begin = _MARKS[mark], i
    if closing and end - begin > SHORT:  # a quotation that goes on in the next paragraph is not closed
        yield begin, end


def _outside(text: str, span: tuple[int, int], quoted: Sequence[tuple[int, int]]) -> str:
    """Return the sentence without its quotations."""
    at, parts = span[0], []
    for a, b in quoted:
        parts.append(text[at:a])
        at = b
    return " … ".join([*parts, text[at : span[1]]])


def _neighbour(text: str, paragraph: tuple[int, int], span: tuple[int, int]) -> str | None:
    """Return the speaker that the paragraph names nearest before the sentence, else after it, where somebody speaks."""
    sides = (text[paragraph[0] : span[0]], text[span[1] : paragraph[1]])
    for part, last in zip(sides, (True, False), strict=True):
        if found := _speaker(part, last=last):
            return found
    return None


def _speaker(text: str, *, last: bool = False) -> str | None:
    """Return the role or organization that stands nearest before the first (or last) verb of speech, else after it."""
    words, text = _words(), text[-REACH:] if last else text[:REACH]
    verbs = list(words.says.finditer(text))
    if not verbs:
        return None
    verb = verbs[-1 if last else 0]
    found = [(m, m.group().partition("の")[0].strip(" ,.;:-")) for m in words.speaker.finditer(text)]
    named = [(m, name) for m, name in found if 1 < len(name) <= LONGEST]
    before = [name for m, name in named if m.end() <= verb.start()]
    if before or words.addresses.fullmatch(verb.group()):
        return before[-1] if before else None
    return next((name for m, name in named if m.start() >= verb.end()), None)


@dataclass(frozen=True, slots=True)
class _Words:
    says: re.Pattern[str]
    addresses: re.Pattern[str]
    own: re.Pattern[str]
    speaker: re.Pattern[str]


@cache
def _words() -> _Words:
    """Return the expressions made of the word lists."""
    file = resources.files("pipeline").joinpath("data", "voices.toml")
    lists = {k: "|".join(v) for k, v in tomllib.loads(file.read_text("utf-8")).items()}
    said, to = lists["says"], lists["addresses"]
    capital = rf"(?!(?:{lists['never']})\b)(?-i:[A-ZÀ-ÖØ-ÞА-Я])[\w’&.-]*"
    link = rf"(?:{lists['links']})"
    # One capitalised word of any kind, then only words of offices and bodies: a person's name may follow.
    more = rf"(?:\s+(?-i:{lists['fields']}|{lists['bodies']})\b){{0,3}}"
    tail = rf"(?:\s+{link}(?:\s+{link})?\s+{capital}{more})"
    body = rf"(?:(?:{capital}\s+){{0,4}}(?-i:{lists['bodies']})\b{tail}{{0,3}}|(?-i:\b(?:{lists['acronyms']})\b))"
    modifier = rf"(?:(?:{lists['before']})|{capital})"
    word = rf"(?!(?:{said}|{to})\b){_WORD}"
    plain = rf"(?:\s+{link}(?:\s+{link})?\s+{word}(?:\s+{word})?(?=\s*[,.;…]|\s+{link}\b|$))"
    genitive = rf"(?:(?:\s+(?-i:[а-яё]+)){{1,2}}(?=\s+(?:{said}|{to}|(?-i:[А-Я])))|\s+ال\w+)"
    role = rf"(?:\b{modifier}\s+){{0,4}}\b(?:{lists['roles']})\b(?:{genitive}|{plain}?{tail}{{0,3}})"
    # Without spaces a name begins where its clause does, and no verb or preposition is in it.
    spoken = f"{lists['says_joined']}|{lists['addresses_joined']}"
    joined = rf"(?:^|(?<=[{_EDGE}]))(?:(?!{spoken}|[{_VERBS}])[{_HAN}]){{0,22}}(?:{lists['roles_joined']}|{lists['bodies_joined']})"
    return _Words(
        says=re.compile(rf"\b(?:{said}|{to})\b|{spoken}", re.IGNORECASE),
        addresses=re.compile(rf"{to}|{lists['addresses_joined']}", re.IGNORECASE),
        own=re.compile(rf"\b(?:{lists['own']})\b|{lists['own_joined']}", re.IGNORECASE),
        speaker=re.compile(rf"\b{role}|\b{body}|{joined}", re.IGNORECASE),
    )
