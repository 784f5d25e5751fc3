"""The figures of the report: the runs behind them, and their SVG."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from optverify.language import Schedule
from optverify.problems import problem
from optverify.report import figures, mnist
from optverify.report.figures import Line, Panel
from optverify.report.runs import RULES, title
from optverify.rules import rule
from optverify.schedules import registry as schedules
from optverify.schedules import schedule
from optverify.training import Trace, minimize

PATH_RATES = {"gd": 1e-3, "momentum": 3e-4, "nesterov": 3e-4, "adagrad": 0.3, "rmsprop": 0.01, "adam": 0.05}
"""Learning rates that show the typical path of each rule on Rosenbrock's function."""
CONDITION = 1e3


def make_figures() -> dict[str, str]:
    """Name -> SVG."""
    traces, bounds = quadratic_runs()
    return {
        "trajectories": figures.trajectories(
            [minimize("rosenbrock", name, steps=600, lr=rate) for name, rate in PATH_RATES.items()]
        ),
        "schedules": figures.schedules(example_schedules()),
        "convergence": figures.convergence(traces, bounds, CONDITION),
        "stability": figures.stability(),
        "inclusions": figures.inclusion_graph(),
        "effective_step": effective_step(),
        "nonconvergence": nonconvergence(),
        "mnist": training_curves(),
    }


def example_schedules() -> list[Schedule]:
    """One of every schedule, and a composition."""
    drawn = [figures.example(schedules.get(name)) for name in schedules.names()]
    warmup, cosine = schedule("linear_warmup", lr=1.0, warmup=20), schedule("cosine", lr=1.0, total=80)
    return [*drawn, warmup.then(cosine)]


def quadratic_runs(steps: int = 600) -> tuple[list[Trace], list[figures.Bound]]:
    """The six rules on a rotated quadratic, the linear ones tuned by its constants; and proved rates."""
    p = problem("quadratic", dim=40, condition=CONDITION)
    L, mu, root = 1.0, 1.0 / CONDITION, math.sqrt(CONDITION)
    settings: dict[str, dict[str, Any]] = {
        "gd": {"lr": 2 / (L + mu)},
        "momentum": {
            "lr": 4 / (math.sqrt(L) + math.sqrt(mu)) ** 2,
            "momentum": ((root - 1) / (root + 1)) ** 2,
        },
        "nesterov": {"lr": 1 / L, "momentum": (root - 1) / (root + 1)},
        "adagrad": {"lr": 0.3},
        "rmsprop": {"lr": 0.005},
        "adam": {"lr": 0.02},
    }
    traces = [minimize(p, name, steps, **settings[name]) for name in RULES]
    labels = {
        "gd": (r"bound: $\left(\frac{\kappa - 1}{\kappa + 1}\right)^{2t}$", (330, 2.5)),
        "momentum": (
            "asymptotic rate:\n" + r"$\left(\frac{\sqrt{\kappa} - 1}{\sqrt{\kappa} + 1}\right)^{2t}$",
            (12, 1e-9),
        ),
    }
    bounds = []
    for name, (label, place) in labels.items():
        rate = figures.spectral_radius(rule(name), [mu, L], **settings[name]).max()
        bounds.append(figures.Bound(name, float(rate), label, place))
    return traces, bounds


def effective_step() -> str:
    """How long a step is for a gradient of this length, while the gradient shrinks toward the minimum."""
    traces = [minimize("rosenbrock", name, steps=400, lr=rate) for name, rate in PATH_RATES.items()]
    steps = [
        Line(t.rule.title, t.t[:-1], _lengths(t) / np.maximum(t.gradient_norm[:-1], 1e-300), t.rule.name)
        for t in traces
    ]
    lengths = [Line(t.rule.title, t.t[:-1], _lengths(t), t.rule.name) for t in traces]
    drawn = [
        Panel(r"$\|\theta_{t+1} - \theta_t\|\,/\,\|g_t\|$", steps, log=True),
        Panel(r"$\|\theta_{t+1} - \theta_t\|$", lengths, log=True),
    ]
    return figures.panels(
        "effective_step",
        "Effective step size and length of steps of six update rules on the Rosenbrock function",
        drawn,
    )


def _lengths(trace: Trace) -> Any:
    return np.maximum(np.linalg.norm(np.diff(trace.theta, axis=0), axis=1), 1e-16)


def nonconvergence() -> str:
    """Adam and AMSGrad on the sequence of Reddi, Kale and Kumar, at the decay rates of their Theorem 1."""
    online = problem("reddi")
    settings: dict[str, Any] = {"lr": 0.1, "beta1": 0.0, "beta2": 1 / (1 + 3.0**2), "eps": 0.0}
    lines, regrets = [], []
    for name, colour in (("adam", "adam"), ("amsgrad", "momentum")):
        trace = minimize(online, name, steps=600, **settings)
        theta = trace.theta[:, 0]
        slopes = np.where(np.arange(1, len(theta)) % 3 == 1, 3.0, -1.0)
        regret = np.cumsum(slopes * (theta[:-1] + 1)) / np.arange(1, len(theta))
        lines.append(Line(rule(name).title, trace.t, theta, colour))
        regrets.append(Line(rule(name).title, trace.t[1:], regret, colour))
    drawn = [
        Panel(r"$\theta_t$", lines, mark=-1.0, said="minimum"),
        Panel("average regret", regrets, mark=0.0),
    ]
    return figures.panels(
        "nonconvergence",
        "Adam goes to the worst point of Reddi's sequence, AMSGrad to the best; average regret of both",
        drawn,
    )


def training_curves() -> str:
    """A small network on MNIST: the loss on the training part and right answers on the test part."""
    kept = mnist.recorded()
    epochs = range(len(kept[RULES[0]]["loss"]))
    loss = [Line(title(name), epochs, kept[name]["loss"], name) for name in RULES]
    right = [Line(title(name), epochs, 100 * np.array(kept[name]["accuracy"]), name) for name in RULES]
    drawn = [
        Panel("loss on the training part", loss, "epochs", log=True),
        Panel("right answers on the test part, %", right, "epochs"),
    ]
    return figures.panels(
        "mnist", "Loss and accuracy of a small network on MNIST under six update rules, by epoch", drawn
    )
