"""The table of a sweep on disk: rows are there as soon as they are done, and never twice.

SQLite in WAL mode, a transaction a row, the key of the cell as primary key: a process killed at any moment
loses what it was still computing, and nothing else. Several sweeps may write into one file at the same time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from .columns import FIXED, Row, columns

MARK = 0x6F767377
"""SQLite's application_id of these files ("ovsw"), by which they are told from other databases."""
FORMAT = 1
"""Its user_version."""
WAIT = 30
"""Seconds to wait for another process that is writing."""
TYPES = {str: "TEXT", int: "INTEGER", float: "REAL", bool: "INTEGER"}
Mode = Literal["shared", "alone", "read"]


class Store:
    """The rows in one SQLite file.

    path: None for memory. mode: "shared" with others that write into it at the same time; "alone", nobody
    else may open it meanwhile; "read", nothing is written, and an empty file has no rows. Raises ValueError
    for a file that is something else, OSError if it cannot be read or written.
    """

    def __init__(self, path: Path | None, mode: Mode = "shared") -> None:
        self.path, self._reads = path, mode == "read"
        self.hyperparameters: set[str] = set()
        place = ":memory:" if path is None else path.absolute().as_uri()
        with self._told():
            self._database = sqlite3.connect(
                f"{place}?mode=ro" if mode == "read" else place,
                uri=path is not None,
                timeout=WAIT if mode == "shared" else 1,
                isolation_level=None,
            )
            try:
                self._open(mode)
            except BaseException:
                self._database.close()
                raise

    def _open(self, mode: Mode) -> None:
        run = self._database.execute
        ((mark,), (version,)) = (run(f"PRAGMA {p}").fetchone() for p in ("application_id", "user_version"))
        ((tables,),) = run("SELECT count(*) FROM sqlite_master")
        if (tables, mark) != (0, 0) and mark != MARK:
            raise ValueError(f"{str(self.path)!r} is a database, but no table of a sweep: name another file")
        if tables and version != FORMAT:
            raise ValueError(
                f"{str(self.path)!r} has format {version} and this release reads format {FORMAT}: "
                "name another file, or use the release that made it"
            )
        self._empty = not tables
        self._read_columns()  # before anything is changed
        if mode != "read":
            self._make(alone=mode == "alone")
            self._empty = False

    def _make(self, alone: bool) -> None:
        run = self._database.execute
        if alone:
            run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # safe from kills; a power cut may cost the last rows, no more
        with self._transaction():
            described = ", ".join(f"{_quoted(n)} {TYPES[type_]}" for n, type_ in FIXED.items() if n != "key")
            run(f"CREATE TABLE IF NOT EXISTS cells (key TEXT PRIMARY KEY, {described}) WITHOUT ROWID")
            run(f"PRAGMA application_id = {MARK}")
            run(f"PRAGMA user_version = {FORMAT}")

    def _read_columns(self) -> None:
        if self._empty:
            return
        names = [row[1] for row in self._database.execute("PRAGMA table_info(cells)")]
        if missing := FIXED.keys() - set(names):
            raise ValueError(f"{str(self.path)!r} is damaged: it has no column {min(missing)!r}")
        self.hyperparameters = set(names) - FIXED.keys()

    def widen(self, hyperparameters: Iterable[str]) -> None:
        """Add the columns of these hyperparameters, where they are not there yet."""
        with self._told(), self._transaction():
            self._read_columns()
            for name in sorted(set(hyperparameters) - self.hyperparameters):
                self._database.execute(f"ALTER TABLE cells ADD COLUMN {_quoted(name)} REAL")
            self._read_columns()

    def keys(self, *, failed: bool | None = None) -> set[str]:
        """The keys of all rows; or of those alone that failed (divergence is a result), or did not."""
        failing = "error IS NOT NULL AND diverged IS NULL"
        where = "" if failed is None else f" WHERE {'' if failed else 'NOT '}({failing})"
        with self._told():
            return {key for (key,) in self._database.execute(f"SELECT key FROM cells{where}")}

    def put(self, rows: Iterable[Row], *, again: bool = False) -> None:
        """Add rows, in one transaction; of a key that is there already the old row stays, unless again."""
        verb = "REPLACE" if again else "IGNORE"
        with self._told(), self._transaction():
            for row in rows:
                names = ", ".join(map(_quoted, row))
                marks = ", ".join("?" * len(row))
                self._database.execute(
                    f"INSERT OR {verb} INTO cells ({names}) VALUES ({marks})", list(row.values())
                )

    def rows(self) -> Iterator[Row]:
        """All rows, in an order that hangs on what they are alone, columns in the order of the table."""
        if self._empty:
            return
        with self._told():
            self._read_columns()
        hyperparameters = sorted(self.hyperparameters)
        names = columns(hyperparameters)
        order = ["problem", "rule", "options", "steps", "spread", "noise", "batch_size", "tolerance"]
        order = [*order, *hyperparameters, "seed", "version", "key"]
        query = (
            f"SELECT {', '.join(map(_quoted, names))} FROM cells ORDER BY {', '.join(map(_quoted, order))}"
        )
        with self._told():
            for values in self._database.execute(query):
                row = dict(zip(names, values, strict=True))
                row["diverged"] = None if row["diverged"] is None else bool(row["diverged"])
                yield row

    def close(self) -> None:
        """Let go of the file: the last to do so leaves it alone, without a WAL, to be read anywhere."""
        if not self._reads:
            with suppress(sqlite3.Error):  # others are still at it
                self._database.execute("PRAGMA busy_timeout = 0")
                self._database.execute("PRAGMA journal_mode = DELETE")
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what SQLite says in one sentence that names the file."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or error.sqlite_errorname == "SQLITE_READONLY_DBMOVED":
                raise OSError(f"{str(self.path)!r} is in use by another sweep: wait for it to end") from None
            raise OSError(f"cannot read or write {str(self.path)!r} ({error})") from None
        except sqlite3.DatabaseError as error:
            what = (
                "no table of a sweep" if error.sqlite_errorname == "SQLITE_NOTADB" else f"damaged ({error})"
            )
            raise ValueError(f"{str(self.path)!r} is {what}: name another file") from None


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
