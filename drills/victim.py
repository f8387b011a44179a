"""The command line of Stancewatch with a fault in it: `python -m drills.victim POINT ACTION run --all ...`.

POINT names a function (see POINTS) and the call of it that is struck, as `load:3`; ACTION is a signal that the process
sends itself there (SIGKILL, SIGTERM), or the name of a fault of ACTIONS.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from threading import Lock
from typing import Any

POINTS = {  # as a pass meets them: module, owner inside it, function
    "begin": ("flows.stages", "", "take_over"),
    "poll": ("flows.stages", "", "poll"),
    "fetch": ("flows.stages", "", "fetch"),
    "extract": ("flows.stages", "", "extract_batch"),
    "label": ("pipeline.model", "HeadsClassifier", "_one"),  # in the middle of a batch
    "warc": ("shutil", "", "copyfileobj"),  # in the middle of an append
    "spool": ("flows.stages", "", "write_load"),
    "load": ("warehouse.load", "", "_written"),  # in the transaction, before its end
    "drop": ("flows.stages", "", "drop_load"),  # stored, and still in the spool
    "dropping": ("warehouse.spool", "", "drop_load"),  # stored, and half of the folder removed
    "stories": ("flows.stories", "", "link_stories"),
    "finish": ("warehouse.load", "", "finish_run"),
    "publish": ("warehouse.publish", "", "_swap_in"),  # the copy is made and not yet in its place
    "connect": ("pipeline.http", "GuardedBackend", "connect_tcp"),
    "model": ("pipeline.encoder", "OnnxSession", "states"),
}


def no_room(*_: Any) -> None:
    """Fail as a disk that is full."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_memory(*_: Any) -> None:
    """Fail as an allocation does where there is no memory."""
    raise MemoryError


def unreachable(*_: Any) -> None:
    """Fail as a connection does where there is no network."""
    import httpcore  # noqa: PLC0415 - only where it is wanted

    raise httpcore.ConnectError(f"[Errno {errno.ENETUNREACH}] {os.strerror(errno.ENETUNREACH)}")


def defect(*_: Any) -> None:
    """Fail as code does that nobody thought through."""
    raise RuntimeError("a defect, made for the drill")


def hang(*_: Any) -> None:
    """Never come back."""
    while True:
        time.sleep(3600)


ACTIONS: dict[str, Callable[..., None]] = {
    "no_room": no_room,
    "no_memory": no_memory,
    "unreachable": unreachable,
    "defect": defect,
    "hang": hang,
}


def act(action: str, arguments: tuple[Any, ...] = ()) -> None:
    """Do what the action names."""
    if action in ACTIONS:
        ACTIONS[action](*arguments)
    else:
        os.kill(os.getpid(), signal.Signals[action])


def struck(function: Callable[..., Any], turn: int, action: str) -> Callable[..., Any]:
    """Return the function, whose call number `turn` (0: every one) meets the action first."""
    calls, guard = 0, Lock()

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        with guard:
            calls += 1
            mine = turn in (0, calls)
        if mine:
            _half(function, args)
            act(action, args)
        return function(*args, **kwargs)

    return wrapped


def _half(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Where work can be torn in two, do the first half of it."""
    if function.__name__ == "copyfileobj":
        source, target = args[:2]
        target.write(source.read(700))
        target.flush()
        source.seek(0)
    if function.__name__ == "drop_load" and function.__module__ == "warehouse.spool":
        (args[0] / "load.json").unlink()


def arm(point: str, action: str) -> None:
    """Put the fault in its place; before `flows.ingest` is imported, which takes the stages as they are."""
    name, _, turn = point.partition(":")
    module, owner, function = POINTS[name]
    holder = import_module(module)
    holder = getattr(holder, owner) if owner else holder
    setattr(holder, function, struck(getattr(holder, function), int(turn or 1), action))


if __name__ == "__main__":
    _, where, what, *rest = sys.argv
    arm(where, what)
    from flows.cli import main

    sys.argv = ["stancewatch", *rest]
    main()
