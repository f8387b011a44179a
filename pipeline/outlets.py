"""Whose page is it: an address in, the backfill's source of its outlet out, as a `Feed` that is never polled.

In this order: the outlet that was named; the outlet whose feeds come from the same host, or alone from the same
registrable domain; else an outlet named after the domain, of country XX, with nothing else known of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

from pipeline.errors import ConfigError
from pipeline.feeds import BACKFILL
from pipeline.records import Feed
from pipeline.urls import registrable_domain

Way = Literal["web", "warc"]  # where the pages come from: an entry of a WARC file is never asked for on the web
UNKNOWN = "XX"


class Outlets:
    """The outlets of a feeds file by host and domain, and those made for other domains."""

    def __init__(self, feeds: Sequence[Feed], outlet: str | None = None, country: str | None = None) -> None:
        """`outlet`: all pages are its; `country`: of an outlet that no feed belongs to."""
        if country and not outlet:
            raise ConfigError("--country says where an outlet is: name it with --outlet")
        self._feeds = feeds
        self._all = self._named(outlet, country) if outlet else None
        hosts, domains = defaultdict(list), defaultdict(list)
        for feed in feeds:
            hosts[urlsplit(feed.url).netloc.lower()].append(feed)
            domains[registrable_domain(feed.url)].append(feed)
        self._hosts = {host: found[0] for host, found in hosts.items() if _one(found)}
        self._domains = {domain: found[0] for domain, found in domains.items() if _one(found)}

    def source_of(self, url: str, way: Way) -> Feed:
        """Return the source under whose id the entry is kept, of the outlet that the address belongs to."""
        domain = registrable_domain(url)
        found = self._all or self._hosts.get(urlsplit(url).netloc.lower()) or self._domains.get(domain)
        found = found or _unknown(domain, UNKNOWN)
        return replace(found, feed_id=f"{BACKFILL}{way}:{found.outlet_id}", url=f"{BACKFILL}{way}", enabled=False)

    def _named(self, outlet: str, country: str | None) -> Feed:
        found = [feed for feed in self._feeds if feed.outlet == outlet and country in (None, feed.country)]
        if len({feed.country for feed in found}) > 1:
            raise ConfigError(f"outlet {outlet!r} stands in the feeds file under several countries: add --country")
        return found[0] if found else _unknown(outlet, country or UNKNOWN)


def _one(feeds: Sequence[Feed]) -> bool:
    return len({feed.outlet_id for feed in feeds}) == 1


def _unknown(name: str, country: str) -> Feed:
    """An outlet of which nothing else is known; what is empty here is NULL in the warehouse, and in no bloc's trend."""
    return Feed(
        feed_id="", url="", outlet=name, country=country, bloc="", language="und", ownership="", kind="", enabled=False
    )
