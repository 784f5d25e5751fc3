"""One recurrence, source code for many targets."""

from __future__ import annotations

from typing import Any

from optverify.language.messages import unknown
from optverify.rules import rule

BACKENDS = ("autograd", "mpmath", "numpy")


def step(name: str, backend: str = "numpy", **dialect: Any) -> Any:
    """The step functions of a rule: an object with .init, .step and .source.

    backend: "numpy" (a module like optverify.steps.adam, in any dialect), "autograd" (differentiable, so
    that hyperparameters can be), "mpmath" (any precision). dialect: axis options, as for `rule`.
    Raises ValueError for an unknown rule, axis, option or backend.
    """
    chosen = rule(name, **dialect)
    if backend == "numpy":
        from optverify.backends.numpy import numpy_module

        return numpy_module(chosen)
    if backend in BACKENDS:
        from optverify.backends.twins import Twin

        return Twin(chosen, backend)
    raise ValueError(unknown("backend", backend, BACKENDS))
