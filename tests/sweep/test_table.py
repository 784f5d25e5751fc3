"""Rows on disk, SQLite and Parquet: what goes in comes out, nothing twice, and nothing foreign is touched."""

import sqlite3

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from optverify.sweep import opened, read
from optverify.sweep.columns import RESULTS, columns
from optverify.sweep.store import FORMAT, MARK, Store
from optverify.sweep.table import check_ending

RESULT = {
    "initial_value": 1.0, "final_value": 0.1 + 0.2, "best_value": 5e-324, "gradient_norm": None, "updates": 3,
    "diverged": False, "steps_to_tolerance": None, "seconds": 0.25, "error": None,
}  # fmt: skip


def row(key, seed=0, hyperparameters=None, **results):
    return {
        "key": key, "rule": "adam", "options": "{}", "problem": "booth", "seed": seed, "steps": 3,
        "spread": 0.1, "noise": 0.0, "batch_size": None, "tolerance": 1e-6, "version": "1",
        **(hyperparameters or {"lr": 0.1}), **RESULT, **results,
    }  # fmt: skip


@pytest.fixture(params=["r.sqlite", "r.db", "r.parquet"])
def path(request, tmp_path):
    return tmp_path / request.param


def test_what_goes_in_comes_out_to_the_last_bit(path):
    rows = [row("a", 0), row("b", 1, diverged=True, error="x"), row("c", None, error="y", diverged=None)]
    with opened(path) as store:
        store.widen(["lr"])
        for one in rows:
            store.put([one])
    found = read(path)
    assert sorted(found, key=lambda r: r["key"]) == rows
    assert list(found[0]) == list(columns(["lr"]))
    assert [type(r["diverged"]) for r in found] == [type(None), bool, bool]  # seeds None, 0, 1
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_key_is_there_once_and_its_first_row_stays(path):
    for value in (1.0, 2.0):
        with opened(path) as store:
            store.widen(["lr"])
            store.put([row("a", final_value=value)])
    assert [r["final_value"] for r in read(path)] == [1.0]
    with opened(path) as store:
        store.put([row("a", final_value=3.0)], again=True)
    assert [r["final_value"] for r in read(path)] == [3.0]


def test_new_hyperparameters_make_new_columns(path):
    with opened(path) as store:
        store.widen(["lr"])
        store.put([row("a")])
    with opened(path) as store:
        store.widen(["lr", "beta1"])
        store.put([row("b", hyperparameters={"lr": 0.1, "beta1": 0.9})])
    assert [r["beta1"] for r in read(path)] == [None, 0.9]


def test_the_order_is_that_of_the_cells_not_of_time(path):
    rows = [row(key, seed) for key, seed in (("x", 2), ("y", 0), ("z", 1))]
    with opened(path) as store:
        store.widen(["lr"])
        store.put(rows)
    assert [r["seed"] for r in read(path)] == [0, 1, 2]


def test_failed_rows_are_told_from_diverged_ones():
    store = Store(None)
    store.widen(["lr"])
    failed = row("c") | dict.fromkeys(RESULTS) | {"error": "it broke"}
    store.put([row("a"), row("b", diverged=True, error="diverged"), failed])
    assert store.keys(failed=True) == {"c"}
    assert store.keys(failed=False) == {"a", "b"}
    assert store.keys() == {"a", "b", "c"}


def test_sql_sees_plain_columns(tmp_path):
    path = tmp_path / "r.sqlite"
    with opened(path) as store:
        store.widen(["lr"])
        store.put([row("a"), row("b", 1, final_value=0.7)])
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT lr, max(final_value) FROM cells GROUP BY lr").fetchall() == [
            (0.1, 0.7)
        ]
    database.close()


def test_parquet_is_read_by_others(tmp_path):
    path = tmp_path / "r.parquet"
    with opened(path) as store:
        store.widen(["lr"])
        store.put([row("a")])
    table = pq.read_table(path)
    assert table.schema.field("lr").type == pa.float64()
    assert table.schema.field("diverged").type == pa.bool_()
    assert table.schema.field("seed").type == pa.int64()
    assert table["final_value"].to_pylist() == [0.1 + 0.2]


def test_a_parquet_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "r.parquet"
    with opened(path) as store:
        store.widen(["lr"])
        store.put([row("a")])
    before = path.read_bytes()

    def half(table, where, **_):
        where.write_bytes(b"PAR1")
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pq, "write_table", half)
        with pytest.raises(OSError, match="no space left"), opened(path) as store:
            store.put([row("b", 1)])
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.parquet", "r.parquet.journal"]
    assert [r["key"] for r in read(path)] == ["a", "b"]  # the journal still has it
    with opened(path):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["r.parquet"]
    assert [r["key"] for r in read(path)] == ["a", "b"]


def test_rows_are_kept_when_the_sweep_ends_with_an_exception(path):
    def interrupted():
        with opened(path) as store:
            store.widen(["lr"])
            store.put([row("a")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [r["key"] for r in read(path)] == ["a"]
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_nothing_done_leaves_no_parquet_file(tmp_path):
    with opened(tmp_path / "r.parquet"):
        pass
    assert list(tmp_path.iterdir()) == []


def foreign_database(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE cells (key TEXT)")
    database.close()


def later_format(path):
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {FORMAT + 1}")
    database.close()


def without_a_column(path):
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE cells DROP COLUMN seconds")
    database.close()


def cut_short(path):
    with opened(path) as store:
        store.widen(["lr"])
        store.put([row(f"{k}") for k in range(2000)])
    path.write_bytes(path.read_bytes()[:30_000])


def foreign_parquet(path):
    pq.write_table(pa.table({"key": ["a"]}), path)


def text(path):
    path.write_text("key,lr\na,0.1\n" * 100)


def noise(path):
    path.write_bytes(np.random.default_rng(0).bytes(5000))


@pytest.mark.parametrize(
    ("name", "made", "message"),
    [
        ("r.sqlite", text, "is no table of a sweep"),
        ("r.sqlite", noise, "is no table of a sweep"),
        ("r.sqlite", foreign_parquet, "is no table of a sweep"),
        ("r.sqlite", foreign_database, "is a database, but no table of a sweep"),
        ("r.sqlite", later_format, f"has format {FORMAT + 1} and this release reads format {FORMAT}"),
        ("r.sqlite", without_a_column, "is damaged: it has no column 'seconds'"),
        ("r.sqlite", cut_short, "is damaged"),
        ("r.parquet", text, "cannot be read as Parquet"),
        ("r.parquet", foreign_database, "cannot be read as Parquet"),
        ("r.parquet", foreign_parquet, "is a Parquet file, but no table of a sweep"),
    ],
)
def test_a_file_that_is_something_else_is_refused_and_stays_as_it_is(tmp_path, name, made, message):
    path = tmp_path / name
    made(path)
    before = path.read_bytes()

    def use():
        with opened(path) as store:
            list(store.rows())

    for refused in (use, lambda: read(path)):
        with pytest.raises(ValueError, match=message) as caught:
            refused()
        assert "\n" not in str(caught.value)
        if made is not cut_short:
            assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_an_empty_file_becomes_a_table(tmp_path):
    path = tmp_path / "r.sqlite"
    path.touch()
    assert read(path) == []
    with opened(path) as store:
        store.widen(["lr"])
        store.put([row("a")])
    assert len(read(path)) == 1


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.sqlite, \.db or \.parquet"):
        check_ending(tmp_path / "r.csv")


def test_what_is_not_there_and_what_cannot_be_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read(tmp_path / "none.sqlite")
    with pytest.raises(OSError, match="cannot read or write"), opened(tmp_path / "none" / "r.sqlite"):
        pass


def test_a_table_can_be_read_while_it_is_written(tmp_path):
    path = tmp_path / "r.sqlite"
    with opened(path) as store:
        store.widen(["lr"])
        store.put([row("a")])
        assert len(read(path)) == 1
        store.put([row("b", 1)])
        assert len(read(path)) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["r.sqlite"]


def test_missing_pyarrow_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with (
        pytest.raises(ModuleNotFoundError, match=r"pip install 'optverify\[parquet\]'"),
        opened(tmp_path / "r.parquet"),
    ):
        pass


def test_the_mark_says_ovsw():
    assert MARK.to_bytes(4, "big") == b"ovsw"
