"""Where the network room may go: no spelling, redirect or name server leads to an address that is not public."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.addresses import host_of, is_public
from pipeline.errors import ItemError
from pipeline.http import open_client
from pipeline.pace import Pace
from pipeline.records import Page
from pipeline.settings import Settings
from tests.support.hostile import redirect
from tests.support.network import fetch_pages
from tests.support.raw import RawWeb, answer, serve_raw


@pytest.fixture
def inner() -> Iterator[RawWeb]:
    """Whom nobody outside may reach."""
    with serve_raw() as web:
        web.scripts["*"] = answer(b"secret")
        yield web


def get(url: str, **chosen: object) -> Page:
    settings = Settings(**{"request_timeout": 5, **chosen})  # type: ignore[arg-type]

    async def one() -> Page:
        async with open_client(settings, Pace(settings)) as client:
            return await client.get(url)

    return asyncio.run(one())


def refusal(url: str, **chosen: object) -> str:
    with pytest.raises(ItemError) as caught:
        get(url, **chosen)
    return caught.value.reason


@pytest.mark.parametrize("address", [
    "8.8.8.8", "1.1.1.1", "2001:4860:4860::8888", "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8", "64:ff9b::808:808",
    "2002:808:808::1",
])  # fmt: skip
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.3", "169.254.0.1", "172.16.0.1",
    "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254",
    "::", "::1", "::127.0.0.1", "::8.8.8.8", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "ff0e::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2002:a00:1::1", "2001:0:53aa:64c:0:0:80ff:fffe", "2001:db8::1", "2001:10::1", "3fff::1", "5f00::1", "100::1", "4000::1",
])  # fmt: skip
def test_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_no_more_public_in_any_form_of_ipv6(address: IPv4Address) -> None:
    number = int(address)
    forms = [number | 0xFFFF << 32, number | 0x64FF9B << 96, number << 80 | 0x2002 << 112]
    for form in forms:
        assert is_public(str(IPv6Address(form))) == is_public(str(address))
    for form in (number, number ^ 0xFFFFFFFF | 0x20010000 << 96):  # IPv4-compatible, Teredo: never
        assert not is_public(str(IPv6Address(form)))


@pytest.mark.parametrize("form", [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "127.1.",
    "0", "0.0.0.0", "localhost", "LOCALHOST", "localhost.", "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "lоcalhost",
    "{web}@127.0.0.1", "news.example:80@127.0.0.1", "%31%32%37.0.0.1", "127.0.0.1%00.news.example", "127.0.0.1\\@news.example",
    "[::1]", "[::]", "[::1%25lo]", "[::1%lo]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "[fe80::1%25lo]", "[::ffff:0x7f.1]",
])  # fmt: skip
def test_no_spelling_of_an_address_reaches_it(inner: RawWeb, form: str) -> None:
    with serve_raw() as web:
        port = inner.host.split(":")[1]
        url = f"http://{form.format(web=web.host)}:{port}/secret"
        web.scripts["/away"] = redirect(url)
        for asked in (url, f"{web.url}/away"):
            reason = refusal(asked, allow_hosts=[web.host])
            assert reason in ("private_address", "bad_url", "bad_redirect", "network"), (asked, reason)
    assert not inner.hits


def names(monkeypatch: pytest.MonkeyPatch, answers: Callable[[str], list[str]]) -> list[str]:
    """Put a name server in the place of the system's; returns the list of what it is asked."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers(host)

    monkeypatch.setattr("pipeline.http.resolve", resolve)
    return asked


@pytest.mark.parametrize("addresses", [
    ["127.0.0.1"], ["::1"], ["169.254.169.254"], ["8.8.8.8", "127.0.0.1"], ["2001:4860:4860::8888", "::ffff:10.0.0.1"],
    ["8.8.8.8"] * 50 + ["10.0.0.1"],
])  # fmt: skip
def test_a_name_with_one_private_address_is_refused_whole(
    inner: RawWeb, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    names(monkeypatch, lambda _: addresses)
    assert refusal(f"http://news.example:{inner.host.split(':')[1]}/") == "private_address"
    assert not inner.hits


def test_every_hop_is_looked_up_and_checked(inner: RawWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_raw() as web:
        port = web.host.split(":")[1]
        web.scripts["/1"] = redirect("/2")
        web.scripts["/2"] = redirect(f"http://inside.example:{inner.host.split(':')[1]}/secret")
        asked = names(monkeypatch, lambda _: ["127.0.0.1"])
        assert refusal(f"http://news.example:{port}/1", allow_hosts=[f"news.example:{port}"]) == "private_address"
        assert asked[-1] == "inside.example"
        assert web.hits["/2"] == 1
    assert not inner.hits


def test_the_connection_goes_to_the_address_that_was_checked(inner: RawWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is looked up first, and private ever after."""
    monkeypatch.setattr("pipeline.http.is_public", lambda address: address == "127.0.0.2")
    answers = iter([["127.0.0.2"]])
    asked = names(monkeypatch, lambda _: next(answers, ["127.0.0.1"]))
    port = inner.host.split(":")[1]  # on 127.0.0.1; at 127.0.0.2 nobody listens
    assert refusal(f"http://news.example:{port}/secret") == "network"
    assert asked == ["news.example"]
    assert refusal(f"http://news.example:{port}/secret") == "private_address"
    assert not inner.hits


def test_name_servers_that_hang_hold_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def slow(host: str) -> list[str]:
        if host.endswith(".example"):
            over.wait()
        return ["127.0.0.1"]

    names(monkeypatch, slow)
    with serve_raw() as web:
        web.scripts["/ok"] = answer(b"<p>text</p>")
        settings = Settings(allow_hosts=[web.host], request_timeout=4)
        urls = [f"http://n{number}.example/a" for number in range(40)] + [f"{web.url}/ok"]
        try:
            results = fetch_pages(settings, urls)
        finally:
            over.set()
    assert isinstance(results[-1], Page)
    assert {result.reason for result in results[:-1] if isinstance(result, ItemError)} == {"robots_unreachable"}


def test_credentials_make_no_host_of_its_own() -> None:
    assert host_of("http://one:two@News.Example:81/a") == host_of("http://three@news.example:81/b") == "news.example:81"
