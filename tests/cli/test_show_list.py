"""show and list say what the objects say."""

import json

import pytest

from optverify.backends.numpy import numpy_source
from optverify.cli.pretty import pretty
from optverify.problems import names, problem
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


def test_what_an_update_is_given_is_shown(run):
    page = run("show", "svrg").stdout
    assert "given with each gradient" in page
    assert "full_grad                  an array   the mean of all gradients at the snapshot" in page
    assert [i["name"] for i in json.loads(run("show", "svrg", "--json").stdout)["inputs"]] == [
        "snapshot_grad", "full_grad",
    ]  # fmt: skip
    assert "given with each gradient" not in run("show", "adam").stdout


@pytest.mark.parametrize("name", registry.names())
def test_every_rule_is_shown_in_every_form(run, name):
    chosen = rule(name)
    assert run("show", name).exit_code == 0
    assert run("show", name, "--latex").stdout == chosen.latex() + "\n"
    assert run("show", name, "--python").stdout == numpy_source(chosen)
    everything = json.loads(run("show", name, "--json").stdout)
    assert everything["latex"] == chosen.latex()
    assert [h["name"] for h in everything["hyperparameters"]] == [h.name for h in chosen.hyperparameters]
    assert everything["options"] == {a.name: chosen.options[a.name] for a in chosen.axes}
    assert [a["chosen"] for a in everything["axes"]] == list(everything["options"].values())
    assert [a["default"] for a in everything["axes"]] == [a.default for a in chosen.axes]


@pytest.mark.parametrize("name", schedules.names())
def test_every_schedule_is_shown(run, name):
    family = schedules.get(name)
    page = run("show", name).stdout
    assert page.startswith(f"{family.title} ({name}): {family.summary}\n")
    assert "ηₜ = " in page
    for h in family.hyperparameters:
        assert h.name in page
        assert f"{h.domain}  " in page
    for part in [str(c) for c in family.conditions] + [s.link for s in family.sources if s.link]:
        assert part in page
    assert run("show", name, "--latex").stdout == family.latex() + "\n"
    everything = json.loads(run("show", name, "--json").stdout)
    assert everything["latex"] == family.latex()
    assert [h["name"] for h in everything["parameters"]] == [h.name for h in family.hyperparameters]


def test_options_of_a_schedule(run):
    latex = run("show", "cosine", "--latex", "--option", "after=reflect").stdout
    assert latex.strip() == schedules.get("cosine").latex(after="reflect")
    assert "* reflect" in run("show", "cosine", "--option", "after=reflect").stdout


@pytest.mark.parametrize("name", names())
def test_every_problem_is_shown(run, name):
    p = problem(name)
    page = run("show", name).stdout
    for part in (
        f"{p.title} ({name}): ",
        p.latex,
        *p.symbols,
        p.source,
        f"dimension               {p.dim}\n",
    ):
        assert part in page
    assert run("show", name, "--latex").stdout == p.latex + "\n"
    everything = json.loads(run("show", name, "--json").stdout)
    assert (everything["smoothness"], everything["strong_convexity"]) == (p.smoothness, p.strong_convexity)
    assert everything["tags"] == sorted(p.tags)


def test_minimum_and_constants_of_a_problem(run):
    page = run("show", "booth").stdout
    for row in ("infimum                 0", "minimizer               (1, 3)", "convex, quadratic, smooth"):
        assert row in page
    assert json.loads(run("show", "saddle", "--json").stdout)["infimum"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cosin"], "unknown rule, schedule or problem 'cosin'; did you mean 'cosine'?"),
        (["mnist"], "unknown problem 'mnist'; it is a data set: problem('mlp', data='mnist')"),
        (["cosine", "--python"], "'cosine' is no rule, and only a rule has NumPy source: leave out --python"),
        (["booth", "--option", "a=b"], "'booth' is a problem, and problems have no axes: leave out --option"),
        (["constant", "--option", "a=b"], "schedule 'constant' has no axes: leave out --option"),
        (["cosine", "--option", "aftr=hold"], "unknown axis 'aftr'; did you mean 'after'?"),
    ],
)
def test_what_cannot_be_shown_is_named(run, arguments, message):
    outcome = run("show", *arguments)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert message in outcome.stderr


def test_options_choose_a_dialect(run):
    options = ["--option", "epsilon=hat", "--option", "maximize=true"]
    assert (
        run("show", "adam", "--latex", *options).stdout.strip()
        == rule("adam", epsilon="hat", maximize=True).latex()
    )
    assert "* hat" in run("show", "adam", *options).stdout
    assert "* true" in run("show", "adam", *options).stdout
    assert json.loads(run("show", "adam", "--json", *options).stdout)["options"]["maximize"] is True


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


def test_dialect_takes_several_axes_at_once(run):
    one = run("show", "adam", "--dialect", "epsilon=hat,amsgrad=v", "--latex")
    other = run("show", "adam", "--option", "epsilon=hat", "--option", "amsgrad=v", "--latex")
    assert one.exit_code == 0
    assert one.stdout == other.stdout != run("show", "adam", "--latex").stdout
    assert "epsilon" in run("show", "adam", "--dialect", "epsilon=nosuch").stderr
