"""Training curves on MNIST, kept with the package: `python -m optverify.report.mnist` writes them.

The images come with the extra `data`; a report must not hang on whether they are there. Numbers are kept to
three digits, which do not depend on the machine.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from optverify.files import write_text
from optverify.problems.network import mlp
from optverify.report.runs import RULES
from optverify.training import MiniBatch, network_rate, train

FILE = "mnist.json"
HIDDEN, BATCH, EPOCHS = 32, 64, 10


def recorded() -> dict[str, Any]:
    """Rule -> lr, loss on the training part and share of right answers on the test part, after each epoch."""
    kept: dict[str, Any] = json.loads((files(__package__) / FILE).read_text("utf-8"))
    return kept


def run(rule: str, epochs: int = EPOCHS) -> dict[str, Any]:
    """A rule, trained at the best learning rate on this network; ModuleNotFoundError without the data."""
    problem = mlp("mnist", hidden=(HIDDEN,))
    rate = network_rate(rule)
    trace = train(problem, rule, epochs, MiniBatch(BATCH), lr=rate)
    right = [problem.accuracy(theta, problem.data.test_x, problem.data.test_y) for theta in trace.theta]
    return {
        "lr": rate,
        "loss": [float(f"{value:.3g}") for value in trace.value],
        "accuracy": [round(share, 3) for share in right],
    }


if __name__ == "__main__":
    write_text(Path(__file__).parent / FILE, json.dumps({rule: run(rule) for rule in RULES}, indent=1) + "\n")
