"""Which optimizer when: the usual advice, held against the claims and the runs of this report.

The verdict of a line is worked out from the runs; what the runs cannot decide is called "not decided here".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from optverify.report.runs import Runs, Sweep, title, two_digits, words

Verdict = Literal["supported", "supported in part", "not supported", "not decided here"]


@dataclass(frozen=True)
class Line:
    """One piece of advice. because: what decides it; open_: what stays open; claims: ids; runs: names."""

    situation: str
    advice: str
    verdict: Verdict
    because: str
    open_: str
    claims: tuple[str, ...]
    runs: tuple[str, ...]


def lines(runs: Runs, verdicts: Mapping[str, str]) -> list[Line]:
    """The table, judged by these runs and these verdicts (claim id -> verdict)."""
    judges: list[Callable[[Runs], Line]] = [
        ill_conditioned, convolutional, smooth_convex, by_default, recurrent, sparse_features, amsgrad,
    ]  # fmt: skip
    return [baseline(runs, verdicts), *(judge(runs) for judge in judges)]


def part(*conditions: bool) -> Verdict:
    """All hold, some hold, none holds."""
    if all(conditions):
        return "supported"
    return "supported in part" if any(conditions) else "not supported"


def compare(sweep: Sweep, rule: str, other: str) -> str:
    """Both at their best, in words: momentum 1e-5, gradient descent 0.1."""
    return f"{title(rule)} {two_digits(sweep.best(rule))}, {title(other)} {two_digits(sweep.best(other))}"


def baseline(runs: Runs, verdicts: Mapping[str, str]) -> Line:
    """Plain SGD."""
    theory = ("gd.convex.rate", "gd.diverges", "gd.quadratic.stability", "gd.minibatch.unbiased")
    sweeps = runs.sweeps
    beaten = sum(s.ranking[0] != "gd" for s in sweeps)
    return Line(
        "a baseline to compare with",
        "SGD without momentum",
        part(*(verdicts[id] == "holds" for id in theory)),
        "Its only hyperparameter is lr; its rate and its limit of stability are known, and in mini-batches"
        " its mean step is that of the full gradient.",
        f"As a baseline, not as the best choice: other rules got lower in {beaten} of {len(sweeps)} sweeps.",
        (*theory, "gd.minibatch.variance"),
        tuple(s.name for s in sweeps),
    )


def ill_conditioned(runs: Runs) -> Line:
    """Momentum in narrow valleys."""
    s = runs.quadratic
    return Line(
        "an ill-conditioned problem with full or nearly full gradients",
        "momentum",
        part(s.best("momentum") < s.best("gd") / 10),
        f"On the quadratic, at the best lr of each: {compare(s, 'momentum', 'gd')}."
        " Its range of stable lr is wider.",
        "One quadratic, momentum 0.9.",
        ("momentum.quadratic.stability", "momentum.terminal_velocity"),
        (s.name,),
    )


def convolutional(runs: Runs) -> Line:
    """Momentum for CNNs."""
    s = runs.network
    better = "lower" if s.best("momentum") < s.best("gd") else "no lower"
    return Line(
        "a convolutional network",
        "SGD with momentum",
        "not decided here",
        f"No convolutional network is trained here. On a small dense network momentum gets {better} than SGD:"
        f" {compare(s, 'momentum', 'gd')}.",
        "The advice is about test accuracy on images, which these runs do not measure.",
        ("momentum.quadratic.stability", "momentum.terminal_velocity"),
        (s.name,),
    )


def smooth_convex(runs: Runs) -> Line:
    """Nesterov rather than the heavy ball."""
    s = runs.quadratic
    return Line(
        "a smooth convex problem",
        "Nesterov momentum rather than plain momentum",
        part(s.best("nesterov") < s.best("momentum")),
        f"On the quadratic, at the best lr of each: {compare(s, 'nesterov', 'momentum')}.",
        "One quadratic, momentum 0.9. Nesterov's guarantee for every convex problem asks for a growing"
        " momentum, which no rule here has yet.",
        ("nesterov.forms.constant", "nesterov.forms.schedule"),
        (s.name,),
    )


def by_default(runs: Runs) -> Line:
    """Adam."""
    sweeps = runs.sweeps
    near_top = [s for s in sweeps if "adam" in s.ranking[:2]]
    forgiving = [s for s in sweeps if s.working("adam") >= max(s.working(r) for r in s.reached) - 1]
    other_lr = "no" if runs.scales.indifferent("adam") else "an"
    goes = "goes to the worst point" if runs.counterexample.end("Adam") > 0 else "goes to the best point"
    return Line(
        "nothing known about the problem",
        "Adam",
        part(
            len(near_top) == len(sweeps),
            len(forgiving) == len(sweeps),
            runs.scales.indifferent("adam"),
            runs.counterexample.end("Adam") < 0,
        ),
        f"First or second in {len(near_top)} of {len(sweeps)} sweeps; in {len(forgiving)} of {len(sweeps)}"
        " it works at as many learning rates as any rule, or at one fewer; a loss multiplied by a constant"
        f" needs {other_lr} other lr. On Reddi's sequence it {goes}.",
        "Generalization is not measured here.",
        ("adam.first_step", "adam.bias_correction.first", "adam.bias_correction.second", "adam.uncorrected"),
        (*(s.name for s in sweeps), "scale-of-the-loss", "reddi"),
    )


def recurrent(runs: Runs) -> Line:
    """RMSProp for RNNs."""
    same = "no" if runs.scales.indifferent("rmsprop") else "a"
    return Line(
        "a recurrent network",
        "RMSProp",
        "not decided here",
        "No recurrent network is trained here. What bears on it: its step recovers after large gradients,"
        f" while AdaGrad's never grows again; a loss multiplied by a constant makes {same} difference to it.",
        "Whether that helps a recurrent network, and more than Adam does.",
        ("rmsprop.effective_rate", "adagrad.effective_rate"),
        ("scale-of-the-loss",),
    )


def sparse_features(runs: Runs) -> Line:
    """AdaGrad for sparse data."""
    sweeps = {"one example at a time": runs.sparse_single, "in mini-batches": runs.sparse_batches}
    because = [
        f"{how}, at the best lr of each: {compare(s, 'adagrad', 'gd')}; lowest of all is"
        f" {title(s.ranking[0])}, {two_digits(s.best(s.ranking[0]))}"
        for how, s in sweeps.items()
    ]
    return Line(
        "sparse features, such as word counts",
        "AdaGrad",
        part(*(s.best("adagrad") < s.best("gd") / 1.5 for s in sweeps.values()),
             *(s.ranking[0] == "adagrad" for s in sweeps.values())),
        ". ".join(sentence[0].upper() + sentence[1:] for sentence in because) + ".",
        "One family of synthetic data and two draws of it: another draw may order AdaGrad and Adam otherwise."
        " On long runs a step that never grows again can stall.",
        ("adagrad.effective_rate",),
        tuple(s.name for s in sweeps.values()),
    )  # fmt: skip


def amsgrad(runs: Runs) -> Line:
    """AMSGrad where Adam fails."""
    c = runs.counterexample
    wrong = [label for label in ("Adam", "AMSGrad") if c.end(label) > 0]
    return Line(
        "rare, large, informative gradients",
        "AMSGrad rather than Adam",
        part(c.end("Adam") > 0, c.end("AMSGrad") < 0),
        f"On Reddi's sequence {words(wrong) or 'neither'} goes to the worst point of the interval.",
        "That sequence was built against Adam, with beta1 = 0 and beta2 = 0.1.",
        (),
        ("reddi",),
    )
