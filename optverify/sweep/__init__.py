"""Sweeps: rules x problems x hyperparameters x seeds, each row on disk as soon as it is there.

    sweep(["adam", "gd"], ["rosenbrock"], lr=spaced(1e-4, 1, 13), seeds=range(5), out="results.sqlite")
    read("results.sqlite")

A sweep that was interrupted, even killed, goes on where it was. Cells are run by local processes, or by a
Dask cluster.
"""

from .columns import CELL, RESULTS, Row
from .grid import Grid, every_rule
from .run import Tally, run_grid, sweep
from .series import Best, best
from .table import opened, read
from .values import seeds, spaced, values

__all__ = [
    "CELL", "RESULTS", "Best", "Grid", "Row", "Tally", "best", "every_rule", "opened", "read", "run_grid",
    "seeds", "spaced", "sweep", "values",
]  # fmt: skip
