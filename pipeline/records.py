"""The records that travel from stage to stage: frozen, slotted, keyword-only. Times are aware datetimes in UTC."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

PAGE_TYPES = (
    "text/html",
    "application/xhtml+xml",
    "text/plain",
    "application/octet-stream",
    "",
)  # of an article's page


def stable_id(*parts: str) -> str:
    """Return 24 hexadecimal digits of SHA-256 over the parts, the same on every machine and in every version."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A source as data: one `[[feed]]` table of the feeds file."""

    feed_id: str
    url: str
    outlet: str
    country: str  # ISO 3166-1 alpha-2; XX for international bodies
    bloc: str
    language: str  # BCP 47
    ownership: str
    kind: str
    enabled: bool = True

    @property
    def outlet_id(self) -> str:
        """The outlet's key: several feeds of one outlet share it."""
        return stable_id(self.outlet, self.country)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server said of a feed's version, and the SHA-256 of the body that we last stored entries of."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a feed said about an article."""

    entry_id: str  # stable_id(url), or stable_id(feed_id, guid or title) where there is no usable link
    feed_id: str
    url: str  # normalised
    title: str
    published_at: datetime | None
    date_doubt: str | None
    position: int  # place in the feed, 0 first
    updated_at: datetime | None = None  # when the feed says that the article was changed last


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why an item did not become a document."""

    stage: str  # poll | fetch | extract | label
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The bytes that a server answered, decompressed, with the URL after redirects."""

    url: str
    status: int
    headers: dict[str, str]  # lower-case names
    body: bytes
    fetched_at: datetime
    asked: dict[str, str] = field(default_factory=dict)  # headers of the request, for the WARC file
    moved_to: str | None = None  # the same URL, where every redirect on the way said that it is permanent


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Extracted text with title, authors, language and date; `rejection` says why it is not an article."""

    url: str  # where the page was
    canonical_url: str  # normalised final URL: its stable_id is the document_id
    title: str
    authors: tuple[str, ...]
    published_at: str | None  # ISO 8601, with the page's own offset where it has one
    date_source: str | None  # jsonld | meta | htmldate | feed | None
    lang: str | None  # BCP 47 of the text
    text: str
    rejection: Rejection | None = None

    @property
    def document_id(self) -> str:
        """The document's key."""
        return stable_id(self.canonical_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sentence that carries a position; offsets count code points of the stored text."""

    start: int
    end: int
    text: str
    voice: str = "own"  # own | quoted | reported
    speaker: str | None = None  # role or organization of who is quoted or reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic of the codebook for one document."""

    topic: str
    p: float
    label: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """The stance of one document toward one target; `label` stays the likeliest one under `abstain`."""

    target: str
    addressed: bool
    p_favor: float
    p_against: float
    p_neutral: float
    label: str  # favor | against | neutral
    abstain: bool
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Everything the model says of one document: every topic and every target of the codebook is listed."""

    lang: str | None
    p_relevant: float
    relevant: bool
    topics: tuple[Topic, ...] = field(default=())
    stances: tuple[Stance, ...] = field(default=())
    abstain: bool = False  # a language that the model does not know
