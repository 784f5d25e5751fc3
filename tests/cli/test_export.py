"""optverify export: ten languages, to standard output or into a file that is never half written."""

import os

import pytest

from optverify.cli.commands.export import TARGETS
from optverify.report import exports
from optverify.rules import rule


def test_the_command_knows_what_the_function_knows():
    assert set(TARGETS) == set(exports.TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_it_prints_the_source(run, target):
    done = run("export", "adam", "--to", target)
    assert done.exit_code == 0
    assert done.stdout == exports.export("adam", target)


def test_options_and_libraries_choose_the_dialect(run):
    done = run(
        "export", "adam", "--like", "keras", "--option", "amsgrad=v", "--option", "maximize=true", "--to", "c"
    )
    assert done.stdout == exports.export("adam", "c", like="keras", amsgrad="v", maximize=True)
    assert "v_max" in done.stdout
    assert rule("adam", like="keras").hyperparameter("eps").default == 1e-7
    assert "h.eps = 1e-07;" in done.stdout


def test_a_wrapped_rule_is_a_rule(run):
    assert "clip_by_norm_adam_step" in run("export", "clip_by_norm(adam)", "--to", "c").stdout


def test_a_file_is_written_in_one_move(run, tmp_path):
    path = tmp_path / "adam.rs"
    path.write_text("old", "utf-8")
    done = run("export", "adam", "--to", "rust", "--out", str(path))
    assert (done.exit_code, done.stdout) == (0, "")
    assert path.read_text("utf-8") == exports.export("adam", "rust")
    assert [p.name for p in tmp_path.iterdir()] == ["adam.rs"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o444 == 0o444 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_stays_as_it_was_if_the_rule_is_refused_or_the_move_fails(run, tmp_path, monkeypatch):
    path = tmp_path / "adam.c"
    path.write_text("old", "utf-8")
    assert run("export", "adm", "--to", "c", "--out", str(path)).exit_code == 2
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "No space left")))
    done = run("export", "adam", "--to", "c", "--out", str(path))
    assert done.exit_code == 2
    assert done.stderr == f"error: cannot write {str(path)!r} (No space left): name another file\n"
    assert path.read_text("utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["adam.c"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["adm", "--to", "c"], "unknown rule 'adm'; did you mean 'adam'?"),
        (["adam", "--to", "fortran"], "'fortran' is not one of 'numpy'"),
        (["adam"], "Missing option '--to'"),
        (["adam", "--to", "c", "--option", "epsilon"], "is not of the form axis=value"),
        (["adam", "--to", "c", "--option", "epsilon=in"], "unknown option for axis epsilon 'in'"),
        (["adam", "--to", "c", "--like", "jax"], "jax"),
        (["adam", "--to", "c", "--out", "/nowhere/adam.c"], "cannot write '/nowhere/adam.c'"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(run, arguments, said):
    done = run("export", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="pipes with names and links are POSIX's")
def test_a_pipe_is_written_to_and_a_link_stays_a_link(run, tmp_path):
    text = run("export", "gd", "--to", "c").stdout
    pipe, link, named = tmp_path / "pipe", tmp_path / "link.h", tmp_path / "named.h"
    os.mkfifo(pipe)
    link.symlink_to(named)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("export", "gd", "--to", "c", "--out", str(pipe)).exit_code == 0
        assert os.read(reader, 2**16).decode() == text
    finally:
        os.close(reader)
    assert pipe.is_fifo()  # so is /dev/null, when root writes there
    assert run("export", "gd", "--to", "c", "--out", str(link)).exit_code == 0
    assert link.is_symlink()
    assert named.read_text("utf-8") == text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.h", "named.h", "pipe"]
