"""C, JavaScript and Rust, compiled and run: every rule, and every dialect that changes one option.

Where a rule is made of + - * / and sqrt, the bits are those of the NumPy step. Sums are added in another
order, and powers and matrices have other routines: there the distance is bounded.
"""

import inspect
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp

from optverify.backends.numpy import numpy_module
from optverify.language import t
from optverify.rules import registry, rule

from .export_cases import (
    UPDATES,
    c_program,
    case,
    compiled,
    distance,
    expected,
    javascript_program,
    rounds_alike,
    run,
    rust_program,
    same_bits,
    written,
)
from .test_export import NAMES, WRAPPED

HEAVY = {"shampoo": 1e-11, "soap": 1e-9, "muon": 1e-12, "prodigy": 1e-12}
"""Powers and bases of matrices amplify what a sum rounds otherwise; Prodigy's inner products cancel."""
NEAR = 1e-13

needs_c = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not here: no C program can be compiled")
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="node is not here: no JavaScript can be run")
needs_rust = pytest.mark.skipif(
    not shutil.which("rustc"), reason="rustc is not here: no Rust can be compiled"
)


def defaults():
    """Every rule in the dialect of its paper, and some wrapped ones."""
    return [case(rule(name)) for name in (*NAMES, *WRAPPED)]


def dialects():
    """Every dialect of every rule that changes at most one option."""
    return [case(d, f"{n}_d{i}") for n in NAMES for i, d in enumerate(registry.get(n).dialects(1))]


def powers_of_t(chosen):
    """True if numbers are raised to t, or given to exp or log: every library rounds those in its own way."""
    powers = {p for _, e in chosen.assignments for p in e.atoms(sp.Pow, sp.exp, sp.log)}
    return any(t in p.free_symbols or not p.is_Pow for p in powers)


def faults(cases, got, alike=rounds_alike):
    """What is not as near the NumPy step as it must be."""
    found = []
    for c, told in zip(cases, got, strict=True):
        wanted = expected(c)
        near = next((d for n, d in HEAVY.items() if n in c.rule.name), NEAR)
        away = distance(told, wanted)
        if not (same_bits(told, wanted) if alike(c.rule) else away < near):
            found.append((c.rule.name, dict(c.rule.changed_options), away))
    return found


@needs_c
def test_c_every_rule(tmp_path):
    cases = defaults()
    assert faults(cases, c_program(cases, tmp_path)) == []


@needs_c
def test_c_every_dialect_that_changes_one_option(tmp_path):
    cases = dialects()
    assert faults(cases, c_program(cases, tmp_path, ("-O1",))) == []


@needs_c
@pytest.mark.parametrize("shape", [(3, 5), (5, 2), (1, 1)])
def test_c_shapes_under_the_sanitizers(tmp_path, shape):
    cases = [case(rule(n), shape=shape) for n in NAMES if rule(n).needs_matrix and n != "soap"]
    cases += [case(rule(n), shape=(shape[0],)) for n in NAMES if not rule(n).needs_matrix]
    flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    assert faults(cases, c_program(cases, tmp_path, flags)) == []


@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not here: no header is compiled as C++")
def test_the_headers_are_cpp_too_and_warn_of_nothing(tmp_path):
    written("c", defaults(), tmp_path, "h", real="double")
    main = tmp_path / "all.cpp"
    main.write_text("".join(f'#include "{c.name}.h"\n' for c in defaults()), "utf-8")
    warnings = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
    compiled(("g++", "-std=c++17", *warnings, "-fsyntax-only", str(main)), tmp_path)


@needs_c
def test_c_with_floats_rounds_what_it_stores_and_nothing_else(tmp_path):
    chosen = [rule(n) for n in NAMES if rule(n).elementwise and rounds_alike(rule(n))]
    assert len(chosen) > 25
    cases = [case(r) for r in chosen]
    got = c_program(cases, tmp_path, real="float")
    for c, told in zip(cases, got, strict=True):
        assert same_bits(told, rounded_run(c)), c.rule.name


def rounded_run(c):
    """The NumPy step in float64 on arrays that are rounded to float32 after every update."""

    def single(x):
        return np.asarray(x, np.float32).astype(np.float64)

    module = numpy_module(c.rule)

    def step(theta, grad, state, **given):
        made, after = module.step(theta, single(grad), state, **given)
        return single(made), type(after)(after.t, *map(single, after[1:]))

    def init(theta, **given):
        state = module.init(single(theta), **given)
        return type(state)(0, *map(single, state[1:]))

    def point(theta, state, **given):
        return single(module.gradient_point(single(theta), state, **given))

    functions = {"step": module.step, "init": module.init, "gradient_point": module.gradient_point}
    for name, made in (("step", step), ("init", init), ("gradient_point", point)):
        made.__signature__ = inspect.signature(functions[name])
    c = replace(c, theta=single(c.theta))
    with np.errstate(all="ignore"):
        return run(SimpleNamespace(step=step, init=init, gradient_point=point), c)


@needs_node
def test_javascript_every_rule_and_every_dialect_that_changes_one_option(tmp_path):
    cases = [*defaults(), *dialects()]
    got = javascript_program(cases, tmp_path)
    assert faults(cases, got, lambda r: rounds_alike(r) and not powers_of_t(r)) == []


@needs_rust
def test_rust_every_rule(tmp_path):
    cases = defaults()
    assert faults(cases, rust_program(cases, tmp_path)) == []


@needs_c
def test_a_fault_in_one_line_is_seen(tmp_path, monkeypatch):
    from optverify.backends.export import printers

    monkeypatch.setattr(printers.C, "_print_Max", printers.C._print_Min)
    cases = [case(rule("adamax")), case(rule("adam"))]
    assert [name for name, _, _ in faults(cases, c_program(cases, tmp_path))] == ["adamax"]
    assert UPDATES > 2
