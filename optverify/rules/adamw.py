"""AdamW: Adam whose weight decay stands outside the adaptive step."""

from optverify.language import Source
from optverify.rules.adam import adam

adamw = adam.named(
    "adamw",
    title="AdamW",
    summary="Adam with decoupled weight decay: theta shrinks by the same share in every coordinate.",
    sources=[
        Source("Loshchilov and Hutter", 2019, "Decoupled weight decay regularization", "Algorithm 2, line 12;"
               " the libraries multiply the decay by lr, the paper by the schedule alone", "ICLR",
               arxiv="1711.05101"),
    ],
    weight_decay_form="decoupled",
)
