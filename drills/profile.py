"""The scaled-out profile of docs/scaling.md: the document in, its settings and its deployments out, as a user would copy them."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "scaling.md"


def blocks(page: Path = PAGE) -> tuple[dict[str, str], str]:
    """Return the settings of the block `env` and the text of the block `yaml`."""
    text = page.read_text(encoding="utf-8")
    settings, deployments = (
        re.search(f"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for kind in ("env", "yaml")
    )
    assert settings
    assert deployments
    lines = [line for line in settings[1].splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}, deployments[1]
