"""show and list say what the objects say."""

import json

import pytest

from optverify.backends.numpy import numpy_source
from optverify.cli.pretty import pretty
from optverify.problems import names
from optverify.rules import registry, rule
from optverify.schedules import registry as schedules


def test_list_names_everything(run):
    listed = json.loads(run("list", "--json").stdout)
    assert [entry["name"] for entry in listed["rules"]] == registry.names()
    assert [entry["name"] for entry in listed["schedules"]] == schedules.names()
    assert [entry["name"] for entry in listed["problems"]] == list(names())
    assert {"name": "adam", "title": "Adam"} in listed["rules"]
    assert "gd.convex.rate" in {entry["name"] for entry in listed["claims"]}


@pytest.mark.parametrize("kind", ["rules", "schedules", "problems", "claims"])
def test_list_of_one_kind(run, kind):
    assert list(json.loads(run("list", kind, "--json").stdout)) == [kind]
    table = run("list", kind).stdout
    assert table.split()[:2] == [kind, "title"]


def test_an_unknown_kind_is_named(run):
    outcome = run("list", "rule")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("error: unknown kind 'rule'; did you mean 'rules'?")


def test_show_prints_equations_defaults_axes_and_sources(run):
    page = run("show", "adam").stdout
    for part in (
        "Adam (adam)",
        "m̂ₜ",
        "β₁⋅mₜ₋₁ + (1 - β₁)⋅gₜ",
        "0.999",
        "in [0, 1)",
        "* outside",
        "1412.6980",
    ):
        assert part in page
    assert page.index("θₜ₋₁ -") > page.index("v̂ₜ = ")


@pytest.mark.parametrize("name", registry.names())
def test_every_rule_is_shown_in_every_form(run, name):
    chosen = rule(name)
    assert run("show", name).exit_code == 0
    assert run("show", name, "--latex").stdout == chosen.latex() + "\n"
    assert run("show", name, "--python").stdout == numpy_source(chosen)
    everything = json.loads(run("show", name, "--json").stdout)
    assert everything["latex"] == chosen.latex()
    assert [h["name"] for h in everything["hyperparameters"]] == [h.name for h in chosen.hyperparameters]
    assert [a["chosen"] for a in everything["axes"]] == list(everything["options"].values())


def test_options_choose_a_dialect(run):
    options = ["--option", "epsilon=hat", "--option", "maximize=true"]
    assert (
        run("show", "adam", "--latex", *options).stdout.strip()
        == rule("adam", epsilon="hat", maximize=True).latex()
    )
    assert "* hat" in run("show", "adam", *options).stdout
    assert "* true" in run("show", "adam", *options).stdout
    assert json.loads(run("show", "adam", "--json", *options).stdout)["options"]["maximize"] == "true"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("epsilon", "--option 'epsilon' is not of the form axis=value"),
        ("eps=hat", "unknown axis 'eps'; did you mean 'epsilon'?"),
        ("epsilon=hut", "unknown option for axis epsilon 'hut'; did you mean 'hat'?"),
    ],
)
def test_an_option_that_does_not_fit_is_named(run, option, message):
    outcome = run("show", "adam", "--option", option)
    assert outcome.exit_code == 2
    assert message in outcome.stderr


def test_an_axis_given_twice_is_refused(run):
    outcome = run("show", "adam", "--option", "epsilon=hat", "--option", "epsilon=inside")
    assert outcome.exit_code == 2
    assert "gives axis 'epsilon' twice" in outcome.stderr


def test_pretty_keeps_the_order_of_the_paper():
    equations = [pretty(e) for e in rule("adam", weight_decay_form="decoupled").equations]
    assert equations[1] == "mₜ = β₁⋅mₜ₋₁ + (1 - β₁)⋅gₜ"
    assert equations[-1].splitlines()[1].strip().startswith("θₜ = (1 - lr⋅weight_decay)⋅θₜ₋₁ - ")
    assert pretty(rule("nesterov").gradient_point) == "θₜ₋₁ + momentum⋅vₜ₋₁"
    first = pretty(rule("momentum", first_buffer="gradient").equations[1])
    assert "for t = 1" in first
