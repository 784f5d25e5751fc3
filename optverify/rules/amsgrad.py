"""AMSGrad: Adam divided by the largest second moment so far."""

from optverify.language import Source
from optverify.rules.adam import adam

amsgrad = adam.named(
    "amsgrad",
    title="AMSGrad",
    summary="Adam whose step size in a coordinate never grows: the largest second moment so far divides it.",
    sources=[
        Source("Reddi, Kale and Kumar", 2018, "On the convergence of Adam and beyond", "Algorithm 2: no bias"
               " correction; epsilon is that of Adam", "ICLR", arxiv="1904.09237"),
    ],
    amsgrad="v",
    bias_correction="none",
)
