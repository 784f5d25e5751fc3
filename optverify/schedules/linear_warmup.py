"""Linear warm-up: the learning rate rises to lr in equal steps and stays there.

Followed by another schedule: `warmup.then(other)` (the other starts its own clock), or, with lr=1 as a
factor, `warmup * other` (the other runs from the beginning).
"""

from sympy import Min

from optverify.language import Axis, Count, Hyperparameter, Source, lr, positive, schedule
from optverify.language.clock import eta, t, warmup

form = Axis(
    "form",
    "Which fraction of lr does an update use during warm-up?",
    {
        "t/W": "the first update has rate 0, and lr is reached right after warm-up",
        "(t+1)/W": "the first update has rate lr/W, and lr is reached by the last update of warm-up",
        "(t+1)/(W+1)": "the first update has rate lr/(W+1), and lr is reached right after warm-up",
    },
)


@schedule(
    "linear_warmup",
    title="Linear warm-up",
    sources=[
        Source("Goyal et al.", 2017, "Accurate, large minibatch SGD: training ImageNet in 1 hour",
               "section 2.2 (gradual warmup)", arxiv="1706.02677"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_{\max}", None, positive, "learning rate after warm-up"),
        Count(warmup, "W", "updates of warm-up"),
    ],
    axes=[form],
    end=warmup,
)
def linear_warmup(d):
    """Each update of warm-up uses a rate larger than the one before by the same amount."""
    match d.form:
        case "t/W":
            yield eta, lr*Min(t, warmup)/warmup
        case "(t+1)/W":
            yield eta, lr*Min(t + 1, warmup)/warmup
        case "(t+1)/(W+1)":
            yield eta, lr*Min(t + 1, warmup + 1)/(warmup + 1)
