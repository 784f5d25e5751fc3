"""The Optimizer: what it takes, what it says, and that it is the generated steps and nothing else."""

import subprocess
import sys
from inspect import signature
from typing import NamedTuple

import numpy as np
import pytest

import optverify as ov
from optverify.backends import step
from optverify.rules import registry, rule

MATRIX = [name for name in registry.names() if rule(name).needs_matrix]
NAMES = [name for name in registry.names() if not rule(name).demands]


def tree(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return {
        "layers": [(rng.standard_normal((3, 2)).astype(dtype), rng.standard_normal(2).astype(dtype))],
        "scale": np.array(rng.standard_normal(), dtype),
    }


def flat(params):
    (w, b), scale = params["layers"][0], params["scale"]
    return [w, b, scale]


# ---- updates -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_update_of_a_nested_structure_is_a_step_of_each_array(name):
    optimizer, params, module = ov.Optimizer(name, lr=0.05), tree(), step(name)
    arrays = flat(params)
    expected = [x.copy() for x in arrays]
    started = {"lr": 0.05} if "lr" in signature(module.init).parameters else {}
    states = [module.init(x, **started) for x in expected]
    given = {"lr": 0.05} if "lr" in signature(module.step).parameters else {}  # Rprop's is where it starts
    for seed in range(1, 4):
        grads = tree(seed)
        optimizer.gradient_point(params)  # gradients are given here, whatever the point
        assert optimizer.update(params, grads) is True
        rows = zip(expected, flat(grads), states, strict=True)
        pairs = [module.step(x, g, s, **given) for x, g, s in rows]
        expected, states = [list(column) for column in zip(*pairs, strict=True)]
        for x, y in zip(arrays, expected, strict=True):
            assert np.array_equal(x, y)
    assert all(x is y for x, y in zip(flat(params), arrays, strict=True))
    assert optimizer.t == 3
    (w, b), scale = optimizer.state["layers"][0], optimizer.state["scale"]
    for mine, other in zip((w, b, scale), states, strict=True):
        assert type(mine).__name__ == "State"
        assert mine.t == other.t == 3
        assert all(np.array_equal(x, y) for x, y in zip(mine[1:], other[1:], strict=True))


@pytest.mark.parametrize("name", MATRIX)
def test_a_rule_for_matrices_trains_them_and_refuses_a_vector(name):
    optimizer, params = ov.Optimizer(name, lr=0.05), [np.ones((3, 2)), np.ones((2, 4))]
    optimizer.update(params, [np.eye(3, 2), np.eye(2, 4)])
    assert all((p != 1).any() for p in params)
    with pytest.raises(ValueError, match="this rule is for matrices: reshape it to two dimensions"):
        ov.Optimizer(name, lr=0.05).update([np.ones(3)], [np.ones(3)])


def test_the_loss_of_polyaks_step_is_set_for_each_update():
    theta = np.array([3.0, -4.0])
    optimizer = ov.Optimizer("polyak_step", lr=1.0, loss=0.0)
    for _ in range(60):
        optimizer.loss = float(theta @ theta)
        optimizer.update(theta, 2 * theta)  # the step halves theta
    assert np.abs(theta) == pytest.approx(np.array([3.0, 4.0]) / 2**60)


@pytest.mark.parametrize("dtype", ["e", "f", "d", "g", "F", "D"])
def test_types_are_kept_and_mixed_types_count_the_updates_once(dtype):
    params = [np.ones(3, dtype), np.ones(2)]
    optimizer = ov.Optimizer("adam", lr=0.1, weight_decay_form="decoupled", weight_decay=1.0)
    optimizer.update(params, [np.zeros(3, dtype), np.zeros(2)])
    assert [p.dtype for p in params] == [np.dtype(dtype), np.dtype("d")]
    assert np.array_equal(params[0], np.full(3, 0.9).astype(dtype))  # decayed once, not once per type
    assert params[1].tolist() == [0.9, 0.9]


def test_ad_06_one_counter_for_all_parameters():
    params = [np.zeros(1), np.zeros(1)]
    optimizer = ov.Optimizer("adam", lr=0.1)
    for t in range(1, 4):
        optimizer.update(params, [np.ones(1), np.ones(1)])
        for p in params:
            assert p[0] == pytest.approx(-0.1 * t, rel=1e-7)


def test_ag_06_every_parameter_gets_its_own_gradient():
    params = (np.zeros(1), np.zeros(1))
    ov.Optimizer("gd", lr=1.0).update(params, (np.ones(1), np.full(1, 5.0)))
    assert [p[0] for p in params] == [-1, -5]


def test_keys_in_another_order_and_tuples_for_lists_are_matched():
    params = {"a": np.zeros(1), "b": [np.zeros(2), np.zeros(3)]}
    optimizer = ov.Optimizer("momentum", lr=1.0)
    for _ in range(2):
        optimizer.update(params, {"b": (np.full(2, 2.0), np.full(3, 3.0)), "a": np.ones(1)})
        params = {"b": params["b"], "a": params["a"]}
    assert params["a"].tolist() == [-2.9]
    assert params["b"][1].tolist() == [-8.7] * 3


class Layer(NamedTuple):
    weight: np.ndarray
    bias: np.ndarray


def test_the_tree_of_states_and_of_points_is_nested_like_params():
    params = {"first": Layer(np.ones(2), np.ones(1)), "rest": [(np.ones(1),)]}
    optimizer = ov.Optimizer("nesterov")
    optimizer.update(params, params)
    for tree in (optimizer.state, optimizer.gradient_point(params)):
        assert type(tree["first"]) is Layer
        assert type(tree["rest"]) is list
        assert type(tree["rest"][0]) is tuple
    assert optimizer.state["first"].bias.v.tolist() == [-0.01]


def test_views_and_empty_arrays_are_updated():
    whole = np.zeros((4, 4))
    params = {"odd": whole[::2], "even": whole[1::2], "none": np.zeros((0, 3))}
    ov.Optimizer("adam", lr=0.5, eps=0.0).update(
        params, {"odd": np.ones((2, 4)), "even": -np.ones((2, 4)), "none": np.zeros((0, 3))}
    )
    np.testing.assert_allclose(whole[:, 0], [-0.5, 0.5, -0.5, 0.5], rtol=1e-15)


@pytest.mark.parametrize("size", [3, 10**5])
def test_gradients_that_are_parameters_are_read_before_they_change(size):
    """f = a*b: the gradient of a is b, and the other way round."""
    a, b = np.full(size, 2.0), np.full(size, 3.0)
    ov.Optimizer("gd", lr=0.5).update({"a": a, "b": b}, {"a": b, "b": a})
    assert (a[0], b[0]) == (0.5, 2.0)
    x = np.arange(1.0, size + 1)
    ov.Optimizer("gd", lr=0.5).update([x, x[:0]], [x, x[:0]])
    assert (x[0], x[-1]) == (0.5, size / 2)
    left, right = (memory := np.arange(1.0, 2 * size + 1))[:size], memory[size:]
    ov.Optimizer("gd", lr=1.0).update([left, right], [right, left])
    assert (left[0], right[0]) == (-float(size), float(size))


def test_gradient_point_is_params_itself_or_the_look_ahead():
    params, grads = tree(), tree(1)
    optimizer = ov.Optimizer("adam")
    assert optimizer.gradient_point(params) is params
    for options in ({}, {"lr_placement": "outside"}):
        optimizer = ov.Optimizer("nesterov", lr=lambda t: 0.1 / (1 + t), momentum=0.5, **options)
        point = optimizer.gradient_point(params)  # no velocity yet
        assert all(np.array_equal(x, y) for x, y in zip(flat(point), flat(params), strict=True))
        optimizer.update(params, grads)
        expected = [
            p + 0.5 * s.v if not options else p - 0.05 * 0.5 * s.v
            for p, s in zip(flat(params), flat(optimizer.state), strict=True)
        ]
        for x, y in zip(flat(optimizer.gradient_point(params)), expected, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-15)
            assert x.shape == y.shape


# ---- learning rates and hyperparameters --------------------------------------------------------------------


def test_a_schedule_is_asked_once_an_update_with_the_number_of_updates_made():
    asked = []

    def lr(t):
        asked.append(t)
        return 0.5 * t

    params = [np.zeros(1), np.zeros(1)]
    optimizer = ov.Optimizer("gd", lr=lr)
    for _ in range(3):
        optimizer.update(params, [np.ones(1), np.ones(1)])
    assert asked == [0, 1, 2]
    assert params[0][0] == params[1][0] == -(0 + 0.5 + 1.0)


def test_a_schedule_that_goes_wrong_changes_nothing():
    params = [np.ones(1)]
    optimizer = ov.Optimizer("adam", lr=lambda t: -1.0)
    with pytest.raises(ValueError, match=r"the schedule gave lr = -1\.0 at t = 0"):
        optimizer.update(params, [np.ones(1)])
    assert (params[0][0], optimizer.t, optimizer.state) == (1, 0, None)


def test_hyperparameters_can_change_between_updates():
    params = [np.zeros(1)]
    optimizer = ov.Optimizer("momentum", lr=0.1, momentum=0.5)
    optimizer.update(params, [np.ones(1)])
    optimizer.lr, optimizer.momentum = 1, 0.25
    optimizer.update(params, [np.ones(1)])
    assert params[0][0] == pytest.approx(-0.1 + (0.25 * -0.1 - 1), rel=1e-15)
    assert optimizer.hyperparameters == {"lr": 1.0, "momentum": 0.25}
    assert type(optimizer.lr) is float
    optimizer.lr = ov.schedule("constant", lr=0.5)
    assert optimizer.lr(3) == 0.5


def test_a_new_value_is_checked_and_a_wrong_name_is_refused():
    optimizer = ov.Optimizer("adam")
    with pytest.raises(ValueError, match=r"^lr = 0 is out of range: lr must be a finite number > 0$"):
        optimizer.lr = 0
    with pytest.raises(AttributeError, match="unknown hyperparameter 'beta_1'; did you mean 'beta1'"):
        optimizer.beta_1 = 0.5
    with pytest.raises(AttributeError, match="no attribute or hyperparameter 'momentum'"):
        _ = optimizer.momentum
    optimizer.hyperparameters["lr"] = 7.0
    assert optimizer.lr == 1e-3
    accumulated = ov.Optimizer("adagrad", initial_accumulator=0.1)
    accumulated.initial_accumulator = 0.5
    params = [np.zeros(1)]
    accumulated.update(params, [np.zeros(1)])
    assert accumulated.state[0].G.tolist() == [0.5]
    with pytest.raises(ValueError, match="initial_accumulator is where the state starts from"):
        accumulated.initial_accumulator = 0.1


@pytest.mark.parametrize(
    ("name", "settings", "error", "message"),
    [
        ("adm", {}, ValueError, "unknown rule 'adm'; did you mean 'adam'"),
        ("_engine", {}, ValueError, "unknown rule '_engine'"),
        ("adam", {"beta_1": 0.9}, ValueError, "unknown keyword 'beta_1'; did you mean 'beta1'"),
        (
            "adam",
            {"epsilon": "hatt"},
            ValueError,
            "unknown option for axis epsilon 'hatt'; did you mean 'hat'",
        ),
        ("adam", {"beta1": 1.0}, ValueError, r"^beta1 = 1\.0 is out of range: .* in \[0, 1\)$"),
        ("adam", {"lr": "fast"}, TypeError, "lr = 'fast' is not a number"),
        ("adam", {"beta1": lambda t: 0.9}, TypeError, "beta1 = .* is not a number"),
        ("adam", {"lr": True}, TypeError, "lr = True is not a number"),
        (
            "adam",
            {"weight_decay": 0.1},
            ValueError,
            "does not read weight_decay .* weight_decay_form='coupled'",
        ),
        ("momentum", {"dampening": 0.1}, ValueError, "does not read dampening .* form='dampened'"),
        ("adam", {"on_nonfinite": "ignore"}, ValueError, "on_nonfinite = 'ignore' .* 'error' or 'skip'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(name, settings, error, message):
    with pytest.raises(error, match=message):
        ov.Optimizer(name, **settings)


def test_attributes_and_repr():
    optimizer = ov.Optimizer("adam", lr=0.01, epsilon="hat", beta2=0.99, on_nonfinite="skip")
    assert optimizer.rule == ov.rule("adam", epsilon="hat")
    assert optimizer.hyperparameters == {"lr": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8}
    text = "Optimizer('adam', lr=0.01, beta2=0.99, epsilon='hat', on_nonfinite='skip')"
    assert repr(optimizer) == text
    assert repr(eval(text, {"Optimizer": ov.Optimizer})) == text
    assert repr(ov.Optimizer("gd")) == "Optimizer('gd', lr=0.01)"
    assert (optimizer.t, optimizer.state) == (0, None)


def test_the_default_dialect_trains_without_sympy():
    code = (
        "import sys, numpy as np, optverify as ov\n"
        "p = [np.ones(2)]; o = ov.Optimizer('adam', lr=0.1)\n"
        "o.update(o.gradient_point(p), [np.ones(2)]); d = o.state_dict(); o.load_state_dict(d); repr(o)\n"
        "print('sympy' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_a_hyperparameter_without_default_must_be_given():
    from optverify.optimizers.dialects import checked
    from optverify.steps import adam

    with pytest.raises(ValueError, match="rule 'adam' has no default for eps: give a number >= 0"):
        checked(adam, {"lr": 0.1, "beta1": 0.9, "beta2": 0.999})
