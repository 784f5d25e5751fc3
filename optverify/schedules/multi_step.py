"""Multi-step decay: the learning rate is multiplied by gamma at each milestone."""

from optverify.language import Hyperparameter, Milestones, Source, decay_factor, lr, positive, schedule
from optverify.language.clock import Passed, eta, gamma, milestones, t


@schedule(
    "multi_step",
    title="Multi-step decay",
    sources=[
        Source("He, Zhang, Ren and Sun", 2016, "Deep residual learning for image recognition",
               "section 4.2 (divided by 10 at 32k and 48k updates)", "CVPR", arxiv="1512.03385"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_0", None, positive, "learning rate of the first update"),
        Milestones(milestones, "m", "the t from which a further factor applies"),
        Hyperparameter(gamma, r"\gamma", 0.1, decay_factor, "factor at a milestone"),
    ],
)
def multi_step(d):
    """The rate drops by the factor gamma when t reaches a milestone."""
    yield eta, lr*gamma**Passed(t, milestones)
