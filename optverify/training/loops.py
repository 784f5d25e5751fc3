"""The loops: a rule over a whole problem, and over the examples of a finite sum, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np

from optverify.optimizers import Optimizer
from optverify.problems import FiniteSum, OnlineProblem, Problem
from optverify.problems import problem as named
from optverify.problems.arguments import integer
from optverify.problems.network import Network
from optverify.problems.points import Tree, tree_map

from .estimates import Estimate
from .sampling import Estimator, Indices, MiniBatch
from .trace import Trace, Training

Lr = float | Callable[[int], float]
Progress = Callable[[int, int], None]
Watch = Callable[[int, float], None]


def minimize(
    problem: Problem | str,
    rule: str,
    steps: int = 500,
    *,
    lr: Lr | None = None,
    start: Tree | None = None,
    record: int = 1,
    progress: Progress | None = None,
    estimate: Estimate | None = None,
    watch: Watch | None = None,
    **settings: Any,
) -> Trace:
    """Run a rule on a problem: theta_t from theta_{t-1} and the gradient where the rule takes it.

    problem: a Problem or the name of one. An online problem gives the gradient of f_t to update t, and theta
    is projected onto its box after each. rule: a name; settings: its hyperparameters and axis options.
    lr: a number, or a schedule called with the updates made so far; the rule's default if None.
    start: theta_0, the problem's usual start if None. record: keep every record-th row, and the last.
    progress: called after each update with (updates made, updates in all).
    estimate: called before each update with the point where the rule takes its gradient, the exact gradient
    there and t; the rule is given what it returns (see `Noise`, `BatchGradients`). Value and gradient_norm
    of the Trace stay exact. watch: called with (t, value) at every theta_t, the last one too.

    A theta, value or gradient that is not finite ends the run: see Trace.note. Raises ValueError or TypeError
    for a name, number or start that does not fit.
    """
    problem = named(problem) if isinstance(problem, str) else problem
    steps = integer("minimize", "steps", steps, least=0)
    record = integer("minimize", "record", record, least=1)
    run = _Run(problem, rule, lr, start, settings)
    while True:
        t = run.optimizer.t
        value, gradient = run.measure()
        if watch is not None:
            watch(t, value)
        direction = gradient
        if t < steps and not run.note:
            direction = run.direction(gradient, estimate)
        if t % record == 0 or t == steps or run.note:
            run.record(value, gradient)
        if t == steps or run.note:
            break
        run.update(direction)
        if progress is not None:
            progress(t + 1, steps)
    return Trace(problem=problem, rule=run.optimizer.rule, note=run.note, **run.columns())


def train(
    problem: FiniteSum | str,
    rule: str,
    epochs: int = 5,
    estimator: Estimator | None = None,
    *,
    lr: Lr | None = None,
    start: Tree | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Training:
    """Run a rule on a finite sum for some epochs, with gradients estimated on batches.

    estimator: FullBatch(), OneExample(seed), MiniBatch(size, seed, drop_last); MiniBatch(64) if None.
    "svrg" is given its gradients at the snapshot. The rest is as in `minimize`.
    """
    target = named(problem) if isinstance(problem, str) else problem
    if not isinstance(target, FiniteSum):
        raise TypeError(
            f"problem {target.name!r} is not a finite sum, it has no examples to draw batches from: "
            "use minimize()"
        )
    epochs = integer("train", "epochs", epochs, least=0)
    run = _Epochs(target, rule, lr, start, settings)
    run.end_epoch()
    for batches in islice((estimator or MiniBatch(64)).epochs(target.n), epochs):
        for batch in batches:
            if run.note:
                break
            run.learn(batch)
            if progress is not None:
                progress(run.optimizer.t, epochs * len(batches))
        run.epoch += not run.note
        run.end_epoch()
        if run.note:
            break
    return Training(
        problem=target,
        rule=run.optimizer.rule,
        note=run.note,
        batch_value=np.array(run.batch_values),
        **run.columns(),
    )


class _Run:
    """A rule under way on a problem: theta, the optimizer, the rows recorded, and why it had to stop."""

    def __init__(
        self, problem: Problem, rule: str, lr: Lr | None, start: Tree | None, settings: dict[str, Any]
    ) -> None:
        self.problem = problem
        self.optimizer = Optimizer(rule, **settings) if lr is None else Optimizer(rule, lr=lr, **settings)
        self.theta = problem.start if start is None else _start(problem, start)
        problem.value(self.theta)  # refuses a start that does not fit
        self.rows: dict[str, list[Any]] = {}
        self.note = ""

    def measure(self) -> tuple[float, Tree]:
        """f and its gradient at theta; NaN for both where theta is not finite."""
        if not self.finite("theta", self.theta):
            return math.nan, tree_map(lambda leaf: np.full_like(leaf, np.nan), self.theta)
        with _quiet():
            value, gradient = self.problem.value_and_gradient(self.theta)
        if self.finite("the value", value):
            self.finite("the gradient", gradient)
        return value, gradient

    def direction(self, gradient: Tree, estimate: Estimate | None = None) -> Tree:
        """The gradient the next update takes, or an estimate of it; `gradient` is the one at theta."""
        with _quiet():
            point = self.optimizer.gradient_point(self.theta)
            if not self.finite("the look-ahead point", point):
                return None
            if isinstance(self.problem, OnlineProblem):
                gradient = self.problem.online_gradient(point, self.optimizer.t + 1)
            elif point is not self.theta:
                gradient = self.problem.gradient(point)
            if estimate is not None and self.finite("the gradient", gradient):
                gradient = estimate(point, gradient, self.optimizer.t + 1)
        self.finite("the gradient", gradient)
        return gradient

    def update(self, gradient: Tree, **inputs: Any) -> None:
        """Let the rule move theta, then bring it back into the box of an online problem."""
        with _quiet():
            self.optimizer.update(self.theta, gradient, **inputs)
        if isinstance(self.problem, OnlineProblem) and self.finite("theta", self.theta):
            self.theta[...] = self.problem.project(self.theta)

    def finite(self, what: str, tree: Tree) -> bool:
        """True if all numbers are; else note what is not."""
        leaves: list[bool] = []
        tree_map(lambda leaf: leaves.append(bool(np.isfinite(leaf).all())), tree)
        if not all(leaves) and not self.note:
            updates = self.optimizer.t
            plural = "" if updates == 1 else "s"
            self.note = f"diverged: {what} is not finite after {updates} update{plural}; try a smaller lr"
        return all(leaves)

    def record(self, value: float, gradient: Tree, **more: Any) -> None:
        """Add a row."""
        t, lr = self.optimizer.t, self.optimizer.lr
        row = {
            "t": t,
            "theta": tree_map(np.copy, self.theta),
            "value": value,
            "gradient_norm": _norm(gradient),
            "lr": float(lr(t) if callable(lr) else lr),
        }
        for name, entry in (row | more).items():
            self.rows.setdefault(name, []).append(entry)

    def columns(self) -> dict[str, Any]:
        """The rows as arrays; thetas that are nested structures stay a list."""
        nested = not isinstance(self.theta, np.ndarray)
        return {
            name: entries if name == "theta" and nested else np.array(entries)
            for name, entries in self.rows.items()
        }


class _Epochs(_Run):
    """The same over the examples of a finite sum."""

    problem: FiniteSum

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.epoch, self.seconds = 0, 0.0
        self.batch_values: list[float] = []
        self.snapshot: Tree = None
        self.full_gradient: Tree = None

    def at_snapshot(self, batch: Indices) -> dict[str, Tree]:
        """What "svrg" is given besides; when its snapshot is renewed, theta and the snapshot are one."""
        if "snapshot_grad" not in self.optimizer.inputs:
            return {}
        if self.optimizer.t % self.optimizer.period == 0:
            self.snapshot = tree_map(np.copy, self.theta)
            self.full_gradient = self.problem.gradient(self.snapshot)
        _, gradient = self.problem.batch_value_and_gradient(self.snapshot, batch)
        return {"snapshot_grad": gradient, "full_grad": self.full_gradient}

    def learn(self, batch: Indices) -> None:
        """One update, with the gradient on the batch."""
        began = perf_counter()
        with _quiet():
            point = self.optimizer.gradient_point(self.theta)
            if self.finite("theta", point):
                value, gradient = self.problem.batch_value_and_gradient(point, batch)
                self.batch_values.append(value)
                if self.finite("the value on a batch", value) and self.finite("the gradient", gradient):
                    self.update(gradient, **self.at_snapshot(batch))
        self.seconds += perf_counter() - began

    def end_epoch(self) -> None:
        """Add a row: f, its gradient and the accuracies at theta."""
        value, gradient = self.measure()
        train_accuracy = test_accuracy = math.nan
        if isinstance(self.problem, Network) and math.isfinite(value):
            data = self.problem.data
            with _quiet():
                train_accuracy = self.problem.accuracy(self.theta, data.train_x, data.train_y)
                test_accuracy = self.problem.accuracy(self.theta, data.test_x, data.test_y)
        self.record(
            value,
            gradient,
            epoch=self.epoch,
            seconds=self.seconds,
            train_accuracy=train_accuracy,
            test_accuracy=test_accuracy,
        )


def _quiet() -> Any:
    """A run that diverges says so in its note, not in warnings."""
    return np.errstate(over="ignore", divide="ignore", invalid="ignore")


def _start(problem: Problem, start: Tree) -> Tree:
    """A copy of the start that an optimizer may write into; integers become floats."""

    def floating(leaf: Any) -> Any:
        array = np.array(leaf)
        return array.astype(float) if array.dtype.kind in "iu" else array

    return floating(start) if isinstance(problem.initial, np.ndarray) else tree_map(floating, start)


def _norm(tree: Tree) -> float:
    """The Euclidean norm over all leaves; scaled, so that only a norm out of range overflows."""
    norms: list[float] = []

    def add(leaf: Any) -> None:
        numbers = np.abs(np.asarray(leaf, float))
        largest = float(numbers.max(initial=0.0))
        usable = 0 < largest < math.inf
        norms.append(largest * float(np.linalg.norm(numbers / largest)) if usable else largest)

    tree_map(add, tree)
    return math.hypot(*norms)
