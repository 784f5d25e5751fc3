"""Exported source says what it is, needs nothing of this package, and computes what the NumPy steps do."""

import ast
import subprocess
import sys

import numpy as np
import pytest

from optverify.backends.export import CODE, export_rule
from optverify.backends.numpy import numpy_module
from optverify.backends.python import recurrence
from optverify.report.exports import TARGETS, export
from optverify.rules import registry, rule

from .export_cases import UPDATES, case, expected, imported, rounds_alike, run, same_bits, used

NAMES = registry.names()
WRAPPED = [
    "clip_by_norm(adam)",
    "lookahead(clip_by_value(nadam))",
    "sam(adagrad_norm)",
    "accumulated(shampoo)",
    "clip_by_global_norm(soap)",
    "averaged(muon)",
]
PYTHON = [to for to in ("numpy", "numba", "torch", "jax") if to in CODE]


@pytest.mark.parametrize("to", CODE)
@pytest.mark.parametrize("name", [*NAMES, *WRAPPED])
def test_every_rule_is_written_with_its_equations_its_sources_and_a_licence(name, to):
    chosen = rule(name)
    text = export_rule(chosen, to)
    said = " ".join(line.strip(" */!") for line in text.splitlines())
    for line, code in recurrence(chosen).lines:
        assert f"{line} = {code}".replace("math.", "") in text.replace("math.", "")
    assert chosen.title in said
    assert "SPDX-License-Identifier: MIT" in said
    for source in chosen.sources:
        assert f"{source.authors} ({source.year})" in said
    for h in chosen.hyperparameters:
        assert h.meaning in said
    assert "import optverify" not in text
    assert "from optverify" not in text
    assert text.endswith("\n")
    assert text == export_rule(rule(name), to)


@pytest.mark.parametrize("to", PYTHON)
@pytest.mark.parametrize("name", NAMES)
def test_every_dialect_is_python_in_every_python(name, to):
    for dialect in registry.get(name).dialects(1):
        ast.parse(export_rule(dialect, to))


@pytest.mark.parametrize("name", [*NAMES, *WRAPPED])
def test_numpy_gives_the_bits_of_the_step_in_every_dialect(name, tmp_path):
    for i, dialect in enumerate(rule(name).dialects(1)):
        c = case(dialect, f"exported_{i}")
        with np.errstate(all="ignore"):
            got = run(imported(export_rule(dialect, "numpy"), tmp_path, c.name), c)
        assert same_bits(got, expected(c)), dialect.changed_options


@pytest.mark.parametrize("name", NAMES)
def test_numpy_keeps_float32_and_writes_into_no_argument(name, tmp_path):
    c = case(rule(name), "exported")
    module = imported(export_rule(c.rule, "numpy"), tmp_path, c.name)
    update = c.updates[0]
    theta, gradient = c.theta.astype(np.float32), update.gradient.astype(np.float32)
    state = module.init(theta, **used(module.init, update.values))
    for x in (theta, gradient, *(x for x in state if isinstance(x, np.ndarray))):
        assert x.dtype == np.float32
        x.flags.writeable = False
    inputs = {n: x if np.ndim(x) == 0 else x.astype(np.float32) for n, x in update.given.items()}
    with np.errstate(invalid="ignore"):  # Adamax divides by 0 where the gradient is 0
        made, after = module.step(theta, gradient, state, **inputs, **used(module.step, update.values))
    assert after.t == 1
    for x in (made, *(x for x in after if isinstance(x, np.ndarray))):
        assert x.dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
def test_numba_gives_the_bits_of_the_step_where_nothing_is_summed(name, tmp_path):
    pytest.importorskip("numba", reason="needs numba (pip install 'optverify[fast]')")
    c = case(rule(name), f"numba_{name}")
    got, wanted = run(imported(export_rule(c.rule, "numba"), tmp_path, c.name), c), expected(c)
    if rounds_alike(c.rule):
        assert same_bits(got, wanted)
    else:
        np.testing.assert_allclose(got, wanted, rtol=2e-12, atol=1e-13 * np.nanmax(np.abs(wanted)))


def test_numba_takes_arrays_of_any_layout_and_leaves_them(tmp_path):
    pytest.importorskip("numba", reason="needs numba (pip install 'optverify[fast]')")
    module = imported(export_rule(rule("adam"), "numba"), tmp_path, "numba_layout")
    theta = np.arange(12.0, dtype=np.float32).reshape(3, 4).T
    before = theta.copy()
    state = module.init(theta)
    made, after = module.step(theta, np.ones((4, 3), np.float32), state)
    assert made.shape == theta.shape
    assert made.dtype == after.m.dtype == np.float32
    assert np.array_equal(theta, before)
    assert not state.m.any()
    np.testing.assert_allclose(made, before - np.float32(1e-3), rtol=1e-6)
    with pytest.raises(ValueError, match=r"grad has shape \(3,\) but theta has shape \(4, 3\)"):
        module.step(theta, np.ones(3), state)


def test_an_exported_module_runs_where_this_package_is_not(tmp_path):
    (tmp_path / "adam.py").write_text(export("adam", "numpy", like="keras"), "utf-8")
    script = (
        "import sys, numpy as np, adam\n"
        "theta, state = adam.step(np.ones(3), np.ones(3), adam.init(np.ones(3)))\n"
        "print(theta[0], state.t)\n"
        "assert not [m for m in sys.modules if m.startswith('optverify')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
    )
    module = numpy_module(rule("adam", like="keras"))
    theta, _ = module.step(np.ones(3), np.ones(3), module.init(np.ones(3)))
    assert done.stdout.split() == [str(theta[0]), "1"]


def test_the_defaults_of_a_library_are_those_of_the_file():
    assert "eps: float = 1e-07" in export("adam", "numpy", like="keras")
    assert "h.eps = 1e-07;" in export("adam", "c", like="keras")


def test_an_unknown_target_names_the_nearest():
    with pytest.raises(ValueError, match="unknown target 'rut'; did you mean 'rust'"):
        export("adam", "rut")
    with pytest.raises(ValueError, match="unknown target 'latex'"):
        export_rule(rule("adam"), "latex")
    assert set(TARGETS) == {*CODE, "latex", "markdown"}


def test_a_run_is_long_enough_for_everything_to_happen():
    c = case(rule("soap"))
    assert 3 * c.updates[0].values["precondition_frequency"] < UPDATES
