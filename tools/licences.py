"""The licences of everything that Stancewatch needs at run time, from the metadata of what is installed, against a list.

`python tools/licences.py` prints a line a package and exits with 1 where one is not on the list; it asks no network.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
EXTRAS = ("scale", "otel", "train")  # what a person may add; `torch` brings its own, per platform
ALLOWED = {  # licences that ask for no more than to be named, and MPL-2.0, which binds its own files alone
    *(
        "0BSD",
        "Apache-2.0",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "CNRI-Python",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
    ),
    *("PSF-2.0", "Zlib", "Unlicense", "HPND"),
}
BY_NAME = {  # why each is no obstacle: they are used as they are, as separate packages that anybody can replace
    "pebble": "LGPL-3.0: a library that is imported",
    "psycopg": "LGPL-3.0: a library that is imported, extra scale",
    "psycopg-binary": "LGPL-3.0: as psycopg",
    "tld": "MPL-1.1 or GPL-2.0 or LGPL-2.1, at our choice: MPL-1.1, whose files are not changed",
    "text-unidecode": "Artistic or GPL-2.0, at our choice: Artistic, not changed; Prefect brings it",
}
SPDX = {  # how else metadata spell them, in lower case
    "3-clause bsd license": "BSD-3-Clause", "apache 2.0": "Apache-2.0", "apache 2.0 license": "Apache-2.0", "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0", "bsd": "BSD", "bsd license": "BSD", "isc license": "ISC", "isc license (iscl)": "ISC",
    "mit license": "MIT", "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "python software foundation license": "PSF-2.0",
    "the bsd 2-clause license": "BSD-2-Clause", "the mit license (mit)": "MIT",
}  # fmt: skip


def needed(extras: tuple[str, ...] = EXTRAS) -> dict[str, metadata.Distribution]:
    """Return what is installed of all that the project asks for, directly or not, by name."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(each for extra in extras for each in project["optional-dependencies"][extra])]
    found: dict[str, metadata.Distribution] = {}
    waiting, seen = [Requirement(text) for text in asked], set()
    while waiting:
        one = waiting.pop()
        for extra in ("", *one.extras):
            key = (canonicalize_name(one.name), extra)
            if key in seen:
                continue
            seen.add(key)
            found[key[0]] = metadata.distribution(one.name)
            waiting += _asked_by(found[key[0]], extra)
    return found


def _asked_by(package: metadata.Distribution, extra: str) -> Iterator[Requirement]:
    for one in map(Requirement, package.requires or []):
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            yield one


def licences(package: metadata.Distribution) -> str:
    """Return the licence of a package as an SPDX expression where its metadata have one, else in the words they use."""
    said = package.metadata
    if expression := said.get_all("License-Expression"):
        return str(expression[0])
    words = "".join(map(str, said.get_all("License") or [])).strip().partition("\n")[0]
    known = SPDX.get(words.lower(), words)
    if known and allowed(known):
        return known
    kinds = [kind.rpartition(" :: ")[2] for kind in said.get_all("Classifier") or [] if kind.startswith("License :: ")]
    return " AND ".join(SPDX.get(kind.lower(), kind) for kind in kinds if kind != "OSI Approved") or words or "unknown"


def allowed(expression: str) -> bool:
    """Say whether every part of an expression that must be kept, or one of its alternatives, is on the list."""
    parts = re.split(r"\s+AND\s+", expression)
    return all(any(one.strip("() ") in ALLOWED for one in re.split(r"\s+OR\s+", part)) for part in parts)


def main() -> int:
    """Print every package; return 1 where one is neither allowed nor explained."""
    bad = 0
    for name, package in sorted(needed().items()):
        licence = licences(package)
        fine = allowed(licence) or name in BY_NAME
        bad += not fine
        sys.stdout.write(f"{'   ' if fine else 'NO '} {name} {package.version}: {BY_NAME.get(name, licence)}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
