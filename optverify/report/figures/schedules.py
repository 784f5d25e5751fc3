"""Learning rates over time, a panel a schedule, with its formula."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.ticker import FixedLocator
from sympy import Piecewise

from optverify.language import (
    Count,
    Factors,
    FormulaSchedule,
    Milestones,
    Parameter,
    Schedule,
    ScheduleFamily,
)
from optverify.language.clock import is_rate
from optverify.language.schedule_latex import ScheduleLatex
from optverify.report.figures.canvas import COLOURS, MUTED, drawing, svg

DESCRIPTION = "Learning rate against the number of updates, a panel a schedule"
TOTAL, COLUMNS = 100, 3
MARKS = (40, 75)
EXAMPLE: dict[tuple[str, str], Any] = {
    ("cosine_power", "exponent"): 3.0,
    ("cosine_warm_restarts", "T_0"): 15,
    ("cosine_warm_restarts", "T_mult"): 2,
    ("exponential", "gamma"): 0.96,
    ("inverse_time", "decay_rate"): 0.1,
    ("multi_step", "gamma"): 0.3,
    ("step", "gamma"): 0.5,
    ("step", "step_size"): 30,
}
"""Values that show more than those that `_value` finds."""

MATHTEXT = {r"\lvert": "|", r"\rvert": "|", r"\left": "", r"\right": "", r"\le ": r"\leq "}
"""What matplotlib cannot set -> what it can."""


def example(family: ScheduleFamily) -> Schedule:
    """A schedule of the family to draw, whose largest rate in the panel is 1."""
    values = {h.name: EXAMPLE.get((family.name, h.name), _value(h)) for h in family.hyperparameters}
    largest = float(np.max(family(**values)(np.arange(TOTAL + 1))))
    return family(**{h.name: _scaled(h, values[h.name], largest) for h in family.hyperparameters})


def _value(h: Parameter) -> Any:
    """Its default where that fits into the panel, else a value that its domain allows."""
    if isinstance(h, Milestones):
        return MARKS
    if isinstance(h, Factors):
        return [0.6**j for j in range(1, len(MARKS) + 1)]
    if isinstance(h, Count):
        return TOTAL if h.name == "total" else h.default if h.default and h.default < TOTAL else TOTAL // 5
    if h.default is not None:
        return h.default
    low, high = h.domain.low, h.domain.high
    return (low + high) / 2 if isfinite(low + high) else 1.0


def _scaled(h: Parameter, value: Any, largest: float) -> Any:
    """A rate over the largest one."""
    return value / largest if is_rate(h.symbol) else value


def schedules(examples: list[Schedule]) -> str:
    """The schedules over t = 0 ... 100, all with the largest rate 1."""
    with drawing("schedules"):
        rows = -(-len(examples) // COLUMNS)
        figure = Figure(figsize=(8, 1.55 * rows))
        panels = figure.subplots(
            rows,
            COLUMNS,
            sharex=True,
            sharey=True,
            squeeze=False,
            gridspec_kw={"wspace": 0.3, "hspace": 0.95},
        )
        for i, (panel, schedule) in enumerate(zip(panels.flat, examples, strict=False)):
            _panel(panel, schedule, last=i + COLUMNS >= len(examples))
        for panel in panels.flat[len(examples) :]:
            panel.set_axis_off()
        return svg(figure, DESCRIPTION)


def _panel(panel: Any, schedule: Schedule, last: bool) -> None:
    """last: of its column, so that it names the updates."""
    t = np.arange(TOTAL + 1)
    rate = schedule(t)
    # A rate holds for its update; only long stretches of one value are drawn as stairs.
    stairs = np.unique(rate).size < 10
    style = {"drawstyle": "steps-post"} if stairs else {}
    panel.fill_between(t, rate, step="post" if stairs else None, color=COLOURS["gd"], alpha=0.13, lw=0)
    panel.plot(t, rate, color=COLOURS["gd"], lw=1.6, **style)
    panel.set_title(_short(schedule.title), pad=25)
    panel.text(0, 1.09, formula(schedule), transform=panel.transAxes, color=MUTED, va="bottom")
    panel.set(xlim=(0, TOTAL), ylim=(0, 1.06))
    panel.xaxis.set_major_locator(FixedLocator([0, TOTAL / 2, TOTAL]))
    panel.yaxis.set_major_locator(FixedLocator([0, 1]))
    panel.tick_params(labelbottom=last)


def _short(title: str) -> str:
    """A title that fits over a panel."""
    title = title.partition(" (")[0].replace("Cosine annealing with warm restarts", "Warm restarts")
    title = title.replace("Cosine annealing to a power", "Cosine to a power")
    return title.replace("Linear warm-up, then Cosine annealing", "Warm-up, then cosine")


def formula(schedule: Schedule) -> str:
    """The last line of a schedule, without rates that are 0; its name where matplotlib cannot set that.

    Cases do not fit over a panel.
    """
    if not isinstance(schedule, FormulaSchedule):
        return "a.then(b)"
    absent = {h.symbol: 0 for h in schedule.hyperparameters if schedule.parameters[h.name] == 0}
    _, rate = schedule.lines[-1]
    if isinstance(rate, Piecewise):
        return "by cases"
    tex = ScheduleLatex(schedule.family.tex_names).doprint(rate.subs(absent))
    for long, short in MATHTEXT.items():
        tex = tex.replace(long, short)
    try:
        MathTextParser("path").parse(f"${tex}$")
    except ValueError:
        return schedule.name
    return f"${tex}$"
