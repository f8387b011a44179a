"""What a person would read on a page: a real browser runs it, headless."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lxml import etree, html

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = f"no browser on PATH ({', '.join(NAMES)}): install chromium, on Debian with `apt-get install chromium`"


def find_browser() -> str | None:
    """Return the path of a browser that can run headless."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def read_page(browser: str, url: str, profile: Path) -> str:
    """Return the text of a page after its scripts have run, its white space normalised.

    The budget is virtual: the browser's clock stands while it waits for the network, so a busy machine changes nothing.
    The window is tall, so that a long log is drawn whole.
    """
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--window-size=1600,8000",
        f"--user-data-dir={profile}",
    ]
    command = [browser, *options, "--virtual-time-budget=60000", "--dump-dom", url]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    root = html.document_fromstring(done.stdout)
    etree.strip_elements(root, "script", "style", with_tail=False)
    return " ".join(" ".join(root.itertext()).split())
