"""Fetching: URLs in, one result each out, in order: a `Page`, or why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipeline.errors import ItemError, Rejected, Transient
from pipeline.http import Client, open_client
from pipeline.pace import Pace
from pipeline.records import PAGE_TYPES, Page
from pipeline.robots import Robots
from pipeline.settings import Settings


async def fetch_page(client: Client, robots: Robots, url: str) -> Page:
    """Fetch one article page. Raises Rejected or Transient."""
    await robots.check(url)
    page = await client.get(url)
    kind = page.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if page.status != 200:
        raise Rejected(f"http_{page.status}", f"{page.status} for {url}")
    if kind not in PAGE_TYPES:
        raise Rejected("not_html", f"content-type {kind[:80]}")
    if not page.body.strip():
        raise Transient("empty_body", "the server answered 200 with nothing")
    return page


def fetch_pages(settings: Settings, pace: Pace, urls: Sequence[str]) -> list[Page | ItemError]:
    """Fetch pages side by side, each host at its pace. Blocking. Errors are returned, not raised."""

    async def guarded(client: Client, robots: Robots, url: str) -> Page | ItemError:
        try:
            return await fetch_page(client, robots, url)
        except ItemError as error:
            return error

    async def all_of_them() -> list[Page | ItemError]:
        async with open_client(settings, pace) as client:
            robots = Robots(client, pace, settings.user_agent)
            return list(await asyncio.gather(*(guarded(client, robots, url) for url in urls)))

    return asyncio.run(all_of_them())
