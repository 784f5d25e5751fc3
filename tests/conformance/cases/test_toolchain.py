"""Cases TC-01 to TC-11: what autograd, SymPy and NumPy do to the unwary, and what we do."""

import warnings

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import sympy as sp

from optverify import problem, problems
from optverify.backends import step
from optverify.optimizers import Optimizer
from optverify.rules import names, rule
from optverify.steps import adam, gd

ZERO = np.zeros(2)


# ---- TC-01 to TC-04: autograd ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        anp.linalg.norm,
        lambda x: anp.linalg.norm(x) ** 2,
        lambda x: anp.sqrt(anp.sum(x**2)),
        anp.std,
    ],
)
def test_tc_01_the_gradient_of_a_norm_at_zero_is_not_a_number(f):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isnan(autograd.grad(f)(ZERO)).any()
    assert np.array_equal(autograd.grad(lambda x: anp.sum(x * x))(ZERO), ZERO)


def leaves(tree):
    items = tree.values() if isinstance(tree, dict) else tree
    if isinstance(tree, (dict, list, tuple)):
        return [leaf for item in items for leaf in leaves(item)]
    return [np.asarray(tree)]


@pytest.mark.parametrize("name", problems())
def test_tc_01_tc_03_our_problems_have_gradients_at_their_minimum_and_where_they_start(name):
    made = problem(name)
    for theta in (made.initial, *made.minimum.all):
        value, slope = made.value(theta), made.gradient(theta)
        assert np.isfinite(value)
        assert all(np.isfinite(g).all() for g in leaves(slope)), f"gradient {slope} at {theta}"


@pytest.mark.parametrize("name", ["sphere", "huber", "log_cosh", "absolute_value", "ackley", "rastrigin"])
def test_tc_01_our_problems_have_gradients_at_zero(name):
    zero = np.zeros_like(problem(name).initial)
    assert np.isfinite(problem(name).gradient(zero)).all()


def test_tc_01_a_gradient_that_is_not_a_number_is_the_oracles_fault():
    optimizer = Optimizer("adam", lr=0.1)
    with pytest.raises(ValueError, match=r"nan|NaN|finite"):
        optimizer.update(np.ones(2), np.array([np.nan, 1.0]))


def test_tc_02_a_tie_gives_an_element_of_the_subdifferential():
    relu = autograd.grad(lambda x: anp.maximum(x, 0.0))(0.0)
    masked = autograd.grad(lambda x: anp.where(x > 0, x, 0.0))(0.0)
    largest = autograd.grad(anp.max)(np.array([1.0, 1.0, 0.0]))
    size = autograd.grad(lambda x: anp.max(anp.abs(x)))(np.array([1.0, -1.0]))
    assert (relu, masked) == (0.5, 0.0)
    assert largest.tolist() == [0.5, 0.5, 0.0]
    assert size.tolist() == [0.5, -0.5]
    for slope in (relu, masked):
        assert 0 <= slope <= 1
    for slope, signs in ((largest, [1, 1, 0]), (size, [1, -1])):
        shares = slope * signs
        assert (shares >= 0).all()
        assert shares.sum() == 1


def test_tc_03_where_does_not_protect_the_branch_not_taken():
    bare = autograd.grad(lambda x: anp.where(x > 0, x * anp.log(x), 0.0))
    twice = autograd.grad(lambda x: anp.where(x > 0, x * anp.log(anp.where(x > 0, x, 1.0)), 0.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isnan(bare(np.float64(0.0)))
        with pytest.raises(ZeroDivisionError):
            autograd.grad(lambda x: anp.where(x > 0, anp.sqrt(x), 0.0))(0.0)
    assert twice(np.float64(0.0)) == 0.0


def test_tc_04_sizes_and_types():
    for f in (anp.abs, anp.absolute, anp.fabs):
        assert autograd.grad(f)(0.0) == 0.0
    with pytest.raises(TypeError):
        autograd.grad(lambda x: x**2)(3)
    assert autograd.grad(lambda x: anp.sum(x * x))(np.ones(2, np.float32)).dtype == np.float32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isnan(autograd.grad(lambda x: anp.log(anp.sum(anp.exp(x))))(np.array([1000.0, 0.0]))).any()


def test_tc_04_our_problems_refuse_integers_and_say_what_to_do():
    with pytest.raises(TypeError, match=r"for instance with numpy\.asarray\(theta, dtype=float\)"):
        problem("sphere").gradient(np.array([3, 1]))


# ---- TC-05 to TC-10: SymPy ---------------------------------------------------------------------------------

x, y = sp.symbols("x y", real=True)


def test_tc_05_every_branch_is_evaluated():
    f = sp.lambdify((x, y), sp.Piecewise((x / sp.sqrt(y), y > 0), (0, True)))
    with pytest.warns(RuntimeWarning):
        assert f(np.ones(2), np.array([0.0, 4.0])).tolist() == [0.0, 0.5]
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        f(np.ones(1), np.zeros(1))


def needed(name, theta, number):
    """What a rule is given besides a gradient, and hyperparameters that have no default."""
    given = {i.name: number if i.scalar else theta for i in rule(name).inputs}
    return given | ({"period": 2} if name == "svrg" else {"loss": number} if name == "polyak_step" else {})


@pytest.mark.parametrize("name", [n for n in names() if n != "adamax"])
def test_tc_05_our_steps_are_silent_where_a_branch_would_divide_by_zero(name):
    module = step(name)
    theta = np.zeros((2, 3))
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        new, _ = module.step(theta, theta, module.init(theta), **needed(name, theta, 0.0))
    assert np.isfinite(new).all()


def test_ad_20_adamax_of_the_paper_is_undefined_at_a_gradient_of_zero():
    theta = np.zeros(2)
    with np.errstate(all="ignore"):
        new, _ = step("adamax").step(theta, theta, step("adamax").init(theta))
    assert np.isnan(new).all()
    module = step("adamax", epsilon="outside")
    assert np.array_equal(module.step(theta, theta, module.init(theta))[0], theta)


def test_tc_06_a_maximum_lets_a_nan_through():
    f = sp.lambdify(x, sp.Max(0, x))
    assert np.isnan(f(np.array([np.nan]))).all()
    for name in ("amsgrad", "adamax"):
        module = step(name)
        new, _ = module.step(np.ones(2), np.array([np.nan, 1.0]), module.init(np.ones(2)))
        assert np.isnan(new).tolist() == [True, False], name


def test_tc_07_a_constant_keeps_no_shape():
    assert sp.lambdify(x, 2)(np.ones(3)) == 2
    assert [np.shape(a) for a in sp.lambdify(x, [x, 2, x + 1])(np.ones(3))] == [(3,), (), (3,)]
    with pytest.raises(ValueError, match="inhomogeneous"):
        sp.lambdify(x, sp.Matrix([x, 2]))(np.ones(3))


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("dtype", ["f", "d"])
def test_tc_07_tc_08_theta_and_states_keep_shape_and_type(name, dtype):
    """With hyperparameters as Python numbers, whatever roots of constants the rule holds."""
    module = step(name)
    theta = np.linspace(0.5, 1, 6, dtype=dtype).reshape(2, 3)
    state = module.init(theta)
    for _ in range(3):
        new, state = module.step(theta, theta, state, **needed(name, theta, 0.5))
        assert (new.shape, new.dtype) == (theta.shape, theta.dtype)
    for kept in vars(state).values() if hasattr(state, "__dict__") else state:
        if isinstance(kept, np.ndarray) and kept.ndim:
            assert kept.dtype == theta.dtype


def test_tc_08_the_root_of_a_constant_promotes():
    single = np.ones(3, np.float32)
    for e in (x / 3, sp.Rational(1, 10) * x, sp.pi * x, sp.Max(0, x), sp.sign(x)):
        assert sp.lambdify(x, e.evalf() if e.has(sp.pi) else e)(single).dtype == np.float32
    for e in (sp.sqrt(2) * x, sp.sqrt(sp.Rational(1, 1000)) * x):
        assert sp.lambdify(x, e)(single).dtype == np.float64
        assert sp.lambdify(x, e.evalf())(single).dtype == np.float32
    assert float(1 - 0.999 ** np.float32(1)) == pytest.approx(0.0009999871, abs=5e-11)


def test_tc_09_sympy_writes_theta_last():
    theta, eta, m, v, eps = sp.symbols(r"\theta_{t} eta \hat{m}_t \hat{v}_t epsilon")
    printed = sp.latex(theta - eta * m / (sp.sqrt(v) + eps))
    assert printed == r"- \frac{\hat{m}_t \eta}{\sqrt{\hat{v}_t} + \epsilon} + \theta_{t}"
    assert sp.latex(sp.Symbol("lambda_")) == r"\lambda_{}"
    assert sp.latex(sp.Symbol("lr")) == "lr"


def test_tc_10_common_subexpressions_change_no_bit():
    e = [sp.sqrt(x * x + y) / (1 + sp.sqrt(x * x + y)), (x * x + y) ** 3]
    rng = np.random.default_rng(0)
    given = rng.random(50), rng.random(50)
    plain, shared = sp.lambdify((x, y), e)(*given), sp.lambdify((x, y), e, cse=True)(*given)
    assert all(np.array_equal(a, b) for a, b in zip(plain, shared, strict=True))


# ---- TC-11: integers ---------------------------------------------------------------------------------------


def test_tc_11_numpy_truncates_and_we_refuse():
    p = np.array([3])
    p[0] -= 1e-6
    assert p[0] == 2
    with pytest.raises(TypeError):
        p -= 0.1
    for module in (gd, adam):
        with pytest.raises(TypeError, match=r"theta has dtype int64: .*astype\(float\)"):
            module.init(np.array([3]))
    with pytest.raises(TypeError):
        Optimizer("adam").update({"w": np.array([3])}, {"w": np.array([0.5])})
