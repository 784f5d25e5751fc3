"""What becomes of a recurrence where there are loops and no arrays."""

import pytest

from optverify.backends.export import export_rule
from optverify.backends.export.program import program
from optverify.backends.export.statements import Call, Choice, Loop, Number, broadcast, walk
from optverify.rules import registry, rule


def kinds(name, **dialect):
    return [type(s).__name__ for s in program(rule(name, **dialect)).statements]


@pytest.mark.parametrize("name", [n for n in registry.names() if registry.get(n).elementwise])
def test_an_elementwise_rule_is_numbers_and_then_one_loop(name):
    for dialect in registry.get(name).dialects(1):
        *numbers, loop = program(dialect).statements
        assert isinstance(loop, Loop)
        assert all(isinstance(n, Number) for n in numbers)
        assert not program(dialect).buffers


def test_a_function_of_numbers_is_computed_once_and_not_for_each_element():
    lowered = program(rule("adam"))
    assert [s.name for s in lowered.statements[:-1]] == ["beta1_t", "beta2_t"]
    body = export_rule(rule("adam"), "c").partition("adam_step(")[2]
    before, _, loop = body.partition("for (")
    assert before.count("pow(") == 2
    assert "pow(" not in loop


def test_a_norm_parts_the_loops_and_what_lies_between_is_kept():
    lowered = program(rule("lamb"))
    assert kinds("lamb") == ["Number", "Number", "Call", "Loop", "Call", "Number", "Loop"]
    assert lowered.buffers == ("u",)
    first, last = (s for s in lowered.statements if isinstance(s, Loop))
    assert first.stored == ("m", "v", "u")
    assert last.loaded == ("u", "theta")


def test_a_norm_is_taken_once_however_often_it_is_read():
    assert [c.name for c in program(rule("lars")).calls] == ["norm_g", "norm_theta"]


def test_a_decomposition_is_computed_only_in_the_updates_that_want_it():
    lowered = program(rule("soap"))
    choices = [s for s in lowered.statements if isinstance(s, Choice)]
    inside = [s.operator for c in choices for s in walk(c.then) if isinstance(s, Call)]
    assert inside == ["matmul", "orthonormal", "matmul", "orthonormal"]
    assert all(c.otherwise == () for c in choices)
    assert sum(c.operator == "orthonormal" for c in lowered.calls) == 2


def test_a_value_that_is_read_after_it_was_replaced_is_kept():
    loop = program(rule("ftrl")).statements[-1]
    assert loop.lines[0][0] == "n_before"
    assert "n_before" not in loop.loaded


def test_sides_of_a_matrix_are_read_by_row_and_by_column():
    text = export_rule(rule("adafactor"), "c")
    assert "const double R = state->R[i / state->columns];" in text
    assert "const double C = state->C[i % state->columns];" in text
    julia = export_rule(rule("adafactor"), "julia")
    assert "R = state.R[mod1(i, size(parameters, 1))]" in julia
    assert "C = state.C[cld(i, size(parameters, 1))]" in julia


def test_only_the_operators_that_are_used_are_written():
    text = export_rule(rule("lamb"), "c")
    assert "lamb_norm(" in text
    for name in ("matmul", "jacobi", "row_mean", "inner"):
        assert f"lamb_{name}(" not in text
    assert "shampoo_jacobi(" in export_rule(rule("shampoo"), "c")  # the powers call it


@pytest.mark.parametrize(
    ("parts", "made"),
    [
        ([(), ()], ()),
        ([(), ("size",)], ("size",)),
        ([("rows", "1"), ("1", "columns")], ("rows", "columns")),
        ([("1", "columns"), ("rows", "columns")], ("rows", "columns")),
        ([("rows", "1"), ("rows", "1")], ("rows", "1")),
    ],
)
def test_shapes_of_elementwise_results(parts, made):
    assert broadcast(parts) == made


def test_names_of_a_rule_are_no_words_of_the_code_around_it():
    around = {
        "parameters",
        "gradient",
        "state",
        "point",
        "i",
        "h",
        "size",
        "shape",
        "room",
        "rows",
        "columns",
        "at",
    }
    julia = {"begin", "end", "function", "module", "struct", "let", "do", "local", "global", "const", "quote"}
    for name in registry.names():
        for dialect in registry.get(name).dialects(1):
            lowered = program(dialect)
            own = {*lowered.shapes, *(n for s in walk(lowered.statements) for n in s.assigned)} - {
                "rows",
                "columns",
            }
            assert not own & (around | julia), name
