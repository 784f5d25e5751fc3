"""The runs that the report makes itself: small, seeded, the same on every machine.

A sweep gives every rule the same learning rates and the same number of updates, its other hyperparameters at
their defaults, and compares each rule at its best learning rate. Numbers are reported to two digits.
"""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optverify.problems import FiniteSum, OnlineProblem, Problem, problem
from optverify.rules import rule as named_rule
from optverify.training import MiniBatch, Trace, minimize, train

RULES = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SEEDS = (0, 1)
"""Of data and batches; a run that needs one alone takes the first."""
DOCUMENTS = 100

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """A table of numbers. protocol: how they were made; finding: what they show, in one sentence."""

    name: str
    title: str
    protocol: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    finding: str


@dataclass(frozen=True)
class Sweep:
    """What each rule reached at each learning rate: reached[rule][rate], inf where the run diverged.

    measure: what is reached, the less the better; a learning rate works if it gets down to `target`.
    """

    name: str
    title: str
    protocol: str
    measure: str
    reached: Mapping[str, Mapping[float, float]]
    target: float

    def best_rate(self, rule: str) -> float:
        """The learning rate at which the rule reached least."""
        return min(self.reached[rule], key=self.reached[rule].__getitem__)

    def best(self, rule: str) -> float:
        """The least value the rule reached."""
        return self.reached[rule][self.best_rate(rule)]

    def working(self, rule: str) -> int:
        """At how many learning rates the rule reached the target."""
        return sum(value <= self.target for value in self.reached[rule].values())

    @cached_property
    def ranking(self) -> tuple[str, ...]:
        """The rules, the one that reached least first."""
        return tuple(sorted(self.reached, key=self.best))

    @property
    def run(self) -> Run:
        """As a table."""
        rows = tuple(
            (
                title(r),
                f"{self.best_rate(r):g}",
                two_digits(self.best(r)),
                f"{self.working(r)} of {len(RATES)}",
            )
            for r in self.ranking
        )
        most = max(map(self.working, self.reached))
        widest = [title(r) for r in self.reached if self.working(r) == most]
        finding = (
            f"Lowest: {title(self.ranking[0])}, then {title(self.ranking[1])}. "
            f"At the most learning rates down to {two_digits(self.target)}: {words(widest)}."
        )
        header = (
            "Rule",
            "Best lr",
            self.measure,
            f"Learning rates that get down to {two_digits(self.target)}",
        )
        return Run(self.name, self.title, self.protocol, header, rows, finding)


def title(rule: str) -> str:
    """The usual name of a rule."""
    return named_rule(rule).title


def two_digits(value: float) -> str:
    """A measured number: few enough digits to be the same on every machine."""
    return "diverged" if not math.isfinite(value) else f"{value:.2g}"


def _sum(p: Problem) -> FiniteSum:
    """The problem, which is a finite sum."""
    assert isinstance(p, FiniteSum)
    return p


def sweep(measured: Callable[[str, float], float]) -> dict[str, dict[float, float]]:
    """measured(rule, rate) for every rule and rate."""
    return {rule: {rate: measured(rule, rate) for rate in RATES} for rule in RULES}


def last(trace: Trace, least: float = 0.0) -> float:
    """f - least at the end of a run, inf if it diverged."""
    return math.inf if trace.diverged else float(trace.value[-1]) - least


def relative(trace: Trace) -> float:
    """f at the end of a run over f at its start."""
    return last(trace) / float(trace.value[0])


# ---- the sweeps --------------------------------------------------------------------------------------


def quadratic(steps: int = 200) -> Sweep:
    """Full gradients on a rotated quadratic of condition 1000."""
    p = problem("quadratic", dim=20, condition=1e3)

    def measured(rule: str, rate: float) -> float:
        return relative(minimize(p, rule, steps, lr=rate, record=steps))

    return Sweep(
        "ill-conditioned",
        "An ill-conditioned quadratic",
        f"The problem quadratic with n = 20 and condition 1000, full gradients, {steps} updates.",
        "f/f at the start",
        sweep(measured),
        target=1e-3,
    )


def sparse(name: str, heading: str, batch: int, epochs: int) -> Sweep:
    """Word counts, on batches; the mean over the data and orders of all seeds, so that no draw decides."""
    problems = [problem("sparse_features", n=DOCUMENTS, seed=seed) for seed in SEEDS]

    def measured(rule: str, rate: float) -> float:
        reached = []
        for p, seed in zip(problems, SEEDS, strict=True):
            run = train(_sum(p), rule, epochs, MiniBatch(batch, seed=seed), lr=rate)
            reached.append(last(run, least=p.minimum.value))
        return math.fsum(reached) / len(reached)

    passes = "one pass" if epochs == 1 else f"{epochs} passes"
    size = "one example at a time" if batch == 1 else f"batches of {batch}"
    return Sweep(
        name,
        heading,
        f"The problem sparse_features (logistic regression on {DOCUMENTS} documents, word counts by Zipf's"
        f" law), {passes}, {size}, shuffled; the mean over data and orders of the seeds"
        f" {words(list(map(str, SEEDS)))}.",
        "f - inf f",
        sweep(measured),
        target=0.35,
    )


def network(epochs: int = 8, batch: int = 16) -> Sweep:
    """A small network on synthetic data, in mini-batches."""
    p = _sum(problem("mlp"))

    def measured(rule: str, rate: float) -> float:
        return last(train(p, rule, epochs, MiniBatch(batch, seed=SEEDS[0]), lr=rate))

    return Sweep(
        "small-network",
        "A small network",
        f"The problem mlp (16 tanh units, three overlapping clouds of points, {p.n} examples), {epochs}"
        f" epochs, batches of {batch}, shuffled with seed {SEEDS[0]}.",
        "training loss",
        sweep(measured),
        target=0.4,
    )


# ---- other runs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scales:
    """f/f at the start when the same problem is multiplied by a constant and lr is left as it is."""

    factors: Sequence[float]
    lr: float
    steps: int
    reached: Mapping[str, Sequence[float]]

    def indifferent(self, rule: str) -> bool:
        """True if the factor changes what the rule reaches by less than a tenth."""
        least, most = min(self.reached[rule]), max(self.reached[rule])
        return math.isfinite(most) and most <= 1.1 * least

    @property
    def run(self) -> Run:
        """As a table."""
        rows = tuple((title(r), *map(two_digits, values)) for r, values in self.reached.items())
        same = [title(r) for r in self.reached if self.indifferent(r)]
        return Run(
            "scale-of-the-loss",
            "The scale of the loss",
            f"The problem quadratic with n = 10 and condition 10, multiplied by a constant; f/f at the start"
            f" after {self.steps} updates, with lr = {self.lr:g} throughout.",
            ("Rule", *(f"Loss times {c:g}" for c in self.factors)),
            rows,
            f"The scale makes no difference to {words(same)}; the others need another lr." if same else "",
        )


def scales(lr: float = 0.03, steps: int = 150) -> Scales:
    """One lr for a loss multiplied by 1/1000, 1 and 1000."""
    factors = (1e-3, 1.0, 1e3)

    def measured(rule: str, factor: float) -> float:
        p = problem("quadratic", dim=10, condition=10.0, smoothness=factor)
        return relative(minimize(p, rule, steps, lr=lr, record=steps))

    return Scales(factors, lr, steps, {rule: [measured(rule, c) for c in factors] for rule in RULES})


@dataclass(frozen=True)
class Counterexample:
    """Where each rule ends on Reddi's sequence, and its average regret: (label, theta, regret)."""

    steps: int
    lr: float
    ends: Sequence[tuple[str, float, float]]

    def end(self, label: str) -> float:
        """The last theta of the run of that label."""
        return next(theta for name, theta, _ in self.ends if name == label)

    @property
    def run(self) -> Run:
        """As a table."""
        rows = tuple((label, two_digits(theta), two_digits(regret)) for label, theta, regret in self.ends)
        wrong = [label for label, theta, _ in self.ends if theta > 0.5]
        return Run(
            "reddi",
            "Reddi's counterexample",
            f"The problem reddi with C = 3 (convex, one dimension, best point -1), {self.steps} updates with"
            f" lr = {self.lr:g}; Adam with beta1 = 0 and beta2 = 1/(1 + C^2) = 0.1, as in the theorem.",
            ("Rule", "Last theta", "Average regret"),
            rows,
            f"{words(wrong)} went to +1, the worst point; the others moved towards -1." if wrong else "",
        )


def counterexample(steps: int = 600, lr: float = 0.03) -> Counterexample:
    """Adam, AMSGrad, AdaGrad and gradient descent on Reddi's sequence."""
    p = problem("reddi")
    assert isinstance(p, OnlineProblem)
    theorem = {"beta1": 0.0, "beta2": 0.1}
    contestants: list[tuple[str, str, dict[str, Any]]] = [
        ("Adam", "adam", theorem),
        ("AMSGrad", "adam", {**theorem, "amsgrad": "v"}),
        ("AdaGrad", "adagrad", {}),
        ("Gradient descent", "gd", {}),
    ]
    ends = []
    for label, rule, settings in contestants:
        path = minimize(p, rule, steps, lr=lr, **settings).theta
        ends.append((label, float(path[-1][0]), p.regret(list(path[:-1])) / steps))
    return Counterexample(steps, lr, ends)


def words(items: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


# ---- all of them -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Runs:
    """Every run of the report."""

    quadratic: Sweep
    sparse_single: Sweep
    sparse_batches: Sweep
    network: Sweep
    scales: Scales
    counterexample: Counterexample

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """Every sweep: what the advice counts over."""
        return (self.quadratic, self.network, self.sparse_single, self.sparse_batches)

    @property
    def tables(self) -> tuple[Run, ...]:
        """As they stand on the page."""
        return (*(sweep.run for sweep in self.sweeps), self.scales.run, self.counterexample.run)


def both_sparse() -> tuple[Sweep, Sweep]:
    """The two sweeps on word counts, the longest of all."""
    return (
        sparse("sparse-one", "Sparse features, one example at a time", batch=1, epochs=1),
        sparse("sparse-batches", "Sparse features, in mini-batches", batch=4, epochs=2),
    )


CHILD = "import pickle, sys; from optverify.report.runs import both_sparse as f; "
CHILD += "pickle.dump(f(), sys.stdout.buffer)"


def make_runs(progress: Progress) -> Runs:
    """Make them, the longest in a process of its own; progress is told what is under way."""
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE) as child:
        progress("runs: ill-conditioned quadratic")
        first = quadratic()
        progress("runs: small network")
        net = network()
        progress("runs: scale of the loss, Reddi's counterexample")
        scale, online = scales(), counterexample()
        progress("runs: sparse features")
        told, _ = child.communicate()
    if child.returncode:
        raise RuntimeError(f"the runs on sparse features ended with exit code {child.returncode}")
    single, batches = pickle.loads(told)
    return Runs(first, single, batches, net, scale, online)
