"""SOAP: against a loop written from Algorithms 3 and 4; its bases; what it refuses."""

import numpy as np
import pytest

from optverify.backends import step
from optverify.rules import rule
from optverify.steps._operators import eigenvectors as numpy_eigenvectors
from optverify.steps._operators import orthonormal as numpy_orthonormal

from .hostile import RATES, STEPS, Stream, lines

START = np.random.default_rng(3).normal(size=(3, 4))
B1, B2, EPS, DECAY = 0.9, 0.8, 1e-2, 0.07


def gradients():
    """3 x 4: a spike, flips of sign, tiny entries, zeros. Never of lower rank while a basis is young.

    Where two eigenvalues are equal, any basis of their space is right, and no two programs agree on one.
    """
    g = np.random.default_rng(5).normal(size=(STEPS, 3, 4)) * np.array([1.0, 0.1, 3.0, 1.0])
    g[17] *= 30
    g[20:22] = 0
    g[25:, 0, 0] = (-1.0) ** np.arange(25, STEPS)
    g[30:, 2, 1] *= 1e-6
    return g


MATRICES = Stream(START, RATES, gradients())


def found(options, values, numbers=None):
    module = step("soap", **options)
    x, state = START.copy(), module.init(START)
    for lr, g in zip(RATES, gradients() if numbers is None else numbers, strict=True):
        x, state = module.step(x, g, state, lr=float(lr), **values)
        yield x


def descending(symmetric):
    values, vectors = np.linalg.eigh(symmetric)
    return vectors[:, np.argsort(-values)]


def algorithm(
    every, *, basis="power", sides="both", first="step", epsilon="outside", correct=True, form="none", sign=1,
    stream=MATRICES,
):  # fmt: skip
    """Algorithm 3, a line a line; the adaptive part of a step is what each `yield` is made of."""
    (rows, columns), x = stream.start.shape, stream.start.copy()
    m, v = np.zeros_like(x), np.zeros_like(x)
    q_left, q_right = np.eye(rows), np.eye(columns)
    left, right = 0 * q_left, 0 * q_right
    made = 0
    for lr, slope in zip(stream.rates, stream.gradients, strict=True):
        g = sign * slope + (DECAY * x if form == "coupled" else 0)
        starting = first == "skipped" and not left.any() and not right.any()
        if not starting:
            made += 1
            m = B1 * m + (1 - B1) * g
            v = B2 * v + (1 - B2) * (q_left.T @ g @ q_right) ** 2
            c1, c2 = (1 - B1**made, 1 - B2**made) if correct else (1, 1)
            over = q_left.T @ m @ q_right / c1
            under = (v**0.5 + EPS) / c2**0.5 if epsilon == "hat" else (v / c2) ** 0.5 + EPS
            step = q_left @ (over / under) @ q_right.T
            if form == "decoupled":
                x = x - lr * DECAY * x
            x = x - lr * step
        left = B2 * left + (1 - B2) * g @ g.T
        right = B2 * right + (1 - B2) * g.T @ g
        if starting:
            q_left, q_right = descending(left), descending(right)
        elif made % every == 0:
            if basis == "eigh":
                q_left, q_right = descending(left), descending(right)
            else:
                q_left, q_right = np.linalg.qr(left @ q_left)[0], np.linalg.qr(right @ q_right)[0]
        if sides == "left":
            q_right = np.eye(columns)
        if sides == "right":
            q_left = np.eye(rows)
        yield x


CASES = [
    ({}, {}),
    ({"basis": "eigh"}, {"basis": "eigh"}),
    ({"sides": "left"}, {"sides": "left"}),
    ({"sides": "right"}, {"sides": "right"}),
    ({"first": "skipped"}, {"first": "skipped"}),
    ({"first": "skipped", "epsilon": "hat", "weight_decay_form": "decoupled"},
     {"first": "skipped", "epsilon": "hat", "form": "decoupled"}),
    ({"epsilon": "hat"}, {"epsilon": "hat"}),
    ({"bias_correction": "none"}, {"correct": False}),
    ({"weight_decay_form": "coupled", "maximize": True}, {"form": "coupled", "sign": -1}),
]  # fmt: skip


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize(("options", "same"), CASES)
def test_soap_is_algorithm_3(options, same, every):
    """Over 50 hostile steps: updates over lr, relative to the largest of the run."""
    values = {"beta1": B1, "beta2": B2, "eps": EPS, "precondition_frequency": every}
    values |= {"weight_decay": DECAY} if "weight_decay_form" in options else {}
    here, there = (np.array(list(x)) for x in (found(options, values), algorithm(every, **same)))
    rates = RATES[:, None, None]
    here, there = (np.diff(x, axis=0, prepend=[START]) / rates for x in (here, there))
    assert np.abs(there).max() > 1e-1
    assert np.abs(here - there).max() < 1e-12 * np.abs(there).max()


def test_a_basis_that_is_never_renewed_is_adam():
    """Q = I until update 100: Algorithm 3 is Adam, to the last digits."""
    values = {"beta1": B1, "beta2": B2, "eps": EPS}
    module, x, numbers = step("adam"), START.copy(), gradients()
    state = module.init(x)
    for lr, g, y in zip(RATES, numbers, found({}, values | {"precondition_frequency": 100}), strict=True):
        x, state = module.step(x, g, state, lr=float(lr), **values)
        np.testing.assert_allclose(y, x, rtol=1e-13, atol=1e-14)


def test_the_steps_turn_with_the_matrix():
    """In the eigenbasis, G -> U G V^T for orthogonal U, V turns every step alike: what Adam cannot do."""
    rng = np.random.default_rng(11)
    u, v = (np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (3, 4))
    module = step("soap", basis="eigh", first="skipped")
    runs = []
    for turn in (lambda g: g, lambda g: u @ g @ v.T):
        x = turn(START)
        state = module.init(x)
        for g in gradients()[:10]:
            x, state = module.step(x, turn(g), state, lr=0.05, eps=EPS)
        runs.append(x)
    np.testing.assert_allclose(runs[1], u @ runs[0] @ v.T, rtol=1e-9, atol=1e-10)


def test_operators_fix_signs_and_order():
    a = np.random.default_rng(1).normal(size=(5, 5))
    s = a @ a.T
    q = numpy_eigenvectors(s)
    values = np.diag(q.T @ s @ q)
    assert (np.diff(values) < 0).all()
    np.testing.assert_allclose(q * values @ q.T, s, rtol=1e-12, atol=1e-12)
    assert (q[np.argmax(np.abs(q), axis=0), range(5)] > 0).all()
    o = numpy_orthonormal(a)
    np.testing.assert_allclose(o.T @ o, np.eye(5), atol=1e-14)
    upper = o.T @ a
    assert (np.diag(upper) > 0).all()
    assert np.abs(np.tril(upper, -1)).max() < 1e-14
    assert np.array_equal(numpy_orthonormal(np.zeros((2, 2))), np.eye(2))


GOLDEN = [
    r"g'_t &= Q_{L,t-1}^\top g_t Q_{R,t-1}",
    r"m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t",
    r"m'_t &= Q_{L,t-1}^\top m_t Q_{R,t-1}",
    r"v_t &= \beta_2 v_{t-1} + (1 - \beta_2) \left(g'_t\right)^2",
    r"n_t &= Q_{L,t-1} n'_t Q_{R,t-1}^\top",
    r"\theta_t &= \theta_{t-1} - \eta n_t",
    r"L_t &= \beta_2 L_{t-1} + (1 - \beta_2) g_t g_t^\top",
    r"Q_{L,t} &= \begin{cases} \mathrm{QR}(L_t Q_{L,t-1}) & \text{if } t \bmod f = 0 \\"
    r" Q_{L,t-1} & \text{otherwise} \end{cases}",
]


def test_the_equations_are_those_of_algorithm_3():
    assert set(GOLDEN) <= set(lines(rule("soap"))), "\n".join(lines(rule("soap")))


def test_what_it_refuses():
    module = step("soap")
    with pytest.raises(ValueError, match=r"theta has shape \(3,\), and this rule is for matrices"):
        module.init(np.ones(3))
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match=r"precondition_frequency = 0 is out of range"):
        module.step(x, x, module.init(x), precondition_frequency=0)
    with pytest.raises(ValueError, match="nothing is corrected: 'outside'"):
        rule("soap", bias_correction="none", epsilon="hat")
