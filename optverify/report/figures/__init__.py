"""The figures, as SVG text."""

from optverify.report.figures.convergence import Bound, convergence
from optverify.report.figures.inclusions import inclusion_graph
from optverify.report.figures.panels import Line, Panel, panels
from optverify.report.figures.schedules import example, schedules
from optverify.report.figures.stability import spectral_radius, stability
from optverify.report.figures.trajectories import trajectories

__all__ = [
    "Bound", "Line", "Panel", "convergence", "example", "inclusion_graph", "panels", "schedules",
    "spectral_radius", "stability", "trajectories",
]  # fmt: skip
