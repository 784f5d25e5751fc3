"""The registry: names, parameters, and what importing costs."""

import subprocess
import sys

import numpy as np
import pytest

from optverify.problems import problem


@pytest.mark.parametrize(
    ("name", "parameters", "error", "message"),
    [
        ("rosenbrok", {}, ValueError, r"unknown problem 'rosenbrok'; did you mean 'rosenbrock'\?"),
        ("mnist", {}, ValueError, r"'mnist'; it is a data set: problem\('mlp', data='mnist'\)"),
        ("zzz", {}, ValueError, "unknown problem 'zzz'; known: absolute_value, ackley, "),
        ("rosenbrock", {"dims": 3}, TypeError, "problem 'rosenbrock' has no parameter 'dims'; it takes dim"),
        ("beale", {"dim": 3}, TypeError, "problem 'beale' has no parameter 'dim'; it takes none"),
        ("rosenbrock", {"dim": 1}, ValueError, "rosenbrock: dim must be at least 2, got 1"),
        ("ackley", {"dim": 10**9}, ValueError, "ackley: dim = 1000000000 would need 1,000,000,000 numbers"),
        (
            "quadratic",
            {"dim": 10**5},
            ValueError,
            "quadratic: dim = 100000 would need 10,000,000,000 numbers",
        ),
        ("least_squares", {"dim": 10, "n": 10**8}, ValueError, "n = 100000000 with dim = 10 would need"),
        ("mlp", {"hidden": (10**9,)}, ValueError, r"mlp: hidden = \(1000000000,\) would need"),
        ("sphere", {"dim": 2.0}, TypeError, "sphere: dim must be an integer, got 2.0"),
        ("sphere", {"dim": True}, TypeError, "sphere: dim must be an integer, got True"),
        ("quadratic", {"condition": 0.5}, ValueError, "quadratic: condition must be at least 1, got 0.5"),
        ("quadratic", {"dim": 1}, ValueError, "quadratic: condition must be 1 when dim is 1, got 100.0"),
        (
            "quadratic",
            {"smoothness": float("nan")},
            ValueError,
            "smoothness must be a finite number above 0, got nan",
        ),
        ("huber", {"delta": 0}, ValueError, "huber: delta must be a finite number above 0, got 0"),
        ("huber", {"delta": "1"}, TypeError, "huber: delta must be a real number, got '1'"),
        ("least_squares", {"n": 3}, ValueError, "least_squares: n must be at least 5, got 3"),
        ("logistic_regression", {"ridge": 0.0}, ValueError, "ridge must be a finite number above 0, got 0.0"),
        ("reddi", {"C": 2}, ValueError, "reddi: C must be a finite number above 2, got 2"),
        (
            "reddi_stochastic",
            {"C": 3, "delta": 3},
            ValueError,
            r"delta must be .* between 0 and 3 \(exclusive\)",
        ),
    ],
)
def test_wrong_requests_get_one_clear_sentence(name, parameters, error, message):
    with pytest.raises(error, match=message) as caught:
        problem(name, **parameters)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["sphere", "quadratic", "rosenbrock", "rastrigin", "ackley", "styblinski_tang"]
)
def test_dim_is_the_length_of_theta(name):
    for dim in (2, 3, 7):
        p = problem(name, dim=dim)
        assert p.dim == dim
        assert p.start.shape == p.minimum.theta.shape == (dim,)
        assert np.abs(p.gradient(p.minimum.theta)).max() < 2e-14


def test_names_and_building_import_neither_autograd_nor_sympy():
    """Only the first value or gradient imports autograd, only an expression SymPy, only real data sklearn."""
    code = (
        "import sys; from optverify.problems import names, problem\n"
        "[problem(name) for name in names()]\n"
        "print(sorted({'autograd', 'sympy', 'sklearn', 'mlxtend', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
