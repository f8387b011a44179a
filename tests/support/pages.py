"""Work for extracting processes that does what hostile pages do to a parser."""

from __future__ import annotations

import ctypes
import os
import time

from pipeline.extract import extract
from pipeline.records import Document


def hostile(body: bytes, url: str, published_at: str | None) -> Document:
    """Do what the page says, or else extract it."""
    if body == b"segfault":
        ctypes.string_at(0)
    if body == b"exit":
        os._exit(3)
    if body == b"hang":
        time.sleep(3_600)
    if body == b"memory":
        bytearray(8 << 30)
    return extract(body, url, published_at)
