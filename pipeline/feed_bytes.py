"""The bytes of a feed as they should have been sent: a file of gzip unpacked, wrong charsets and single bad bytes mended.

feedparser believes the XML declaration, and gives a whole feed up to another charset for one bad byte: what is plainly
UTF-8 is handed to it as such.
"""

from __future__ import annotations

import codecs
import re
import zlib

from pipeline.errors import Rejected

MAX_UNPACKED = 52_428_800  # bytes: what the protocol allows one sitemap
GZIP = b"\x1f\x8b"
DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})[\"']")
IN_HEADER = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
OTHER_UNITS = re.compile(r"utf.?(16|32)|ucs", re.IGNORECASE)
PREFIXED_RSS = re.compile(rb"<(/?)rss:(?=[a-zA-Z])")
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
    """Return the body in UTF-8 without a declaration of another charset where that can be told, else as it is."""
    body = _plain_rss(body)
    declared = found[1].decode() if (found := DECLARED.match(body)) else ""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or OTHER_UNITS.search(declared):
        return body
    if (text := _utf8(body, declared)) is not None:
        return _undeclared(text)
    said = declared or (header[1] if (header := IN_HEADER.search(content_type)) else "")
    try:
        return body if declared or not said else _undeclared(body.decode(said, "replace"))
    except LookupError:
        return body


def _utf8(body: bytes, declared: str) -> str | None:
    """Return the text where the body is UTF-8, whatever it says; bad bytes among many good ones are replaced."""
    try:
        return None if body.isascii() else body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    bad = text.count("\ufffd")
    return text if beyond_ascii - bad > 10 * bad and declared.lower() in ("", "utf-8", "utf8") else None


def _undeclared(text: str) -> bytes:
    """Encode a text whose declaration no longer says another charset."""
    body = text.lstrip("\ufeff").encode("utf-8", "replace")
    found = DECLARED.match(body)
    return body if not found else body[: found.start(1)] + b"utf-8" + body[found.end(1) :]


def _plain_rss(body: bytes) -> bytes:
    """Take the prefix off elements `rss:item`, which no namespace is bound to: feedparser finds no items then."""
    if b"<rss:item" not in body:
        return body
    return PREFIXED_RSS.sub(rb"<\1", BROKEN_DECLARATION.sub(b"", body))
