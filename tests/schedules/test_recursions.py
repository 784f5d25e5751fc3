"""Closed form and recursion are one schedule, for symbolic parameters and every t.

The recursions are those of chainable schedulers: the next rate from the last one. What happens at an end is
covered by writing total = t + 1 + k before it and t = total + k after it, for any k >= 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp

from optverify.language.clock import t
from optverify.schedules import registry

k, n = sp.symbols("k n", integer=True, nonnegative=True)
s = sp.Symbol("s", integer=True, positive=True)


def closed(name: str, **options: Any) -> Callable[[Any, dict[str, Any]], sp.Expr]:
    """eta at a time, with parameters put in by name."""
    family = registry.get(name)
    *before, (_, value) = family.lines(**options)
    for symbol, e in reversed(before):
        value = value.subs(symbol, e)
    symbols = {h.name: h.symbol for h in family.hyperparameters}

    def eta(time: Any, values: dict[str, Any]) -> sp.Expr:
        return value.subs({symbols[n]: v for n, v in values.items()} | {t: time}, simultaneous=True)

    return eta


def parameter(name: str, parameter_name: str) -> sp.Symbol:
    return next(h.symbol for h in registry.get(name).hyperparameters if h.name == parameter_name)


def zero(e: sp.Expr) -> bool:
    return bool(sp.simplify(sp.powsimp(sp.expand_power_exp(sp.expand(e)))) == 0)


def test_exponential() -> None:
    """eta_{t+1} = gamma^(1/decay_steps) eta_t."""
    eta, gamma = closed("exponential"), parameter("exponential", "gamma")
    steps = parameter("exponential", "decay_steps")
    assert zero(eta(t + 1, {}) - gamma ** (1 / steps) * eta(t, {}))


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_step(offset: int) -> None:
    """eta is multiplied by gamma where t + 1 is a multiple of step_size, and stays elsewhere; size 3."""
    eta, gamma = closed("step"), parameter("step", "gamma")
    values = {"step_size": sp.Integer(3)}
    ratio = gamma if offset == 2 else 1
    assert zero(eta(3 * n + offset + 1, values) - ratio * eta(3 * n + offset, values))


def test_linear() -> None:
    """eta_{t+1} = eta_t + (lr_end - lr)/total for t < total, and eta stays from there on."""
    eta = closed("linear")
    lr, lr_end = parameter("linear", "lr"), parameter("linear", "lr_end")
    total = t + 1 + k
    before = {"total": total}
    assert zero(eta(t + 1, before) - eta(t, before) - (lr_end - lr) / total)
    after = {"total": s}
    assert zero(eta(s + k + 1, after) - eta(s + k, after))
    assert zero(eta(s, after) - lr_end)


def test_polynomial() -> None:
    """eta_{t+1} - lr_end = (eta_t - lr_end) ((total - t - 1)/(total - t))^power for t < total - 1."""
    eta = closed("polynomial")
    lr_end, power = parameter("polynomial", "lr_end"), parameter("polynomial", "power")
    total = t + 2 + k
    before = {"total": total}
    now, later = eta(t, before) - lr_end, eta(t + 1, before) - lr_end
    base_now, base_later = 1 - t / total, 1 - (t + 1) / total
    assert sp.simplify(base_later / base_now - (total - t - 1) / (total - t)) == 0
    assert sp.simplify(later / base_later**power - now / base_now**power) == 0


def test_inverse_time() -> None:
    """lr/eta_{t+1} = lr/eta_t + decay_rate/decay_steps."""
    eta = closed("inverse_time")
    lr, rate = parameter("inverse_time", "lr"), parameter("inverse_time", "decay_rate")
    steps = parameter("inverse_time", "decay_steps")
    assert sp.simplify(lr / eta(t + 1, {}) - lr / eta(t, {}) - rate / steps) == 0


@pytest.mark.parametrize(("form", "length"), [("t/W", 0), ("(t+1)/W", 0), ("(t+1)/(W+1)", 1)])
def test_linear_warmup(form: str, length: int) -> None:
    """eta_{t+1} = eta_t + lr/W (or W + 1) on the way up, and stays at lr afterwards."""
    eta, lr = closed("linear_warmup", form=form), parameter("linear_warmup", "lr")
    warmup = t + 2 + k
    rising = {"warmup": warmup}
    assert zero(eta(t + 1, rising) - eta(t, rising) - lr / (warmup + length))
    assert zero(eta(s + k, {"warmup": s}) - lr)


def test_exponential_warmup() -> None:
    """lr - eta_{t+1} = exp(-1/W) (lr - eta_t)."""
    eta, lr = closed("exponential_warmup"), parameter("exponential_warmup", "lr")
    warmup = parameter("exponential_warmup", "warmup")
    assert zero((lr - eta(t + 1, {})) - sp.exp(-1 / warmup) * (lr - eta(t, {})))
