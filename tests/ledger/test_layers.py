"""Golden values and committed steps: each catches a broken rule and says where; equal rules pass."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from optverify.backends.numpy import numpy_module
from optverify.language import theta
from optverify.ledger.layers import committed, compiled, golden, golden_catches, steps_catch
from optverify.rules import registry, rule
from optverify.views.mutants import mutants

LAYERS = [golden_catches, steps_catch]


def mutant(name, description):
    return next(m.rule for m in mutants(rule(name)) if m.description == description)


def with_last_line(name, change):
    """The rule with the line of theta changed."""
    base = rule(name)
    lines = tuple((lhs, change(rhs) if lhs == theta.now else rhs) for lhs, rhs in base.assignments)
    return replace(base, assignments=lines)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", registry.names())
def test_no_rule_is_blamed_as_it_is(name, layer):
    assert layer(rule(name)) is None


@pytest.mark.parametrize("name", registry.names())
def test_each_layer_catches_a_theta_that_is_off_by_a_millionth(name):
    broken = with_last_line(name, lambda e: e + sp.Rational(1, 10**6))
    assert golden_catches(broken).startswith("golden values: after update 1, theta[0")
    assert steps_catch(broken).startswith("committed steps: after update 1, theta[0")


def test_the_sentence_names_the_first_departure_and_both_numbers():
    """A bias that is corrected a step late: 1 - 0.8^2 in place of 1 - 0.8 at the first update."""
    late = mutant("adam", "m_hat_t = m_t/(1 - beta1**(t + 1))")
    run = golden()["adam"][0]
    wanted = run.expected["theta"][0, 0]
    right = run.start[0] - wanted
    before, found = golden_catches(late).removesuffix(f", not {wanted:.17g}").split(" is ")
    assert before == "golden values: after update 1, theta[0]"
    assert run.start[0] - float(found) == pytest.approx(right * (1 - 0.8) / (1 - 0.8**2), rel=1e-12)


def test_a_state_that_no_parameter_shows_is_seen_by_the_steps_alone():
    heavier = mutant("signum", "m_t = momentum*m_{t-1} + g_t")
    assert golden_catches(heavier) is None
    assert steps_catch(heavier).startswith("committed steps: after update 1, m[0] is ")


def test_where_a_gradient_is_taken_is_compared():
    for layer in LAYERS:
        assert " is taken at theta[0] = " in layer(mutant("nesterov", "gradient at theta_{t-1}"))


def test_a_number_among_the_states_is_named_without_a_place():
    assert ", r is " in steps_catch(mutant("prodigy", "r_t = sqrt(beta2)*r_{t-1}"))


def test_what_a_slip_raises_is_told():
    late = mutant("adabound", "eta_u_t = final_lr*(1 + 1/(gamma*(t - 1)))")
    for layer in LAYERS:
        assert "raises ZeroDivisionError: " in layer(late)


@pytest.mark.parametrize("layer", LAYERS)
def test_the_same_recurrence_written_otherwise_is_not_blamed(layer):
    assert layer(with_last_line("adam", sp.expand)) is None
    assert layer(with_last_line("qhm", sp.expand)) is None
    assert layer(mutant("madgrad", "z_t = -s_t/(eps + nu_t**(1/3)) + x0_{t-1}")) is None


@pytest.mark.parametrize("layer", LAYERS)
def test_another_dialect_is_another_rule(layer):
    assert layer(rule("adam", epsilon="hat"))
    assert layer(rule("momentum", form="ema"))


@pytest.mark.parametrize("layer", LAYERS)
def test_a_rule_without_golden_values_is_told_where_to_put_them(layer):
    with pytest.raises(ValueError, match="no golden values for rule 'mine': add a loop to tests/golden"):
        layer(replace(rule("adam"), name="mine"))


@pytest.mark.parametrize("name", ["adam", "prodigy", "soap", "rprop"])
def test_compiled_equations_are_the_step_module_to_the_last_bit(name):
    module, steps = numpy_module(rule(name)), compiled(rule(name))
    assert all(line.strip() in module.source for line in steps.source.splitlines() if " = " in line)
    for run in committed(name):
        with np.errstate(all="ignore"):
            found = run.by(steps)
        for result, wanted in run.expected.items():
            np.testing.assert_array_equal(found[result], wanted)
