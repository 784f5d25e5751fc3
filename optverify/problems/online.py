"""Online problems: the loss depends on the time t."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .arguments import integer, real
from .functions import Functions
from .problem import Minimum, OnlineProblem
from .registry import register

SOURCE = "Reddi, Kale & Kumar 2018, On the convergence of Adam and beyond, arXiv:1904.09237"


def _linear(
    name: str,
    *,
    title: str,
    latex: str,
    symbols: Mapping[str, str],
    theorem: int,
    slope: Callable[[int], float],
    mean: float,
    tags: frozenset[str] = frozenset(),
) -> OnlineProblem:
    """f_t(x) = slope(t) x on [-1, 1], with a positive mean slope: the minimizer is -1."""

    def loss(x: Any, xp: Functions, t: int) -> Any:
        return xp.sum(slope(t) * x)

    return OnlineProblem(
        name=name,
        title=title,
        latex=latex,
        symbols={"t": "the time, from 1 on", **symbols},
        source=f"{SOURCE}, section 3, Theorem {theorem}",
        initial=np.zeros(1),
        function=lambda x, xp: xp.sum(mean * x),
        tags=frozenset({"convex", "smooth", "online", "constrained"}) | tags,
        minimum=Minimum(-mean, (np.array([-1.0]),)),
        smoothness=0.0,
        loss=loss,
        low=-1.0,
        high=1.0,
    )


@register
def reddi(C: float = 3.0) -> OnlineProblem:
    r"""Reddi's online counterexample: f_t(x) = C x if t mod 3 = 1, else -x, on [-1, 1], with C > 2.

    The mean loss (C - 2) x / 3 and every sum f_1 + ... + f_T are least at x = -1; Adam with beta1 = 0 and
    beta2 = 1/(1 + C^2) goes to +1, so that its average regret does not vanish (Theorem 1).
    """
    C = real("reddi", "C", C, above=2.0)
    return _linear(
        "reddi",
        title="Reddi's online counterexample",
        latex=r"f_t(x) = \begin{cases} C x & t \bmod 3 = 1 \\ -x & \text{otherwise} \end{cases},"
        r" \quad x \in [-1, 1]",
        symbols={"C": f"slope of the rare loss, {C:g}"},
        theorem=1,
        slope=lambda t: C if t % 3 == 1 else -1.0,
        mean=(C - 2) / 3,
    )


@register
def reddi_stochastic(C: float = 100.0, delta: float = 0.02, seed: int = 0) -> OnlineProblem:
    r"""The stochastic form: f_t(x) = C x with probability p = (1 + delta)/(C + 1), else -x, on [-1, 1].

    The expected loss is delta x, least at x = -1. C > 1 and 0 < delta < C, so that p < 1. The draw at time t
    depends on (seed, t) alone: the same t always gives the same loss.
    """
    C = real("reddi_stochastic", "C", C, above=1.0)
    delta = real("reddi_stochastic", "delta", delta, below=C)
    seed = integer("reddi_stochastic", "seed", seed, least=0)
    p = (1 + delta) / (C + 1)
    return _linear(
        "reddi_stochastic",
        title="Reddi's stochastic counterexample",
        latex=r"f_t(x) = \begin{cases} C x & \text{with probability } (1 + \delta)/(C + 1) \\"
        r" -x & \text{otherwise} \end{cases}, \quad x \in [-1, 1]",
        symbols={"C": f"slope of the rare loss, {C:g}", r"\delta": f"slope of the mean loss, {delta:g}"},
        theorem=3,
        slope=lambda t: C if np.random.default_rng((seed, t)).random() < p else -1.0,
        mean=delta,
        tags=frozenset({"stochastic"}),
    )
