"""The pool of extracting processes, with pages that crash, hang and eat memory."""

from __future__ import annotations

from pipeline.pool import Extractors, RawPage
from tests.support.pages import hostile

URL = "https://news.example/a"
GOOD = (
    "<article>" + "".join(f"<p>Delegate {n} of forty asked for open rules by the lake.</p>" for n in range(9))
).encode()


def test_a_page_that_ends_its_process_costs_that_page_alone() -> None:
    bodies = [GOOD, b"segfault", GOOD, b"exit", b"memory", GOOD]
    with Extractors(2, work=hostile) as extractors:
        found = list(extractors.extract(RawPage(body, URL) for body in bodies))
    reasons = [document.rejection and document.rejection.reason for document in found]
    assert reasons == [None, "extractor_crashed", None, "extractor_crashed", "too_much_memory", None]
    assert "-11" in str(found[1].rejection)
    assert len({document.text for document in found if document.rejection is None}) == 1


def test_a_page_that_hangs_is_given_up_and_the_next_goes_on() -> None:
    with Extractors(1, work=hostile, seconds=5) as extractors:
        hung, good = extractors.extract([RawPage(b"hang", URL), RawPage(GOOD, URL, "2025-07-26T02:00:00Z")])
    assert hung.rejection is not None
    assert hung.rejection.reason == "extractor_hung"
    assert (good.rejection, good.date_source) == (None, "feed")
