"""The diagnosis: dialects and constants recovered, faults named, and nobody accused who is right."""

import random

import numpy as np
import pytest

from optverify.backends.compiled import compiled
from optverify.conformance.candidates import bases
from optverify.conformance.diagnose import diagnose
from optverify.optimizers import Optimizer
from optverify.rules import rule
from optverify.views.mutants import mutants

CLASSICS = ("momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam")


class Box:
    """Any rule, a mutant too, as a plain loop over one parameter that shows its constants."""

    def __init__(self, of, values, shown=None):
        self.__dict__.update(values if shown is None else shown)
        self.steps, self.values, self.state, self.count = compiled(of), dict(values), None, 0
        self.lr = values.get("lr", 1.0)

    def step(self, theta, g):
        self.count += 1
        values = {n: self.lr if n == "lr" else v for n, v in self.values.items()}
        if self.state is None:
            self.state = self.steps.start(np.array(theta), values)
        with np.errstate(all="ignore"):
            self.state = self.steps.update({**self.state, "theta": np.array(theta)}, g, self.count, values)
        return self.state["theta"]


def boxed(of, shown=None, **more):
    values = {h.name: h.default for h in of.hyperparameters if h.default is not None} | more
    return lambda: Box(of, values, shown)


# ---- dialects ----------------------------------------------------------------------------------------------


def sampled(names, seed=5):
    """A dialect of each rule, away from the default where there is one."""
    rng = random.Random(seed)
    for name in names:
        own = bases(name)
        yield name, dict(rng.choice(own[1:] or own).options)


RULES = (
    "adam",
    "nadam",
    "adabelief",
    "rmsprop",
    "adagrad",
    "momentum",
    "nesterov",
    "adamax",
    "radam",
    "asgd",
)


@pytest.mark.parametrize(
    ("name", "options"), list(sampled(RULES)), ids=lambda x: x if isinstance(x, str) else ""
)
def test_a_dialect_is_recovered_with_its_constants(name, options):
    """By a plain loop, with constants of its own."""
    of = rule(name, **options)
    odd = {"lr": 0.03, "beta1": 0.85, "beta2": 0.98, "eps": 1e-4, "momentum": 0.8, "rho": 0.93,
           "dampening": 0.3, "lr_decay": 0.05, "initial_accumulator": 0.2}  # fmt: skip
    chosen = {n: x for n, x in odd.items() if n in {h.name for h in of.hyperparameters}}
    found = diagnose(boxed(of, **chosen))
    assert found.ok, str(found)
    same = [(o.rule, {**found.options, **o.options}) for o in found.others if o.rule == name]
    same.append((found.rule, found.options))
    assert any(n == name and rule(n, **o).options == of.options for n, o in same), str(found)
    if found.rule == name:
        for n, x in chosen.items():
            assert found.values[n] == pytest.approx(x, rel=1e-9)


@pytest.mark.parametrize("name", ["lamb", "lars", "lion", "gd", "adadelta"])
def test_our_own_optimizers_are_what_they_are(name):
    found = diagnose(lambda: Optimizer(name, lr=0.02))
    assert (found.ok, found.rule) == (True, name), str(found)


def test_constants_that_are_not_shown_are_fitted():
    found = diagnose(boxed(rule("adam"), shown={}, lr=0.02, beta1=0.8, beta2=0.99, eps=1e-5))
    assert (found.ok, found.rule) == (True, "adam"), str(found)
    assert found.values == pytest.approx({"lr": 0.02, "beta1": 0.8, "beta2": 0.99, "eps": 1e-5})


def test_a_constant_that_is_not_the_one_passed_is_remarked():
    of = rule("adam")
    passed = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    found = diagnose(boxed(of, shown=passed, **{**passed, "beta2": 0.99}))
    assert found.rule == "adam"
    assert "beta2 = 0.99 (you passed 0.999)" in found.sentence


def test_what_cannot_be_told_apart_is_said_with_the_reason():
    found = diagnose(boxed(rule("momentum", form="dampened"), lr=0.1, momentum=0.9, dampening=0.0))
    assert found.ok
    assert found.others
    assert all(o.why for o in found.others)


def test_a_box_of_no_rule_has_a_nearest_one():
    class Strange:
        lr = 0.1

        def step(self, theta, g):
            return theta - self.lr * np.arctan(g) ** 3 * (1 + 0.1 * np.cos(theta))

    found = diagnose(Strange)
    assert (found.kind, found.ok) == ("unknown", False)
    assert found.rule is not None
    assert "nearest" in found.sentence
    assert found.seconds < 60


@pytest.mark.parametrize("form", ["decoupled", "decoupled_without_lr", "coupled", "after_step"])
def test_every_form_of_decay(form):
    found = diagnose(boxed(rule("adam", weight_decay_form=form), lr=0.05, weight_decay=0.1))
    assert found.ok, str(found)
    assert found.options == {"weight_decay_form": form}
    assert found.values["weight_decay"] == pytest.approx(0.1)


# ---- faults ------------------------------------------------------------------------------------------------


def drawn(name, count, seed=3):
    """Single slips in the lines of a rule; without those that change nothing of theta."""
    of = rule(name)
    own = [m for m in mutants(of) if not m.description.startswith("gradient at")]
    return random.Random(seed).sample(own, count)


@pytest.mark.parametrize("name", CLASSICS)
def test_a_single_slip_is_named(name):
    """As the line that was changed, or as something that gives the same updates."""
    for mutant in drawn(name, 2):
        found = diagnose(boxed(mutant.rule))
        assert found.kind != "unknown", f"{mutant.description}\n{found}"


def test_state_that_outlives_the_optimizer():
    kept = {}

    class Shared:
        def step(self, theta, g):
            kept[g.shape] = 0.9 * kept.get(g.shape, 0) + g
            return theta - 0.1 * kept[g.shape]

    found = diagnose(Shared)
    assert [f.kind for f in found.faults] == ["not reproducible"]


def test_what_returns_no_array_is_a_verdict():
    class Pair:
        def step(self, theta, g):
            return [theta, 1.0]

    assert not diagnose(Pair).ok


# ---- which way it goes -------------------------------------------------------------------------------------


class Uphill:
    """theta += lr g, asked for or not."""

    def __init__(self, lr=0.1, **asked):
        self.lr = lr
        self.__dict__.update(asked)

    def update(self, params, grads):
        for p, g in zip(params, grads, strict=True):
            p += self.lr * g


def test_going_uphill_is_a_fault_unless_it_was_asked_for():
    assert [f.kind for f in diagnose(Uphill).faults] == ["goes uphill"]
    for make in (
        lambda: Uphill(maximize=True),
        lambda: Optimizer("gd", lr=0.1, maximize=True),
    ):
        found = diagnose(make)
        assert found.ok, str(found)
        assert found.options == {"maximize": True}


class Later:
    """Gradient descent that takes the root of what is above a million."""

    def __init__(self, lr=0.1):
        self.lr = lr

    def update(self, params, grads):
        for p, g in zip(params, grads, strict=True):
            p -= self.lr * np.where(np.abs(g) > 1e6, np.sqrt(np.abs(g)), g)


def test_what_departs_late_for_no_known_reason_is_unknown_and_no_fault():
    found = diagnose(Later)
    assert (found.kind, found.rule, found.faults) == ("unknown", "gd", ())
    assert "departs later" in str(found)
    assert found.departure is not None


# ---- constants that nobody passed --------------------------------------------------------------------------


def hidden(rule, **constants):
    """An optimizer that shows none of its constants."""
    return lambda: _Hidden(rule, constants)


class _Hidden:
    def __init__(self, rule, constants):
        self.update = Optimizer(rule, **constants).update


@pytest.mark.parametrize(
    ("rule", "constants"),
    [
        ("adam", {"lr": 0.02, "beta1": 0.7, "beta2": 0.9, "eps": 0.01}),
        ("novograd", {"lr": 0.01, "beta1": 0.9, "beta2": 0.25, "eps": 1e-6, "weight_decay_form": "none"}),
        (
            "lion",
            {"lr": 1e-3, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1, "weight_decay_form": "decoupled"},
        ),
    ],
)
def test_round_constants_win(rule, constants):
    found = diagnose(hidden(rule, **constants))
    assert found.ok, str(found)
    numbers = {n: v for n, v in constants.items() if isinstance(v, float)}
    assert found.rule == rule
    assert {n: found.values[n] for n in numbers} == numbers
