"""Rprop: a step size for every coordinate, and the sign of the gradient alone decides on it."""

from math import inf

from sympy import Max, Min, Piecewise, sign

from optverify.language import (
    Axis, Domain, Hyperparameter, Source, State, Variable, decay, decayed, g, gradient, hyper_symbol, lr,
    maximize, positive, real, rule, t, theta, weight_decay_form,
)

Delta = State("Delta", nonnegative=True, initial=lr, meaning="step size of each coordinate")
p = State("p", meaning="last gradient, or 0 where its sign is to be forgotten")
s = State("s", meaning="last step")
c, b = Variable("c"), Variable("b")
eta_plus, eta_minus = hyper_symbol("eta_plus"), hyper_symbol("eta_minus")
E, loss = State("E", scalar=True, meaning="last loss"), hyper_symbol("loss", real=True)
min_step, max_step = hyper_symbol("min_step"), hyper_symbol("max_step")

variant = Axis(
    "variant",
    "What follows where the gradient has changed its sign?",
    {
        "rprop+": "the last step is taken back, and the step size left alone for one update",
        "rprop-": "a step with the smaller step size, as everywhere",
        "irprop+": "the last step is taken back if the loss has grown, else there is no step; the step size"
        " is left alone for one update",
        "irprop-": "no step, and the step size is left alone for one update (PyTorch)",
        "irprop-_late": "as irprop-, but all steps are taken one update late (optax)",
    },
)


@rule(
    "rprop",
    title="Rprop",
    sources=[
        Source("Riedmiller and Braun", 1993, "A direct adaptive method for faster backpropagation learning:"
               " the RPROP algorithm", "the rules of adaptation and update; this is Rprop+", "ICNN",
               url="https://doi.org/10.1109/ICNN.1993.298623"),
        Source("Igel and Hüsken", 2003, "Empirical evaluation of the improved Rprop learning algorithms",
               "the algorithms Rprop+, Rprop-, iRprop+ and iRprop-", "Neurocomputing 50",
               url="https://doi.org/10.1016/S0925-2312(01)00700-7"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\Delta_0", 0.1, positive, "step size every coordinate starts from"),
        Hyperparameter(eta_plus, r"\eta^+", 1.2, Domain(1, inf, low_open=True), "growth of a step size"),
        Hyperparameter(eta_minus, r"\eta^-", 0.5, Domain(0, 1, low_open=True), "shrinkage of a step size"),
        Hyperparameter(min_step, r"\Delta_{\min}", 1e-6, positive, "smallest step size"),
        Hyperparameter(max_step, r"\Delta_{\max}", 50.0, positive, "largest step size"),
        Hyperparameter(loss, r"f_t(\theta_{t-1})", None, real, "the objective at theta, for each update"),
        decay,
    ],
    states=[Delta, p, s, E],
    axes=[variant, weight_decay_form.only("none", "coupled", "decoupled_without_lr"), maximize],
)
def rprop(d):
    """Step sizes grow while a gradient keeps its sign and shrink where it changes; its size never counts."""
    forgotten = Piecewise((0, c[t] < 0), (g[t], True))
    yield g[t], gradient(d, at=theta[t-1])
    yield c[t], p[t-1]*g[t]
    yield Delta[t], Piecewise(
        (Min(eta_plus*Delta[t-1], max_step), c[t] > 0),
        (Max(eta_minus*Delta[t-1], min_step), c[t] < 0),
        (Delta[t-1], True),
    )
    yield p[t], g[t] if d.variant == "rprop-" else forgotten
    step = -sign(p[t] if d.variant.startswith("irprop-") else g[t])*Delta[t]
    if d.variant == "rprop+":
        yield s[t], Piecewise((-s[t-1], c[t] < 0), (step, True))
        step = s[t]
    elif d.variant == "irprop+":
        grown = loss < E[t-1] if d.maximize else loss > E[t-1]
        yield s[t], Piecewise((step, c[t] >= 0), (-s[t-1], grown), (0, True))
        yield E[t], loss
        step = s[t]
    elif d.variant == "irprop-_late":
        yield b[t], Piecewise((0, c[t] < 0), (s[t-1], True))
        yield s[t], step
        step = b[t]
    yield theta[t], decayed(d, theta[t-1] + step)
