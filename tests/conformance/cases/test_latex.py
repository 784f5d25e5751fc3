"""SG-07, AD-03 and TC-09: the LaTeX of every rule, read back, is the recurrence: brackets, order, indices."""

import random

import pytest
import sympy as sp

from optverify.rules import names, rule
from tests.conformance.cases.reading import read

BEYOND = (r"\lVert", r"\mathrm{RMS}", r"\mathrm{mean}", r"\mathrm{row", r"\mathrm{col", r"^\top", r"\langle")
READABLE = [n for n in names() if not any(word in rule(n).latex() for word in BEYOND)]


def dialects(name):
    """The default, and each option of each axis by itself."""
    default = rule(name)
    yield default
    for axis in default.axes:
        for option in axis.options:
            if option != default.options[axis.name]:
                yield default.dialect(**{**default.options, axis.name: option})


def numbers(*expressions):
    """Values for every symbol, so that nearly all roots are real."""
    made = random.Random(1)
    symbols = sorted({s for e in expressions for s in e.free_symbols}, key=str)
    return {
        s: sp.Rational(made.randint(2, 5)) if s.is_integer else sp.Rational(made.randint(1, 99), 100)
        for s in symbols
    }


def test_most_rules_can_be_read():
    assert len(READABLE) >= 35


@pytest.mark.parametrize("name", READABLE)
def test_what_is_printed_is_what_is_meant(name):
    for dialect in dialects(name):
        if any(word in dialect.latex() for word in BEYOND):
            continue
        for (symbol, e), (printed, back) in zip(dialect.assignments, read(dialect), strict=True):
            assert printed == symbol
            values = numbers(e, back)
            one, other = (complex(x.subs(values).evalf(30)) for x in (sp.sympify(e), sp.sympify(back)))
            assert one == pytest.approx(other, rel=1e-12), (
                f"{dialect.options}: {symbol} = {e}, read as {back}"
            )


def test_ad_03_epsilon_stands_outside_the_radical():
    assert r"\sqrt{\hat{v}_t} + \epsilon" in rule("adam").latex()
    assert r"\sqrt{\hat{v}_t + \epsilon}" in rule("adam", epsilon="inside").latex()
    assert r"\sqrt{n" not in rule("adan", start="corrected", epsilon="outside").latex()


def test_sg_07_the_indices_of_nesterov():
    lines = dict(read(rule("nesterov", nesterov="rewritten")))
    before = {str(s) for s in lines[next(s for s in lines if str(s) == "v_t")].free_symbols}
    assert "v_{t-1}" in before
    assert "v_t" not in before


def test_tc_09_the_update_is_written_as_in_books():
    assert (
        r"\theta_t &= \theta_{t-1} - \alpha\,\frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \epsilon}"
        in rule("adam").latex()
    )
    for name in names():
        tex = rule(name).latex()
        assert "lambda_{}" not in tex
        assert " lr" not in tex
        assert "Subs" not in tex


@pytest.mark.parametrize("name", names())
def test_tc_09_no_two_symbols_look_alike(name):
    for dialect in dialects(name):
        symbols = {s for lhs, rhs in dialect.assignments for s in (lhs, *rhs.free_symbols)}
        printed = [dialect.tex(s) for s in symbols]
        assert len(set(printed)) == len(printed), sorted(printed)
