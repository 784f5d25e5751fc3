"""Test problems: functions with exact gradients, known minima and known constants; and data sets.

Importing this package imports neither autograd nor SymPy: the first gradient and the first expression do.
"""

from optverify._package import make_callable

from .data import DATA_SETS, DataSet, load
from .problem import FiniteSum, Minimum, OnlineProblem, Problem
from .registry import names, problem

make_callable(__name__)

__all__ = [
    "DATA_SETS", "DataSet", "FiniteSum", "Minimum", "OnlineProblem", "Problem", "load", "names", "problem",
]  # fmt: skip
