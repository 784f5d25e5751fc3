"""A headless Chromium, if there is one: the tests that need it say so where there is none."""

import shutil
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "reports" / "index.html"
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser():
    """Playwright's browser; skipped, with the reason, where Playwright or Chromium is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no browser")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("Chromium is not installed: the page is not tried in a browser")
    with playwright.sync_playwright() as p:
        shown = p.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield shown
        shown.close()


@pytest.fixture
def opened(browser):
    """Opens a page at an address, 1280 pixels wide; whatever the browser complains of fails the test."""
    contexts, complaints = [], []

    def go(address="", *, file=PAGE, wait="", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.on("requestfailed", lambda r: complaints.append(r.url))
        page.goto(f"file://{file}{address}", wait_until="load")
        if wait:
            page.wait_for_function(wait)
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []
