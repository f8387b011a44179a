"""The bytes of a feed as they should have been sent: a file of gzip unpacked, wrong charsets and single bad bytes mended.

feedparser believes the XML declaration, and gives a whole feed up to another charset for one bad byte: what is plainly
UTF-8 is handed to it as such.
"""

from __future__ import annotations

import codecs
import json
import re
import zlib
from contextlib import suppress

from pipeline.errors import Rejected

MAX_UNPACKED = 52_428_800  # bytes: what the protocol allows one sitemap
GZIP = b"\x1f\x8b"
DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})[\"']")
IN_HEADER = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
PREFIXED_RSS = re.compile(rb"<(/?)rss:(?=[a-zA-Z])")
DECLARATION = re.compile(r"\s*<\?xml[^<>]{0,500}\?>")
NO_CHARSETS = frozenset(
    {"utf-7", "punycode", "idna", "unicode_escape", "raw_unicode_escape"}
)  # Python's own, or a trap
REFERENCE = re.compile(r"&#(x[0-9a-fA-F]{1,4000}|[0-9]{1,4000});?")  # Python refuses to read longer numbers
FEW_BAD = 0.005  # of the characters of a text that is in the charset it says
BROKEN_DECLARATION = re.compile(rb"<\?xml\?xml[^>]{0,200}>")


def unpacked(body: bytes, most: int = MAX_UNPACKED) -> bytes:
    """Return a body that is a gzip file unpacked (`.xml.gz` without Content-Encoding), another one as it is.

    Raises Rejected where it unpacks to more than `most` bytes or is broken.
    """
    if not body.startswith(GZIP):
        return body
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = inflate.decompress(body, most + 1)
    except zlib.error as error:
        raise Rejected("bad_encoding", f"a gzip file that is broken: {error}") from error
    if len(plain) > most:
        raise Rejected("too_large", f"a gzip file of more than {most} bytes")
    if not inflate.eof:
        raise Rejected("bad_encoding", "a gzip file that ends early")
    return plain


def as_utf8(body: bytes, content_type: str = "") -> bytes:
    """Return a feed in UTF-8 without its XML declaration: read in what it plainly is, in what it says, or in what fits."""
    text = REFERENCE.sub(_character, _text(_plain_rss(body), content_type).replace("\0", "\ufffd"))
    return DECLARATION.sub("", text.lstrip("\ufeff"), count=1).encode("utf-8", "replace")


def _text(body: bytes, content_type: str) -> str:
    shown = json.detect_encoding(body)  # a byte order mark, or NULs where UTF-16 and UTF-32 have them
    declared = found[1].decode() if (found := DECLARED.match(body)) else ""
    if shown == "utf-8" and (text := _utf8(body, declared)) is not None:
        return text
    said = declared or (header[1] if (header := IN_HEADER.search(content_type)) else "utf-8")
    charset = _codec(said) if shown == "utf-8" else shown
    if charset != "utf-8" and (charset == shown or not charset.startswith(("utf-16", "utf-32"))):  # these would show
        with suppress(UnicodeError, LookupError):  # some of Python's are no charsets, and some replace nothing
            text = body.decode(charset, "replace")
            if text.count("\ufffd") <= FEW_BAD * len(text):
                return text
    for charset in ("utf-8", "windows-1252"):
        with suppress(UnicodeError):
            return body.decode(charset)
    return body.decode("iso-8859-2")  # has a character for every byte


def _character(reference: re.Match[str]) -> str:
    """Return a reference as it stands, or where it names no character: the lenient parser would give up the feed."""
    digits = reference.group(1).lower()
    number = int(digits[1:], 16) if digits.startswith("x") else int(digits)
    named = 0 < number < 0x110000 and not 0xD800 <= number < 0xE000
    return reference.group() if named else "\ufffd"


def _codec(name: str) -> str:
    """Return Python's name of a charset; of one that no feed should have, UTF-8's, which then fits or does not."""
    try:
        known = codecs.lookup(name).name
    except LookupError:
        return "utf-8"
    return {"gb2312": "gb18030"}.get(known, "utf-8" if known in NO_CHARSETS else known)


def _utf8(body: bytes, declared: str) -> str | None:
    """Return the text where the body is UTF-8, whatever it says; bad bytes among many good ones are replaced."""
    try:
        return None if body.isascii() else body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    bad = text.count("\ufffd")
    return text if beyond_ascii - bad > 10 * bad and declared.lower() in ("", "utf-8", "utf8") else None


def _plain_rss(body: bytes) -> bytes:
    """Take the prefix off elements `rss:item`, which no namespace is bound to: feedparser finds no items then."""
    if b"<rss:item" not in body:
        return body
    return PREFIXED_RSS.sub(rb"<\1", BROKEN_DECLARATION.sub(b"", body))
