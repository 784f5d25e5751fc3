"""LARS: momentum whose step in every layer is in proportion to the weights there."""

from optverify.language import (
    Axis, Hyperparameter, Source, State, Variable, decayed, direction, eps, g, gradient,
    hyper_symbol, layerwise_decay, looked_at, lr, lr_placement, maximize, momentum, nonnegative, norm,
    positive, rule, t, theta, trust_ratio, unit, weight_decay,
)

trust = hyper_symbol("trust_coefficient")
v = State("v", meaning="velocity")
gamma = Variable("lambda", nonnegative=True, scalar=True)

nesterov = Axis(
    "nesterov",
    "Does the step look one momentum ahead?",
    {
        False: "no: theta moves by the velocity",
        True: "yes: by the new step plus momentum times the velocity (optax)",
    },
)


@rule(
    "lars",
    title="LARS",
    sources=[
        Source("You, Gitman and Ginsburg", 2017, "Large batch training of convolutional networks",
               "equation (6) and Algorithm 1", arxiv="1708.03888"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\gamma", 0.1, positive, "step size"),
        Hyperparameter(trust, r"\eta", 0.001, positive, "length of a step over the length of the weights"),
        Hyperparameter(momentum, "m", 0.9, unit, "share of the velocity that is kept"),
        Hyperparameter(eps, r"\epsilon", 0.0, nonnegative, "keeps the division defined"),
        Hyperparameter(weight_decay, r"\beta", 0.0005, nonnegative, "weight decay"),
    ],
    states=[v],
    axes=[lr_placement, nesterov, layerwise_decay, maximize],
)
def lars(d):
    """Layers with large gradients and small weights no longer dictate the step size of all."""
    size = norm(g[t]) + (weight_decay*norm(theta[t-1]) if d.weight_decay_form == "in_direction" else 0)
    inside = d.lr_placement == "inside"
    yield g[t], gradient(d, at=theta[t-1])
    yield gamma[t], trust_ratio(norm(looked_at(d)), size, trust, eps)
    step = (lr if inside else 1)*gamma[t]*direction(d, g[t])
    yield v[t], momentum*v[t-1] + step
    move = step + momentum*v[t] if d.nesterov else v[t]
    yield theta[t], decayed(d, looked_at(d) - (move if inside else lr*move))
