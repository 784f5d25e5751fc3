"""pytorch_optimizer: optimizers of torch's kind from a collection of their own."""

from __future__ import annotations

from typing import Any

from optverify.conformance.adapters._making import stems_from
from optverify.conformance.adapters.torch import Torch


class PytorchOptimizer(Torch):
    """make(params) is given a list of torch.nn.Parameter."""

    name = "pytorch_optimizer"
    library = "pytorch-optimizer"

    def fits(self, thing: Any) -> bool:
        """An optimizer of the collection, or its class."""
        return stems_from(thing, "pytorch_optimizer.")
