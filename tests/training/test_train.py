"""train(): epochs of batches over a finite sum, and what is recorded of them."""

from itertools import islice

import numpy as np
import pytest

import optverify as ov
from optverify.problems import load, problem
from optverify.training import FullBatch, MiniBatch, OneExample, minimize, network_rate, train


@pytest.fixture(scope="module")
def digits():
    return problem("mlp", data=load("digits", dtype="float32"), hidden=(32,), activation="relu")


def test_the_full_batch_is_gradient_descent():
    by_epochs = train("least_squares", "gd", 8, FullBatch(), lr=0.05)
    by_steps = minimize("least_squares", "gd", 8, lr=0.05)
    np.testing.assert_allclose(by_epochs.theta, by_steps.theta, rtol=1e-12)
    np.testing.assert_allclose(by_epochs.value, by_steps.value, rtol=1e-12)
    assert by_epochs.t.tolist() == by_epochs.epoch.tolist() == list(range(9))


@pytest.mark.parametrize(
    "estimator", [OneExample(seed=5), MiniBatch(32, seed=5), MiniBatch(7, seed=5, drop_last=True)]
)
def test_every_update_is_the_rule_on_the_gradient_of_its_batch(estimator):
    f = problem("least_squares")
    theta, values, ends = f.start, [], [f.start]
    for epoch in islice(estimator.epochs(f.n), 2):
        for batch in epoch:
            value, gradient = f.batch_value_and_gradient(theta, batch)
            values.append(value)
            theta = theta - 0.01 * gradient
        ends.append(theta)
    trained = train(f, "gd", 2, estimator, lr=0.01)
    np.testing.assert_allclose(trained.theta, ends, rtol=1e-12)
    np.testing.assert_allclose(trained.batch_value, values, rtol=1e-12)
    assert trained.t.tolist() == [0, len(values) // 2, len(values)]


def test_nesterov_takes_the_batch_gradient_at_the_lookahead_point():
    f = problem("least_squares")
    theta, v = f.start, np.zeros(f.dim)
    for batch in next(MiniBatch(16, seed=1).epochs(f.n)):
        v = 0.9 * v - 0.01 * f.batch_gradient(theta + 0.9 * v, batch)
        theta = theta + v
    trained = train(f, "nesterov", 1, MiniBatch(16, seed=1), lr=0.01, momentum=0.9)
    np.testing.assert_allclose(trained.theta[-1], theta, rtol=1e-12)


def test_a_schedule_counts_updates_not_epochs():
    f = problem("least_squares")
    warmup = ov.schedule("linear_warmup", lr=0.01, warmup=5, form="(t+1)/W")
    theta = f.start
    for t, batch in enumerate(next(MiniBatch(16).epochs(f.n))):
        theta = theta - 0.01 * min(t + 1, 5) / 5 * f.batch_gradient(theta, batch)
    trained = train(f, "gd", 1, MiniBatch(16), lr=warmup)
    np.testing.assert_allclose(trained.theta[-1], theta, rtol=1e-12)
    assert trained.lr.tolist() == [0.002, 0.01]


def test_a_seed_gives_the_same_run_and_another_seed_another():
    first, again, other = (
        train("mlp", "adam", 2, MiniBatch(32, seed=seed), lr=0.01).value for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("rule", ["adagrad", "adam", "gd", "momentum", "nesterov", "rmsprop"])
def test_every_rule_learns_the_digits(digits, rule):
    """Three epochs at the rate of the table: above 85 % on images never seen."""
    trained = train(digits, rule, 3, MiniBatch(32), lr=network_rate(rule))
    assert trained.test_accuracy[-1] > 0.85
    assert trained.test_accuracy[0] < 0.3
    assert trained.value[-1] < trained.value[0] / 3
    assert (np.diff(trained.seconds) > 0).all()
    assert trained.theta[-1][0]["W"].dtype == np.float32


def test_accuracies_and_values_are_those_of_the_recorded_thetas(digits):
    trained, data = train(digits, "adam", 2, lr=0.01), digits.data
    for row, theta in enumerate(trained.theta):
        assert trained.train_accuracy[row] == digits.accuracy(theta, data.train_x, data.train_y)
        assert trained.test_accuracy[row] == digits.accuracy(theta, data.test_x, data.test_y)
        assert trained.value[row] == digits.value(theta)
    assert (trained.train_accuracy != trained.test_accuracy).all()


def test_a_problem_without_classes_has_no_accuracy():
    trained = train("least_squares", "gd", 1, lr=0.01)
    assert np.isnan(trained.train_accuracy).all()
    assert np.isnan(trained.test_accuracy).all()


def test_divergence_ends_the_run_with_a_note_and_no_warning():
    trained = train("least_squares", "gd", 500, MiniBatch(16), lr=1e6)
    assert trained.diverged
    assert "is not finite after" in trained.note
    assert len(trained.epoch) < 500
    assert trained.epoch[-1] == len(trained.epoch) - 2  # the last row stands inside an epoch


@pytest.mark.parametrize("renewal", ["last", "mean"])
def test_svrg_is_given_the_gradients_at_its_snapshot(renewal):
    """Against nested loops; the noise of single examples goes, and with it the distance to the minimum."""
    f = problem("least_squares")
    theta = near = f.start
    chosen = [batch for epoch in islice(OneExample(seed=3).epochs(f.n), 2) for batch in epoch]
    for k in range(0, len(chosen), 5):
        full, path = f.gradient(near), []
        for batch in chosen[k : k + 5]:
            (_, here), (_, there) = (f.batch_value_and_gradient(x, batch) for x in (theta, near))
            theta = theta - 0.01 * (here - there + full)
            path.append(theta)
        if len(path) == 5:
            near = theta = theta if renewal == "last" else np.mean(path, axis=0)
    trained = train(f, "svrg", 2, OneExample(seed=3), lr=0.01, period=5, renewal=renewal)
    np.testing.assert_allclose(trained.theta[-1], theta, rtol=1e-12)


def test_svrg_needs_examples():
    with pytest.raises(TypeError, match="rule 'svrg' needs snapshot_grad with grads"):
        minimize("booth", "svrg", 5, lr=0.01, period=5)


def test_progress_counts_the_updates():
    seen = []
    f = problem("least_squares")
    train(f, "gd", 2, MiniBatch(f.n // 2), lr=0.01, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_rule_without_a_tried_rate_takes_its_default():
    assert network_rate("no_such_rule") is None
    assert network_rate("adam") > 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"problem": "booth"}, TypeError, "problem 'booth' is not a finite sum, .* use minimize()"),
        ({"epochs": -1}, ValueError, "train: epochs must be at least 0, got -1"),
        ({"estimator": MiniBatch(10**6, drop_last=True)}, ValueError, "leaves none"),
    ],
)
def test_what_does_not_fit_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        train(**{"problem": "least_squares", "rule": "gd"} | arguments)
