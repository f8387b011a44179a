"""Hosts and IP addresses: a URL in, whom it asks out; an IP address in, whether a public page may send us there out."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit


def is_public(address: str) -> bool:
    """Whether an IP address is globally reachable unicast, also behind IPv4-mapped, 6to4 and NAT64 forms."""
    ip = ip_address(address.split("%", 1)[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip.packed[:12] == bytes.fromhex("0064ff9b0000000000000000"):
            inner = IPv4Address(ip.packed[12:])
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, with the port where the URL names one: the unit that has a pace."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def host_and_port(url: str) -> tuple[str, int]:
    """Return whom to connect to."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or {"https": 443}.get(parts.scheme, 80)
