"""Julia: every dialect that changes one option is parsed by Julia's grammar; run where there is a Julia."""

import shutil
import subprocess

import numpy as np
import pytest

from optverify.backends.export import export_rule
from optverify.backends.export.header import camel
from optverify.rules import registry, rule

from .export_cases import UPDATES, case, distance, expected
from .test_export import NAMES, WRAPPED


@pytest.fixture(scope="module")
def parser():
    """A parser of Julia."""
    tree_sitter = pytest.importorskip("tree_sitter", reason="needs tree-sitter: no Julia file was parsed")
    grammar = pytest.importorskip("tree_sitter_julia", reason="needs tree-sitter-julia: no file was parsed")
    return tree_sitter.Parser(tree_sitter.Language(grammar.language()))


@pytest.mark.parametrize("name", [*NAMES, *WRAPPED])
def test_every_dialect_is_julia(name, parser):
    for dialect in rule(name).dialects(1):
        assert not parser.parse(export_rule(dialect, "julia").encode()).root_node.has_error


def test_a_fault_is_seen(parser):
    text = export_rule(rule("adam"), "julia").replace("sqrt(v_hat)", "sqrt(v_hat")
    assert parser.parse(text.encode()).root_node.has_error


def literal(x):
    """An array in Julia's notation, matrices by their columns."""
    numbers = ", ".join(repr(float(v)) for v in np.ravel(x, order="F"))
    return f"reshape([{numbers}], {', '.join(map(str, x.shape))})" if x.ndim == 2 else f"[{numbers}]"


@pytest.mark.skipif(not shutil.which("julia"), reason="julia is not here: the files were parsed, not run")
def test_every_rule_runs_in_julia(tmp_path):
    cases = [case(rule(n)) for n in NAMES]
    lines = []
    for c in cases:
        (tmp_path / f"{c.name}.jl").write_text(export_rule(c.rule, "julia"), "utf-8")
        module = camel(c.name)
        init = {h.name for h in c.rule.hyperparameters if any(s.initial == h.symbol for s in c.rule.states)}
        first = ", ".join(f"{n}={v}" for n, v in c.updates[0].values.items() if n in init)
        lines += [f'include("{c.name}.jl")', "let", f"    theta = {literal(c.theta)}"]
        lines.append(f"    state = {module}.init(theta; {first})")
        text = export_rule(c.rule, "julia").split("function step!")[1]
        for u in c.updates:
            given = {n: v for n, v in u.values.items() if f"\n    {n}" in text.split(")\n")[0]}
            words = [f"{n}={v}" for n, v in given.items()]
            words += [f"{i.name}s={literal(u.given[i.name])}" for i in c.rule.inputs]
            lines.append(f"    {module}.step!(theta, {literal(u.gradient)}, state; {', '.join(words)})")
        lines += ["    println(join(vec(permutedims(theta)), ' '))", "end"]
    (tmp_path / "main.jl").write_text("\n".join(lines), "utf-8")
    done = subprocess.run(
        ["julia", "--startup-file=no", "main.jl"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    for c, line in zip(cases, done.stdout.splitlines(), strict=True):
        wanted = c.rows(expected(c))[UPDATES, "theta"]
        assert distance(np.array(line.split(), float), wanted) < 1e-9, c.name
    assert len(cases) == len(registry.names())
