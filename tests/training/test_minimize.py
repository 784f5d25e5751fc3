"""minimize(): the recurrence with the gradient of the problem, taken where the rule wants it."""

import numpy as np
import pytest

import optverify as ov
from optverify.backends import step
from optverify.problems import OnlineProblem, Problem, problem
from optverify.training import minimize

DIAGONAL = np.array([1.0, 10.0, 100.0])


def quadratic():
    """f = 1/2 sum_i d_i x_i^2."""
    return Problem(
        name="diagonal", title="Diagonal quadratic", latex="", source="", initial=np.array([1.0, -2.0, 3.0]),
        function=lambda x, xp: xp.sum(DIAGONAL * x * x) / 2, tags=frozenset({"convex", "smooth"}),
    )  # fmt: skip


def test_gradient_descent_on_a_quadratic_is_its_closed_form():
    """theta_t = (1 - lr d)^t theta_0, coordinate by coordinate."""
    trace = minimize(quadratic(), "gd", steps=60, lr=0.015)
    t = np.arange(61)[:, None]
    np.testing.assert_allclose(
        trace.theta, (1 - 0.015 * DIAGONAL) ** t * [1.0, -2.0, 3.0], rtol=1e-12, atol=0
    )
    np.testing.assert_allclose(trace.value, (DIAGONAL * trace.theta**2).sum(axis=1) / 2, rtol=1e-12)
    np.testing.assert_allclose(
        trace.gradient_norm, np.linalg.norm(DIAGONAL * trace.theta, axis=1), rtol=1e-12
    )


def test_a_schedule_is_read_at_the_updates_already_made():
    """theta_t = prod_{k<t} (1 - lr_k d) theta_0, with lr_0 for the first update."""
    decay = ov.schedule("exponential", lr=0.01, gamma=0.9)
    rates = np.array([0.01 * 0.9**k for k in range(31)])
    for lr in (decay, lambda t: rates[t]):
        trace = minimize(quadratic(), "gd", steps=30, lr=lr)
        np.testing.assert_allclose(trace.lr, rates, rtol=1e-14)
        factors = np.cumprod(1 - rates[:30, None] * DIAGONAL, axis=0)
        np.testing.assert_allclose(trace.theta[1:], factors * [1.0, -2.0, 3.0], rtol=1e-12)


def lookahead_loop(mu, lr, steps, at_lookahead=True):
    """Nesterov by hand on Rosenbrock."""
    f = problem("rosenbrock")
    theta, v, course = f.start, np.zeros(2), [f.start]
    for _ in range(steps):
        gradient = f.gradient(theta + mu * v if at_lookahead else theta)
        v = mu * v - lr * gradient
        theta = theta + v
        course.append(theta)
    return np.array(course)


def test_the_gradient_is_taken_at_the_lookahead_point():
    trace = minimize("rosenbrock", "nesterov", steps=50, lr=5e-4, momentum=0.8)
    np.testing.assert_allclose(trace.theta, lookahead_loop(0.8, 5e-4, 50), rtol=1e-12)
    wrong = lookahead_loop(0.8, 5e-4, 50, at_lookahead=False)
    assert np.abs(trace.theta - wrong).max() > 1e-2


def test_dialects_and_hyperparameters_reach_the_rule():
    trace = minimize("booth", "adam", steps=20, lr=0.1, beta1=0.8, epsilon="hat", eps=1e-2)
    module = step("adam", epsilon="hat")
    f = problem("booth")
    theta = f.start
    state = module.init(theta)
    for row in trace.theta:
        assert (row == theta).all()
        theta, state = module.step(theta, f.gradient(theta), state, lr=0.1, beta1=0.8, eps=1e-2)
    assert trace.rule.options["epsilon"] == "hat"


@pytest.mark.parametrize("rule", ["adagrad", "adam", "gd", "momentum", "nesterov", "rmsprop"])
def test_every_rule_descends_with_its_default_learning_rate(rule):
    trace = minimize("sphere", rule, steps=200)
    assert not trace.diverged
    assert trace.value[-1] < trace.value[0]


def test_the_start_is_copied_and_integers_become_floats():
    start = np.array([3.0, -2.0])
    trace = minimize("booth", "gd", steps=3, lr=0.01, start=start)
    assert start.tolist() == [3.0, -2.0]
    assert trace.theta[0].tolist() == [3.0, -2.0]
    assert minimize("booth", "gd", steps=3, lr=0.01, start=[3, -2]).theta.tolist() == trace.theta.tolist()


def test_a_nested_theta_is_recorded_as_a_list_of_structures():
    trace = minimize("mlp", "adam", steps=4, lr=0.01)
    assert len(trace.theta) == 5
    assert trace.theta[0][0]["W"].shape == trace.theta[4][0]["W"].shape == (2, 16)
    assert (trace.theta[0][0]["W"] != trace.theta[4][0]["W"]).any()
    assert trace.value[4] < trace.value[0]
    leaves = [leaf for layer in trace.problem.gradient(trace.theta[2]) for leaf in layer.values()]
    assert trace.gradient_norm[2] == pytest.approx(
        np.sqrt(sum((leaf**2).sum() for leaf in leaves)), rel=1e-12
    )


def test_record_keeps_every_kth_row_and_the_last():
    every, sparse = (minimize("booth", "gd", steps=11, lr=0.01, record=k) for k in (1, 4))
    assert every.t.tolist() == list(range(12))
    assert sparse.t.tolist() == [0, 4, 8, 11]
    assert (sparse.theta == every.theta[sparse.t]).all()
    assert (sparse.value == every.value[sparse.t]).all()


def test_no_steps_leave_the_start():
    trace = minimize("booth", "gd", steps=0)
    assert trace.theta.shape == (1, 2)
    assert trace.note == ""


def test_an_online_problem_gives_gradient_t_and_its_box():
    """By hand, from f_t' = C if t mod 3 = 1 else -1."""
    trace = minimize("reddi", "gd", steps=30, lr=0.3)
    x, course = 0.0, [0.0]
    for t in range(1, 31):
        x = min(1.0, max(-1.0, x - 0.3 * (3.0 if t % 3 == 1 else -1.0)))
        course.append(x)
    np.testing.assert_allclose(trace.theta[:, 0], course, rtol=1e-12, atol=1e-15)
    assert isinstance(trace.problem, OnlineProblem)
    assert np.abs(trace.theta).max() == 1.0


def test_the_adam_of_reddi_goes_to_the_worst_point():
    trace = minimize(
        "reddi",
        "adam",
        steps=600,
        lr=lambda t: 0.5 / (t + 1) ** 0.5,
        beta1=0.0,
        beta2=0.1,
        eps=0.0,
        record=600,
    )
    assert trace.theta[-1, 0] > 0.9


@pytest.mark.parametrize("rule", ["gd", "momentum", "nesterov"])
def test_divergence_ends_the_run_with_a_note_and_no_warning(rule):
    trace = minimize(quadratic(), rule, steps=100_000, lr=1.0)
    assert trace.diverged
    assert trace.note.startswith("diverged: the value is not finite after ")
    assert len(trace.t) < 1000
    assert not np.isfinite(trace.value[-1])
    assert np.isfinite(trace.value[:-1]).all()


def test_a_lookahead_point_out_of_range_ends_the_run():
    """On f = x, one update with lr = 1e308 gives theta = -1e308, finite, and theta + 0.9 v = -1.9e308."""
    line = Problem(
        name="line", title="Line", latex="", source="", initial=np.array([0.0]),
        function=lambda x, xp: xp.sum(x), tags=frozenset({"convex", "smooth"}),
    )  # fmt: skip
    trace = minimize(line, "nesterov", steps=10, lr=1e308, momentum=0.9)
    assert trace.note == "diverged: the look-ahead point is not finite after 1 update; try a smaller lr"
    assert trace.theta[:, 0].tolist() == [0.0, -1e308]


def test_a_gradient_that_is_not_finite_ends_the_run_before_it_is_used():
    root = Problem(
        name="root", title="Root", latex="", source="", initial=np.array([0.0]),
        function=lambda x, xp: xp.sum(x**2) ** 0.5,
        tags=frozenset({"convex", "nonsmooth"}),
    )  # fmt: skip
    trace = minimize(root, "gd", steps=5)
    assert trace.note == "diverged: the gradient is not finite after 0 updates; try a smaller lr"
    assert trace.t.tolist() == [0]


def test_progress_counts_the_updates():
    seen = []
    minimize("booth", "gd", steps=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"problem": "boot"}, ValueError, "did you mean 'booth'"),
        ({"rule": "adma"}, ValueError, "did you mean 'adam'"),
        ({"steps": -1}, ValueError, "minimize: steps must be at least 0, got -1"),
        ({"steps": 1.5}, TypeError, "minimize: steps must be an integer, got 1.5"),
        ({"record": 0}, ValueError, "minimize: record must be at least 1, got 0"),
        ({"lr": -1.0}, ValueError, "lr = -1.0 is out of range"),
        ({"start": [1.0]}, ValueError, r"must have shape \(2,\), got \(1,\)"),
        ({"beta3": 0.5}, (ValueError, TypeError), "beta3"),
    ],
)
def test_what_does_not_fit_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        minimize(**{"problem": "booth", "rule": "adam", "steps": 1} | arguments)
