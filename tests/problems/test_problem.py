"""Every problem: gradients three ways, minima, convexity, constants."""

import math

import numpy as np
import pytest
import sympy as sp

from optverify.problems import FiniteSum, Problem, names, problem

ARRAYS = [name for name in names() if name != "mlp"]
SUMS = ["least_squares", "logistic_regression", "mlp", "separable_logistic", "sparse_features"]
SMALL = {"sparse_features": {"n": 30, "dim": 8}, "logistic_regression": {"n": 20, "dim": 4}}
CONVEX = [name for name in ARRAYS if "convex" in problem(name).tags]
NONCONVEX = [name for name in ARRAYS if "convex" not in problem(name).tags]
WITH_L = [name for name in ARRAYS if problem(name).smoothness]


def points(problem: Problem, count: int = 5) -> list[np.ndarray]:
    """The start and seeded points around it: generic, so on no kink."""
    rng = np.random.default_rng(7)
    return [problem.start + 0.1] + [
        problem.start + 2 * rng.standard_normal(problem.dim) for _ in range(count)
    ]


def test_there_are_at_least_sixteen_problems():
    assert len(names()) >= 16
    assert names() == tuple(sorted(set(names())))


@pytest.mark.parametrize("name", ARRAYS)
def test_gradient_agrees_three_ways(name, complex_step):
    """Autograd, SymPy's derivative and the complex step agree to 1e-12 of the gradient's size."""
    p = problem(name, **SMALL.get(name, {}))
    expression, symbols = p.expression()
    derivative = sp.lambdify(symbols, [sp.diff(expression, s) for s in symbols], "numpy")
    value = sp.lambdify(symbols, expression, "numpy")
    for x in points(p):
        by_autograd = p.gradient(x)
        scale = np.abs(by_autograd).max()
        assert scale > 0
        np.testing.assert_allclose(by_autograd, np.array(derivative(*x)), rtol=1e-12, atol=1e-12 * scale)
        np.testing.assert_allclose(by_autograd, complex_step(p.value, x), rtol=1e-12, atol=1e-12 * scale)
        assert math.isclose(p.value(x), value(*x), rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("name", ARRAYS)
def test_minimum_value_and_stationarity(name):
    """At a minimizer the value is the minimum's, and the gradient 0 unless the box's edge stops it."""
    p = problem(name)
    for minimizer in p.minimum.all:
        assert math.isclose(p.value(minimizer), p.minimum.value, rel_tol=1e-14, abs_tol=1e-28)
        if "constrained" not in p.tags:
            assert np.abs(p.gradient(minimizer)).max() < 2e-14


@pytest.mark.parametrize("name", ARRAYS)
def test_no_sampled_value_is_below_the_minimum(name):
    p = problem(name)
    rng = np.random.default_rng(3)
    for scale in (0.1, 1.0, 10.0):
        for centre in (p.start, *p.minimum.all):
            x = centre + scale * rng.standard_normal(p.dim)
            if "constrained" in p.tags:
                x = p.project(x)
            assert p.value(x) >= p.minimum.value


def test_minimizers_are_missing_only_where_there_are_none():
    """Without a minimizer: the saddle (unbounded), separable data (not attained), the network (not known)."""
    assert {name for name in names() if not problem(name).minimum.all} == {
        "mlp",
        "saddle",
        "separable_logistic",
    }
    assert problem("saddle").minimum.value == -math.inf
    assert problem("separable_logistic").minimum.value == 0.0
    assert math.isnan(problem("mlp").minimum.value)


def test_minimum_theta_is_the_unique_minimizer_and_a_copy():
    minimum = problem("booth").minimum
    minimum.theta[:] = 0.0
    np.testing.assert_array_equal(minimum.theta, [1.0, 3.0])
    assert problem("himmelblau").minimum.theta is None
    assert problem("saddle").minimum.theta is None


@pytest.mark.parametrize("name", CONVEX)
def test_convexity_inequality_holds(name):
    """f(ax + (1-a)y) <= a f(x) + (1-a) f(y) - mu/2 a(1-a) |x-y|^2 at seeded pairs."""
    p = problem(name)
    mu = p.strong_convexity or 0.0
    rng = np.random.default_rng(5)
    for _ in range(30):
        x, y, a = 4 * rng.standard_normal(p.dim), 4 * rng.standard_normal(p.dim), rng.random()
        chord = a * p.value(x) + (1 - a) * p.value(y) - mu / 2 * a * (1 - a) * np.sum((x - y) ** 2)
        assert p.value(a * x + (1 - a) * y) <= chord + 1e-12 * max(1.0, abs(chord))


@pytest.mark.parametrize("name", NONCONVEX)
def test_nonconvex_problems_break_the_inequality(name):
    p = problem(name)
    rng = np.random.default_rng(5)
    pairs = [(3 * rng.standard_normal(p.dim), 3 * rng.standard_normal(p.dim)) for _ in range(200)]
    assert any(p.value((x + y) / 2) > (p.value(x) + p.value(y)) / 2 + 1e-9 for x, y in pairs)


@pytest.mark.parametrize("name", WITH_L)
def test_smoothness_bounds_the_hessian_and_is_attained_at_the_origin(name, hessian):
    """|eigenvalues| <= L at seeded points, = L at 0; they are >= mu, which is approached far out."""
    p = problem(name)
    for x in points(p):
        eigenvalues = np.linalg.eigvalsh(hessian(p, x))
        assert np.abs(eigenvalues).max() <= p.smoothness * (1 + 1e-12)
        if p.strong_convexity is not None:
            assert eigenvalues.min() >= p.strong_convexity * (1 - 1e-11)
    at_origin = np.abs(np.linalg.eigvalsh(hessian(p, np.zeros(p.dim)))).max()
    assert math.isclose(at_origin, p.smoothness, rel_tol=1e-12)
    if p.strong_convexity is not None:
        far = np.linalg.eigvalsh(hessian(p, np.full(p.dim, 1e4) + np.arange(p.dim))).min()
        assert math.isclose(far, p.strong_convexity, rel_tol=1e-9)


@pytest.mark.parametrize("name", ["rosenbrock", "styblinski_tang", "himmelblau", "beale", "three_hump_camel"])
def test_no_smoothness_constant_where_the_hessian_is_unbounded(name, hessian):
    p = problem(name)
    assert p.smoothness is None
    assert np.abs(hessian(p, np.full(p.dim, 1e3))).max() > 1e6


@pytest.mark.parametrize("name", SUMS)
def test_batch_gradients_average_to_the_full_gradient(name):
    """Values and gradients average to the full ones over equal batches and over single examples."""
    p = problem(name)
    assert isinstance(p, FiniteSum)
    theta = p.start if name == "mlp" else p.start + 0.3
    flat = (
        (lambda g: np.concatenate([leaf.ravel() for layer in g for leaf in layer.values()]))
        if (name == "mlp")
        else np.asarray
    )
    value, gradient = p.value_and_gradient(theta)
    for batches in (np.random.default_rng(0).permutation(p.n).reshape(p.n // 2, 2), np.arange(p.n)):
        values = [p.batch_value(theta, batch) for batch in batches]
        gradients = [flat(p.batch_gradient(theta, batch)) for batch in batches]
        assert math.isclose(np.mean(values), value, rel_tol=1e-12)
        size = np.abs(flat(gradient)).max()
        np.testing.assert_allclose(np.mean(gradients, axis=0), flat(gradient), rtol=1e-12, atol=1e-12 * size)


def test_a_repeated_index_counts_twice():
    p = problem("least_squares")
    x = p.start + 1
    expected = (2 * p.batch_gradient(x, 3) + p.batch_gradient(x, 4)) / 3
    np.testing.assert_allclose(p.batch_gradient(x, [3, 3, 4]), expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("indices", "error", "message"),
    [
        ([], ValueError, "a batch of problem 'least_squares' must be a non-empty list of indices, got shape"),
        ([[1]], ValueError, r"got shape \(1, 1\)"),
        ([1.0], TypeError, "batch indices of problem 'least_squares' must be integers, got dtype float64"),
        ([True], TypeError, "got dtype bool"),
        (
            [0, 50],
            IndexError,
            "batch index 50 of problem 'least_squares' is out of range: it has examples 0 to 49",
        ),
        (-1, IndexError, "batch index -1 "),
    ],
)
def test_wrong_batches_are_refused(indices, error, message):
    p = problem("least_squares")
    with pytest.raises(error, match=message):
        p.batch_value(p.start, indices)
    with pytest.raises(error, match=message):
        p.batch_gradient(p.start, indices)


@pytest.mark.parametrize("name", names())
def test_start_is_a_fresh_copy_and_calls_leave_theta_alone(name):
    p = problem(name)
    theta = p.start
    leaves = [leaf for layer in theta for leaf in layer.values()] if name == "mlp" else [theta]
    kept = [leaf.copy() for leaf in leaves]
    p.value_and_gradient(theta)
    for leaf, before in zip(leaves, kept, strict=True):
        np.testing.assert_array_equal(leaf, before)
        leaf.fill(9.0)
    assert p.value(p.start) == problem(name).value(problem(name).start)


@pytest.mark.parametrize("name", names())
def test_gradient_keeps_the_dtype_of_theta(name):
    """A float32 theta over float64 data gets a float32 gradient; longdouble stays longdouble."""
    p = problem(name)
    for dtype in (np.float32, np.longdouble):
        if name == "mlp":
            theta = [{key: leaf.astype(dtype) for key, leaf in layer.items()} for layer in p.start]
            assert {leaf.dtype for layer in p.gradient(theta) for leaf in layer.values()} == {np.dtype(dtype)}
        else:
            assert p.gradient(p.start.astype(dtype)).dtype == dtype


@pytest.mark.parametrize("name", names())
def test_every_problem_says_what_it_is(name):
    p = problem(name)
    assert p.name == name
    assert p.title
    assert p.latex
    assert any(character.isdigit() for character in p.source)  # a year
    assert len(p.tags & {"convex", "nonconvex"}) == 1
    assert len(p.tags & {"smooth", "nonsmooth"}) == 1


def test_overflow_is_a_value_not_a_warning():
    assert problem("rosenbrock").value([1e200, 1.0]) == math.inf


def test_a_nested_problem_has_no_expression():
    with pytest.raises(
        ValueError, match="problem 'mlp' has no SymPy expression: its theta is a nested structure"
    ):
        problem("mlp").expression()
