"""A second evaluation, that knows no recurrence, gives the numbers of the files to every digit."""

import mpmath
import pytest

from .loops import CLASSICS

GIVEN = ("late",)
"""Inputs that begin with states from outside."""


def updates(test, coordinate):
    fed, lr = test.input, mpmath.mpf(test.group["hyperparameters"]["lr"]["decimal"])
    rows, factors = fed["gradients"]["decimal"], fed["lr_factors"]
    for k in range(fed["updates"]):
        yield lr * factors[k % len(factors)], mpmath.mpf(rows[k % len(rows)][coordinate])


def exactly(text):
    above, _, below = text.partition("/")
    return mpmath.mpf(above) / mpmath.mpf(below or 1)


def agrees(found, text):
    """To the last digit that is written; exactly where it is a fraction."""
    wanted = exactly(text)
    slack = mpmath.mpf(10) ** -39 if "." in text or "e" in text else mpmath.mpf(10) ** -70
    return abs(found - wanted) <= slack * abs(wanted)


@pytest.mark.parametrize("group", ["default", "paper"])
@pytest.mark.parametrize("name", CLASSICS)
def test_the_files_of_the_classic_rules_agree_with_loops_written_from_the_papers(bank, name, group):
    tests = [t for t in bank.group(f"{name}/{group}") if not t.id.endswith(GIVEN)]
    assert tests
    with mpmath.workdps(90):
        for test in tests:
            constants = {
                n: mpmath.mpf(x["decimal"]) for n, x in test.group["hyperparameters"].items() if n != "lr"
            }
            for i, start in enumerate(test.input["theta"]["decimal"][0]):
                told = list(CLASSICS[name](mpmath.mpf(start), updates(test, i), **constants))
                for row, after in enumerate(test.after):
                    made = told[after - 1]
                    assert made.keys() == test.data["expected"].keys()
                    for array, value in made.items():
                        text = test.data["expected"][array]["exact"][row][i]
                        assert agrees(value, text), (test.id, array, after, i, value, text)


def test_the_comparison_is_not_blind():
    assert agrees(mpmath.mpf(1) / 3, "1/3")
    assert not agrees(mpmath.mpf(1) / 3, "3333/10000")
    with mpmath.workdps(90):
        digits = mpmath.nstr(mpmath.sqrt(2), 40)
        assert agrees(mpmath.sqrt(2), digits)
        assert not agrees(mpmath.sqrt(2) * (1 + mpmath.mpf(10) ** -37), digits)
