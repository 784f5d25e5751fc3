"""Step decay: the learning rate is multiplied by gamma every step_size updates."""

from sympy import floor

from optverify.language import Count, Hyperparameter, Source, decay_factor, lr, positive, schedule
from optverify.language.clock import eta, gamma, step_size, t


@schedule(
    "step",
    title="Step decay",
    sources=[
        Source("Ge, Kakade, Kidambi and Netrapalli", 2019, "The step decay schedule: a near optimal,"
               " geometrically decaying learning rate procedure for least squares", "Algorithm 1", "NeurIPS",
               arxiv="1904.12838"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_0", None, positive, "learning rate of the first update"),
        Count(step_size, "s", "updates from one drop to the next"),
        Hyperparameter(gamma, r"\gamma", 0.1, decay_factor, "factor at a drop"),
    ],
)
def step(d):
    """The rate stays for step_size updates, then drops by the factor gamma, and so on."""
    yield eta, lr*gamma**floor(t/step_size)
