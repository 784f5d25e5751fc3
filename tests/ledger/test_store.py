"""The cache keeps what it is given, and gives way where it cannot."""

import os

import pytest

from optverify.ledger.store import Store


def test_what_is_put_is_got_again_by_another_run(tmp_path):
    path = tmp_path / "new" / "verdicts.sqlite"
    store = Store(path)
    assert store.get("a") is None
    store.put("a", {"verdict": "holds", "seconds": 0.1})
    store.put("a", {"verdict": "refuted", "seconds": 0.2})
    store.close()
    assert Store(path).get("a") == {"verdict": "refuted", "seconds": 0.2}


def test_two_runs_at_a_time(tmp_path):
    one, two = Store(tmp_path / "v.sqlite"), Store(tmp_path / "v.sqlite")
    one.put("a", 1)
    two.put("b", 2)
    assert (one.get("b"), two.get("a")) == (2, 1)


@pytest.mark.parametrize("content", [b"no database at all", b""])
def test_a_damaged_file_is_begun_anew(tmp_path, content):
    path = tmp_path / "v.sqlite"
    path.write_bytes(content * 1000)
    store = Store(path)
    store.put("a", 1)
    assert store.get("a") == 1
    store.close()
    assert Store(path).get("a") == 1


def test_a_value_that_is_no_json_is_not_there(tmp_path):
    store = Store(tmp_path / "v.sqlite")
    store._database.execute("INSERT INTO verdicts VALUES ('a', 'not json')")
    assert store.get("a") is None


def test_where_nothing_can_be_written_memory_does(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "v.sqlite")
    store.put("a", 1)
    assert store.get("a") == 1
    assert os.listdir(tmp_path) == ["file"]


def test_the_oldest_entries_go(tmp_path, monkeypatch):
    monkeypatch.setattr("optverify.ledger.store.KEPT", 3)
    store = Store(tmp_path / "v.sqlite")
    for k in range(5):
        store.put(str(k), k)
    store.close()
    assert [Store(tmp_path / "v.sqlite").get(str(k)) for k in range(5)] == [None, None, 2, 3, 4]
