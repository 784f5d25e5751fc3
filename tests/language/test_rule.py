"""A Rule: dialects, what it declares, and the mistakes it refuses."""

import pickle

import pytest
import sympy as sp

from optverify.language import (
    Axis,
    Exclusion,
    Hyperparameter,
    Source,
    State,
    g,
    grad,
    gradient,
    lr,
    maximize,
    momentum,
    positive,
    rule,
    t,
    theta,
    unit,
    weight_decay_form,
)
from optverify.rules import rule as find

PAPER = Source("Nobody", 2000, "A rule for tests", "equation (1)")
v = State("v", meaning="velocity")
FLAG = Axis("flag", "On?", {"off": "no", "on": "yes"})
LR = Hyperparameter(lr, r"\alpha", None, positive, "step size")
MOMENTUM = Hyperparameter(momentum, r"\mu", 0.9, unit, "momentum")


def make(write=None, **changes):
    """A small rule; `write` or a field replaced."""

    def default(d):
        """A sentence."""
        yield g[t], gradient(d, at=theta[t - 1])
        if d.flag == "on":
            yield v[t], momentum * v[t - 1] + g[t]
        yield theta[t], theta[t - 1] - lr * g[t]

    fields = {
        "title": "Toy", "sources": [PAPER], "hyperparameters": [LR, MOMENTUM], "states": [v],
        "axes": [FLAG, weight_decay_form, maximize],
        "excluded": [Exclusion({"flag": "on", "maximize": True}, "a test says so")],
    }  # fmt: skip
    return rule("toy", **{**fields, **changes})(write or default)


def test_a_dialect_lists_only_what_it_uses():
    toy = make()
    assert [h.name for h in toy.hyperparameters] == ["lr"]
    assert toy.states == ()
    on = toy.dialect(flag="on")
    assert [h.name for h in on.hyperparameters] == ["lr", "momentum"]
    assert [s.name for s in on.states] == ["v"]
    assert on.changed_options == {"flag": "on"}


def test_dialects_are_all_choices_but_the_excluded():
    toy = make()
    all_of_them = list(toy.dialects())
    assert len(all_of_them) == 2 * 5 * 2 - 5
    assert all_of_them[0] == toy
    assert len({tuple(d.options.items()) for d in all_of_them}) == len(all_of_them)


def test_equal_rules_are_equal_and_dialects_are_not():
    assert find("adam") == find("adam").dialect()
    assert find("adam", epsilon="hat") != find("adam")
    assert hash(find("adam")) == hash(find("adam").dialect())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flagg": "on"}, r"rule 'toy': unknown axis 'flagg'; did you mean 'flag'\?"),
        ({"flag": "onn"}, r"unknown option for axis flag 'onn'; did you mean 'on'\? known: off, on"),
        ({"flag": True}, "unknown option for axis flag 'True'"),
        ({"maximize": "perhaps"}, "unknown option for axis maximize 'perhaps'"),
        ({"maximize": 1}, "unknown option for axis maximize '1'"),
        ({"flag": "on", "maximize": True}, "no dialect with flag='on', maximize=True: a test says so"),
    ],
)
def test_unknown_choices_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        make().dialect(**options)


def test_the_command_line_may_write_booleans_as_words():
    assert make().dialect(maximize="true").options["maximize"] is True


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "rule 'toy' has no default for lr: give a value"),
        ({"lr": 0}, "lr = 0 is out of range"),
        ({"l_r": 1}, r"rule 'toy': unknown hyperparameter 'l_r'; did you mean 'lr'\?"),
        ({"lr": 1, "momentum": 0.5}, "unknown hyperparameter 'momentum'"),  # this dialect does not read it
    ],
)
def test_hyperparameters_are_checked(values, message):
    with pytest.raises(ValueError, match=message):
        make().check(values)


def test_a_rule_file_that_reads_what_it_does_not_define_is_refused():
    def stray(d):
        """A sentence."""
        yield g[t], gradient(d, at=theta[t - 1])
        yield theta[t], theta[t - 1] - lr * v[t]

    with pytest.raises(ValueError, match=r"rule 'toy': theta_t reads v_t, which nothing before it defines"):
        make(stray)


def test_a_rule_must_move_theta_and_begin_with_the_gradient():
    def lazy(d):
        """A sentence."""
        yield g[t], gradient(d, at=theta[t - 1])

    def headless(d):
        """A sentence."""
        yield theta[t], theta[t - 1] - lr * grad

    with pytest.raises(ValueError, match="never assigns"):
        make(lazy)
    with pytest.raises(ValueError, match="must begin with"):
        make(headless)


def test_a_rule_needs_a_source():
    with pytest.raises(ValueError, match="needs a source"):
        make(sources=[])


def test_an_axis_the_rule_lacks_is_named():
    def wrong(d):
        """A sentence."""
        yield g[t], gradient(d, at=theta[t - 1]) * (2 if d.epsilon == "hat" else 1)
        yield theta[t], theta[t - 1] - lr * g[t]

    with pytest.raises(AttributeError, match="this rule has no axis 'epsilon'; it has flag"):
        make(wrong)


def test_states_have_a_before_and_a_now_only():
    with pytest.raises(IndexError, match=r"write v\[t\] or \[t-1\]"):
        v[t + 1]
    assert v[t - 1] == v.before != v.now == v[t]


def test_a_dialect_may_set_where_a_state_starts_and_the_next_one_starts_afresh():
    filled = find("yogi", first_moment="accumulator")
    names = {d: str(d.state("m").initial) for d in (find("yogi"), filled, filled.dialect())}
    assert list(names.values()) == ["0", "initial_accumulator"]
    assert filled.dialect() == find("yogi")


def test_equations_are_sympy_equations():
    equations = find("adam").equations
    assert all(isinstance(e, sp.Eq) for e in equations)
    assert [str(e.lhs) for e in equations] == ["g_t", "m_t", "v_t", "m_hat_t", "v_hat_t", "theta_t"]


def test_symbols_survive_pickling():
    e = find("adam").assignments[-1][1]
    assert pickle.loads(pickle.dumps(e)) == e


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [
        ({}, grad, theta[t - 1] - lr * g[t]),
        ({"maximize": True}, -grad, theta[t - 1] - lr * g[t]),
        (
            {"weight_decay_form": "coupled", "maximize": True},
            -grad + sp.Symbol("weight_decay", nonnegative=True) * theta[t - 1],
            theta[t - 1] - lr * g[t],
        ),
        (
            {"weight_decay_form": "decoupled"},
            grad,
            (1 - lr * sp.Symbol("weight_decay", nonnegative=True)) * theta[t - 1] - lr * g[t],
        ),
        (
            {"weight_decay_form": "after_step"},
            grad,
            (1 - lr * sp.Symbol("weight_decay", nonnegative=True)) * (theta[t - 1] - lr * g[t]),
        ),
    ],
)
def test_what_decay_and_direction_write(options, first, last):
    assignments = find("gd", **options).assignments
    assert assignments[0][1] == first
    assert assignments[-1][1] == last
