"""Points, inequalities and certificates of the worst cases, against hand calculation and wrong ones."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import optverify as ov
from optverify.claims._certificates import GD, GD_STRONG, NESTEROV, PROBLEMS, SUBGRADIENT
from optverify.proof import (
    STAR,
    Certificate,
    FunctionClass,
    Missing,
    NotProved,
    Path,
    Refuted,
    certificates_from_json,
    numerical_worst_case,
    show_certificate,
)
from optverify.proof.certificates import to_json
from optverify.proof.performance import between, bounded
from optverify.proof.search import find_certificate, smallest_rate, solve_near
from optverify.views.mutants import mutants

SMOOTH = FunctionClass()
STORED = [pytest.param(p, n, id=f"{p.name}-{n}") for p in PROBLEMS for n in p.horizons]


# ---- points and inequalities ---------------------------------------------------------------------------


def test_the_points_of_two_updates_of_momentum():
    """x_0, x_0 - h g_0, and x_0 - h g_0 + b (-h g_0) - h g_1."""
    path = Path.of(ov.rule("momentum"), 2, {"lr": Fraction(1, 2), "momentum": Fraction(1, 3)}, SMOOTH)
    h, b = Fraction(1, 2), Fraction(1, 3)
    assert path.points == ((1, 0, 0, 0), (1, -h, 0, 0), (1, -(1 + b) * h, -h, 0))


def test_the_gradients_of_nesterov_are_taken_ahead():
    path = Path.of(ov.rule("nesterov"), 2, {"lr": 1, "momentum": Fraction(1, 2)}, SMOOTH)
    assert path.points[1] == (1, Fraction(-3, 2), 0, 0)
    assert path.points[2] == (1, Fraction(-3, 2), -1, 0)


@pytest.mark.parametrize(
    ("name", "options", "values", "why"),
    [
        ("adam", {}, {"lr": 1}, "norms, roots or inputs"),
        ("signsgd", {}, {"lr": 1}, "not linear"),
        ("muon", {}, {"lr": 1}, "norms, roots or inputs"),
        ("gd", {"weight_decay_form": "coupled"}, {"lr": 1}, "origin"),
        ("momentum", {}, {"lr": 1}, "without a value"),
    ],
)
def test_rules_the_theory_is_not_about(name, options, values, why):
    with pytest.raises(NotProved, match=why):
        Path.of(ov.rule(name, **options), 3, values, SMOOTH)


def test_a_rule_that_depends_on_the_origin_or_the_units_is_refused():
    changed = {m.description: m.rule for m in mutants(ov.rule("gd"))}
    for line, why in {
        "theta_t = lr*g_t - theta_{t-1}": "origin",
        "theta_t = -g_t + theta_{t-1}": "units",
    }.items():
        with pytest.raises(NotProved, match=why):
            Path.of(changed[line], 2, {"lr": 1}, SMOOTH)


def test_floats_are_refused():
    with pytest.raises(TypeError, match="is a float"):
        Path.of(ov.rule("gd"), 1, {"lr": 0.5}, SMOOTH)


@pytest.mark.parametrize("mu", [Fraction(0), Fraction(1, 4)])
def test_inequalities_hold_on_functions_of_the_class_and_are_tight_on_quadratics(mu):
    """x^2 c/2 with mu <= c <= 1 in dimension 1, from x_0 = 1: >= 0 at all pairs, = 0 for c = mu and c = 1."""
    family = FunctionClass(mu=mu)
    path = Path.of(ov.rule("gd"), 3, {"lr": Fraction(3, 4)}, family)
    for c in (mu, (1 + mu) / 2, Fraction(1)):
        known = [Fraction(1)]
        for p in path.points:
            known.append(c * sum(w * x for w, x in zip(p, known, strict=False)))
        values = [g * g / (2 * c) if c else Fraction(0) for g in known[1:]]
        for i in range(-1, 4):
            for j in range(-1, 4):
                q = between(path, family, i, j)
                total = sum(w * v for w, v in zip(q.values, values, strict=True))
                total += sum(q.form[a][b] * known[a] * known[b] for a in range(5) for b in range(5))
                assert total == 0 if c in (mu, 1) else total >= 0


def test_the_bound_on_subgradients():
    path = Path.of(ov.rule("gd"), 1, {"lr": 1}, FunctionClass(smooth=False))
    q = bounded(path, 1)
    assert (q.constant, q.form[2][2], sum(map(sum, q.form))) == (1, -1, -1)


@pytest.mark.parametrize(
    "arguments", [{"mu": Fraction(1)}, {"mu": Fraction(-1)}, {"smooth": False, "mu": Fraction(1, 2)}]
)
def test_classes_that_do_not_exist(arguments):
    with pytest.raises(ValueError, match="no class"):
        FunctionClass(**arguments)


# ---- certificates --------------------------------------------------------------------------------------


def show(problem, n, certificate):
    path = problem.path(ov.rule(problem.rule), n)
    show_certificate(path, problem.family, problem.measure, certificate, "it")


@pytest.mark.parametrize(("problem", "n"), STORED)
def test_stored_certificates_hold_and_no_change_of_one_does(problem, n):
    """Each multiplier a little larger, smaller, left out or negative, and a better rate: all refused."""
    certificate = problem.stored()[n]
    show(problem, n, certificate)
    pairs, bounds = dict(certificate.multipliers), dict(certificate.bounds)
    changed = [replace(certificate, rate=certificate.rate * Fraction(999, 1000))]
    for key, w in pairs.items():
        for other in (w * Fraction(101, 100), w * Fraction(99, 100), Fraction(0), -w):
            changed.append(replace(certificate, multipliers={**pairs, key: other}))
    for key, w in bounds.items():
        for other in (w * Fraction(101, 100), w * Fraction(99, 100), Fraction(0), -w):
            changed.append(replace(certificate, bounds={**bounds, key: other}))
    for wrong in changed:
        with pytest.raises((NotProved, Refuted)):
            show(problem, n, wrong)


@pytest.mark.parametrize("n", [1, 4, 8])
def test_the_multipliers_of_gradient_descent_are_those_of_the_literature(n):
    """Drori and Teboulle: (k+1)/(2n-k) between consecutive points, differences of these from the minimum."""
    a = [Fraction(k + 1, 2 * n - k) for k in range(n)]
    stated = {(k, k + 1): a[k] for k in range(n)} | {(STAR, 0): a[0], (STAR, n): 1 - a[-1]}
    stated |= {(STAR, k): a[k] - a[k - 1] for k in range(1, n)}
    assert GD.stored()[n].multipliers == stated


def test_a_certificate_is_for_its_step_size_and_its_rule():
    certificate = GD.stored()[3]
    longer = Path.of(ov.rule("gd"), 3, {"lr": Fraction(19, 10)}, SMOOTH)
    with pytest.raises(Refuted):
        show_certificate(longer, SMOOTH, "gap", certificate, "it")
    other = Path.of(ov.rule("momentum"), 3, {"lr": 1, "momentum": Fraction(1, 2)}, SMOOTH)
    with pytest.raises(Refuted):
        show_certificate(other, SMOOTH, "gap", certificate, "it")


def test_bounds_on_gradients_are_no_fact_about_smooth_functions():
    certificate = replace(GD.stored()[1], bounds={0: Fraction(1)})
    with pytest.raises(NotProved, match="no bound"):
        show(GD, 1, certificate)


def test_points_that_are_not_on_the_path():
    certificate = GD.stored()[1]
    with pytest.raises(NotProved, match="not on the path"):
        show(GD, 1, replace(certificate, multipliers={**certificate.multipliers, (0, 7): Fraction(1)}))


# ---- as data -------------------------------------------------------------------------------------------


def test_json_and_back():
    stored = SUBGRADIENT.stored()
    text = to_json(stored)
    assert certificates_from_json(text) == stored
    assert to_json(certificates_from_json(text)) == text


GOOD = '[{"horizon": 1, "rate": "1/6", "multipliers": [["*", 0, "1/2"]], "bounds": []}]'
DAMAGED = {
    "no fraction": GOOD.replace('"1/6"', '"__import__(1)"'),
    "1.5": GOOD.replace('"1/6"', '"1.5"'),
    "no fraction like": GOOD.replace('"1/2"', "0.5"),
    "no point": GOOD.replace('"*"', '"x"'),
    "and nothing else": GOOD.replace('"bounds"', '"bound"'),
    "no list": "{}",
    "two certificates": f"[{GOOD[1:-1]}, {GOOD[1:-1]}]",
    "a multiplier twice": GOOD.replace('["*", 0, "1/2"]', '["*", 0, "1/2"], ["*", 0, "1/3"]'),
    "JSON": GOOD[:40],
    "unpack": GOOD.replace('"1/2"]', '"1/2", 3]'),
    "multipliers are lists": GOOD.replace('[["*", 0, "1/2"]]', "[3]"),
}


@pytest.mark.parametrize(("why", "text"), DAMAGED.items())
def test_damaged_data_is_refused(why, text):
    certificates_from_json(GOOD)
    with pytest.raises(ValueError, match=why):
        certificates_from_json(text)


def test_a_missing_file_is_not_decided(monkeypatch, tmp_path):
    from optverify.claims import _certificates

    _certificates._stored.cache_clear()
    monkeypatch.setattr(_certificates, "FOLDER", tmp_path)
    (tmp_path / f"{GD.name}.json").write_text("[broken")
    for problem in (GD, NESTEROV):
        with pytest.raises(NotProved, match=problem.name):
            problem.show(ov.rule(problem.rule))


def test_a_certificate_of_another_rate_is_not_that_of_the_claim():
    changed = replace(GD, rate=lambda n: Fraction(1, 4 * n + 1))
    with pytest.raises(NotProved, match="no certificate is stored"):
        changed.show(ov.rule("gd"))


# ---- finding them, and the numbers of PEPit --------------------------------------------------------------


def test_solutions_near():
    rows = [[Fraction(1), Fraction(1), Fraction(0)], [Fraction(0), Fraction(1), Fraction(1)]]
    found = solve_near(rows, [Fraction(1), Fraction(2)], [Fraction(1, 3), Fraction(1, 3), Fraction(5, 3)])
    assert [sum(a * b for a, b in zip(r, found, strict=True)) for r in rows] == [1, 2]
    assert solve_near([[Fraction(0)]], [Fraction(1)], [Fraction(0)]) is None


def test_certificates_are_found_again():
    """The same exact multipliers come out where the rate is tight, and none for a better rate."""
    pytest.importorskip("cvxpy")
    path = GD.path(ov.rule("gd"), 2)
    found = find_certificate(path, SMOOTH, "gap", Fraction(1, 10), kernel=GD.kernel(path))
    assert isinstance(found, Certificate)
    show(GD, 2, found)
    assert smallest_rate(path, SMOOTH, "gap") == pytest.approx(0.1, rel=1e-6)
    with pytest.raises(NotProved, match="no certificate"):
        find_certificate(path, SMOOTH, "gap", Fraction(99, 1000))


@pytest.mark.parametrize("problem", [NESTEROV, GD_STRONG, SUBGRADIENT], ids=lambda p: p.name)
def test_the_dual_and_pepit_agree(problem):
    pytest.importorskip("cvxpy")
    pytest.importorskip("PEPit")
    n = problem.horizons[0]
    base = ov.rule(problem.rule)
    dual = smallest_rate(problem.path(base, n), problem.family, problem.measure)
    primal = numerical_worst_case(base, n, problem.values(n), problem.family, problem.measure)
    np.testing.assert_allclose([dual, primal], float(problem.rate(n)), rtol=1e-6)


def test_pepit_needs_every_hyperparameter_and_may_be_missing(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "PEPit", None)
    with pytest.raises(Missing, match=r"optverify\[pep\]"):
        numerical_worst_case(ov.rule("gd"), 1, {"lr": 1}, SMOOTH, "gap")


def test_certificates_and_classes_are_made_of_fractions():
    """A float that happens to pass would be no certificate."""
    with pytest.raises(TypeError, match="is a float"):
        Certificate(0.5, {})
    with pytest.raises(TypeError, match="is a float"):
        Certificate(Fraction(1, 2), {(0, 1): 0.25})
    with pytest.raises(TypeError, match="is a float"):
        FunctionClass(mu=0.1)
