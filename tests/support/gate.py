"""Where the pages of the extraction's quality gate are, if they are here."""

from __future__ import annotations

import os
from pathlib import Path

_NAMED = os.environ.get("STANCEWATCH_PAGES", "")
_FOLDER = Path(_NAMED) if _NAMED else Path(__file__).parents[3] / "shared" / "data" / "extraction"
PAGES = _FOLDER if _NAMED or (_FOLDER / "gold.jsonl").exists() else None
