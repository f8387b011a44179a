"""Imported by the server that extracting processes are forked from: uses the extractor once.

Stop lists, the language model and the public suffixes are loaded at first use; loaded here, every process shares them.
"""

from __future__ import annotations

from pipeline.extract import extract

PAGE = (
    b"<html><body><article><h1>Warm</h1><p>A short page that says nothing, so that every fallback runs.</p></article>"
)

extract(PAGE, "https://warm.example/a")
