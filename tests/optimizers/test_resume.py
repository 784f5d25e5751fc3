"""Stop and resume: bit by bit the same run; plain data; and nothing is loaded that does not fit."""

import copy
import json
import pickle

import numpy as np
import pytest

import optverify as ov
from optverify.rules import registry


def given(rule):
    """A value for what has no default: the loss, say."""
    return {h.name: 0.7 for h in rule.hyperparameters if h.default is None}


WITH_INPUTS = [name for name in registry.names() if registry.get(name).inputs]
"""Rules whose update needs more arrays than a gradient: their own tests resume them."""
DIALECTS = [
    *((name, given(registry.get(name))) for name in registry.names() if name not in WITH_INPUTS),
    ("adam", {"epsilon": "hat", "amsgrad": "v", "weight_decay_form": "decoupled", "weight_decay": 0.1}),
    ("rmsprop", {"centered": True, "buffer": "lr_outside", "initial_accumulator": 0.5}),
    ("momentum", {"first_buffer": "gradient", "form": "dampened", "dampening": 0.5}),
    ("nesterov", {"nesterov": "rewritten"}),
]
SCHEDULES = [
    lambda: 0.05,
    lambda: ov.schedule("cosine", lr=0.1, total=12, after="reflect"),
    lambda: ov.schedule("linear_warmup", lr=0.1, warmup=4).then(
        ov.schedule("exponential", lr=0.1, gamma=0.9)
    ),
    lambda: ov.schedule("linear_warmup", lr=1.0, warmup=3) * ov.schedule("constant", lr=0.2),
]

RUNS = [
    pytest.param(*dialect, lr, id=f"{kind}-{dialect[0]}-{i}")
    for kind, lr in zip(["number", "cosine", "joined", "product"], SCHEDULES, strict=True)
    for i, dialect in enumerate(DIALECTS)
    # FTRL divides by lr, Rprop starts from it; these two schedules start from 0
    if not (dialect[0] in ("ftrl", "rprop") and kind in ("joined", "product"))
]


def start(matrices=False):
    """An array of each kind; all of them matrices for a rule that needs that."""
    rng = np.random.default_rng(0)
    shaped = np.atleast_2d if matrices else np.asarray
    return {
        "w": [rng.standard_normal((4, 3)).astype(np.float32), shaped(rng.standard_normal(3))],
        "s": (shaped(0.5),),
    }


def gradient(params, t):
    """Of a made-up objective that changes with t."""
    w, b = params["w"]
    return {"w": [w * (1 + t % 3), np.cos(b + t)], "s": (params["s"][0] ** 3 - t,)}


def run(optimizer, params, first, last):
    for t in range(first, last):
        optimizer.update(params, gradient(optimizer.gradient_point(params), t))


def arrays(params):
    return [*params["w"], *params["s"]]


@pytest.mark.parametrize(("name", "options", "lr"), RUNS)
@pytest.mark.parametrize("way", ["itself", "pickle", "Optimizer pickled", "deepcopy"])
def test_lr_14_a_resumed_run_is_the_same_run_to_the_last_bit(name, options, lr, way):
    straight = ov.Optimizer(name, lr=lr(), **options)
    params = start(straight.rule.needs_matrix)
    run(straight, params, 0, 5)
    saved, at = straight.state_dict(), copy.deepcopy(params)
    if way in ("itself", "pickle"):
        axes = {k: v for k, v in options.items() if k in straight.rule.options}
        resumed = ov.Optimizer(name, **axes, **given(straight.rule))
        resumed.load_state_dict(pickle.loads(pickle.dumps(saved)) if way == "pickle" else saved)
    elif way == "deepcopy":
        resumed = copy.deepcopy(straight)
    else:
        resumed = pickle.loads(pickle.dumps(straight))
    run(straight, params, 5, 11)
    run(resumed, at, 5, 11)
    for x, y in zip(arrays(at), arrays(params), strict=True):
        assert x.dtype == y.dtype
        assert np.array_equal(x, y)
    assert resumed.t == straight.t == resumed.state["s"][0].t == 11
    assert repr(resumed) == repr(straight)


def test_state_dict_is_plain_data_and_json_but_for_its_arrays():
    optimizer, params = ov.Optimizer("adam", lr=ov.schedule("cosine", lr=0.1, total=9), beta1=0.5), start()
    run(optimizer, params, 0, 2)
    saved = optimizer.state_dict()

    def check(data):
        if type(data) is dict:
            return {k: check(v) for k, v in data.items()}
        if type(data) is list:
            return [check(v) for v in data]
        if type(data) is np.ndarray:
            return data.tolist()
        assert type(data) in (str, int, float, bool, type(None))
        return data

    plain = json.loads(json.dumps(check(saved)))
    assert plain["rule"] == "adam"
    assert plain["t"] == 2
    assert plain["hyperparameters"]["beta1"] == 0.5
    assert plain["hyperparameters"]["lr"]["schedule"] == "cosine"
    assert plain["state"]["m"]["s"] == [optimizer.state["s"][0].m.tolist()]
    header = {**saved, "state": None, "t": 0}
    ov.Optimizer("adam").load_state_dict(json.loads(json.dumps(header)))


def test_the_arrays_are_copied_both_ways():
    optimizer, params = ov.Optimizer("momentum"), start()
    run(optimizer, params, 0, 2)
    saved = optimizer.state_dict()
    kept = saved["state"]["v"]["w"][0].copy()
    run(optimizer, params, 2, 3)
    assert np.array_equal(saved["state"]["v"]["w"][0], kept)
    other = ov.Optimizer("momentum")
    other.load_state_dict(saved)
    run(other, start(), 2, 3)
    assert np.array_equal(saved["state"]["v"]["w"][0], kept)


def test_before_the_first_update_there_is_no_state_to_save():
    saved = ov.Optimizer("adam", lr=0.5).state_dict()
    assert (saved["t"], saved["state"]) == (0, None)
    other = ov.Optimizer("adam")
    other.load_state_dict(saved)
    assert (other.lr, other.t, other.state) == (0.5, 0, None)


def test_a_function_of_ones_own_cannot_be_written_down():
    optimizer = ov.Optimizer("gd", lr=lambda t: 0.1)
    with pytest.raises(TypeError, match="function of your own, which cannot be written down: use a schedule"):
        optimizer.state_dict()


def saved_adam():
    optimizer, params = ov.Optimizer("adam", lr=0.1), start()
    run(optimizer, params, 0, 2)
    return optimizer.state_dict()


def put(*path_and_value):
    *path, last, value = path_and_value

    def change(data):
        node = data
        for key in path:
            node = node[key]
        node[last] = value

    return change


def drop(*path):
    *way, last = path

    def change(data):
        node = data
        for key in way:
            node = node[key]
        del node[last]

    return change


BAD = [
    *((drop(part), ValueError, f"the state_dict has no '{part}'")
      for part in ("version", "rule", "options", "hyperparameters", "t", "state")),
    (put("extra", 1), ValueError, "has 'extra', which state_dict.. does not write"),
    (put("version", 2), ValueError, "is of version 2; this release reads 1"),
    (put("rule", "rmsprop"), ValueError, "is of rule 'rmsprop', this Optimizer is 'adam'"),
    (put("options", "epsilon", "hat"), ValueError, "is of the dialect .*'hat'"),
    (put("options", None), ValueError, "is of the dialect None"),
    (put("t", -1), ValueError, "t = -1 of the state_dict is not a number of updates"),
    (put("t", 1.0), ValueError, "t = 1.0 of the state_dict is not a number of updates"),
    (put("t", True), ValueError, "t = True of the state_dict is not a number of updates"),
    (put("hyperparameters", "beta1", 1.0), ValueError, r"beta1 = 1\.0 is out of range"),
    (put("hyperparameters", "lr", "0.1"), TypeError, "lr = '0.1' is not a number"),
    (put("hyperparameters", "lr", {"schedule": "cosin", "arguments": {}}), ValueError,
     "unknown schedule 'cosin'"),
    (put("hyperparameters", None), ValueError, "hyperparameters of the state_dict are None"),
    (drop("hyperparameters", "eps"), ValueError,
     "hyperparameters of the state_dict are .*: they must be lr, beta1"),
    (put("hyperparameters", "rho", 0.9), ValueError, "hyperparameters of the state_dict are"),
    (put("state", None), ValueError, "has made 2 updates but holds no state"),
    (put("state", []), ValueError, r"state of the state_dict holds list: it must hold \['m', 'v'\]"),
    (drop("state", "v"), ValueError, r"state of the state_dict holds \['m'\]: it must hold \['m', 'v'\]"),
    (drop("state", "v", "s"), ValueError, r'^v\["s"\] is missing: m\["s"\] has nothing to go with'),
    (put("state", "v", "w", [np.ones(3)]), ValueError, r'^v\["w"\]\[1\] is missing'),
    (put("state", "m", "w", 1, [1.0, 2.0, 3.0]), TypeError,
     r'^v\["w"\]\[1\] is of type ndarray but m\["w"\]\[1\] is of type list'),
    (put("state", "v", "w", 1, "zeros"), TypeError,
     r'^v\["w"\]\[1\] of the state_dict is of type str: it must be an array'),
    (put("state", "v", "w", 1, np.array([1, 2, 3])), TypeError, r"of the state_dict is dtype int64"),
    (put("state", "v", "w", 1, np.ones(2)), ValueError, r'^v\["w"\]\[1\] of the state_dict has shape \(2,\)'),
    (put("state", "v", "w", 1, np.ones(3, "f")), ValueError, "has shape .3,., dtype float32 but"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "message"), BAD)
@pytest.mark.parametrize("updates", [0, 1])
def test_a_state_dict_that_does_not_fit_is_refused_and_changes_nothing(change, error, message, updates):
    data = saved_adam()
    change(data)
    optimizer, params = ov.Optimizer("adam", lr=0.7), start()
    run(optimizer, params, 0, updates)
    before, state = optimizer.state_dict(), optimizer.state
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(data)
    assert optimizer.state is state
    assert (optimizer.lr, optimizer.t) == (0.7, before["t"])


def test_a_state_of_other_parameters_is_refused_now_or_at_the_next_update():
    data = saved_adam()
    present = ov.Optimizer("adam")
    other = {"w": [np.ones((4, 3), np.float32), np.ones(3)], "s": (np.ones(2),)}
    present.update(other, other)
    with pytest.raises(
        ValueError, match=r'^state\["s"\]\[0\] of the state_dict has shape \(\), dtype float64 but'
    ):
        present.load_state_dict(data)
    smaller = ov.Optimizer("adam")
    smaller.update({"w": [np.ones((4, 3), "f"), np.ones(3)]}, {"w": [np.ones((4, 3)), np.ones(3)]})
    with pytest.raises(ValueError, match=r'^state\["s"\] is one too many: present state has no such entry'):
        smaller.load_state_dict(data)
    fresh = ov.Optimizer("adam")
    fresh.load_state_dict(data)
    with pytest.raises(
        ValueError, match=r'^params\["s"\]\[0\] has shape \(2,\), dtype float64 but its state m'
    ):
        fresh.update(other, other)


def test_what_is_no_state_dict_is_refused():
    with pytest.raises(TypeError, match="data is of type list, not a state_dict"):
        ov.Optimizer("adam").load_state_dict([])
