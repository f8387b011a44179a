"""The HTTP library's errors in, ours out: `Transient` or `Rejected` with the reason."""

from __future__ import annotations

import ssl

import httpcore
import httpx

from pipeline.errors import Rejected, Transient
from pipeline.wire import TooMuch


class Refused(httpcore.ConnectError):
    """The address is not one that a public page may send us to."""


class NoNameServer(httpcore.ConnectError):
    """The name could not be looked up now; that says nothing of the host."""


class translated:  # noqa: N801 - reads as a verb phrase: with translated():
    """Turn the HTTP library's errors into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(
            error, httpx.RequestError | httpx.InvalidURL | httpcore.ConnectError | httpcore.ConnectTimeout
        ):
            return
        root = _root(error)
        if isinstance(root, TooMuch):
            raise Rejected("too_large", str(root)) from error
        if refused := _cause(error, Refused):
            raise Rejected("private_address", str(refused)) from error
        if lost := _cause(error, NoNameServer):
            raise Transient("name_server", str(lost)) from error
        if isinstance(root.__context__, ssl.SSLError):
            raise Transient("tls", str(error)[:300]) from error
        if isinstance(error, httpx.TimeoutException | httpcore.ConnectTimeout):
            raise Transient("timeout", type(error).__name__) from error
        if isinstance(error, httpx.RemoteProtocolError) and "location header" in str(error):  # httpx looks ahead
            raise Rejected("bad_redirect", str(error)[:200]) from error
        if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError):
            raise Rejected("bad_url", str(error)) from error
        raise Transient("network", f"{type(error).__name__}: {error}"[:300]) from error


def _cause(error: BaseException | None, kind: type[Exception]) -> BaseException | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error
