"""The printed formulas say what the problems compute: sums in brackets, every symbol defined."""

import re

import pytest

from optverify.problems import names, problem

COMMANDS = re.compile(r"\\(?:text|begin|end)\{[^}]*\}|\\(?!delta|rho|phi)[A-Za-z]+")
SYMBOL = re.compile(r"\\(?:delta|rho|phi)|[A-Za-z]")
ALWAYS = {"x", "f", "e", "i", "c"}
"""The point, the function, Euler's number, and the indices of sums."""


def symbols(tex):
    return set(SYMBOL.findall(COMMANDS.sub(" ", tex)))


def after_a_sum(latex):
    """For each sum: its index, and the terms that follow the first one within the same brackets."""
    latex = latex.replace(r"\begin{cases}", "(").replace(r"\end{cases}", ")")
    for found in re.finditer(r"\\sum_\{(\w)", latex):
        depth, cut, rest = 0, None, latex[latex.index("}", found.end()) + 1 :]
        for place, sign in enumerate(rest):
            depth += (sign in "{(") - (sign in "})")
            if depth < 0 or rest.startswith(r"\quad", place):
                rest = rest[:place]
                break
            if depth == 0 and rest[place : place + 3] in (" + ", " - ") and cut is None:
                cut = place
        yield found[1], "" if cut is None else rest[cut:]


def test_the_scan_sees_a_term_that_left_its_sum():
    assert list(after_a_sum(r"\sum_{i=1}^{n} x_i^2 - 5 x_i")) == [("i", " - 5 x_i")]
    assert list(after_a_sum(r"1 + \sum_{i=1}^{n} \left(x_i^2 - 5 x_i\right)")) == [("i", "")]


@pytest.mark.parametrize("name", names())
def test_no_term_with_the_index_stands_behind_its_sum(name):
    for index, terms in after_a_sum(problem(name).latex):
        assert not re.search(rf"_(?:{index}\b|\{{{index}\b)", terms), terms


@pytest.mark.parametrize("name", names())
def test_every_symbol_of_the_formula_is_defined_and_no_other(name):
    p = problem(name)
    used, defined = symbols(p.latex), symbols(" ".join(p.symbols))
    assert used - ALWAYS == defined - ALWAYS
    assert all(meaning and not meaning.endswith(".") for meaning in p.symbols.values())


def test_the_definitions_have_the_numbers_of_the_problem():
    assert problem("huber", delta=0.25).symbols[r"\delta"].endswith("0.25")
    assert problem("reddi", C=7).symbols["C"].endswith("7")
    assert problem("sparse_features", ridge=0.5).symbols[r"\rho"].endswith("0.5")
    assert "rho" not in "".join(problem("separable_logistic").symbols)
    assert problem("mlp", activation="relu").symbols[r"\phi"] == "the activation, relu, elementwise"
    assert "from 8 down to 2" in problem("quadratic", condition=4, smoothness=8).symbols["H"]
