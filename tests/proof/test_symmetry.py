"""Degrees, parities, shifts and frames of small recurrences, and where they say no."""

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp

import optverify as ov
from optverify.language import beta1, eps, grad, lr, theta
from optverify.proof import NotProved
from optverify.proof.degrees import degrees
from optverify.proof.symmetry import needed, show_mirrored, show_permuted, show_rotated, show_translated


def scaled(**given):
    return {
        theta.before: given.get("parameters", 0),
        grad: given.get("gradient", 1),
        lr: given.get("rate", 0),
    }


def test_degrees_are_solved_for():
    assert degrees(ov.rule("adam"), scaled(), {eps, beta1}) == {eps: 1, beta1: 0}
    assert degrees(ov.rule("adam", epsilon="inside"), scaled(), {eps}) == {eps: 2}
    assert degrees(ov.rule("madgrad"), {theta.before: 0, grad: 1}, {lr, eps})[lr] == Fraction(-1, 2)
    assert degrees(ov.rule("gd"), {theta.before: 0, grad: 1}, {lr}) == {lr: -1}


@pytest.mark.parametrize(
    ("name", "options"),
    [("gd", {}), ("adam", {}), ("adadelta", {}), ("adabelief", {}), ("padam", {}), ("madgrad", {})],
)
def test_degrees_that_contradict_each_other(name, options):
    with pytest.raises(NotProved):
        degrees(ov.rule(name, **options), scaled())


def test_a_factor_for_each_coordinate_may_not_be_mixed():
    adamax = ov.rule("adamax")
    assert degrees(adamax, scaled(), separate=True) == {}
    with pytest.raises(NotProved):
        degrees(ov.rule("clip_by_norm(adamax)"), scaled(), separate=True)
    with pytest.raises(NotProved):
        degrees(ov.rule("sm3"), scaled(), separate=True)


def test_only_what_theta_depends_on_counts():
    """The average of ASGD starts at 0 wherever theta does, which theta does not see."""
    lines, states = needed(ov.rule("asgd"))
    assert [str(lhs) for lhs, _ in lines] == ["g_t", "theta_t"]
    assert states == []
    show_translated(ov.rule("asgd"))
    assert [s.name for s in needed(ov.rule("nesterov"))[1]] == ["v"]


@pytest.mark.parametrize(
    "name", ["gd", "nesterov", "adopt", "prodigy", "rprop", "clip_by_value(adam)", "ftrl"]
)
def test_mirrored(name):
    show_mirrored(ov.rule(name))


@pytest.mark.parametrize("options", [{"first_moment": "accumulator"}])
def test_not_mirrored(options):
    """The first moment of optax's Yogi starts from a positive number."""
    with pytest.raises(NotProved):
        show_mirrored(ov.rule("yogi", **options))


@pytest.mark.parametrize(
    "name", ["nesterov", "schedule_free_sgd", "madgrad", "prodigy", "lookahead(adam)", "sam"]
)
def test_translated(name):
    show_translated(ov.rule(name))


@pytest.mark.parametrize("name", ["sgdw", "lars", "dog", "ftrl", "adafactor"])
def test_not_translated(name):
    with pytest.raises(NotProved):
        show_translated(ov.rule(name))


@pytest.mark.parametrize(
    ("name", "rotated", "two_sided"),
    [
        ("momentum", True, True),
        ("novograd", True, True),
        ("muon", False, True),
        ("shampoo", False, True),
        ("soap", False, False),
        ("signsgd", False, False),
        ("adagrad", False, False),
        ("sm3", False, False),
    ],
)  # fmt: skip
def test_frames(name, rotated, two_sided):
    for sides, holds in ((False, rotated), (True, two_sided)):
        if holds:
            show_rotated(ov.rule(name), sides)
        else:
            with pytest.raises(NotProved):
                show_rotated(ov.rule(name), sides)


def test_permuted():
    show_permuted(ov.rule("shampoo"))
    with pytest.raises(NotProved, match="order of its columns"):
        show_permuted(ov.rule("soap"))


def test_a_comparison_with_zero_of_what_has_no_parity():
    """theta + 1 = 0 is not what -theta + 1 = 0 is."""
    gd = ov.rule("gd")
    odd = sp.Piecewise((theta.before, sp.Eq(theta.before + 1, 0)), (2 * theta.before, True))
    with pytest.raises(NotProved):
        show_mirrored(replace(gd, assignments=((gd.assignments[0]), (theta.now, odd))))
