"""Dialects and constants in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from optverify.conformance import names
from optverify.conformance.candidates import NAMED
from optverify.conformance.rounding import in_few_bits
from optverify.language import Option, Rule, t
from optverify.rules import rule as rule_named

WORDS: Mapping[tuple[str, Option], str] = {
    ("epsilon", "outside"): "epsilon outside the root",
    ("epsilon", "inside"): "epsilon inside the root",
    ("epsilon", "hat"): "epsilon-hat",
    ("epsilon", "none"): "no epsilon",
    ("bias_correction", "both"): "bias correction of both moments",
    ("bias_correction", "none"): "no bias correction",
    ("bias_correction", "first"): "bias correction of the first moment alone",
    ("bias_correction", "second"): "bias correction of the second moment alone",
    ("weight_decay_form", "none"): "no weight decay",
    ("weight_decay_form", "coupled"): "coupled decay (L2, in the gradient)",
    ("weight_decay_form", "decoupled"): "decoupled decay times lr",
    ("weight_decay_form", "decoupled_without_lr"): "decoupled decay without lr",
    ("weight_decay_form", "after_step"): "decay times lr after the step",
    ("weight_decay_form", "before_step"): "decay times lr before the step",
    ("weight_decay_form", "in_direction"): "decay in the direction",
    ("weight_decay_form", "proximal"): "proximal decay",
    ("maximize", True): "maximizing (it goes along the gradient)",
    ("lr_placement", "inside"): "lr inside the buffer",
    ("lr_placement", "outside"): "lr outside the buffer",
    ("form", "heavy_ball"): "heavy ball",
    ("form", "ema"): "the buffer a decaying mean",
    ("form", "dampened"): "dampened",
    ("first_buffer", "gradient"): "the first buffer the first gradient",
    ("nesterov", "lookahead"): "gradient at the look-ahead point",
    ("nesterov", "rewritten"): "Nesterov rewritten for the gradient at theta",
    ("amsgrad", "v"): "AMSGrad (maximum of the raw second moment)",
    ("amsgrad", "v_hat"): "AMSGrad (maximum of the corrected second moment)",
    ("amsgrad", True): "AMSGrad",
    ("centered", True): "centered",
}
"""(axis, option) -> how it is said; options without an entry are said as axis = option, or not if default."""
ALWAYS = ("epsilon", "lr_placement")
"""Axes that are said even at their default."""
PLAIN_NAMES: Mapping[str, tuple[str, ...]] = {
    "lr": ("lr", "learning_rate", "step_size", "stepsize", "eta"),
    "beta1": ("beta1", "beta_1", "b1", "betas[0]"),
    "beta2": ("beta2", "beta_2", "b2", "betas[1]"),
    "eps": ("eps", "epsilon"),
    "weight_decay": ("weight_decay", "wd"),
    "momentum": ("momentum", "mass", "mu"),
    "rho": ("rho",),
    "initial_accumulator": ("initial_accumulator", "initial_accumulator_value"),
}
"""Ours -> names that can mean nothing else."""


def dialect_words(rule: Rule) -> Iterator[str]:
    """The options of a dialect, those that need no saying left out."""
    for axis in rule.axes:
        option = rule.options[axis.name]
        words = WORDS.get((axis.name, option))
        if axis.name == "maximize" and not option:
            continue
        if axis.name == "weight_decay_form" and option == "none" and axis.default == "none":
            continue
        if option == axis.default and axis.name not in (*ALWAYS, "weight_decay_form"):
            continue
        yield words or f"{axis.name} = {option}"


def title(rule: Rule) -> str:
    """The usual name: of the family, with that of a rule that is this very dialect in brackets."""
    family = rule_named(NAMED.get(rule.name, rule.name))
    same = [n for n in NAMED if NAMED[n] == family.name and _defaults(n) == dict(rule.options)]
    return f"{family.title} ({rule_named(same[0]).title})" if same else family.title


def _defaults(name: str) -> dict[str, Option]:
    return dict(rule_named(name).options)


def number(x: float) -> str:
    """As short as it is exact."""
    return f"{x:.15g}" if float(f"{x:.15g}") == x else repr(x)


def origin(value: float, hints: Mapping[str, float]) -> str:
    """`0.9 in bfloat16`, if that is what a constant is; empty otherwise."""
    for whole in dict.fromkeys(hints.values()):
        for kind, cut in in_few_bits(whole).items():
            if cut == value and cut != whole:
                return f"{number(whole)} in {kind}"
    return ""


def sentence(rule: Rule, values: Mapping[str, float], passed: Mapping[str, float], first_t: int = 1) -> str:
    """`Adam, epsilon-hat, decoupled decay times lr, first t = 1, beta2 = 0.99 (you passed 0.999)`."""
    parts = [title(rule), *dialect_words(rule)]
    if any(t in rhs.free_symbols for _, rhs in rule.assignments):
        parts.append(f"first t = {first_t}")
    said = [constant(n, v, passed) for n, v in values.items() if n not in passed or differs(v, passed[n])]
    return ", ".join([*parts, *said])


def constant(name: str, value: float, passed: Mapping[str, float]) -> str:
    """`beta2 = 0.99 (you passed 0.999)`."""
    text = f"{name} = {number(value)}"
    if name in passed and differs(value, passed[name]):
        few = origin(value, {name: passed[name]})
        return f"{text} (you passed {number(passed[name])}{', which is this' if few else ''}" + (
            f" in {few.rpartition(' in ')[2]})" if few else ")"
        )
    usual = {str(x): x for x in (0.9, 0.99, 0.999, 0.9999, 0.95)}
    few = origin(value, usual) if name.startswith(("beta", "rho", "momentum")) and value < 1 else ""
    return f"{text} ({few})" if few else text


def differs(a: float, b: float) -> bool:
    """More than a fit leaves open."""
    return not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-300)


def passed(rule: Rule, shown: Mapping[str, float], library: str | None) -> dict[str, float]:
    """What the user passed, as far as the names leave no doubt."""
    found = names.ours(rule, shown, library)
    if library is not None:
        return found
    sure = {}
    for name, value in found.items():
        known = PLAIN_NAMES.get(name, (name,))
        if any(shown.get(k) == value for k in known):
            sure[name] = value
    return sure
