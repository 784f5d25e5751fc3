"""Claims about changed rules: every decision ends, and "refuted" is said of what is false only."""

import pytest

import optverify as ov
from optverify.claims import claim, claims
from optverify.claims._claim import in_scope
from optverify.proof import NotProved

CHANGES = {
    "weight_decay_form": ("coupled", "after_step"),
    "maximize": (True,),
    "lr_placement": ("outside",),
    "first_buffer": ("gradient",),
    "epsilon": ("inside",),
    "lr_schedule": ("inverse_time",),
    "bias_correction": ("first",),
    "amsgrad": ("v",),
    "centered": (True,),
}
"""Axis -> options other than the default."""


TEXTBOOK = [c for c in claims() if c.family == c.id and c.needs != "pep"]


def changed_subjects():
    for c in TEXTBOOK:
        for name, subject in c.subjects:
            if subject.kind == "rule":
                base = subject.load()
                for axis in base.axes:
                    for option in (o for o in CHANGES.get(axis.name, ()) if o in axis.options):
                        yield c, name, subject.name, dict(subject.options) | {axis.name: option}


CASES = [pytest.param(*case, id=f"{case[0].id}-{case[1]}-{case[3]}") for case in changed_subjects()]


@pytest.mark.parametrize(("c", "name", "base", "options"), CASES)
def test_every_decision_about_a_dialect_ends(c, name, base, options):
    """With weight decay left symbolic in nested pieces this once ran without end."""
    result = c.decide(**{name: ov.rule(base, **options)})
    assert result.verdict in ("holds", "holds under conditions", "refuted", "not decided"), result.detail
    assert result.detail


@pytest.mark.parametrize("id", ["gd.convex.rate", "gd.convex.rate.dual", "gd.convex.tight"])
@pytest.mark.parametrize("form", ["coupled", "decoupled", "decoupled_without_lr", "after_step"])
def test_weight_decay_breaks_the_rates_by_numbers(id, form):
    result = claim(id).decide(rule=ov.rule("gd", weight_decay_form=form))
    assert (result.verdict, result.evidence) == ("refuted", "exact certificate")
    assert "lr = 1/2, weight_decay = 1/3" in result.detail


TRUE = [
    ("adagrad.effective_rate", "rule", {"epsilon": "inside"}),
    ("adagrad.effective_rate", "rule", {"lr_schedule": "inverse_time"}),
    ("adagrad.effective_rate", "rule", {"weight_decay_form": "coupled"}),
    ("adagrad.effective_rate", "rule", {"weight_decay_form": "after_step"}),
    ("adagrad.effective_rate", "rule", {"maximize": True}),
    ("momentum.terminal_velocity", "rule", {"lr_placement": "outside"}),
    ("momentum.terminal_velocity", "rule", {"first_buffer": "gradient"}),
    ("nesterov.forms.constant", "lookahead", {"lr_placement": "outside"}),
    ("nesterov.forms.constant", "rewritten", {"lr_placement": "inside"}),
    ("adam.first_step", "rule", {"amsgrad": "v"}),
]


@pytest.mark.parametrize(("id", "name", "options"), TRUE)
def test_what_stays_true_holds(id, name, options):
    c = claim(id)
    subject = dict(c.subjects)[name]
    result = c.decide(**{name: ov.rule(subject.name, **dict(subject.options) | options)})
    assert result.verdict == c.expected, result.detail


def started(rule, offset):
    """The rule with its one state starting so much higher."""
    from optverify.views.mutants import mutants

    return next(m.rule for m in mutants(rule) if m.description.endswith(f"starts at {offset}"))


def test_a_larger_start_leaves_the_rate_falling():
    mutant = started(ov.rule("adagrad"), "initial_accumulator + 1")
    assert claim("adagrad.effective_rate").decide(rule=mutant).verdict == "holds"
    assert claim("adagrad.constant_gradient").decide(rule=mutant).verdict == "refuted"


def test_a_memory_that_is_lost_lets_the_rate_rise():
    from optverify.views.mutants import mutants

    mutant = next(m.rule for m in mutants(ov.rule("adagrad")) if m.description == "G_t = g_t**2")
    result = claim("adagrad.effective_rate").decide(rule=mutant)
    assert result.verdict == "refuted"
    assert result.detail.startswith("gradients 2 and 1 with lr = 1/2")


UNDECIDED = [
    ("gd.minibatch.unbiased", {"weight_decay_form": "decoupled"}),
    ("adam.first_step", {"epsilon": "hat"}),
    ("adam.uncorrected", {"bias_correction": "none", "weight_decay_form": "decoupled"}),
]


@pytest.mark.parametrize(("id", "options"), UNDECIDED)
def test_another_formula_is_no_counterexample(id, options):
    c = claim(id)
    result = c.decide(rule=ov.rule(c.rules[0], **options))
    assert (result.verdict, result.evidence) == ("not decided", "none"), result.detail


def test_amsgrad_is_biased_by_an_example_that_can_happen():
    result = claim("adam.bias_correction.second").decide(rule=ov.rule("adam", amsgrad="v"))
    assert result.verdict == "refuted"
    assert result.detail.startswith("gradients 0 or 2, each with probability 1/2")


OTHERS = {"gd": (r"\varepsilon", r"\alpha", r"\mu_"), "momentum": (r"\eta", r"\beta", r"\alpha")}
OTHERS |= {
    "nesterov": OTHERS["momentum"],
    "adam": (r"\eta", r"\varepsilon"),
    "rmsprop": (r"\alpha", r"\beta"),
}
OTHERS |= {"adagrad": (r"\epsilon", r"\varepsilon", r"\alpha")}


@pytest.mark.parametrize("c", [c for c in claims() if c.rules], ids=lambda c: c.id)
def test_a_statement_uses_the_symbols_of_the_page(c):
    """Each symbol that other rules have for a hyperparameter of this one is absent."""
    for name in c.rules:
        own = {h.latex for h in ov.rule(name).every_hyperparameter}
        for other in OTHERS.get(name, ()):
            assert other not in own
            assert other not in c.statement


@pytest.mark.parametrize("id", ["gd.minibatch.unbiased", "gd.minibatch.variance"])
def test_shuffled_epochs_are_covered_for_the_first_batch_only(id):
    assert "independently of those parameters" in claim(id).scope
    assert "first batch" in claim(id).scope


def test_a_rule_without_the_axis_is_outside_the_scope():
    with pytest.raises(NotProved, match="gd has no such axis"):
        in_scope(ov.rule("gd"), epsilon="outside")
