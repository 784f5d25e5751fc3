"""Nesterov momentum: the gradient is taken where the velocity is about to carry the parameters."""

from optverify.language import (
    Axis, Hyperparameter, Source, State, decay, decayed, g, gradient, lr, lr_placement, maximize, momentum,
    positive, rule, t, theta, unit, weight_decay_form,
)

v = State("v", meaning="velocity")

nesterov = Axis(
    "nesterov",
    "At which point is the gradient taken?",
    {
        "lookahead": "at the look-ahead point, theta moved by the old velocity",
        "rewritten": "at theta itself, and the step is corrected instead (PyTorch, Keras): the stored theta"
        " is the look-ahead point of the other form",
    },
)


@rule(
    "nesterov",
    title="Nesterov momentum",
    sources=[
        Source("Nesterov", 1983, "A method of solving a convex programming problem with convergence rate"
               " O(1/k^2)", "the iteration with extrapolated points", "Soviet Mathematics Doklady 27"),
        Source("Sutskever, Martens, Dahl and Hinton", 2013, "On the importance of initialization and momentum"
               " in deep learning", "equations (3) and (4)", "ICML",
               url="https://proceedings.mlr.press/v28/sutskever13.html"),
        Source("Bengio, Boulanger-Lewandowski and Pascanu", 2013, "Advances in optimizing recurrent networks",
               "section 3.5, simplified Nesterov momentum: the rewritten form", "ICASSP", arxiv="1212.0901"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\varepsilon", 0.01, positive, "step size"),
        Hyperparameter(momentum, r"\mu", 0.9, unit, "share of the velocity that is kept"),
        decay,
    ],
    states=[v],
    axes=[nesterov, lr_placement, weight_decay_form, maximize],
)
def rule_nesterov(d):
    """Like momentum, but the gradient looks ahead along the velocity and corrects it in time."""
    inside, lookahead = d.lr_placement == "inside", d.nesterov == "lookahead"
    drift = momentum*v[t-1] if inside else -lr*momentum*v[t-1]
    yield g[t], gradient(d, at=theta[t-1] + drift if lookahead else theta[t-1])
    if inside:
        yield v[t], momentum*v[t-1] - lr*g[t]
        step = v[t] if lookahead else momentum*v[t] - lr*g[t]
    else:
        yield v[t], momentum*v[t-1] + g[t]
        step = -lr*v[t] if lookahead else -lr*(g[t] + momentum*v[t])
    yield theta[t], decayed(d, theta[t-1] + step)
