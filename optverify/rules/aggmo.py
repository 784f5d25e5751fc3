"""Aggregated momentum: the mean of several velocities, each with its own damping."""

from optverify.language import (
    Axis, Hyperparameter, Source, State, beta1, beta2, decay, decayed, g, gradient, hyper_symbol, lr,
    maximize, positive, rule, t, theta, unit, weight_decay_form,
)

betas = (beta1, beta2, hyper_symbol("beta3"), hyper_symbol("beta4"))
velocities = [State(f"v_{i}", meaning=f"velocity number {i}") for i in (1, 2, 3, 4)]

count = Axis("velocities", "How many velocities are there?", {k: f"K = {k}" for k in ("3", "2", "4")})


@rule(
    "aggmo",
    title="Aggregated momentum",
    sources=[
        Source("Lucas, Sun, Zemel and Grosse", 2019, "Aggregated momentum: stability through passive damping",
               "the update rule of section 3; its damping vector is beta_i = 1 - a^(i-1), here with a = 0.1",
               "ICLR", arxiv="1804.00325"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\gamma", 0.1, positive, "step size"),
        *(Hyperparameter(beta, rf"\beta^{{({i})}}", default, unit, f"share of velocity {i} that is kept")
          for i, (beta, default) in enumerate(zip(betas, (0.0, 0.9, 0.99, 0.999), strict=True), 1)),
        decay,
    ],
    states=velocities,
    axes=[count, weight_decay_form, maximize],
)
def aggmo(d):
    """Slow velocities carry far, fast ones damp the swings of the slow."""
    K = int(d.velocities)
    yield g[t], gradient(d, at=theta[t-1])
    for beta, v in zip(betas[:K], velocities, strict=False):
        yield v[t], beta*v[t-1] - g[t]
    yield theta[t], decayed(d, theta[t-1] + lr/K*sum(v[t] for v in velocities[:K]))
