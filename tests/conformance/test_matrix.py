"""The matrix: verdicts by libraries made up for the test, and what is kept, missing and written."""

import dataclasses
import importlib.util
import json
import sys
import types

import numpy as np
import pytest

from optverify.conformance import matrix as module
from optverify.conformance.matrix import (
    Matrix,
    comparable,
    differences,
    installed,
    known_libraries,
    matrix,
    subjects,
)
from optverify.conformance.matrix_cell import Cell, cell
from optverify.conformance.matrix_page import page
from optverify.conformance.spelling import arguments, defaults, grouped, in_groups, maker, parsed, target
from optverify.language.library import Entry


class Plain:
    """Adam in a form to be chosen; update(params, grads)."""

    form, off = "outside", 1.0

    def __init__(self, params, lr=0.5, b1=0.9, b2=0.999, *, eps=1e-8, fault=0.0, weight_decay=0.0):
        self.lr, self.b1, self.b2, self.eps, self.t = lr, b1, b2, eps, 0
        self.fault, self.weight_decay = fault, weight_decay
        self.m, self.v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]

    def update(self, params, grads):
        self.t += 1
        c1, c2 = 1 - self.b1**self.t, 1 - self.b2**self.t
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            g = g + self.weight_decay * p
            self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * g
            self.v[i] = self.b2 * self.v[i] + (1 - self.b2) * g * g
            if self.form == "hat":
                step = np.sqrt(c2) / c1 * self.m[i] / (np.sqrt(self.v[i]) + self.eps)
            else:
                step = self.m[i] / c1 / (np.sqrt(self.v[i] / c2) + self.eps)
            p -= self.lr * self.off * step * (1 + self.fault * (self.t == 2))


class Hat(Plain):
    form = "hat"


class InFloat32(Plain):
    def update(self, params, grads):
        self.lr = float(np.float32(self.lr))
        super().update(params, grads)


class Broken(Plain):
    def update(self, params, grads):
        raise ZeroDivisionError("float division by zero")


@pytest.fixture
def library(monkeypatch):
    """library(Class, **entry): a cell of a library of that one class."""
    made = types.ModuleType("plainlib")
    made.__dict__.update({c.__name__: c for c in (Plain, Hat, InFloat32, Broken)})
    monkeypatch.setitem(sys.modules, "plainlib", made)
    monkeypatch.setattr("optverify.conformance.spelling.PARAMS_FIRST", ("object",))
    names = {"lr": "lr", "beta1": "b1", "beta2": "b2", "eps": "eps", "weight_decay": "weight_decay"}

    def run(spelled, **settings):
        entry = Entry("adam", f"plainlib.{spelled}", **{"names": names, **settings})
        return cell("object", entry, "1.0", "2000-01-01")

    return run


COUPLED = {"weight_decay_form": "coupled"}


def test_the_paper(library):
    found = library("Plain", options=COUPLED)
    assert (found.verdict, found.options, found.error) == ("paper", COUPLED, 0)
    assert found.defaults == {"lr": 0.5, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0}
    assert found.probes > 10


def test_a_dialect_that_was_written_down_and_one_that_was_found(library):
    for options in (COUPLED | {"epsilon": "hat"}, COUPLED, {}):
        found = library("Hat", options=options)
        assert found.verdict == "dialect"
        assert found.options == COUPLED | {"epsilon": "hat"}


def test_numbers_in_float32(library):
    found = library("InFloat32", options=COUPLED)
    assert found.verdict in ("paper", "dialect")
    assert 1e-10 < found.error < 1e-6
    assert any("float32" in note for note in found.notes)


def test_a_departure_is_told_with_its_place(library):
    found = library("Plain(fault=0.01)", options=COUPLED)
    assert found.verdict == "departs"
    assert any("update 2" in note and "relative 1.0e-02" in note for note in found.notes)


def test_what_raises_is_not_run(library):
    found = library("Broken", options=COUPLED)
    assert found.verdict == "failed"
    assert "ZeroDivisionError" in found.notes[-1]
    missing = library("Nothing")
    assert missing.verdict == "failed"
    assert "does not have it" in missing.notes[0]


def test_switches_are_run_as_well(library):
    switches = {"plainlib.Hat": {"epsilon": "hat"}, "fault=0.01": {}}
    found = library("Plain", options=COUPLED, switches=switches)
    assert found.switches["plainlib.Hat"] == "epsilon='hat': agrees"
    assert "departs" in found.switches["fault=0.01"]


# ---- the whole ---------------------------------------------------------------------------------------------


def example(library="torch", rule="adam", **settings):
    return Cell(library, "1.0", "2000-01-01", rule, f"{library}.X", "paper", **settings)


def test_what_is_not_installed_is_said_and_kept_where_it_was_run_before(monkeypatch):
    monkeypatch.setattr(module, "installed", lambda name: "2.0" if name == "optax" else None)
    monkeypatch.setattr(module, "cell", lambda name, entry, version, date: Cell(
        name, version, date, entry.rule, entry.spelled, "dialect"))  # fmt: skip
    before = Matrix("2000-01-01", [example("torch"), example("optax")])
    found = matrix(rules=["adam"], before=before)
    assert {(c.library, c.version) for c in found.cells if c.spelled == "torch.X"} == {("torch", "1.0")}
    assert found.ran["torch"] == ("1.0", "2000-01-01")
    assert [c.version for c in found.cells if c.spelled == "optax.adam"] == ["2.0"]
    assert "keras" in found.missing
    assert "torch" not in found.missing
    assert "optax.X" not in [c.spelled for c in matrix(before=before).cells]  # all of it was run anew
    with pytest.raises(ValueError, match="optax"):
        matrix(["opax"])


def test_what_differs_from_an_earlier_run_of_the_same_version():
    paths = {"fused": "agrees", "foreach": "departs, random: update 1"}
    before = Matrix("2000-01-01", [example(paths=paths), example("optax"), example("keras", "nadam")])
    assert differences(before, before) == []

    def now(*cells):
        return differences(Matrix("2000-01-02", cells), before)

    other = {"fused": "agrees", "foreach": "departs, random: update 2"}  # another number is no difference
    assert now(example(paths=other), example("keras", "nadam", error=1e-3)) == []
    (said,) = now(example(paths={**paths, "fused": "departs, random: update 1"}))
    assert said == "torch 1.0, adam as torch.X: fused departs now, agrees before"
    (said,) = now(example("optax", options={"epsilon": "hat"}))
    assert said == "optax 1.0, adam as optax.X: paper (epsilon='hat') now, paper before"
    (said,) = now(example("optax", "nadam"))
    assert said.endswith("nadam as optax.X: paper now, and not in the earlier run")
    build, newer = (
        dataclasses.replace(example("optax"), version=v, verdict="departs") for v in ("1.0+cpu", "1.1")
    )
    assert len(now(build)) == 1
    assert now(newer) == []
    assert comparable(Matrix("", [example(), newer]), before) == ["torch"]


def test_it_survives_json_and_refuses_other_files():
    found = Matrix("2000-01-01", [example(error=np.inf, notes=("a",), defaults={"lr": None})], ["mlx"])
    text = json.dumps(found.to_dict(), allow_nan=False)
    again = Matrix.from_dict(json.loads(text))
    assert dataclasses.replace(again.cells[0], notes=("a",), skipped=()) == dataclasses.replace(
        found.cells[0], error=None
    )
    assert again.missing == ["mlx"]
    with pytest.raises(ValueError, match="version 1"):
        Matrix.from_dict({"format": "another"})


def test_the_page_tells_what_was_run():
    cells = [
        example(options={"epsilon": "hat"}, defaults={"lr": 0.5, "eps": 1e-8}, paths={"fused": "agrees"}),
        example("optax", "adagrad", notes=("random: update 1: 1 instead of 2",)),
        example("torch", "momentum", paths={"fused": "departs, late gradient: update 4: TypeError: no"}),
    ]
    cells[1] = dataclasses.replace(cells[1], verdict="departs")
    text = page(Matrix("2000-01-01", cells, ["mlx"]))
    for part in (
        "Not installed, so not run: mlx.", "| Adam | paper |  |", "**departs**", "epsilon='hat'",
        "- `torch.X` (torch 1.0), on its path `fused` alone: late gradient: update 4: TypeError: no.",
        "lr=0.5 (paper 0.001)", "`fused`: the same", "random: update 1: 1 instead of 2", "2000-01-01",
    ):  # fmt: skip
        assert part in text
    assert "eps=1e-08" not in text  # as in the paper


def test_every_name_is_written_so_that_it_can_be_called():
    for name, library in known_libraries().items():
        for entry in subjects(name):
            dotted, given = parsed(entry.spelled)
            assert dotted.count(".") >= 1
            assert all(isinstance(n, str) for n in given)
            for ours in entry.names:
                assert entry.to_ours(ours, entry.to_theirs(ours, 0.25)) == pytest.approx(0.25)
        assert library.version
        assert installed(name) is None or installed(name)[0].isdigit()


def test_spelling():
    entry = Entry(
        "adam", "json.JSONDecoder(strict=...)", names={"beta1": "betas[0]", "beta2": "betas[1]", "lr": "-lr"}
    )
    assert arguments(entry, {"beta1": 0.8, "beta2": 0.9, "lr": 2.0}) == (
        "json.JSONDecoder", {"betas": (0.8, 0.9), "lr": -2.0},
    )  # fmt: skip
    assert arguments(entry, {}, ["strict=False"])[1] == {"strict": False}
    assert arguments(entry, {}, ["json.JSONEncoder"])[0] == "json.JSONEncoder"
    assert defaults(entry) == {"beta1": None, "beta2": None, "lr": None}
    muon = "lib.Muon([{'params': params, 'use_muon': True}], lr=0.1)"
    assert parsed(muon) == ("lib.Muon", {"lr": 0.1})
    assert grouped(muon) == {"use_muon": True}
    assert grouped(entry.spelled) is None
    made = in_groups(lambda groups, lr: (groups, lr), {"use_muon": True})
    assert made(["p", "q"], lr=1.0) == ([{"params": ["p", "q"], "use_muon": True}], 1.0)
    assert made([{"params": ["p"], "lr": 2}], lr=1.0)[0] == [{"params": ["p"], "lr": 2, "use_muon": True}]
    with pytest.raises(ModuleNotFoundError):
        target("no_such_library.Adam")
    assert maker("other", "json.JSONEncoder", {"indent": 1})().indent == 1


REAL = sorted(known_libraries().keys() - {"tinygrad"})  # which takes seconds for an update


@pytest.mark.parametrize("name", REAL)
def test_adam_of_a_real_library(name):
    """One optimizer of each, for real; `optverify matrix` runs them all."""
    if installed(name) is None or importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    rule = "lion" if name == "pytorch_optimizer" else "adam"
    entry = next(iter(subjects(name, [rule])))
    found = cell(name, entry, "", "")
    hat = {"keras", "sklearn", "river", "pennylane"}
    assert found.verdict in ("paper", "dialect"), found.notes
    assert (found.options.get("epsilon") == "hat") == (name in hat)
    assert all(said.startswith(("agrees", "not run")) for said in found.paths.values())
