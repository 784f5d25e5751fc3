"""A cache of its own for every test."""

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The file in which this test keeps verdicts."""
    path = tmp_path / "cache" / "verdicts.sqlite"
    for module in ("run", "mutation"):
        monkeypatch.setattr(f"optverify.ledger.{module}.default_path", lambda: path)
    return path
