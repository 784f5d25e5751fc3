"""One file with the rows of sweeps, SQLite or Parquet by its ending.

SQLite takes each row as it comes. Parquet cannot: its rows are kept in a journal beside it (a Store,
`results.parquet.journal`), and the file is written whole, in one move, when a sweep ends or is interrupted;
then the journal goes. After a kill the journal stays: `read` reads both, and the next sweep joins them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .columns import FIXED, Row
from .parquet import parquet_rows, require_pyarrow, write_parquet
from .store import Store

PARQUET, JOURNAL = ".parquet", ".journal"
ENDINGS = (".sqlite", ".db", PARQUET)


def check_ending(path: Path) -> None:
    """ValueError unless the file's ending says its format."""
    if path.suffix not in ENDINGS:
        raise ValueError(
            f"{str(path)!r}: the file of a sweep ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        )


@contextmanager
def opened(path: Path | None) -> Iterator[Store]:
    """The store to write rows into; a Parquet file is brought up to date at the end, however that comes.

    Raises ValueError for a file of another format, OSError for one that cannot be written.
    """
    if path is None or path.suffix != PARQUET:
        with closing(Store(path)) as store:
            yield store
        return
    held = parquet_rows(path) if path.exists() else []
    require_pyarrow()
    journal, complete = _journal(path), False
    try:
        with closing(Store(journal, "alone")) as store:
            _fill(store, held)
            try:
                yield store
            finally:
                rows = list(store.rows())
                if rows or path.exists():
                    write_parquet(path, rows, store.hyperparameters)
                complete = True
    finally:
        if complete:
            journal.unlink()


def read(path: str | os.PathLike[str]) -> list[Row]:
    """The rows of a file, in an order that hangs on what they are alone; nothing is changed.

    Raises ValueError for a file that no sweep has written, OSError for one that cannot be read, or that is
    still being written (SQLite can be read at any time).
    """
    path = Path(path)
    check_ending(path)
    parts = [p for p in (path, _journal(path)) if p.exists()]
    if not parts:
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        found = [parquet_rows(part) if part.suffix == PARQUET else _stored_rows(part) for part in parts]
    except OSError:
        if all(part.exists() for part in parts):
            raise
        return read(path)  # the sweep ended meanwhile, and its journal is gone
    if len(found) == 1:
        return found[0]
    with closing(Store(None)) as joined:
        for rows in found:
            _fill(joined, rows)
        return list(joined.rows())


def _stored_rows(path: Path) -> list[Row]:
    with closing(Store(path, "read")) as store:
        return list(store.rows())


def _journal(path: Path) -> Path:
    return path.with_name(path.name + JOURNAL)


def _fill(store: Store, rows: list[Row]) -> None:
    store.widen(rows[0].keys() - FIXED.keys() if rows else ())
    store.put(rows)
