"""Properties of every rule: verdicts as pinned, slips found, new rules served without an edit."""

import json
from dataclasses import replace

import pytest
import sympy as sp

import optverify as ov
from optverify.claims import pin, properties
from optverify.claims._bounds import growths
from optverify.claims._responses import FAMILIES, written
from optverify.claims.properties import CLAIMS, PROPERTIES, claim_of, pinned, property_claims
from optverify.language import Hyperparameter, Source, State, lr, momentum, positive, t, theta, unit
from optverify.language.rule import rule as make_rule
from optverify.language.symbols import g, grad
from optverify.views.mutants import mutants

NAMES = ov.rules()
QUICK = [p.family for p in PROPERTIES if p.family not in ("agreement", "float_types")]
SURVIVORS = json.loads(properties.FOLDER.with_name("survivors.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_every_property_has_its_verdict(name):
    for claim in property_claims(name):
        result = claim.decide()
        assert result.ok, (claim.id, result.verdict, result.detail)
        assert result.evidence == claim.evidence, claim.id
        assert result.detail


def test_claims_are_well_made():
    assert len(CLAIMS) == len({c.id for c in CLAIMS})
    for c in CLAIMS:
        assert c.title.isascii()
        assert c.title.endswith(".")
        assert c.sources
        assert "$" not in c.statement
        assert r"\operatorname" not in c.statement
        assert c.id.replace(".", "").replace("_", "").isalpha()
        assert len(c.rules) == 1


def test_each_rule_has_each_property_that_applies():
    for name in NAMES:
        families = {c.family for c in property_claims(name)}
        without = {"property.bounded"} if not ov.rule(name).states else set()
        without |= {"property.descent"} if name == "adopt" else set()  # its first update moves nothing
        assert {f"property.{p.family}" for p in PROPERTIES} - families == without


def kills(name):
    """Mutant -> whether a property other than the comparison of steps is decided against it."""
    about = [c for c in property_claims(name) if c.family.removeprefix("property.") in QUICK]
    for mutant in mutants(ov.rule(name)):
        verdicts = ((c, c.decide(rule=mutant.rule)) for c in about)
        decided = (r for _, r in verdicts if not r.ok and r.verdict != "not decided")
        found = next(decided, None)
        assert found is None or found.verdict != "error", found
        yield mutant.description, found is not None


@pytest.mark.parametrize("name", ["gd", "momentum", "adam", "lion", "radam", "lars"])
def test_properties_kill_every_mutant_that_is_another_rule(name):
    """What is left over has its reason, and nothing else does; the ledger's score covers all rules."""
    left = {description for description, killed in kills(name) if not killed}
    assert left == set(SURVIVORS.get(name, {}))


@pytest.mark.parametrize("name", ["adam", "muon", "ftrl", "nesterov", "sm3", "rprop"])
def test_dialects_never_raise(name):
    for dialect in list(ov.rule(name).dialects(changed=1))[1:6]:
        for claim in property_claims(name):
            result = claim.decide(rule=dialect)
            assert result.verdict != "error", (claim.id, dialect.changed_options, result.detail)


def test_the_shape_of_another_rule_never_raises():
    for claim in property_claims("adam"):
        for name in ("gd", "sm3", "svrg", "polyak_step", "prodigy"):
            assert claim.decide(rule=ov.rule(name)).verdict != "error", (claim.id, name)


# ---- what is written down ----------------------------------------------------------------------------------


def test_pins_are_what_the_rules_give(tmp_path):
    for name in ("adam", "signsgd", "lookahead"):
        assert pin.write([name], tmp_path)
        assert (tmp_path / f"{name}.json").read_bytes() == (properties.FOLDER / f"{name}.json").read_bytes()
        assert not pin.write([name], tmp_path)


def test_there_is_a_pin_for_each_rule_and_no_other():
    assert sorted(path.stem for path in properties.FOLDER.iterdir()) == NAMES


def test_a_wrong_pin_is_refuted():
    rule, known = ov.rule("momentum"), json.loads(json.dumps(pinned("momentum")))
    known["step_response"][0]["theta"][2] += "1"
    known["stability"] = "s < 4"
    known["first_step"]["text"] = "-grad"
    for p in PROPERTIES:
        if p.family in ("step_response", "stability", "first_step"):
            assert claim_of(rule, p, known).decide().verdict == "refuted"


def rewritten(rule):
    """Adam with its lines put otherwise: m by an increment, 1 - beta^t multiplied out."""
    lines = dict(rule.assignments)
    m, v = rule.states
    lines[m.now] = m.before + (1 - ov.language.beta1) * (g.now - m.before)
    lines[v.now] = v.before - (1 - ov.language.beta2) * (v.before - g.now**2)
    return replace(rule, assignments=tuple(lines.items()))


def test_an_equal_rewriting_is_no_other_rule():
    changed = rewritten(ov.rule("adam"))
    for claim in property_claims("adam"):
        if claim.family.removeprefix("property.") in (*FAMILIES, "first_step", "stability", "zero_gradient"):
            assert claim.decide(rule=changed).ok, claim.id


# ---- a new rule --------------------------------------------------------------------------------------------

m = State("m", meaning="a mean")


@make_rule(
    "new_mean_sign",
    title="New",
    sources=[Source("Nobody", 2026, "Nowhere", "nothing")],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 0.1, positive, "step size"),
        Hyperparameter(momentum, r"\mu", 0.9, unit, "share"),
    ],
    states=[m],
)
def new(d):
    """A rule made on the fly."""
    yield g[t], grad
    yield m[t], momentum * m[t - 1] + (1 - momentum) * g[t]
    yield theta[t], theta[t - 1] - lr * m[t] / (1 + sp.Abs(m[t]))


def test_a_new_rule_gets_its_claims_without_an_edit():
    decided = {p.family: claim_of(new, p, {}).decide(rule=new) for p in PROPERTIES}
    for family in ("zero_gradient", "influence", "descent", "bounded"):
        assert decided[family].verdict == "holds", decided[family].detail
        assert decided[family].ok
    for family in (*FAMILIES, "first_step", "stability"):
        assert decided[family].verdict == "not decided"
        assert decided[family].ok
        assert decided[family].detail.startswith("new: nothing is written down yet for 'new_mean_sign'")
    assert decided["agreement"].detail.startswith("new: no step is generated yet")


def test_a_new_rule_can_be_pinned_and_is_then_compared():
    known = {family: written(new, family) for family in FAMILIES}
    for p in PROPERTIES:
        if p.family in FAMILIES:
            claim = claim_of(new, p, known | {"verdicts": {p.family: "holds, interval arithmetic"}})
            assert claim.decide(rule=new).ok
            slip = next(x.rule for x in mutants(new) if x.description == "m starts at 1")
            assert claim.decide(rule=slip).verdict == "refuted"


# ---- single facts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "state", "found"),
    [
        ("adam", "m", "at most G"),
        ("adam", "v", "at most G**2"),
        ("adagrad", "G", "grows"),
        ("momentum", "v", "at most G*lr/(1 - momentum)"),
        ("laprop", "m", "at most G/eps"),
        ("nadam", "mu_product", "at most 1"),
        ("lookahead", "theta_slow", "follows theta"),
        ("dog", "theta_0", "fixed"),
        ("yogi", "v", "seen to stay bounded"),
    ],
)
def test_bounds_of_states(name, state, found):
    assert str(growths(ov.rule(name))[state]) == found


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("property.zero_gradient.adamax", "no value (0/0)"),
        ("property.descent.adadelta", "first step is 0"),
        ("property.descent.sam", "first step is 4/3 for gradient 5/3"),
        ("property.bounded.adagrad", "G gains a fixed amount"),
    ],
)
def test_refuted_cells_say_why(id, words):
    result = next(c for c in CLAIMS if c.id == id).decide()
    assert result.verdict == "refuted"
    assert words in result.detail


@pytest.mark.parametrize(
    ("name", "text"),
    [("gd", "s < 2"), ("momentum", "s < 19/5"), ("nesterov", "s < 19/14"), ("optimistic_gd", "s < 2/3")],
)
def test_regions_of_linear_rules(name, text):
    assert pinned(name)["stability"] == f"stable iff {text}"


def test_what_holds_under_conditions_names_them():
    result = next(c for c in CLAIMS if c.id == "property.zero_gradient.ftrl").decide()
    assert result.verdict == "holds under conditions"
    assert result.detail.startswith("from theta_0 = 0 alone: theta = 1/3 becomes 0 after 1 zero gradients")


@pytest.mark.parametrize(("name", "exception"), [("asgd", "average_start"), ("svrg", "period")])
def test_a_hyperparameter_without_influence_is_named_in_the_title(name, exception):
    claim = next(c for c in CLAIMS if c.id == f"property.influence.{name}")
    assert f" but {exception} changes the parameters" in claim.title
    assert f"{exception} never" in claim.decide().detail


def test_the_update_from_which_a_hyperparameter_counts():
    assert pinned("adam")["influence"] == "lr from 1, beta1 from 2, beta2 from 2, eps from 1"


def test_a_run_that_ends_early_says_nothing_of_influence():
    """There is no exact form of eigenvectors: nothing is known, and nothing is refuted."""
    influence = next(c for c in CLAIMS if c.id == "property.influence.soap")
    result = influence.decide(rule=ov.rule("soap", basis="eigh"))
    assert result.verdict == "not decided"
