"""Verdicts on disk, by content: what was decided once is not decided again.

One SQLite file in the user's cache folder. Each verdict is written as soon as it is there, so that an
interrupted run loses nothing. The cache is a convenience: where it cannot be read or written, runs go on
without it.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

KEPT = 50_000
"""Entries; the oldest go first."""
WAIT = 10
"""Seconds to wait for another run that is writing."""


def default_path() -> Path:
    """Where the verdicts of this user are kept."""
    return user_cache_path("optverify") / "verdicts.sqlite"


class Store:
    """Key -> JSON value. path: the file, made when needed; None for one in memory."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        try:
            self._database = self._open(path)
        except (OSError, sqlite3.Error):
            self._database = self._again(path)

    def _open(self, path: Path | None) -> sqlite3.Connection:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path or ":memory:", timeout=WAIT, isolation_level=None)
        database.execute("CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        database.execute("DELETE FROM verdicts WHERE rowid <= (SELECT max(rowid) FROM verdicts) - ?", (KEPT,))
        return database

    def _again(self, path: Path | None) -> sqlite3.Connection:
        """A damaged file is begun anew; a folder that cannot be written gives way to memory."""
        try:
            if path is not None:
                path.unlink(missing_ok=True)
            return self._open(path)
        except (OSError, sqlite3.Error):
            return self._open(None)

    def get(self, key: str) -> Any:
        """The value of this key, or None."""
        try:
            row = self._database.execute("SELECT value FROM verdicts WHERE key = ?", (key,)).fetchone()
            return None if row is None else json.loads(row[0])
        except (sqlite3.Error, ValueError):
            return None

    def put(self, key: str, value: Any) -> None:
        """Keep a value; what cannot be written is not kept."""
        try:
            self._database.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", (key, json.dumps(value)))
        except sqlite3.Error:
            return

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
