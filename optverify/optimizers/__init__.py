"""Optimizer: the object people train with. It updates nested arrays in place, stops and resumes."""

from optverify.optimizers.optimizer import Optimizer

__all__ = ["Optimizer"]
