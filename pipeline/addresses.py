"""Hosts and IP addresses: a URL in, whom it asks out; an IP address in, whether a public page may send us there out."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

UNICAST = ip_network(
    "2000::/3"
)  # all of IPv6 that IANA hands out; site-local, IPv4-compatible and the rest lie outside
NAT64 = ip_network("64:ff9b::/96")
# Globally reachable by the registries' word or by one Python's of many, and yet no place for a page: protocol
# assignments (192.0.0.192 is the metadata service of Oracle's machines), 6to4 relays, the host service of Azure's machines,
# Teredo and other tunnels (they carry an IPv4 address), direct delegation, segment routing and texts' examples.
NEVER = tuple(
    ip_network(net)
    for net in (
        "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2620:4f:8000::/48", "3fff::/20", "5f00::/16",
    )
)  # fmt: skip


def is_public(address: str) -> bool:
    """Whether an IP address is globally reachable unicast, also behind IPv4-mapped, 6to4 and NAT64 forms."""
    ip = ip_address(address.split("%", 1)[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in NAT64:
            inner = IPv4Address(ip.packed[12:])
        if inner is not None:
            return is_public(str(inner))
        if ip not in UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in net for net in NEVER)


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, with the port where the URL names one: the unit that has a pace."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()
