"""SAM: gradient descent with the gradient at the worst point near by."""

from optverify.language import wrapper
from optverify.rules.gd import gd

wrapped = wrapper("sam")(gd)
sam = wrapped.named(
    "sam",
    title="SAM",
    summary="An odd call climbs to the worst point near by, an even one steps with the gradient there.",
    sources=wrapped.sources[:1],
)
