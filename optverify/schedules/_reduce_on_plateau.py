"""Reduce on plateau: the learning rate falls when a metric has stopped improving.

The one schedule that is no function of t: it has a state, and is told a metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from optverify.language import Axis, Domain, Hyperparameter, hyper_symbol, lr, nonnegative, positive
from optverify.language.clock import lr_min
from optverify.language.counts import whole

MODE = Axis("mode", "Which metric is better?", {"min": "a smaller one", "max": "a larger one"})
THRESHOLD_MODE = Axis(
    "threshold_mode",
    "By how much must it be better than the best so far?",
    {"rel": "by more than threshold times the best", "abs": "by more than threshold"},
)
NUMBERS = {
    h.name: h
    for h in (
        Hyperparameter(lr, r"\eta_0", None, positive, "learning rate at first"),
        Hyperparameter(lr_min, r"\eta_{\min}", 0.0, nonnegative, "the rate is never reduced below it"),
        Hyperparameter(
            hyper_symbol("factor"), r"\gamma", 0.1, Domain(0, 1, low_open=True), "factor of a fall"
        ),
        Hyperparameter(hyper_symbol("threshold"), r"\delta", 1e-4, nonnegative, "improvement that counts"),
        Hyperparameter(hyper_symbol("eps"), r"\epsilon", 1e-8, nonnegative, "smaller falls are not made"),
    )
}
STATE = ("lr", "best", "bad_steps", "cooldown_left")


class ReduceOnPlateau:
    r"""Multiply the rate by `factor` once a metric has not improved for more than `patience` steps.

    A step is better if m < b (1 - threshold) or m < b - threshold ("min", "rel" or "abs"),
    m > b (1 + threshold) or m > b + threshold ("max"), where b is the best metric so far; then b = m and the
    count of bad steps is 0, else it grows by 1 (NaN is never better). During the `cooldown` steps after a
    fall bad steps are not counted. A fall is to max(factor lr, lr_min), and is left out if it is <= eps.

    These are the rules of PyTorch's ReduceLROnPlateau. Codes that reduce at `patience` bad steps, not after
    it (optax, Keras), are this with patience - 1. With "rel" and a best metric below 0 a slightly worse
    metric counts as better, as there.

    Give it as `lr=` of an optimizer, and call `step(metric)` after each evaluation:

        plateau = ReduceOnPlateau(lr=0.1, patience=3)
        lr = plateau.step(validation_loss)
    """

    def __init__(
        self,
        lr: float,
        *,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        lr_min: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        """Raises TypeError or ValueError for a value that is no number or out of range."""
        self.lr = NUMBERS["lr"].check(lr)
        self.lr_min, self.factor = NUMBERS["lr_min"].check(lr_min), NUMBERS["factor"].check(factor)
        self.threshold, self.eps = NUMBERS["threshold"].check(threshold), NUMBERS["eps"].check(eps)
        self.mode, self.threshold_mode = str(MODE.check(mode)), str(THRESHOLD_MODE.check(threshold_mode))
        self.patience = whole("patience", patience, "patience must be an integer >= 0", least=0)
        self.cooldown = whole("cooldown", cooldown, "cooldown must be an integer >= 0", least=0)
        self.best: float | None = None
        self.bad_steps = self.cooldown_left = 0

    def __call__(self, t: Any = None) -> float:
        """Return the present rate, whatever t is: it changes with step(), not with updates."""
        return self.lr

    def step(self, metric: float) -> float:
        """Take the metric of one more evaluation and return the rate to go on with.

        Raises TypeError if metric is no number.
        """
        if isinstance(metric, bool) or not (isinstance(metric, Real) or getattr(metric, "shape", None) == ()):
            raise TypeError(f"metric = {metric!r} is not a number: give one number per step")
        value = float(metric)
        if self._better(value):
            self.best, self.bad_steps = value, 0
        else:
            self.bad_steps += 1
        if self.cooldown_left > 0:
            self.cooldown_left -= 1
            self.bad_steps = 0
        if self.bad_steps > self.patience:
            self.cooldown_left, self.bad_steps = self.cooldown, 0
            lower = max(self.lr * self.factor, self.lr_min)
            if self.lr - lower > self.eps:
                self.lr = lower
        return self.lr

    def _better(self, value: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.best is None:
            return sign * value < float("inf")
        if self.threshold_mode == "rel":
            return sign * value < sign * (self.best * (1 - sign * self.threshold))
        return sign * value < sign * (self.best - sign * self.threshold)

    def state_dict(self) -> dict[str, float | int | None]:
        """Return what changes from step to step, ready for JSON; best is None before the first step."""
        return {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what state_dict() gave. Raises TypeError or ValueError for anything else."""
        if not isinstance(state, Mapping) or set(state) != set(STATE):
            raise ValueError(
                f"{state!r} is not the state of a ReduceOnPlateau: give what state_dict() returned"
            )
        rate = NUMBERS["lr"].check(state["lr"])
        best = None if state["best"] is None else float(state["best"])
        counts = [whole(n, state[n], f"{n} must be an integer >= 0", least=0) for n in STATE[2:]]
        self.lr, self.best, (self.bad_steps, self.cooldown_left) = rate, best, counts

    def __repr__(self) -> str:
        return (
            f"ReduceOnPlateau(lr={self.lr}, mode={self.mode!r}, factor={self.factor}, "
            f"patience={self.patience}, threshold={self.threshold}, threshold_mode={self.threshold_mode!r}, "
            f"cooldown={self.cooldown}, lr_min={self.lr_min}, eps={self.eps})"
        )
