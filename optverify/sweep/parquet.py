"""Rows as a Parquet file, by pyarrow (extra `parquet`)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from optverify.files import replacing

from .columns import FIXED, Row, columns

METADATA = {b"optverify_sweep": b"1"}
"""By which these files are told from others: the format they have."""


def require_pyarrow() -> None:
    """ModuleNotFoundError, with the way out, if pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "Parquet files need pyarrow: pip install 'optverify[parquet]', or name a .sqlite file"
        ) from None


def parquet_rows(path: Path) -> list[Row]:
    """The rows; ValueError for a file that no sweep has written."""
    require_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException:
        raise ValueError(f"{str(path)!r} cannot be read as Parquet: name another file") from None
    found = {k: v for k, v in (table.schema.metadata or {}).items() if k in METADATA}
    if found != METADATA:
        raise ValueError(
            f"{str(path)!r} is a Parquet file, but no table of a sweep of this release: name another file"
        )
    if missing := FIXED.keys() - set(table.column_names):
        raise ValueError(f"{str(path)!r} is damaged: it has no column {min(missing)!r}")
    rows: list[Row] = table.to_pylist()
    return rows


def write_parquet(path: Path, rows: list[Row], hyperparameters: Iterable[str]) -> None:
    """Write the file whole: until it is complete the old one stands."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types: dict[type, Any] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    fields = [pa.field(name, types[type_]) for name, type_ in columns(hyperparameters).items()]
    table = pa.Table.from_pylist(rows, schema=pa.schema(fields, metadata=METADATA))
    with replacing(path) as fresh:
        pq.write_table(table, fresh, compression="zstd")
