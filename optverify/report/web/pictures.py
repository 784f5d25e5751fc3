"""Counterexamples where a picture says more: the run that refutes a sentence, made by the rule itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import sympy as sp
from markupsafe import Markup

from optverify.report.web.curves import Curve, Drawing
from optverify.rules import rule
from optverify.schedules import schedule
from optverify.views.run import run

Gradient = Callable[[Any], Any]


def picture(claim: str) -> Markup | None:
    """The drawing of the counterexample to a claim; None where words say it."""
    return drawings()[claim].svg() if claim in drawings() else None


@cache
def drawings() -> dict[str, Drawing]:
    """Claim -> drawing."""
    cycle = _signs("signsgd")
    return {
        "gd.quadratic.boundary": _boundary(),
        "signsgd.converges": cycle,
        "signsgd.quadratic": cycle,
        "rmsprop.quadratic.convergence": _signs("rmsprop"),
        "gd.subgradient.constant_step": _signs("gd"),
        "momentum.descent": _rising("momentum", "1/2", "1/2"),
        "nesterov.descent": _rising("nesterov", "1/2", "3/4"),
        "momentum.never_oscillates": _oscillation(),
        "momentum.strongly_convex.distance": _distance(),
        "momentum.global_convergence": _repeating(),
        "lookahead.quadratic.always_stabler": _lookahead(),
        "sam.converges": _sam(),
        "gd.exponential.reaches": _stalled(),
        "gd.inverse_time.any_constant": _slow(),
        "adam.effective_rate": _effective_rate("adam", beta1="0", beta2="1/4"),
        "rmsprop.effective_rate": _effective_rate("rmsprop", rho="1/4", initial_accumulator="0"),
        "adam.step.unbounded": _unbounded(),
        "linear_warmup.smooth": _kink(),
        "join.common_clock": _clocks(),
    }


def walk(name: str, gradients: Sequence[Any], start: Any = 1, **values: Any) -> list[float]:
    """Theta before the first update and after each one; numbers as text are exact, runs are not."""
    numbers = {n: sp.Float(sp.Rational(v)) if isinstance(v, str) else v for n, v in values.items()}
    states = run(rule(name), gradients, sp.Float(sp.Rational(start)), numbers)
    return [float(s["theta"]) for s in states]


def curve(name: str, values: Sequence[float], style: int = 0) -> Curve:
    """Values by update."""
    return Curve(name, list(enumerate(values)), style)


def identity(x: Any) -> Any:
    """The gradient of x^2/2."""
    return x


def _boundary() -> Drawing:
    at, below = (walk("gd", [identity] * 12, lr=lr) for lr in ("2", "17/10"))
    curves = [curve("lr = 2/λ", at), curve("lr = 1.7/λ", below, 1)]
    return Drawing("Gradient descent on λθ²/2 at the step size 2/λ and below it", curves, y="θ")


def _signs(name: str) -> Drawing:
    """The cycle between lr/2 and -lr/2."""
    if name == "gd":
        path = walk(name, [sp.sign] * 10, "1/4", lr="1/2")
        return Drawing("Subgradient steps on |θ| from lr/2", [curve("θ", path)], y="θ, lr = 1/2")
    if name == "signsgd":
        path = walk(name, [identity] * 10, "1/4", lr="1/2")
        return Drawing("Sign descent on θ²/2 from lr/2", [curve("θ", path)], y="θ, lr = 1/2")
    path = walk(name, [identity] * 10, "1/4", lr="1/2", rho="9/10", eps="0", initial_accumulator="1/16")
    return Drawing("RMSProp on θ²/2 from lr/2, with v as it is there", [curve("θ", path)], y="θ, lr = 1/2")


def _rising(name: str, lr: str, momentum: str) -> Drawing:
    path = walk(name, [identity] * 9, lr=lr, momentum=momentum)
    title = f"{rule(name).title} on θ²/2 with lr = {lr}, momentum = {momentum}: the objective rises again"
    return Drawing(title, [curve("f", [x * x / 2 for x in path])], y="f(θ)")


def _oscillation() -> Drawing:
    plain = walk("gd", [identity] * 40, lr="1/10")
    heavy = walk("momentum", [identity] * 40, lr="1/10", momentum="9/10")
    curves = [curve("momentum", heavy), curve("gd", plain, 1)]
    return Drawing("Gradient descent and momentum 0.9 on θ²/2 with lr = 0.1", curves, y="θ")


def _distance() -> Drawing:
    path = walk("momentum", [lambda x: 2 * x] * 14, lr="25/18", momentum="4/9")
    return Drawing("Momentum on θ²: the distance grows first", [curve("θ²", [x * x for x in path])], y="θ²")


def _repeating() -> Drawing:
    """Lessard, Recht and Packard (2016), equation 4.11."""

    def slope(x: Any) -> Any:
        return 25 * x if x < 1 else x + 24 if x < 2 else 25 * x - 24

    path = walk("momentum", [slope] * 40, "33/10", lr="1/9", momentum="4/9")
    title = "Momentum, tuned as for a quadratic, on a strongly convex function with slopes 25, 1, 25"
    return Drawing(title, [curve("θ", path)], y="θ, minimum at 0")


def _lookahead() -> Drawing:
    path = walk("lookahead", [identity] * 12, lr="5/2", slow_lr="1/2", sync_period=2)
    return Drawing("Lookahead on θ²/2 with lr = 5/2", [curve("θ", path)], y="θ")


def _sam() -> Drawing:
    path = walk("sam", [identity] * 16, lr="1/2", sam_rho="3")
    return Drawing("SAM on θ²/2 with rho = 3: every second call steps", [curve("θ", path)], y="θ")


def _stalled() -> Drawing:
    rates = schedule("exponential", lr=0.5, gamma=0.5, decay_steps=1)
    path = walk("gd", [1] * 12, "2", lr=lambda t: sp.Float(rates(t - 1)))
    curves = [curve("θ", path), curve("the limit", [1.0] * len(path), 1)]
    return Drawing("Slope 1 and rates that halve: all steps together are too short", curves, y="θ")


def _slow() -> Drawing:
    path = walk("gd", [identity] * 400, "1", lr=lambda t: sp.Rational(1, 5) / t)
    curves = [curve("θ", path), curve("t^(−1/2)", [1.0, *((k + 1) ** -0.5 for k in range(400))], 1)]
    return Drawing("Rates 1/(5t) on θ²/2: slower than any fixed power above 1/5", curves, y="θ", log=True)


def _effective_rate(name: str, **values: str) -> Drawing:
    """What the gradient is multiplied by, without a first moment."""
    gradients = [2, 1, 2, 1, 1, 2, 1, 1]
    path = walk(name, gradients, "0", lr="1", eps="0", **values)
    rates = [(path[t - 1] - path[t]) / g for t, g in enumerate(gradients, 1)]
    title = f"{rule(name).title}, for gradients {', '.join(map(str, gradients))}"
    return Drawing(title, [Curve("rate", list(enumerate(rates, 1)))], y="effective rate / lr")


def _unbounded() -> Drawing:
    """Decay rates with beta2 < beta1^2 and gradients that shrink."""
    b1, b2 = sp.Rational(9, 10), sp.Rational(1, 2)
    gradients = [sp.Float((b2 / b1) ** t) for t in range(1, 41)]
    path = walk("adam", gradients, "0", lr="1", beta1=str(b1), beta2=str(b2), eps="0")
    steps = [abs(b - a) for a, b in pairwise(path)]
    title = "Adam with beta1 = 0.9, beta2 = 0.5: steps under shrinking gradients grow for ever"
    return Drawing(title, [Curve("step", list(enumerate(steps, 1)))], y="step / lr")


def _kink() -> Drawing:
    warm = schedule("linear_warmup", lr=1.0, warmup=10)
    return Drawing(
        "Linear warm-up: a kink at its end", [curve("rate", [warm(t) for t in range(21)])], y="rate"
    )


def _clocks() -> Drawing:
    warm, cosine = schedule("linear_warmup", lr=1.0, warmup=4), schedule("cosine", lr=1.0, total=12)
    own = warm.then(cosine)
    common = [warm(t) if t < 4 else cosine(t) for t in range(13)]
    curves = [curve("own clock", [own(t) for t in range(13)]), curve("common clock", common, 1)]
    return Drawing("Annealing after a warm-up, on two clocks", curves, y="rate", stairs=True)
