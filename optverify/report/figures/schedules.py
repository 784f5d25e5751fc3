"""Learning rates over time, a panel a schedule, with its formula."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.ticker import FixedLocator

from optverify.language import FormulaSchedule, Schedule, ScheduleFamily
from optverify.language.schedule_latex import ScheduleLatex
from optverify.report.figures.canvas import COLOURS, MUTED, drawing, svg

DESCRIPTION = "Learning rate against the number of updates, a panel a schedule"
TOTAL = 100
EXAMPLE: dict[str, Any] = {
    "lr": 1.0,
    "total": TOTAL,
    "step_size": 30,
    "milestones": [40, 75],
    "T_0": 15,
    "T_mult": 2,
    "warmup": 20,
}
"""Values to draw parameters of these names with; a parameter that is not here is drawn with its default."""
SPECIAL = {("step", "gamma"): 0.5, ("multi_step", "gamma"): 0.3, ("exponential", "gamma"): 0.96}

MATHTEXT = {r"\lvert": "|", r"\rvert": "|", r"\left": "", r"\right": "", r"\le ": r"\leq "}
"""What matplotlib cannot set -> what it can."""


def example(family: ScheduleFamily) -> Schedule | None:
    """A schedule of the family to draw, None if it needs a parameter that has no example value here."""
    values = {}
    for h in family.hyperparameters:
        values[h.name] = SPECIAL.get((family.name, h.name), EXAMPLE.get(h.name, h.default))
    return None if None in values.values() else family(**values)


def schedules(examples: list[Schedule]) -> str:
    """The schedules over t = 0 ... 100, all with the largest rate 1."""
    with drawing("schedules"):
        rows = -(-len(examples) // 4)
        figure = Figure(figsize=(8, 1.55 * rows))
        panels = figure.subplots(
            rows, 4, sharex=True, sharey=True, squeeze=False, gridspec_kw={"wspace": 0.3, "hspace": 0.95}
        )
        for panel, schedule in zip(panels.flat, examples, strict=False):
            _panel(panel, schedule)
        for panel in panels.flat[len(examples) :]:
            panel.set_axis_off()
        return svg(figure, DESCRIPTION)


def _panel(panel: Any, schedule: Schedule) -> None:
    t = np.arange(TOTAL + 1)
    rate = schedule(t)
    # A rate holds for its update; only long stretches of one value are drawn as stairs.
    stairs = np.unique(rate).size < 10
    style = {"drawstyle": "steps-post"} if stairs else {}
    panel.fill_between(t, rate, step="post" if stairs else None, color=COLOURS["gd"], alpha=0.13, lw=0)
    panel.plot(t, rate, color=COLOURS["gd"], lw=1.6, **style)
    panel.set_title(_short(schedule.title), pad=22)
    panel.text(0, 1.09, formula(schedule), transform=panel.transAxes, color=MUTED, va="bottom")
    panel.set(xlim=(0, TOTAL), ylim=(0, 1.06))
    panel.xaxis.set_major_locator(FixedLocator([0, TOTAL / 2, TOTAL]))
    panel.yaxis.set_major_locator(FixedLocator([0, 1]))
    panel.tick_params(labelbottom=True)


def _short(title: str) -> str:
    """A title that fits over a panel."""
    title = title.replace("Cosine annealing with warm restarts", "Warm restarts")
    return title.replace("Linear warm-up, then Cosine annealing", "Warm-up, then cosine")


def formula(schedule: Schedule) -> str:
    """The last line of a schedule, without rates that are 0; its name where matplotlib cannot set that."""
    if not isinstance(schedule, FormulaSchedule):
        return "a.then(b)"
    absent = {h.symbol: 0 for h in schedule.hyperparameters if schedule.parameters[h.name] == 0}
    _, rate = schedule.lines[-1]
    tex = ScheduleLatex(schedule.family.tex_names).doprint(rate.subs(absent))
    for long, short in MATHTEXT.items():
        tex = tex.replace(long, short)
    try:
        MathTextParser("path").parse(f"${tex}$")
    except ValueError:
        return schedule.name
    return f"${tex}$"
