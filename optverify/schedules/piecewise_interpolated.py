"""Piecewise interpolated: through given rates at given updates, by lines or half cosines.

m_0 = 0 and f_0 = 1; after the last milestone its rate is held.
"""

from sympy import Eq, Max, Symbol

from optverify.language import Factors, Hyperparameter, Milestones, Source, lr, positive, schedule
from optverify.language.clock import Factor, Length, Mark, Passed, between, curve, eta, factors, milestones, t

i = Symbol("i", integer=True, nonnegative=True)


@schedule(
    "piecewise_interpolated",
    title="Piecewise interpolated",
    sources=[
        Source("Smith", 2017, "Cyclical learning rates for training neural networks",
               "the triangular policy: lines between given rates", "WACV", arxiv="1506.01186"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_0", None, positive, "learning rate of the first update"),
        Milestones(milestones, "m", "the t at which a given rate is reached"),
        Factors(factors, "f", "the rate at each milestone, as a multiple of lr"),
    ],
    axes=[curve.starting("linear")],
    conditions=[Eq(Length(milestones), Length(factors))],
)
def piecewise_interpolated(d):
    """The rate at milestone m_j is f_j lr; in between it goes from one to the next, then the last is held."""
    yield i, Passed(t, milestones)
    begin, end = Mark(i, milestones), Mark(i + 1, milestones)
    x = (t - begin)/Max(1, end - begin)
    yield eta, lr*between(d.curve, Factor(i, factors), Factor(i + 1, factors), x)
