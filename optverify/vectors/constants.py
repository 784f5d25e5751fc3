"""The hyperparameters of the vectors: short dyadic numbers, exact in every float type."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from optverify.language import Rule

LR = Fraction(1, 16)
"""Large, so that an update shows in the digits of theta that float32 has."""

DYADIC: Mapping[str, Fraction] = {
    name: Fraction(text)
    for name, text in {
        "lr": "1/16", "momentum": "7/8", "dampening": "1/4", "beta1": "7/8", "beta2": "15/16",
        "beta3": "31/32", "beta4": "3/4", "beta": "3/8", "beta_start": "5/8", "rho": "13/16",
        "nu": "5/8", "nu1": "5/8", "nu2": "3/4", "optimism": "5/8", "eps": "1/32", "eps1": "1/1024",
        "eps2": "7/8", "eps_root": "1/512", "r_eps": "1/128", "b0": "3/16", "weight_decay": "9/128",
        "lr_decay": "1/8", "decay_rate": "11/16", "momentum_decay": "1/64", "lr_power": "3/8",
        "power": "5/8", "partial": "3/16", "initial_accumulator": "5/16", "initial": "5/16",
        "lambda1": "1/8", "lambda2": "3/16", "shrinkage": "5/16", "lambd": "3/16",
        "eta_plus": "5/4", "eta_minus": "1/2", "min_step": "1/256", "max_step": "3/32",
        "average_start": "2", "f_min": "-1/8", "lr_max": "1/32", "d0": "1/64", "d_coefficient": "304",
        "trust_coefficient": "1/8", "clip_threshold": "19/16", "period": "3", "sync_period": "3",
        "slow_lr": "3/8", "precondition_frequency": "2", "warmup": "6", "final_lr": "5/128",
        "base_lr": "5/64", "gamma": "3/64", "phi_min": "0", "phi_max": "7/8", "c": "11/16",
        "alpha": "2", "sam_rho": "1/16", "delta": "1/8", "ns_a": "55/16", "ns_b": "-19/4", "ns_c": "65/32",
    }.items()
}  # fmt: skip
"""Large epsilon and decay, decay rates that differ, bounds that bind: with these dialects show."""
GIVEN_EACH_TIME = ("loss", "global_norm")
"""Hyperparameters that are another number for each update."""


def dyadic(rule: Rule) -> dict[str, Fraction]:
    """A short number for every hyperparameter of this dialect; ValueError for one out of its range."""
    values = {}
    for h in rule.hyperparameters:
        if h.name in GIVEN_EACH_TIME:
            continue
        found = DYADIC.get(h.name)
        if found is None or float(found) not in h.domain:
            found = shortened(h.default, h.name)
        if float(found) not in h.domain:
            raise ValueError(
                f"rule {rule.name!r}: {h.name} = {found} is not {h.domain}: name another in DYADIC"
            )
        values[h.name] = found
    return values


def paper(rule: Rule) -> dict[str, Fraction]:
    """The defaults, exactly as a float64 has them; a dyadic number where the user must choose."""
    short = dyadic(rule)
    return {
        h.name: short[h.name] if h.default is None else Fraction(h.default)
        for h in rule.hyperparameters
        if h.name in short
    }


def fixed(rule: Rule, names: Mapping[str, str]) -> dict[str, Fraction]:
    """What a library does not let its users choose, as it has it; names: what it lets them."""
    return {
        h.name: Fraction(h.default)
        for h in rule.hyperparameters
        if h.name not in names and h.default is not None and h.name not in GIVEN_EACH_TIME
    }


def shortened(value: float | None, name: str, bits: int = 4) -> Fraction:
    """A number of few bits near this one, counted from 1 for what lies just below it."""
    if value is None:
        raise ValueError(f"{name} has no default: name a dyadic number for it in DYADIC")
    x = Fraction(value)
    if Fraction(1, 2) < x < 1:
        return 1 - shortened(float(1 - x), name, bits)
    if not x:
        return x
    unit = Fraction(2) ** (abs(x).numerator.bit_length() - abs(x).denominator.bit_length() - bits)
    return round(x / unit) * unit
