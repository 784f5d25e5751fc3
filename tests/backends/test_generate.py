"""The step modules on disk are what the rules generate; what they look like; and what `generate` mends."""

import ast
import pathlib

import pytest

from optverify.backends import generate
from optverify.backends.numpy import numpy_module, numpy_source
from optverify.language.notation import code_name
from optverify.rules import registry, rule

NAMES = registry.names()


def test_the_modules_on_disk_are_up_to_date():
    assert generate.stale() == [], "run python -m optverify.backends.generate"


def test_a_changed_a_missing_and_an_extra_file_are_caught_and_mended(tmp_path):
    assert generate.write(tmp_path) == [f"{name}.py" for name in NAMES]
    assert generate.stale(tmp_path) == []
    adam = tmp_path / "adam.py"
    adam.write_text(adam.read_text("utf-8").replace("sqrt(v_hat) + eps", "sqrt(v_hat + eps)"), "utf-8")
    (tmp_path / "gd.py").unlink()
    (tmp_path / "adamm.py").write_text("", "utf-8")
    (tmp_path / "_engine.py").write_text("by hand", "utf-8")
    assert generate.stale(tmp_path) == ["adam.py", "adamm.py", "gd.py"]
    assert generate.write(tmp_path) == ["adam.py", "adamm.py", "gd.py"]
    assert generate.stale(tmp_path) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["_engine.py", *(f"{n}.py" for n in NAMES)])


def function(source, name):
    """The syntax tree of a function of a module."""
    return next(n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == name)


@pytest.mark.parametrize("dialect", [d for n in NAMES for d in [rule(n)]], ids=lambda d: d.name)
def test_the_equations_have_a_line_for_each_assignment_in_the_order_of_the_paper(dialect):
    body = function(numpy_source(dialect), "equations").body[1:]
    lines = [ast.unparse(line) for line in body[:-1]]
    own = (
        dialect.assignments
        if dialect.assignments[0][1] != rule("gd").assignments[0][1]
        else dialect.assignments[1:]
    )
    names = [line.split(" = ")[0] for line in lines]
    assert [n for n in names if not n.endswith("_before")] == [code_name(lhs.name) for lhs, _ in own]
    assert isinstance(body[-1], ast.Return)


def test_adam_reads_like_algorithm_1():
    source = ast.unparse(function(numpy_source(rule("adam")), "equations"))
    lines = [line.strip().replace(" ", "") for line in source.splitlines()]
    assert lines[2:] == [
        "m=beta1*m+(1-beta1)*g",
        "v=beta2*v+(1-beta2)*g**2",
        "m_hat=m/(1-beta1**t)",
        "v_hat=v/(1-beta2**t)",
        "theta=theta-lr*m_hat/(sqrt(v_hat)+eps)",
        "return(theta,m,v)",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_call_of_a_block_writes_into_the_name_it_assigns(name):
    """So that a buffer handed in is used, and None handed in is replaced by what the ufunc allocates."""
    for dialect in registry.get(name).dialects(1):
        if not dialect.elementwise:
            continue  # it has no block
        block = function(numpy_source(dialect), "_block")
        for line in ast.walk(block):
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call):
                call = line.value
                out = call.keywords[0].value if call.keywords else call.args[-1]
                assert out.id == line.targets[0].id


def test_a_dialect_in_memory_knows_its_source_and_shows_it_in_tracebacks():
    module = numpy_module(rule("adam", epsilon="hat"))
    assert module.source == numpy_source(rule("adam", epsilon="hat"))
    assert module.OPTIONS["epsilon"] == "hat"
    with pytest.raises(TypeError) as caught:
        module._block(1)
    import linecache

    assert linecache.getline(
        module.step.__code__.co_filename, module.step.__code__.co_firstlineno
    ).startswith("def step(")
    assert caught


def test_the_generated_modules_are_marked_and_named_after_their_rule():
    for name in NAMES:
        path = pathlib.Path(generate.STEPS, f"{name}.py")
        assert f"generated from optverify/rules/{name}.py. Edit that file, not this one." in path.read_text(
            "utf-8"
        )
