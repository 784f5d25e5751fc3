"""Exported code held against the golden vectors: numbers that no code of a backend has made."""

import numpy as np
import pytest

from optverify.backends.export import export_rule
from optverify.rules import rule
from optverify.vectors.bank import IN_TREE, INITIAL, Bank
from optverify.vectors.formats import read_exact
from optverify.vectors.judging import Given, judge

from .export_cases import Case, Update, c_program, imported, javascript_program, run, rust_program
from .test_export_programs import needs_c, needs_node, needs_rust

BANK = Bank(IN_TREE)
NAMES = [name for name in BANK.paths if not name.startswith("schedule/")]


def dialect_of(group):
    """The rule of a group."""
    return rule(group["id"].split("/")[0], **group["dialect"])


def nth(rows, k):
    """The k-th row, begun again where there are fewer."""
    return rows[k % len(rows)]


def case_of(test, name):
    """A test as a run."""
    chosen, fed = dialect_of(test.group), test.input
    shape = tuple(fed["shape"])
    if chosen.needs_matrix and len(shape) != 2:
        return None
    fixed = {n: x["decimal"] for n, x in test.group["hyperparameters"].items()}
    updates = []
    for k in range(fed["updates"]):
        values = dict(fixed)
        if "lr" in values:
            values["lr"] *= nth(fed["lr_factors"], k)
        told = {n: np.array(nth(rows["decimal"], k)) for n, rows in fed.get("given", {}).items()}
        values |= {h.name: float(told[h.name][0]) for h in chosen.hyperparameters if h.name in told}
        given = {
            i.name: float(told[i.name][0]) if i.scalar else told[i.name].reshape(shape) for i in chosen.inputs
        }
        gradient = np.array(nth(fed["gradients"]["decimal"], k)).reshape(shape)
        updates.append(Update(values, gradient, given))
    states = {
        s.name: np.array([float(read_exact(x)) for x in test.data["initial"][s.name]["exact"]]).reshape(
            () if s.scalar else test.data["shapes"][s.name]
        )
        for s in chosen.states
        if test.data["t"]
    }
    start = np.array(fed["theta"]["decimal"][0]).reshape(shape)
    return Case(name, chosen, start, tuple(updates), test.data["t"], states)


def runs_of(name, default_only=False):
    """The tests of a file with their runs."""
    groups = {}
    for test in BANK.tests(name):
        if default_only and not test.group["id"].endswith("/default"):
            continue
        made = case_of(test, f"{name}_{groups.setdefault(test.group['id'], len(groups))}")
        if made is not None:
            yield test, made


def failures(pairs, told):
    """What the judge says of those that fail, and how many it judged."""
    lines, judged = [], 0
    for (test, c), numbers in zip(pairs, told, strict=True):
        rows = c.rows(numbers)
        values = {n: [rows[k, n].tolist() for k in test.input["after"]] for n in test.names}
        values |= {n: [rows[0, n.removeprefix(INITIAL)].tolist()] for n in test.initial}
        verdict = judge(Given(test, "float64", values), BANK)
        judged += verdict.outcome == "pass"
        lines += verdict.lines()[:1] if verdict.outcome == "fail" else []
    return lines, judged


def test_programs_against_every_vector(language, tmp_path):
    """Every test of every rule, in every dialect that has any."""
    program, default_only = language
    pairs = [pair for name in NAMES for pair in runs_of(name, default_only)]
    lines, judged = failures(pairs, program([c for _, c in pairs], tmp_path))
    assert lines == []
    assert judged > 0.95 * len(pairs) > 400


@pytest.fixture(
    params=[
        pytest.param(
            (lambda cases, folder: c_program(cases, folder, ("-O1",)), False), marks=needs_c, id="c"
        ),
        pytest.param((javascript_program, False), marks=needs_node, id="javascript"),
        pytest.param((rust_program, True), marks=needs_rust, id="rust"),
    ]
)
def language(request):
    """A language, and whether the dialects of the papers are enough: Rust takes its time to compile."""
    return request.param


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("to", ["numpy", "numba", "torch", "jax"])
def test_python_against_the_vectors_of_the_default_dialect(to, name, tmp_path):
    if to != "numpy":
        library = pytest.importorskip(to, reason=f"needs {to}")
    how = {"array": lambda x: x, "number": float}
    if to == "torch":
        how = dict.fromkeys(how, lambda x: library.from_numpy(np.array(x)))
    if to == "jax":
        library.config.update("jax_enable_x64", True)
        how = dict.fromkeys(how, library.numpy.asarray)
    pairs = list(runs_of(name, default_only=True))
    if to == "jax":  # XLA flushes subnormal numbers to zero
        pairs = [(test, c) for test, c in pairs if "Subnormal" not in test.input["flags"]]
    module = imported(export_rule(pairs[0][1].rule, to), tmp_path, f"{to}_{name}")
    with np.errstate(all="ignore"):
        told = [run(module, c, **how) for _, c in pairs]
    lines, judged = failures(pairs, told)
    assert lines == []
    assert judged
