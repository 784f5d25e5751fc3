"""Polynomial decay: from lr to lr_end along a power of the time that is left."""

from sympy import Max, Min, ceiling

from optverify.language import (
    Axis, Count, Hyperparameter, Source, hyper_symbol, lr, nonnegative, positive, schedule,
)
from optverify.language.clock import count_symbol, eta, lr_end, t, total

power = hyper_symbol("power", positive=True)
T_end = count_symbol("T_end")

after = Axis(
    "after",
    "What happens after the last step?",
    {
        "hold": "the last value is held",
        "cycle": "the end moves on to the next multiple of total: up again, each time less (Keras: cycle)",
    },
)


@schedule(
    "polynomial",
    title="Polynomial decay",
    sources=[
        Source("Chen, Papandreou, Kokkinos, Murphy and Yuille", 2018, "DeepLab: semantic image segmentation"
               " with deep convolutional nets, atrous convolution, and fully connected CRFs",
               "the poly learning rate policy", "IEEE TPAMI 40", arxiv="1606.00915"),
    ],
    hyperparameters=[
        Hyperparameter(lr, r"\eta_0", None, positive, "learning rate of the first update"),
        Hyperparameter(lr_end, r"\eta_T", 0.0, nonnegative, "learning rate at t = total"),
        Count(total, "T", "updates from lr to lr_end"),
        Hyperparameter(power, "p", 0.9, positive, "power of the fraction of time that is left"),
    ],
    axes=[after],
    end=total,
)
def polynomial(d):
    """The distance to lr_end is a power of the fraction of updates still to come."""
    if d.after == "cycle":
        yield T_end, total*Max(1, ceiling(t/total))
        yield eta, lr_end + (lr - lr_end)*(1 - t/T_end)**power
    else:
        yield eta, lr_end + (lr - lr_end)*(1 - Min(t, total)/total)**power
