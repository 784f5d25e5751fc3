"""check: what passes, and what the explanation of a departure says."""

import functools
import json
import pickle

import numpy as np
import pytest

import optverify as ov
from optverify.conformance.check import judge, named
from optverify.conformance.probes import bank
from optverify.conformance.verdict import Alternative
from tests.conformance import samples


def explanation(make, rule="adam", *arguments, **given):
    with pytest.raises(ov.ConformanceError) as caught:
        ov.check(make, rule, *arguments, **given)
    return str(caught.value), caught.value.verdict


def test_a_right_optimizer_passes_with_its_largest_error():
    verdict = ov.check(samples.MyAdam, "adam")
    assert verdict.ok
    assert verdict.status == "matches"
    assert 0 <= verdict.ulps < 20
    assert len(verdict.run) >= 18
    assert verdict.origin == {**verdict.origin, "lr": "its own", "beta2": "its own", "eps": "its own"}
    line = str(verdict).splitlines()[0]
    assert line.startswith(
        f"MyAdam is adam: {len(verdict.run)} of {len(verdict.run)} checks agree, largest error"
    )


def test_the_explanation_says_where_how_far_which_line_and_what_it_is():
    text, verdict = explanation(samples.HatAdam)
    departure = verdict.failed[0].departure
    head, *rows = text.splitlines()
    assert head.startswith("HatAdam departs from adam at update 1, parameter 0, coordinate [")
    said = {row[2:11].strip(): row[12:] for row in rows}
    assert said["check"] == "random: usual gradients"
    # an independent calculation of the first update, over lr
    g = bank()[0].steps[0].grads[0][departure.coordinate]
    right = -g / (abs(g) + 1e-3)
    wrong = -g / (abs(g) + 1e-3 / np.sqrt(1 - 0.999))
    assert float(said["expected"].split()[0]) == pytest.approx(right, rel=1e-12)
    assert float(said["got"].split()[0]) == pytest.approx(wrong, rel=1e-12)
    error = float(said["got"].split("relative error ")[1].split(",")[0])
    assert error == pytest.approx(abs(wrong - right) / abs(right), rel=1e-2)
    assert said["line"].startswith("theta_t = ")  # m and v are right
    assert said["it is"] == "adam with epsilon='hat', the one of Keras: every check agrees"
    assert said["equation"] == "optverify show adam --option epsilon=hat"
    assert ov.check(samples.HatAdam, "adam", epsilon="hat").ok
    assert ov.check(samples.HatAdam, "adam", "keras").ok


def test_the_first_line_whose_value_departs_is_a_state_where_a_state_is_wrong():
    class Halved(samples.MyAdam):
        def step(self, theta, g):
            self.t += 1
            self.m = self.b1 * self.m + (1 - self.b1) * g
            self.v = self.b2 * self.v + (1 - self.b2) * g * g / 2
            return theta - self.lr * self.direction()

    text, _ = explanation(Halved)
    assert "line      v_t = beta2*v_{t-1} + g_t**2*(1 - beta2)" in text


def test_no_dialect_matches():
    text, verdict = explanation(samples.Cubed)
    assert verdict.alternatives == ()
    assert "no dialect of adam with these values" in text
    assert "optverify show adam" in text


def test_the_wrong_way():
    assert "it goes the other way" in explanation(samples.WrongWay)[0]


def test_a_near_miss_is_let_pass_under_its_name():
    verdict = ov.check(samples.Float32Adam, "adam", beta2=0.999)
    assert verdict.status == "near miss"
    assert "float32" in str(verdict)


def test_numbers_in_float32_that_overflow_are_a_near_miss_too():
    verdict = ov.check(samples.Float32Norm, "adam")
    assert verdict.status == "near miss"
    (huge,) = (o for o in verdict.outcomes if o.check == "huge")
    assert huge.departure.step == 1
    assert "its numbers in float32 overflow" in huge.detail


def test_one_counter_for_all_parameters_is_no_departure_and_is_told():
    verdict = ov.check(samples.OneCounter, "adam")
    assert verdict.status == "matches"
    (late,) = (o for o in verdict.outcomes if o.check == "late_gradient")
    assert (late.status, late.detail) == ("matches", "t goes on for a parameter without a gradient")


def test_hyperparameters_that_are_given_come_first_and_a_contradiction_is_noted():
    text, verdict = explanation(samples.MyAdam, beta2=0.99)
    assert "it is     adam with beta2=0.999 (you said 0.99): every check agrees" in text
    assert verdict.origin["beta2"] == "given"
    assert "beta2=0.99 was given, and the optimizer says 0.999" in text


def test_what_it_does_not_show_can_be_given():
    assert ov.check(samples.Quiet, "gd", lr=0.5).ok
    text, _ = explanation(samples.Quiet, "gd", lr=0.25)
    assert "lr=0.25 (given)" in text
    assert "gd with lr=0.5 (you said 0.25): every check agrees" in text
    assert "gd with lr=0.5 (the default is 0.01): every check agrees" in explanation(samples.Quiet, "gd")[0]


def test_a_hyperparameter_that_is_not_the_one_it_shows():
    class Lies(samples.MyAdam):
        def step(self, theta, g):
            self.b2 = 0.99
            after = super().step(theta, g)
            self.b2 = 0.999
            return after

    class Fixed(samples.MyAdam):
        b2 = property(lambda self: 0.99, lambda self, value: None)

        def __init__(self, lr=0.1, b2=0.999):
            super().__init__(lr, b2=b2)
            self.beta2 = b2

    assert ov.check(Lies, "adam", beta2=0.99).ok
    text, _ = explanation(Fixed)
    assert "adam with beta2=0.99 (it says 0.999): every check agrees" in text


def test_a_partial_is_named_with_its_arguments():
    make = functools.partial(samples.MyAdam, lr=0.5)
    assert named(make) == "MyAdam(lr=0.5)"
    assert ov.check(make, "adam").values["lr"] == 0.5
    assert named(lambda: None) == "the optimizer"


def test_an_exception_is_a_verdict():
    text, verdict = explanation(samples.Stops)
    assert verdict.status == "raises"
    assert text.startswith(
        "Stops stops in check zero_gradient: ZeroDivisionError: nothing to divide by, in update 1"
    )
    assert "it is " not in text


def test_an_optimizer_that_cannot_be_made_is_a_verdict():
    text, verdict = explanation(samples.NotMade)
    assert verdict.status == "raises"
    assert "raises RuntimeError: no accelerator here (" in text
    assert "samples.py, line " in text


def test_numbers_that_are_not_finite():
    text, verdict = explanation(samples.Nan, eps=1e-8)
    assert verdict.failed
    assert "not finite" in str(judge(samples.Nan, "adam", only=["zero_gradient"]))
    json.dumps(verdict.to_dict(), allow_nan=False)
    assert text


def test_state_that_outlives_a_run_is_found():
    text, verdict = explanation(samples.Shared)
    assert any(o.check == "reproducible" and o.status == "fails" for o in verdict.outcomes)
    assert "reproducible" in text


def test_gradients_that_are_written_into_are_noted_and_fail_a_check_of_their_own():
    verdict = ov.check(samples.Spoils, "adam")
    assert any("writes into the gradients" in note for note in verdict.notes)
    alone = judge(samples.Spoils, "adam", only=["gradients_untouched"])
    assert alone.status == "fails"
    assert str(alone).startswith("Spoils fails check gradients_untouched: it writes into the gradients")


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        (["adma"], {}, "unknown rule 'adma'; did you mean 'adam'"),
        (["adam", "troch"], {}, "did you mean 'torch'"),
        (["adam"], {"epsilon": "hatt"}, "did you mean 'hat'"),
        (["adam"], {"beta_2": 0.9}, "did you mean 'beta2'"),
        (["adam"], {"weight_decay": 0.1}, "does not read weight_decay in this dialect; it does with"),
        (["adam"], {"beta2": 2.0}, "beta2"),
        (["gd"], {"only": ["randm"]}, "unknown check 'randm'; did you mean 'random'"),
    ],
)  # fmt: skip
def test_wrong_questions(arguments, given, message):
    with pytest.raises(ValueError, match=message):
        judge(samples.MyAdam, *arguments, **given)


def test_nothing_to_drive_is_a_type_error_with_a_way_out():
    with pytest.raises(TypeError, match="adapter="):
        ov.check(samples.Nothing, "adam")


def test_verdicts_and_errors_travel_between_processes():
    _, verdict = explanation(samples.HatAdam)
    again = pickle.loads(pickle.dumps(ov.ConformanceError(verdict)))
    assert str(again) == str(ov.ConformanceError(verdict))
    facts = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    assert facts["verdict"] == "departs"
    assert facts["alternatives"][0]["options"] == {"epsilon": "hat"}
    assert facts["checks"][0]["departure"]["update"] == 1


def test_booleans_are_spelled_as_the_command_line_takes_them():
    assert Alternative("adam", {"maximize": True}).command == "optverify show adam --option maximize=true"


RULES = ["adam", "momentum", "lion", "adafactor", "shampoo", "prodigy", "sam"]


@pytest.mark.parametrize("rule", RULES)
def test_our_own_optimizer_is_the_rule(rule):
    lr = 0.01
    given = {h.name: 0.5 for h in ov.rule(rule).hyperparameters if h.default is None and h.name != "lr"}
    has_rate = any(h.name == "lr" for h in ov.rule(rule).hyperparameters)
    verdict = judge(lambda: ov.Optimizer(rule, **given, **({"lr": lr} if has_rate else {})), rule)
    assert verdict.ok, str(verdict)


# ---- what comes back is no parameter -------------------------------------------------------------------


def returning(made):
    """A gradient descent of which `made` makes something else."""
    return lambda: lambda theta, grad: made(theta - 0.1 * grad)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda x: "abc", "it returns str, no array of numbers"),
        (lambda x: x.astype(object), "it returns ndarray of dtype object, no array of numbers"),
        (lambda x: [x, [1.0, 2.0]], "it returns list, no array of numbers"),
        (lambda x: {"theta": x}, "it returns dict, no array of numbers"),
        (lambda x: x.astype(complex), "it returns complex128 for float64 parameters"),
        (lambda x: x.astype(np.float16), "it returns float16 for float64 parameters"),
        (lambda x: x.astype(int), "it returns int64 for float64 parameters"),
        (lambda x: x > 0, "it returns bool for float64 parameters"),
        (np.sum, "it gives an array of shape () for a parameter of shape (2, 3)"),
        (np.ravel, "it gives an array of shape (6,) for a parameter of shape (2, 3)"),
    ],
)
def test_what_is_no_parameter_any_more_is_a_verdict(made, said):
    verdict = judge(returning(made), "gd", lr=0.1)
    assert not verdict.ok
    assert all(o.status in {"raises", "matches", "not applicable"} for o in verdict.outcomes)
    assert said in str(verdict)
    ov.diagnose(returning(made))  # nor does it raise


def test_a_number_that_becomes_a_vector_is_a_verdict():
    verdict = judge(returning(np.atleast_1d), "gd", lr=0.1, only=["several_shapes"])
    assert "it gives an array of shape (1,) for a parameter of shape ()" in str(verdict)
    ov.diagnose(returning(np.atleast_1d))  # nor does it raise


def test_float32_for_float64_is_checked_in_float32_and_told():
    verdict = ov.check(returning(np.float32), "gd", lr=0.1)
    assert verdict.ok
    assert any("it returns float32 for float64 parameters" in note for note in verdict.notes)


def test_an_optimizer_with_a_rate_of_zero_never_moves():
    verdict = judge(functools.partial(samples.MyAdam, lr=0.0), "adam")
    assert verdict.status == "fails"
    assert "it never moves: lr is 0" in str(verdict)


def test_an_error_of_which_the_text_cannot_be_had_is_a_verdict():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    def step(theta, grad):
        raise MuteError if theta.ndim else ValueError("\ud800")

    assert "MuteError: its text cannot be shown" in str(judge(lambda: step, "gd", lr=0.1))
