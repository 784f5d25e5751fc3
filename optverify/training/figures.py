"""Figures of runs. matplotlib is imported here, and this module only when a figure is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from optverify.problems.network import Network

from .trace import Trace, Training

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, told apart by colour-blind readers."""
DASHES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 3)))
"""With a colour each, a look of its own for so many times as many runs."""
READABLE = 10
"""A legend of more runs than that stands beside the panels."""


def plot(traces: Sequence[Trace]) -> Figure:
    """The courses of several runs on one problem.

    Runs over epochs of a network get a second panel, the accuracy on the test part; a single run over epochs
    shows the loss on each batch too.
    """
    if not traces:
        raise ValueError("plot() was given no run: give at least one Trace")
    networks = [x for x in traces if isinstance(x, Training) and np.isfinite(x.test_accuracy).any()]
    figure = Figure(figsize=(10 if networks else 6, 4), layout="constrained")
    axes = figure.subplots(1, 2 if networks else 1, squeeze=False)[0]
    shift = _shift(traces)
    for trace, (colour, dashes) in zip(traces, _cycle(len(traces)), strict=True):
        style = {"color": colour, "linestyle": dashes, "label": trace.rule.title}
        if isinstance(trace, Training):
            style["marker"] = "o"
        if isinstance(trace, Training) and len(traces) == 1:  # the noise of several runs hides their courses
            batch = np.arange(1, len(trace.batch_value) + 1)
            axes[0].plot(batch, trace.batch_value - shift, color=colour, alpha=0.3, linewidth=0.8)
        axes[0].plot(trace.t, trace.value - shift, **style)
        if trace in networks:
            axes[1].plot(trace.epoch, 100 * trace.test_accuracy, **style)
    infimum = f" above its least value {shift:g}" if shift else ""
    axes[0].set(title=_title(traces[0]), xlabel="updates", ylabel=f"loss{infimum}")
    if all((trace.value[np.isfinite(trace.value)] - shift > 0).any() for trace in traces):
        axes[0].set_yscale("log")
    if networks:
        axes[1].set(title="Test part", xlabel="epochs", ylabel="accuracy in %")
    if len(traces) <= READABLE:
        axes[-1].legend(frameon=False)
    else:
        figure.set_size_inches(figure.get_figwidth() + 4, 7)
        figure.legend(
            *axes[-1].get_legend_handles_labels(), loc="outside right upper", ncols=2, frameon=False
        )
    return figure


def save(figure: Figure, path: str | PathLike[str]) -> None:
    """Write an SVG whose bytes depend on the figure alone: no date, no random identifiers."""
    with rc_context({"svg.hashsalt": "optverify"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _title(trace: Trace) -> str:
    problem = trace.problem
    return f"{problem.title}, {problem.data.title}" if isinstance(problem, Network) else problem.title


def _shift(traces: Sequence[Trace]) -> float:
    least = traces[0].problem.minimum.value
    return least if math.isfinite(least) else 0.0


def _cycle(n: int) -> list[Any]:
    """A colour and dashes for each of n runs; the dashes change once the colours are used up."""
    k = len(COLOURS)
    return [(COLOURS[i % k], DASHES[i // k % len(DASHES)]) for i in range(n)]
