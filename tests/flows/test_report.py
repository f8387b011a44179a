"""The report as a person meets it: in a real browser, by pointer and by key, on a phone, in the dark, on paper; and as bytes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from flows.report import words
from flows.report.page import embedded, render, web_address
from pipeline.codebook import load_codebook
from tests.support.browser import MISSING, find_browser
from tests.support.page import Page, browse
from tests.support.report import ARABIC, FULL, HOSTILE, SENTENCES, SMALL, summer
from tests.support.store import Store
from warehouse.figures import gather
from warehouse.query import run_query

SAID = "[...document.querySelectorAll('#said blockquote')].map(each => each.textContent)"
OPENED = "document.getElementById('sentences').open"
FOCUSED = "document.activeElement.dataset.mark || document.activeElement.id"


def report(store: Store, folder: Path, *more: str) -> Path:
    """Run the command as a person does."""
    command = [sys.executable, "-m", "flows.cli", "report", "--out", str(folder), "--warehouse", store.target, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert [each.name for each in folder.iterdir()] == ["report.html"] == [path.name]
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return summer(tmp_path_factory.mktemp("summer"))


@pytest.fixture(scope="module")
def path(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(store, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    browser = find_browser()
    if not browser:
        pytest.skip(MISSING)
    with browse(browser, tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def page(tab: Page, path: Path) -> Iterator[Page]:
    """The report, just opened on a desk; afterwards nothing was refused, thrown or asked for but the file itself."""
    tab.media()
    tab.resize(1200, 900)
    tab.requests.clear()
    tab.open(path.as_uri())
    yield tab
    assert tab.ask("[refused, window.hacked]") == [[], None]
    assert tab.requests == [path.as_uri()]
    assert tab.errors == []


def test_a_click_opens_the_sentences_of_the_mark_with_outlet_day_and_link(page: Page) -> None:
    page.click(f"g.mark[data-mark='{FULL}']")
    assert sorted(page.ask(SAID)) == sorted(SENTENCES)
    assert page.ask("document.getElementById('said-count').textContent").startswith("6 documents behind it; 6 shown")
    first = page.ask("document.querySelector('#said li').innerText")
    assert all(each in first for each in ("Binding rules: favor", "观察5", "China", "Jul 2025"))
    assert page.ask("(a => [a.protocol, a.rel, a.target])(document.querySelector('#said a'))") == [
        "https:",
        "noopener noreferrer",
        "_blank",
    ]
    page.click("#close")
    assert not page.ask(OPENED)


def test_every_mark_is_reached_and_opened_by_key_and_escape_gives_the_focus_back(page: Page) -> None:
    chart = "document.querySelector('#stance [data-marks]')"
    keys = page.ask(f"[...{chart}.querySelectorAll('.mark')].map(each => each.dataset.mark)")
    assert keys == [FULL, SMALL]
    page.ask(f"{chart}.querySelector('[tabindex=\"0\"]').focus()")
    for key in ("Enter", "ArrowRight", "Enter", "Home"):
        page.press(key)
        if key == "Enter":
            focused = FULL if page.ask("document.querySelectorAll('#said li').length") == 6 else SMALL
            page.press("Escape")
            assert not page.ask(OPENED)
            assert page.ask(FOCUSED) == focused
    assert page.ask(FOCUSED) == FULL
    page.press("Tab")
    assert page.ask("document.activeElement.tagName") == "SUMMARY"  # one stop a chart, then on


def test_tab_alone_leads_into_every_chart_and_the_focus_is_seen(page: Page) -> None:
    charts = page.ask("[...document.querySelectorAll('[data-marks]')].filter(each => each.checkVisibility()).length")
    seen: set[int] = set()
    for _ in range(60):
        page.press("Tab")
        seen.add(
            page.ask(
                "[...document.querySelectorAll('[data-marks]')].indexOf(document.activeElement.closest('[data-marks]'))"
            )
        )
    assert len(seen - {-1}) == charts >= 4
    page.ask("document.querySelector('g.mark').focus()")
    assert page.ask("getComputedStyle(document.querySelector('g.mark .hit')).strokeWidth") == "2.5px"


def test_every_mark_has_sentences_and_every_row_of_a_table_opens_them_too(page: Page) -> None:
    lacking = page.ask("""(data => [...document.querySelectorAll('[data-mark]')].map(each => each.dataset.mark)
        .filter(key => !(data.marks[key] || [0, []])[1].length))(JSON.parse(document.getElementById('data').textContent))""")
    assert lacking == []
    page.ask("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.click(f"button.link[data-mark='{FULL}']")
    assert len(page.ask(SAID)) == 6
    page.press("Escape")
    assert page.ask("document.activeElement.className") == "link"


def test_what_means_harm_stays_text_and_leads_nowhere(page: Page) -> None:
    page.click(f"g.mark[data-mark='{SMALL}']")
    assert set(page.ask(SAID)) == {HOSTILE, ARABIC}
    assert page.ask("document.querySelectorAll('#said script, #said img, #said [onmouseover]').length") == 0
    links = page.ask("[...document.querySelectorAll('#said a')].map(each => each.href)")
    assert len(links) == 1
    assert links[0].startswith("https://news.example/%22onmouseover")
    titles = page.ask("[...document.querySelectorAll('#said .title')].map(each => each.textContent)")
    assert set(titles) == {HOSTILE, ARABIC}
    assert page.ask("document.querySelector('#said li:has([lang=ar]) blockquote').matches(':dir(rtl)')")


def test_a_phone_needs_no_sideways_scroll(page: Page) -> None:
    page.ask("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    for width in (320, 390):
        page.resize(width, 800, mobile=True)
        assert page.ask("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
    page.click(f"g.mark[data-mark='{FULL}']")
    assert page.ask("document.querySelector('.sheet').scrollWidth <= innerWidth")


def test_dark_print_and_little_motion(page: Page) -> None:
    style = "(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))"
    light, bright = page.ask(style), page.picture()
    page.media(prefers_color_scheme="dark")
    assert page.ask(style) != light
    assert page.picture() != bright
    page.media("print", prefers_color_scheme="dark")
    assert page.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.ask("document.querySelector('nav').checkVisibility()") is False
    page.media()
    assert page.paper().startswith(b"%PDF")
    page.media(prefers_reduced_motion="reduce")
    page.click(f"g.mark[data-mark='{FULL}']")
    assert page.ask("getComputedStyle(document.getElementById('sentences')).animationName") == "none"


def test_the_policy_lets_nothing_in(tab: Page, path: Path, tmp_path: Path) -> None:
    bad = (
        "<img src='https://evil.example/x.png'><script>window.hacked = 1</script><p style='color: red' onclick='1'></p>"
    )
    (tmp_path / "bad.html").write_text(path.read_text("utf-8").replace("<footer>", f"{bad}<footer>"), "utf-8")
    tab.open((tmp_path / "bad.html").as_uri())
    refused = " ".join(tab.ask("refused"))
    assert all(
        each in refused
        for each in ("https://evil.example/x.png img-src", "inline script-src-elem", "inline style-src-attr")
    )
    assert tab.ask("window.hacked") is None
    assert tab.ask("fetch('https://evil.example/').then(() => 'answered', () => 'refused')") == "refused"
    tab.errors.clear()


def cells(path: Path, caption: str) -> list[list[str]]:
    """Return the rows of a table of the report, without the column of buttons."""
    (table,) = (
        each
        for each in html.fromstring(path.read_bytes()).iter("table")
        if (each.find("caption").text or "").startswith(caption)
    )
    return [[cell.text_content() for cell in row if cell.find("button") is None] for row in table.find("tbody")]


def answers(store: Store, name: str, **params: str) -> list[dict[str, Any]]:
    columns, rows = run_query(store.target, name, params)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_the_tables_carry_the_numbers_of_the_queries(store: Store, path: Path) -> None:
    full = next(row for row in answers(store, "net_stance") if row["bloc"] == "china")
    shown = cells(path, "Binding rules: net stance by bloc and week")
    assert shown[0] == ["China", "2025-07-21", "6", *words.exact(full["net"], full["low"], full["high"])]
    assert shown[1] == ["United States", "2025-07-21", "2", "too few", ""]
    assert [row[:5] for row in cells(path, "Share of stories")] == [
        [
            *(str(day["day"]), words.percent(day["pooled_share"], 2), words.percent(day["outlet_mean_share"], 2)),
            *(str(day["relevant"]), str(day["seen"])),
        ]
        for day in answers(store, "daily_share")
    ]
    assert {row[5] for row in cells(path, "Share of stories")} == {"6 of 7"}


def test_a_mark_counts_the_documents_of_its_cell(path: Path) -> None:
    data = json.loads(html.fromstring(path.read_bytes()).get_element_by_id("data").text)
    assert data["marks"][FULL][0] == 6
    assert data["marks"][SMALL][0] == 2
    assert {data["sentences"][n]["label"] for n in data["marks"][FULL][1][:2]} == {"favor", "against"}  # by turns
    assert not {"authors", "author", "text"} & set(data["sentences"][0])


def test_the_page_says_what_it_stands_on(path: Path) -> None:
    text = html.fromstring(path.read_bytes()).text_content()
    assert "The targets are not on one scale" in text
    assert "25 of the 28 days are also those of" in text
    assert text.count("30 of 35 outlet days seen whole") >= 5  # beside every trend
    assert "America's AI Action Plan is published" in text
    for words_ in (
        "State of the warehouse: load",
        "Where the days of relevant documents come from",
        "tiny",
        "Thresholds of codebook",
    ):
        assert words_ in text


def test_amplification_is_shown_where_there_is_the_query(store: Store, tmp_path: Path) -> None:
    total = {"place": "(all)", "documents": 8, "stories": 5, "amplification": 1.6, "original_rate": None}
    china = {"place": "CN", "documents": 6, "stories": 4, "amplification": 1.5, "original_rate": 0.25}
    figures = replace(gather(store.target), amplification=[total, china])
    text = html.fromstring(render(figures, [], load_codebook()))
    (row,) = text.xpath("//section[@id='amplification']//button[contains(@class, 'row')]")
    assert row.get("data-mark") == "country/CN"
    assert [rect.get("width") for rect in row.iter("rect")] == ["100.0%", "66.67%"]
    assert "×1.50 4 stories in 6" in " ".join(row.text_content().split())
    assert any(each["mark"] == "country/CN" for each in figures.marks)
    assert not html.fromstring(render(replace(figures, amplification=None), [], load_codebook())).xpath(
        "//*[@id='amplification']"
    )


def test_the_same_state_gives_the_same_bytes(store: Store, path: Path, tmp_path: Path) -> None:
    assert report(store, tmp_path / "again").read_bytes() == path.read_bytes()


def test_an_empty_warehouse_gives_a_page_that_says_so(tab: Page, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.load("feeds")
    tab.open(report(store, tmp_path / "out").as_uri())
    assert "holds no documents yet" in tab.ask("document.body.innerText")
    assert tab.errors == []


def test_events_of_a_file_are_marked_and_a_bad_file_is_named(store: Store, tmp_path: Path) -> None:
    events = tmp_path / "events.toml"
    events.write_text(f'[[event]]\nday = 2025-07-22\nname = """{HOSTILE}"""\n', "utf-8")
    text = html.fromstring(report(store, tmp_path / "out", "--events", str(events)).read_bytes())
    (marked,) = text.xpath("//ol[@class='events']/li")
    assert HOSTILE.strip() in marked.text_content()
    assert "Action Plan" not in text.text_content()
    events.write_text("[[event]]\nday = 'soon'\n", "utf-8")
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "report",
        "--out",
        str(tmp_path),
        "--warehouse",
        store.target,
        "--events",
        str(events),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search(r"events.toml.*day", done.stderr)


@pytest.mark.parametrize(
    ("url", "kept"),
    [("https://x.example/a", True), ("http://x.example", True), ("javascript:alert(1)", False), ("data:text/html,x", False), (" javascript:x", False),
     ("//x.example", False), ("https:x", False), ("http://[", False), (None, False)],
)  # fmt: skip
def test_only_links_to_the_web_are_kept(url: Any, kept: bool) -> None:
    assert web_address(url) == (url if kept else "")


def test_embedded_json_ends_no_script_and_means_the_same() -> None:
    value = {"a": [HOSTILE, "</SCRIPT>", "<!--<script>", "&amp;\u2029", ARABIC]}
    text = embedded(value)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value
