#!/usr/bin/env python3
"""What a trimmed vocabulary costs: pieces of text by language, cut by the full and by the trimmed tokenizer.

    python tools/vocabulary.py full/tokenizer.json pipeline/data/model/tokenizer.json texts.jsonl ...

Prints for each language the code points, the share of unknown pieces, and how many times the pieces of the full vocabulary
the trimmed one needs. Use texts that took no part in choosing the pieces.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

from tokenizers import Tokenizer


def main() -> None:
    """Read the arguments and print one line a language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("full", type=Path)
    parser.add_argument("trimmed", type=Path)
    parser.add_argument("texts", type=Path, nargs="+", help="JSON lines with lang and text")
    args = parser.parse_args()
    full, trimmed = (Tokenizer.from_file(str(path)) for path in (args.full, args.trimmed))
    unknown = trimmed.encode("\ue000").ids[-2]  # a code point that no vocabulary has, before the closing token
    texts: dict[str, list[str]] = defaultdict(list)
    for path in args.texts:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            texts[row["lang"].split("-")[0]].append(row["text"])
    print(f"{'language':10}{'code points':>12}{'unknown':>10}{'pieces':>8}")
    for lang, found in sorted(texts.items(), key=lambda item: -sum(map(len, item[1]))):
        whole, cut = ([i for text in found for i in t.encode(text).ids] for t in (full, trimmed))
        print(f"{lang:10}{sum(map(len, found)):12}{cut.count(unknown) / len(cut):10.5f}{len(cut) / len(whole):7.3f}x")


if __name__ == "__main__":
    main()
