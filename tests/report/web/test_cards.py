"""What stands on a card is read off the rule and its libraries."""

import numpy as np
import pytest

from optverify.backends.export import export_rule
from optverify.claims import claims
from optverify.report.reference import equations_source, rows
from optverify.report.web.cards import Evidence, card, counted, defaults, families
from optverify.report.web.dialects import code_lines, dialects, key, libraries_of, without
from optverify.report.web.pictures import drawings, walk
from optverify.report.web.rules import TARGETS, changes, exports
from optverify.report.web.stability import radii, stability_drawing
from optverify.rules import registry, rule


@pytest.mark.parametrize("name", ["adam", "momentum", "rprop", "lookahead"])
def test_the_data_of_the_switches_says_what_the_rule_says(name):
    """Equations and code of every dialect one option away, by their numbers."""
    family = registry.get(name)
    data = dialects([family])
    for d in family.dialects(changed=1):
        equations, code = data["rules"][name][key(d)]
        assert [data["tex"][n] for n in equations] == list(rows(d.latex()).values())
        assert [data["code"][n] for n in code] == code_lines(d)
        shown = [x for x in equations_source(d).splitlines() if '"""' not in x]
        assert code_lines(d) == shown
    assert len(set(data["rules"][name])) == sum(1 for _ in family.dialects())


@pytest.mark.parametrize("name", ["adam", "momentum", "rprop"])
def test_files_are_made_again_from_their_changes(name):
    kept = exports(registry.get(name))
    by_key = {key(d): d for d in registry.get(name).dialects()}
    for target in TARGETS:
        lines = kept[target]["paper"]
        assert "\n".join(lines) == export_rule(registry.get(name), target).rstrip("\n")
        for place, steps in kept[target]["changes"].items():
            made = list(lines)
            for at, gone, *come in reversed(steps):
                made[at : at + gone] = come
            assert "\n".join(made) == export_rule(by_key[place], target).rstrip("\n")


def test_changes_of_equal_texts_are_none():
    assert changes(["a", "b"], ["a", "b"]) == []
    assert changes(["a", "b"], ["a", "c", "d"]) == [[1, 1, "c", "d"]]


def test_families_are_read_off_the_recurrence():
    assert families(rule("gd")) == ("keeps nothing",)
    assert families(rule("adam")) == ("divides by past gradients", "keeps a direction (momentum)")
    assert "takes signs" in families(rule("lion"))
    assert "multiplies matrices" in families(rule("muon"))
    assert "looks ahead" in families(rule("nesterov"))
    assert "measures whole arrays" in families(rule("lamb"))
    assert "needs more than a gradient" in families(rule("svrg"))


def test_defaults_that_differ_are_marked():
    found = defaults(rule("rmsprop"), libraries_of(rule("rmsprop"))["torch"])
    assert (found["rho"].argument, found["rho"].differs) == ("alpha", True)
    assert not found["eps"].differs
    required = defaults(rule("momentum"), libraries_of(rule("momentum"))["torch"])["momentum"]
    assert (required.value, required.argument) == ("", "momentum")


def test_claims_are_counted_and_linked():
    about = [c.decide() for c in claims() if c.id in ("gd.quadratic.boundary", "gd.quadratic.stability")]
    assert counted(about) == {"holds": 1, "refuted": 1, "not decided": 0}
    made = card(rule("gd"), Evidence(about))
    assert 'href="#claim.gd.quadratic.boundary"' in made.details
    assert "1 refuted" in made.front


@pytest.mark.parametrize(("name", "edge"), [("gd", 2.0), ("momentum", 3.8)])
def test_the_radius_is_below_one_exactly_where_the_rule_is_stable(name, edge):
    """2 for gradient descent, 2 (1 + 0.9) for momentum, as the ledger proves."""
    found = radii(rule(name))
    assert len(found) > 100
    for s, r in found[1:]:
        if abs(s - edge) > 1e-9:
            assert (r < 1) == (s < edge), s
    assert "<title>" in stability_drawing(rule(name))


def test_what_is_not_linear_has_no_radius():
    assert [name for name in ("adam", "lion", "muon") if radii(rule(name)) is not None] == []
    assert stability_drawing(rule("adam")) is None


def test_rules_of_matrices_are_not_in_the_playground_and_say_why():
    assert "matrices" in without(rule("muon"))
    assert "full_grad" in without(rule("svrg"))
    assert without(rule("adam")) == ""


def test_pictures_belong_to_refuted_claims_and_show_what_refutes_them():
    by_id = {c.id: c for c in claims()}
    assert all(by_id[id].expected == "refuted" for id in drawings())
    cycle = walk("signsgd", [lambda x: x] * 4, "1/4", lr="1/2")
    np.testing.assert_allclose(cycle, [0.25, -0.25, 0.25, -0.25, 0.25])
    path = walk("momentum", [lambda x: x] * 3, lr="1/2", momentum="1/2")
    assert [x * x / 2 for x in path] == [0.5, 0.125, 0.0, 0.03125]
