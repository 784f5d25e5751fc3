"""A file is written whole or not at all; links, devices, pipes and permissions stay what they are."""

import os
import threading

import pytest

from optverify.files import replacing, write_text


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "één\n")
    write_text(str(path), "two\r\n")
    assert path.read_bytes() == b"two\r\n"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_link_stays_a_link_and_its_file_keeps_its_permissions(tmp_path):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "through")
    reader.join(10)
    assert read == ["through"]
    assert pipe.is_fifo()


def test_an_error_changes_nothing(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")

    def interrupted():
        with replacing(path) as fresh:
            fresh.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["missing/a", "a/b", "."])
def test_what_cannot_be_written_is_one_sentence(tmp_path, name):
    (tmp_path / "a").write_text("")
    with pytest.raises(OSError, match=r"^cannot write '.*' \(.+\): name another file$"):
        write_text(tmp_path / name, "x")
