"""SVRG: against a loop written from the paper's procedure, on a finite sum; through the Optimizer."""

import numpy as np
import pytest
import sympy as sp

import optverify as ov
from optverify.backends import step
from optverify.rules import rule
from optverify.views.run import run

from .hostile import RATES, START, assert_same_updates, lines

N, PERIOD, DECAY = 6, 7, 0.07
RNG = np.random.default_rng(2)
A = RNG.normal(size=(N, len(START))) * np.array([1, 0.1, 1, 1, 1e-3, 1, 0.5]) / 3
A[:, 5] = 0
B = RNG.normal(size=N) * np.array([1, 1, 100, 1, 0, 1])
CHOSEN = RNG.integers(0, N, len(RATES))


def example(i, x):
    """The gradient of (a_i.x - b_i)^2/2, with a flip of sign and zeros; one b_i is large."""
    return A[i] * (A[i] @ x - B[i])


def full(x):
    return np.mean([example(i, x) for i in range(N)], axis=0)


def found(options, values):
    module = step("svrg", **options)
    x, state = START.copy(), module.init(START)
    for lr, i in zip(RATES, CHOSEN, strict=True):
        near = state.theta_tilde
        inputs = {"snapshot_grad": example(i, near), "full_grad": full(near)}
        x, state = module.step(x, example(i, x), state, lr=float(lr), period=PERIOD, **values, **inputs)
        yield x


def procedure(renewal, form, sign, rates=RATES):
    """Two nested loops, as printed: w is the parameters, snapshot what wears a tilde there."""
    pairs = iter(zip(rates, CHOSEN, strict=False))
    w = snapshot = START.copy()
    while True:
        mu, inner = full(snapshot), []
        for _ in range(PERIOD):
            try:
                lr, i = next(pairs)
            except StopIteration:
                return
            direction = sign * (example(i, w) - example(i, snapshot) + mu)
            direction = direction + (DECAY * w if form == "coupled" else 0)
            w = w - lr * DECAY * w - lr * direction if form == "decoupled" else w - lr * direction
            inner.append(w)
            if len(inner) == PERIOD:
                snapshot = w = w if renewal == "last" else sum(inner) / PERIOD
            yield w


@pytest.mark.parametrize("renewal", ["last", "mean"])
@pytest.mark.parametrize("form", ["none", "coupled", "decoupled"])
@pytest.mark.parametrize("maximize", [False, True])
def test_svrg_is_the_procedure_of_the_paper(renewal, form, maximize):
    options = {"renewal": renewal, "weight_decay_form": form, "maximize": maximize}
    values = {} if form == "none" else {"weight_decay": DECAY}
    assert_same_updates(found(options, values), procedure(renewal, form, -1 if maximize else 1))


def test_its_noise_goes_to_zero():
    """With a fixed lr it comes to the solution; gradient descent on single examples stays away from it."""
    a = np.random.default_rng(8).normal(size=(20, 3))
    b = a @ np.ones(3) + np.random.default_rng(9).normal(size=20)
    solution = np.linalg.lstsq(a, b, rcond=None)[0]
    chosen = np.random.default_rng(10).integers(0, 20, 4000)

    def slope(i, x):
        return a[i] * (a[i] @ x - b[i])

    module, x = step("svrg"), np.zeros(3)
    state, plain = module.init(x), np.zeros(3)
    for i in chosen:
        near = state.theta_tilde
        inputs = {"snapshot_grad": slope(i, near), "full_grad": a.T @ (a @ near - b) / 20}
        x, state = module.step(x, slope(i, x), state, lr=0.02, period=40, **inputs)
        plain = plain - 0.02 * slope(i, plain)
    assert np.abs(x - solution).max() < 1e-12
    assert np.abs(plain - solution).max() > 1e-3


def test_the_optimizer_takes_trees_of_inputs():
    path = list(found({}, {}))
    params = {"a": START[:3].copy(), "b": [START[3:].copy()]}
    optimizer, near = ov.Optimizer("svrg", lr=0.1, period=PERIOD), START
    tree = lambda x: {"a": x[:3], "b": [x[3:]]}  # noqa: E731
    for k, (lr, i) in enumerate(zip(RATES, CHOSEN, strict=True)):
        x = np.concatenate([params["a"], params["b"][0]])
        optimizer.lr = float(lr)
        optimizer.update(params, tree(example(i, x)),
                         snapshot_grad=tree(example(i, near)), full_grad=tree(full(near)))  # fmt: skip
        near = np.concatenate([optimizer.state["a"].theta_tilde, optimizer.state["b"][0].theta_tilde])
        np.testing.assert_allclose(np.concatenate([params["a"], params["b"][0]]), path[k], rtol=1e-12)


def test_a_resumed_run_is_the_same_run_to_the_last_bit():
    def go(optimizer, x, near, first, last):
        for i in CHOSEN[first:last]:
            optimizer.update(x, example(i, x), snapshot_grad=example(i, near), full_grad=full(near))
            near = optimizer.state.theta_tilde.copy()
        return near

    straight, x = ov.Optimizer("svrg", lr=0.1, period=3, renewal="mean"), START.copy()
    near = go(straight, x, START, 0, 5)
    resumed, y = ov.Optimizer("svrg", lr=0.1, period=3, renewal="mean"), x.copy()
    resumed.load_state_dict(straight.state_dict())
    go(straight, x, near, 5, 12)
    go(resumed, y, near, 5, 12)
    assert np.array_equal(x, y)


def test_an_exact_run_takes_another_input_at_each_step():
    """Unrolled by hand with period 2, gradients 1 and 2."""
    values = {"lr": 1, "period": 2, "snapshot_grad": lambda t: 10 * t}
    history = run(rule("svrg"), [1, 2], 0, values)
    first, second = sp.symbols("full_grad_1 full_grad_2", real=True)
    assert history[1] == {"theta": 9 - first, "theta_tilde": 0}
    after = 9 - first - (2 - 20 + second)
    assert all(sp.expand(x - after) == 0 for x in history[2].values())


def test_what_it_refuses():
    module, x = step("svrg"), np.zeros(2)
    with pytest.raises(TypeError, match="missing 3 required keyword-only arguments: 'snapshot_grad'"):
        module.step(x, x, module.init(x))
    with pytest.raises(ValueError, match=r"snapshot_grad has shape \(3,\) but theta has shape \(2,\)"):
        module.step(x, x, module.init(x), period=2, snapshot_grad=np.zeros(3), full_grad=x)
    with pytest.raises(ValueError, match="period = 0 is out of range"):
        module.step(x, x, module.init(x), period=0, snapshot_grad=x, full_grad=x)
    with pytest.raises(ValueError, match=r"'svrg' has no default for period"):
        ov.Optimizer("svrg", lr=0.1)
    optimizer = ov.Optimizer("svrg", lr=0.1, period=2)
    with pytest.raises(TypeError, match=r"rule 'svrg' needs snapshot_grad with grads"):
        optimizer.update([x], [x])
    with pytest.raises(ValueError, match=r"full_grad\[0\] has shape \(3,\) but params\[0\] has shape \(2,\)"):
        optimizer.update([x], [x], snapshot_grad=[x], full_grad=[np.zeros(3)])
    with pytest.raises(ValueError, match=r"snapshot_grad\[0\] holds nan at index 0: it must be finite"):
        optimizer.update([x], [x], snapshot_grad=[x * np.nan], full_grad=[x])
    with pytest.raises(TypeError, match=r"takes no mu: rule 'svrg' is given snapshot_grad, full_grad"):
        optimizer.update([x], [x], mu=[x])
    assert optimizer.t == 0
    with pytest.raises(
        ValueError, match="accumulated cannot wrap svrg, which is given snapshot_grad, full_grad"
    ):
        rule("accumulated(svrg)")
    with pytest.raises(ValueError, match="'svrg' has no mpmath twin, because it is given snapshot_grad"):
        step("svrg", backend="mpmath")


def test_the_equations_are_the_papers():
    assert lines(rule("svrg")) == [
        r"g_t &= \nabla f_t(\theta_{t-1})",
        r"\delta_t &= g_t - \nabla f_t(\tilde{\theta}_{t-1})",
        r"v_t &= \delta_t + \tilde{\mu}",
        r"\theta_t &= \theta_{t-1} - \eta v_t",
        r"\tilde{\theta}_t &= \begin{cases} \theta_t & \text{if } t \bmod m = 0 \\"
        r" \tilde{\theta}_{t-1} & \text{otherwise} \end{cases}",
    ]
