"""SVRG: the gradient of an example, its noise measured at a snapshot and taken out."""

from math import inf

from sympy import Eq, Mod, Piecewise

from optverify.language import (
    Axis, Domain, Hyperparameter, Input, Source, State, Variable, decay, decayed, g, gradient, hyper_symbol,
    lr, maximize, positive, rule, t, theta, weight_decay_form,
)

m = hyper_symbol("period", positive=True)
snapshot = State("theta_tilde", initial=theta[t-1], meaning="snapshot, renewed every `period` updates")
theta_bar = State("theta_bar", meaning="mean of the parameters since the snapshot")
x, v, delta = Variable("x"), Variable("v"), Variable("delta")
at_snapshot = Input("snapshot_grad", latex=r"\nabla f_t(\tilde{\theta}_{t-1})",
                    meaning="the gradient of the same examples at the snapshot, theta_tilde")  # fmt: skip
mu = Input("full_grad", latex=r"\tilde{\mu}", meaning="the mean of all gradients at the snapshot")

renewal = Axis(
    "renewal",
    "What becomes the next snapshot?",
    {
        "last": "the last parameters: option I",
        "mean": "the mean of the parameters since the last one, from where the rule goes on (Xiao and Zhang)",
    },
)


@rule(
    "svrg",
    title="SVRG",
    sources=[
        Source("Johnson and Zhang", 2013, "Accelerating stochastic gradient descent using predictive variance"
               " reduction", "procedure SVRG, option I", "NeurIPS"),
        Source("Xiao and Zhang", 2014, "A proximal stochastic gradient method with progressive variance"
               " reduction", "the algorithm Prox-SVRG: a mean as the snapshot", "SIAM Journal on Optimization"
               " 24", arxiv="1403.4699"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 0.1, positive, "step size"),
        Hyperparameter(m, "m", None, Domain(1, inf, low_open=False),
                       "updates to a new snapshot, an integer: 2n for n examples, 5n if not convex"),
        decay,
    ],
    states=[snapshot, theta_bar],
    inputs=[at_snapshot, mu],
    axes=[renewal, weight_decay_form, maximize],
)  # fmt: skip
def svrg(d):
    """The gradient stays unbiased, and its variance goes to zero with the distance from the solution."""
    sign, renewed = -1 if d.maximize else 1, Eq(Mod(t, m), 0)
    yield g[t], gradient(d, at=theta[t-1])
    yield delta[t], g[t] - sign*at_snapshot[t]
    yield v[t], delta[t] + sign*mu[t]
    if d.renewal == "last":
        yield theta[t], decayed(d, theta[t-1] - lr*v[t])
        yield snapshot[t], Piecewise((theta[t], renewed), (snapshot[t-1], True))
        return
    k = Mod(t - 1, m) + 1
    yield x[t], decayed(d, theta[t-1] - lr*v[t])
    yield theta_bar[t], Piecewise((x[t], Eq(k, 1)), (theta_bar[t-1] + (x[t] - theta_bar[t-1])/k, True))
    yield snapshot[t], Piecewise((theta_bar[t], renewed), (snapshot[t-1], True))
    yield theta[t], Piecewise((snapshot[t], renewed), (x[t], True))
