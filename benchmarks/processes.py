"""What a process and all that descend from it take: CPU seconds and resident memory, from /proc (Linux)."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MB = 1024  # kB


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on: the second, the name, may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(") ")[2].split()


def tree(root: int) -> list[int]:
    """Return a process and its descendants."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                children[int(_stat(int(entry.name))[1])].append(int(entry.name))
            except (OSError, IndexError):  # it ended meanwhile
                continue
    found = [root]
    for pid in found:  # grows while it is walked
        found += children[pid]
    return found


def cpu_seconds(root: int, without: tuple[int, ...] = ()) -> float:
    """Return the CPU seconds of a tree, those of ended children included; `without` are trees that do not count."""
    left_out = {pid for each in without for pid in tree(each)}
    total = 0
    for pid in tree(root):
        if pid not in left_out:
            try:
                total += sum(map(int, _stat(pid)[11:15]))
            except (OSError, IndexError):
                continue
    return total / TICKS


def memory_mb(root: int, without: tuple[int, ...] = ()) -> float:
    """Return the memory of a tree in MB; what processes share counts once (PSS)."""
    left_out = {pid for each in without for pid in tree(each)}
    total = 0
    for pid in tree(root):
        if pid not in left_out:
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / MB
