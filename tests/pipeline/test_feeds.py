"""The feeds file in parts: every feed in exactly one share, a host in one."""

from __future__ import annotations

from pipeline.feeds import load_feeds, share_of


def test_shares_are_the_whole_and_a_host_is_in_one_of_them() -> None:
    feeds = load_feeds()
    shares = [share_of(feeds, f"{number}/4") for number in (1, 2, 3, 4)]
    assert sorted(feed.feed_id for share in shares for feed in share) == sorted(feed.feed_id for feed in feeds)
    hosts = [{feed.url.split("/")[2].lower() for feed in share} for share in shares]
    assert sum(map(len, hosts)) == len(set.union(*hosts))
    assert all(hosts)
    assert share_of(feeds, None) == share_of(feeds, "1/1") == feeds
