"""What a box calls its hyperparameters, in our names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from optverify.language import Rule
from optverify.language.library import Entry
from optverify.libraries import library
from optverify.libraries import names as libraries

USUAL: Mapping[str, tuple[str, ...]] = {
    "lr": ("learning_rate", "step_size", "stepsize", "eta", "alpha", "lrate"),
    "momentum": ("mu", "mass", "momentum_factor", "gamma", "beta", "mom"),
    "beta1": ("beta_1", "b1", "betas[0]", "beta1_decay", "decay1", "gamma1"),
    "beta2": ("beta_2", "b2", "betas[1]", "decay2", "gamma2"),
    "beta3": ("beta_3", "b3", "betas[2]"),
    "rho": ("alpha", "decay", "decay_rate", "gamma", "smoothing_constant", "beta", "beta2"),
    "eps": ("epsilon", "tiny", "epsilon_hat"),
    "weight_decay": ("wd", "l2", "l2_reg", "weight_decay_rate", "lambda_", "lambd", "l2_penalty"),
    "initial_accumulator": ("initial_accumulator_value", "accumulator_init", "initial_accumulation"),
    "lr_decay": ("learning_rate_decay", "decay"),
    "momentum_decay": ("schedule_decay",),
}
"""Our name -> what is usual; before it stands what a library is known to call it."""
PLACE = re.compile(r"(.+?)(?:\[(\d)\]|[._](\d))")


def ours(rule: Rule, theirs: Mapping[str, float], like: str | None = None) -> dict[str, float]:
    """The hyperparameters of the rule, in any dialect, that a box shows under names of its own.

    like: a library whose names come first. A number of theirs is taken once.
    """
    shown = {_normal(name): value for name, value in theirs.items()}
    found: dict[str, float] = {}
    entries = list(_entries(rule, like))
    for h in rule.every_hyperparameter:
        for entry in entries:
            if h.name in entry.names and (argument := entry.argument(h.name)) in shown:
                found[h.name] = entry.to_ours(h.name, shown.pop(argument))
                break
    for h in rule.every_hyperparameter:
        if h.name in shown and h.name not in found:
            found[h.name] = shown.pop(h.name)
    for h in rule.every_hyperparameter:
        for name in USUAL.get(h.name, ()):
            if name in shown and h.name not in found:
                found[h.name] = shown.pop(name)
    return found


def _entries(rule: Rule, like: str | None) -> Iterator[Entry]:
    """What the library says of the rule; nothing for a library we know nothing of."""
    if like in libraries():
        for entry in library(like).entries:
            if entry.rule == rule.name:
                yield entry


def _normal(name: str) -> str:
    """`betas.0` and `betas_0` as `betas[0]`."""
    place = PLACE.fullmatch(name)
    if place is None or not place[1].endswith("s"):
        return name
    return f"{place[1]}[{place[2] or place[3]}]"
