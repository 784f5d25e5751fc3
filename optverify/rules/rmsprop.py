"""RMSProp: every coordinate is divided by the root of a decaying mean of its squared gradients."""

from optverify.language import (
    Axis, Hyperparameter, Source, State, decay, decayed, ema, eps, epsilon, g, gradient, initial_accumulator,
    lr,
    maximize, momentum, nonnegative, positive, rho, root, rule, t, theta, unit, weight_decay_form,
)

v = State("v", nonnegative=True, initial=initial_accumulator, meaning="decaying mean of the squared gradient")
g_bar = State("g_bar", meaning="decaying mean of the gradient (centered)")
b = State("b", meaning="momentum buffer")

centered = Axis(
    "centered",
    "Is the mean gradient taken out of the second moment?",
    {
        False: "no: v estimates the mean square",
        True: "yes: v - g_bar^2 estimates the variance. Where a gradient hardly changes, rounding can make it"
        " negative and its root not a number; epsilon='inside' helps while it is larger than the rounding",
    },
)
buffer = Axis(
    "buffer",
    "Does a momentum buffer carry the step?",
    {
        "none": "no",
        "lr_inside": "yes, lr inside the buffer (TensorFlow, Keras, optax)",
        "lr_outside": "yes, lr outside the buffer (PyTorch)",
    },
)


@rule(
    "rmsprop",
    title="RMSProp",
    sources=[
        Source("Tieleman and Hinton", 2012, "Neural networks for machine learning", "lecture 6e, slide 29",
               "Coursera", url="https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf"),
        Source("Graves", 2013, "Generating sequences with recurrent neural networks", "equations (38) to"
               " (41): centered, with momentum", arxiv="1308.0850"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta", 1e-3, positive, "step size"),
        Hyperparameter(rho, r"\rho", 0.9, unit, "decay rate of the means"),
        Hyperparameter(momentum, r"\mu", 0.9, unit, "share of the buffer that is kept"),
        Hyperparameter(eps, r"\epsilon", 1e-8, nonnegative, "keeps the division defined"),
        Hyperparameter(initial_accumulator, "v_0", 0.0, nonnegative, "value the mean square starts from"),
        decay,
    ],
    states=[v, g_bar, b],
    axes=[epsilon.only("outside", "inside"), centered, buffer, weight_decay_form, maximize],
)
def rmsprop(d):
    """AdaGrad with a memory that fades, so that the step size can recover."""
    yield g[t], gradient(d, at=theta[t-1])
    yield v[t], ema(rho, v[t-1], g[t]**2)
    spread = v[t]
    if d.centered:
        yield g_bar[t], ema(rho, g_bar[t-1], g[t])
        spread = v[t] - g_bar[t]**2
    step = g[t]/root(d, spread)
    if d.buffer == "lr_inside":
        yield b[t], momentum*b[t-1] + lr*step
        yield theta[t], decayed(d, theta[t-1] - b[t])
    elif d.buffer == "lr_outside":
        yield b[t], momentum*b[t-1] + step
        yield theta[t], decayed(d, theta[t-1] - lr*b[t])
    else:
        yield theta[t], decayed(d, theta[t-1] - lr*step)
