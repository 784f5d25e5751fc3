"""Sweeps rank the rules by their best learning rate, and the advice follows from what was measured."""

import math
from dataclasses import replace

import pytest

from optverify.report import advice, runs
from optverify.report.runs import (
    RATES,
    RULES,
    Counterexample,
    Runs,
    Scales,
    Sweep,
    last,
    relative,
    two_digits,
    words,
)
from optverify.training import minimize

VERDICTS = dict.fromkeys(
    ("gd.convex.rate", "gd.diverges", "gd.quadratic.stability", "gd.minibatch.unbiased"), "holds"
)


def a_sweep(name, order):
    """Rule i of the order reaches 10^i at the third learning rate, more elsewhere, diverges at the last."""
    reached = {}
    for i, rule in enumerate(order):
        values = [10.0**i * (1 + abs(k - 2)) for k in range(len(RATES))]
        reached[rule] = dict(zip(RATES, [*values[:-1], math.inf], strict=True))
    return Sweep(name, name.title(), "", "f", reached, target=3.0)


ORDER = ("adam", "nesterov", "momentum", "adagrad", "rmsprop", "gd")


@pytest.fixture
def made():
    flat = {
        rule: [0.1, 0.1, 0.1] if rule in ("adam", "rmsprop", "adagrad") else [1, 0.1, math.inf]
        for rule in RULES
    }
    return Runs(
        a_sweep("quadratic", ORDER),
        a_sweep("single", ("adagrad", *(r for r in ORDER if r != "adagrad"))),
        a_sweep("batches", ORDER),
        a_sweep("network", ORDER),
        Scales((1, 10, 100), 0.1, 10, flat),
        Counterexample(10, 0.1, [("Adam", 1.0, 0.6), ("AMSGrad", -0.9, 0.1)]),
    )


def verdicts(made, claims=VERDICTS):
    return {(line.advice, line.situation): line.verdict for line in advice.lines(made, claims)}


def verdict(made, word, claims=VERDICTS):
    return next(
        v for (advised, situation), v in verdicts(made, claims).items() if word in advised + situation
    )


def test_a_sweep_takes_the_best_rate_of_each_rule():
    s = a_sweep("x", ORDER)
    assert s.ranking == ORDER
    assert s.best_rate("gd") == RATES[2]
    assert s.best("nesterov") == 10.0
    assert [s.working(r) for r in ORDER] == [5, 0, 0, 0, 0, 0]
    assert s.run.rows[0] == ("Adam", "0.03", "1", "5 of 7")
    assert (
        s.run.finding == "Lowest: Adam, then Nesterov momentum. At the most learning rates down to 3: Adam."
    )


def test_what_no_run_bears_on_is_not_decided(made):
    assert verdict(made, "convolutional") == "not decided here"
    assert verdict(made, "recurrent") == "not decided here"


def test_the_advice_follows_the_numbers(made):
    """The same line changes its verdict when the measured numbers do."""
    assert verdict(made, "ill-conditioned") == "supported"
    slow = replace(made, quadratic=a_sweep("quadratic", ("gd", *(r for r in ORDER if r != "gd"))))
    assert verdict(slow, "ill-conditioned") == "not supported"

    assert verdict(made, "sparse") == "supported in part"
    everywhere = replace(made, sparse_batches=made.sparse_single)
    assert verdict(everywhere, "sparse") == "supported"

    assert verdict(made, "nothing known") == "supported in part"  # Reddi's sequence is against it
    tame = replace(
        made, counterexample=Counterexample(10, 0.1, [("Adam", -1.0, 0.1), ("AMSGrad", -0.9, 0.1)])
    )
    assert verdict(tame, "nothing known") == "supported in part"  # one sweep is against it still
    tame = replace(tame, sparse_single=a_sweep("single", ORDER))
    assert verdict(tame, "nothing known") == "supported"
    assert verdict(tame, "AMSGrad") == "supported in part"


def test_the_baseline_rests_on_its_claims(made):
    assert verdict(made, "baseline") == "supported"
    assert verdict(made, "baseline", VERDICTS | {"gd.convex.rate": "not decided"}) == "supported in part"


def test_every_sweep_counts(made):
    """No sweep is left out of a count without a word, whatever it shows."""
    for word in ("baseline", "nothing known"):
        line = next(line for line in advice.lines(made, VERDICTS) if word in line.situation)
        assert {s.name for s in made.sweeps} <= set(line.runs)
        assert f" of {len(made.sweeps)} sweeps" in line.because + line.open_
    assert len(made.sweeps) == sum(isinstance(part, Sweep) for part in vars(made).values())


def test_every_line_names_runs_that_are_made_and_says_why(made):
    known = {run.name for run in made.tables}
    for line in advice.lines(made, VERDICTS):
        assert line.because
        assert line.open_
        assert known >= set(line.runs), line.situation


def test_a_run_that_diverges_counts_as_infinite():
    assert last(minimize("booth", "gd", steps=2000, lr=1.0, record=2000)) == math.inf
    short = minimize("booth", "gd", steps=50, lr=0.1, record=50)
    assert last(short, least=-1.0) == short.value[-1] + 1.0
    assert relative(short) == short.value[-1] / short.value[0] < 1e-3


def test_the_counterexample_sends_adam_to_the_worst_point_and_amsgrad_away_from_it():
    """Reddi et al., Theorem 1, with few steps."""
    few = runs.counterexample(steps=150, lr=0.03)
    assert few.end("Adam") == 1.0
    assert few.end("AMSGrad") < 0


def test_the_scale_of_the_loss_matters_to_gradient_descent_alone():
    few = runs.scales(steps=30)
    assert [rule for rule in RULES if few.indifferent(rule)] == ["adagrad", "rmsprop", "adam"]


def test_numbers_and_lists_in_words():
    assert [two_digits(x) for x in (0.0123, 1.26e-7, 30.4, math.inf)] == [
        "0.012",
        "1.3e-07",
        "30",
        "diverged",
    ]
    assert [words(list(x)) for x in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
