"""Wrappers: against loops round a plain rule; what they refuse; how they nest."""

import numpy as np
import pytest

import optverify as ov
from optverify.backends import step
from optverify.rules import rule

from .hostile import HOSTILE, RATES, START, assert_same_updates, gradients


def run(name, options=None, *, result="theta", **values):
    module = step(name, **(options or {}))
    theta, state = START.copy(), module.init(START)
    for lr, g in zip(RATES, gradients(), strict=True):
        theta, state = module.step(theta, g, state, lr=float(lr), **values)
        yield theta if result == "theta" else getattr(state, result)


class Inner:
    """Adam, a call an update."""

    def __init__(self):
        self.module = step("adam")
        self.state = self.module.init(START)

    def __call__(self, theta, g, lr):
        theta, self.state = self.module.step(theta, g, self.state, lr=float(lr))
        return theta


def clipped(change):
    inner, theta = Inner(), START.copy()
    for lr, g in zip(RATES, gradients(), strict=True):
        theta = inner(theta, change(g), lr)
        yield theta


def test_clip_by_value_holds_each_coordinate():
    expected = clipped(lambda g: np.clip(g, -0.3, 0.3))
    assert_same_updates(run("clip_by_value(adam)", clip_value=0.3), expected)


def test_clip_by_norm_keeps_the_direction():
    def change(g):
        size = np.sqrt(np.sum(g**2))
        return g if size < 0.3 else g / size * 0.3

    assert_same_updates(run("clip_by_norm(adam)", max_norm=0.3), clipped(change))


def test_cl_01_clip_with_and_without_epsilon():
    for options, expected in (({}, 0.5), ({"clip_epsilon": "added"}, 0.4999750012)):
        module = step("clip_by_norm(gd)", **options)
        theta, _ = module.step(np.zeros(1), np.array([0.02]), module.init(np.zeros(1)), lr=1.0, max_norm=0.01)
        assert -theta[0] / 0.02 == pytest.approx(expected, abs=5e-11)


def test_cl_02_zero_in_zero_out_and_cl_03_a_huge_gradient_is_not_lost():
    module, zero = step("clip_by_norm(gd)"), np.zeros(2)
    theta, _ = module.step(zero, zero, module.init(zero), lr=1.0)
    assert (theta == 0).all()
    theta, _ = module.step(zero, np.array([1e200, 1e200]), module.init(zero), lr=1.0)
    assert theta == pytest.approx([-(0.5**0.5)] * 2, rel=1e-12)


@pytest.mark.parametrize("epsilon", ["none", "added"])
def test_clip_by_global_norm_scales_all_arrays_alike(epsilon):
    """Two arrays through the Optimizer, against Adam on the one vector of both, clipped by its norm."""
    longer = 1e-6 if epsilon == "added" else 0.0
    size = lambda g: np.sqrt(np.sum(g**2)) + longer  # noqa: E731
    expected = clipped(lambda g: g * min(1.0, 0.3 / size(g)))
    params = {"a": START[:3].copy(), "b": [START[3:].copy()]}
    optimizer = ov.Optimizer("clip_by_global_norm(adam)", lr=0.1, max_norm=0.3, clip_epsilon=epsilon)
    points = []
    for lr, g in zip(RATES, gradients(), strict=True):
        optimizer.lr = float(lr)
        optimizer.update(params, {"a": g[:3], "b": [g[3:]]})
        points.append(np.concatenate([params["a"], params["b"][0]]))
    assert_same_updates(points, expected)


def test_the_global_norm_is_a_number_that_step_is_given():
    module, x = step("clip_by_global_norm(gd)"), np.zeros(2)
    found, _ = module.step(x, np.array([3.0, 4.0]), module.init(x), lr=1.0, global_norm=10.0)
    np.testing.assert_allclose(found, [-0.3, -0.4], rtol=1e-15)
    with pytest.raises(ValueError, match=r"global_norm = -1 is out of range: .* >= 0"):
        module.step(x, x, module.init(x), lr=1.0, global_norm=-1)
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'global_norm'"):
        module.step(x, x, module.init(x), lr=1.0)
    with pytest.raises(TypeError, match=r"update\(\) takes no global_norm: rule 'gd' is given nothing more"):
        ov.Optimizer("gd", lr=1.0).update(x, x, global_norm=1.0)


def test_huge_gradients_are_not_lost_in_the_global_norm():
    params = [np.zeros(1), np.zeros(1)]
    ov.Optimizer("clip_by_global_norm(gd)", lr=1.0).update(params, [np.array([3e200]), np.array([4e200])])
    np.testing.assert_allclose(np.concatenate(params), [-0.6, -0.8], rtol=1e-15)


def test_accumulation_is_the_rule_on_means():
    def loop():
        inner, theta, held = Inner(), START.copy(), []
        for lr, g in zip(RATES, gradients(), strict=True):
            held.append(g / 3)
            if len(held) == 3:
                theta, held = inner(theta, held[0] + held[1] + held[2], lr), []
            yield theta

    assert_same_updates(run("accumulated(adam)", accumulate=3), loop())


@pytest.mark.parametrize("start", ["initial", "first"])
def test_averaging_leaves_the_rule_as_it_is(start):
    options = {"ema_start": start}
    path = list(run("averaged(adam)", options, ema_decay=0.9))
    assert_same_updates(path, run("adam"))
    mean = START if start == "initial" else path[0]
    for k, (theta, found) in enumerate(
        zip(path, run("averaged(adam)", options, result="theta_bar", ema_decay=0.9), strict=True)
    ):
        mean = mean if start == "first" and k == 0 else 0.9 * mean + 0.1 * theta
        np.testing.assert_allclose(found, mean, rtol=1e-12)


def lookahead(inner, every=6, share=0.4, stream=HOSTILE):
    theta, slow = stream.start.copy(), stream.start.copy()
    for k, (lr, g) in enumerate(zip(stream.rates, stream.gradients, strict=True), 1):
        theta = inner(theta, g, lr)
        if k % every == 0:
            slow = slow + share * (theta - slow)
            theta = slow
        yield theta


def test_lookahead_is_algorithm_1():
    assert_same_updates(run("lookahead(adam)", sync_period=6, slow_lr=0.4), lookahead(Inner()))


def sharpness_aware(inner, sign=1, radius=0.07, stream=HOSTILE):
    theta, rates, numbers = stream
    for k in range(0, len(numbers), 2):
        climb, size = sign * numbers[k], np.sqrt(np.sum(numbers[k] ** 2))
        yield theta + radius * climb / size if size else theta
        theta = inner(theta, sign * numbers[k + 1], rates[k + 1])
        yield theta


@pytest.mark.parametrize("maximize", [False, True])
def test_sam_climbs_and_then_steps_from_where_it_was(maximize):
    found = run("sam(adam)", {"maximize": maximize}, sam_rho=0.07)
    assert_same_updates(found, sharpness_aware(Inner(), -1 if maximize else 1))


def test_wrapped_rules_are_rules():
    nested = rule("lookahead(clip_by_norm(adam))", epsilon="hat", clip_epsilon="added")
    assert nested.options["epsilon"] == "hat"
    assert {s.name for s in nested.states} == {"m", "v", "theta_slow"}
    assert [s.authors.split()[0] for s in nested.sources[:2]] == ["Zhang,", "Pascanu,"]
    params = {"w": np.ones((2, 3)), "b": np.zeros(3)}
    optimizer = ov.Optimizer("lookahead(clip_by_norm(adam))", lr=0.1, max_norm=0.5, sync_period=2)
    for _ in range(4):
        optimizer.update(params, {"w": params["w"], "b": params["b"] - 1})
    again = ov.Optimizer("lookahead(clip_by_norm(adam))", lr=0.1, max_norm=0.5, sync_period=2)
    again.load_state_dict(optimizer.state_dict())
    assert again.t == 4
    assert optimizer.rule.name == "lookahead(clip_by_norm(adam))"


def test_the_rules_lookahead_and_sam_are_those_round_gradient_descent():
    for name in ("lookahead", "sam"):
        assert rule(name).assignments == rule(f"{name}(gd)").assignments


def test_refusals_name_the_way_out():
    with pytest.raises(ValueError, match="unknown wrapper 'clip_by_nrm'; did you mean 'clip_by_norm'"):
        rule("clip_by_nrm(adam)")
    with pytest.raises(ValueError, match="unknown rule 'adma'"):
        rule("clip_by_norm(adma)")
    with pytest.raises(ValueError, match="sam cannot wrap nesterov in this dialect"):
        rule("sam(nesterov)")
    with pytest.raises(
        ValueError, match=r"clip_by_norm cannot wrap .*: both have clip_eps, clip_epsilon, max_norm"
    ):
        rule("clip_by_norm(clip_by_norm(gd))")
