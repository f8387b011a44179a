"""The tree of errors. A stage turns `Rejected` and `Transient` into records; the others end a run with a message.

    StancewatchError
    ├── Transient           may work later: the item stays pending
    ├── Rejected            never a document: becomes a Rejection(stage, reason, detail)
    ├── ConfigError         settings, feeds file, codebook or model folder that a person must mend
    └── WarehouseError      the warehouse cannot be used
        ├── WarehouseFull   the disk takes no more
        └── WarehouseBusy   another process holds it longer than we wait
            └── WarehouseConflict   another process wrote first: tried again a few times

Anything else is a defect and propagates.
"""


class StancewatchError(Exception):
    """Base of every error that Stancewatch raises on purpose."""


class ItemError(StancewatchError):
    """Something is wrong with one item; `reason` is a short stable word, `detail` is for people."""

    def __init__(self, reason: str, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after  # seconds, where the server or our own budget names them

    @property
    def status(self) -> int | None:
        """The HTTP status that the reason names."""
        digits = self.reason.removeprefix("http_")
        return int(digits) if digits != self.reason and digits.isdigit() else None


class Transient(ItemError):
    """The item may work later (time-out, 5xx, 429, network down)."""


class Rejected(ItemError):
    """The item will never become a document (404, not HTML, refused by robots.txt, no article)."""


class ConfigError(StancewatchError):
    """A file or setting that a person wrote is wrong; the message names it and the way out."""


class WarehouseError(StancewatchError):
    """The warehouse cannot be read or written."""


class WarehouseBusy(WarehouseError):
    """Another process holds the warehouse file or the pass lock; nothing was lost."""


class WarehouseConflict(WarehouseBusy):
    """Another process wrote to the lake first, so this transaction was rolled back; doing it again may work."""


class WarehouseFull(WarehouseError):
    """The disk refused a write (it is full, or a limit is reached); the state before stays, nothing was lost."""
