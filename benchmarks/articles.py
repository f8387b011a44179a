"""Articles for the benchmarks, made of the project's own passages."""

from __future__ import annotations

import json
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OTHER = (
    "The harvest festival drew a record crowd to the old harbour on Saturday. Fishermen mended their nets in the shade "
    "while a brass band played. The mayor opened the new bridge, which replaces the ferry that had served the island since "
    "the war. Tickets for the regatta sold out within an hour, and bakers stayed up all night. "
)
Text = tuple[str, str, str | None]


def texts(number: int) -> list[Text]:
    """Return articles of many lengths, a fifth of them about the governance of AI."""
    rng = random.Random(0)
    rows = [json.loads(line) for path in sorted((ROOT / "tools" / "passages" / "written").glob("plain_*.jsonl"))
            for line in path.read_text("utf-8").splitlines()]  # fmt: skip
    found: list[Text] = []
    for n in range(number):
        words = rng.randint(100, 900)
        row = rng.choice(rows)
        body = row["text"] if n % 5 == 0 else ""
        while len(body) < words * 6:
            body += "\n" + (rng.choice(rows)["text"] if n % 5 == 0 else OTHER)
        found.append((row["title"] if n % 5 == 0 else "Harbour news", body[: words * 6], "en"))
    rng.shuffle(found)
    return found
