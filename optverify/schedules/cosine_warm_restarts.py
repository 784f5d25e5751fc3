"""Cosine annealing with warm restarts (SGDR): the cosine begins anew, each cycle T_mult times as long."""

from sympy import Sum, Symbol, cos, pi

from optverify.language import (
    Count, Hyperparameter, Source, decay_factor, hyper_symbol, lr, nonnegative, positive, schedule,
)
from optverify.language.clock import T_0, RestartIndex, T_mult, eta, lr_min, t

i = Symbol("i", integer=True, nonnegative=True)
j = Symbol("j", integer=True, nonnegative=True)
T_i = Symbol("T_i", integer=True, positive=True)
T_cur = Symbol("T_cur", integer=True, nonnegative=True)
M_mult, lr_max_i = hyper_symbol("M_mult", positive=True), hyper_symbol("lr_max_i", positive=True)


@schedule(
    "cosine_warm_restarts",
    title="Cosine annealing with warm restarts",
    sources=[
        Source("Loshchilov and Hutter", 2017, "SGDR: stochastic gradient descent with warm restarts",
               "equation (5) and section 3", "ICLR", arxiv="1608.03983"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "learning rate at the start of a cycle"),
        Hyperparameter(lr_min, r"\eta_{\min}", 0.0, nonnegative, "where a cycle would end but for a restart"),
        Count(T_0, "T_0", "updates in the first cycle"),
        Count(T_mult, r"T_{\mathrm{mult}}", "length of a cycle over the one before", default=1),
        Hyperparameter(M_mult, r"M_{\mathrm{mult}}", 1.0, decay_factor,
                       "lr - lr_min in a cycle over that in the one before"),
    ],
    conditions=[lr_min <= lr],
)
def cosine_warm_restarts(d):
    """After a cycle the rate jumps back up; the next is T_mult times as long and M_mult times as high."""
    yield i, RestartIndex(t, T_0, T_mult)
    yield T_i, T_0*T_mult**i
    yield T_cur, t - T_0*Sum(T_mult**j, (j, 0, i - 1))
    yield lr_max_i, lr_min + (lr - lr_min)*M_mult**i
    yield eta, lr_min + (lr_max_i - lr_min)*(1 + cos(pi*T_cur/T_i))/2
