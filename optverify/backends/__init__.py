"""One recurrence, source code for many targets."""

from __future__ import annotations

from typing import Any

from optverify.language.messages import unknown
from optverify.rules import rule

BACKENDS = ("autograd", "mpmath", "numba", "numpy")


def step(name: str, backend: str = "numpy", **dialect: Any) -> Any:
    """The step functions of a rule: an object with .init, .step and .source.

    backend: "numpy" (a module like optverify.steps.adam, in any dialect), "numba" (the same, compiled to one
    loop; elementwise rules only), "autograd" (differentiable, so that hyperparameters can be), "mpmath" (any
    precision). dialect: axis options, as for `rule`.
    Raises ValueError for an unknown rule, axis, option or backend, or a rule that the backend does not have,
    ModuleNotFoundError if the backend is not installed.
    """
    chosen = rule(name, **dialect)
    if backend == "numpy":
        from optverify.backends.numpy import numpy_module

        return numpy_module(chosen)
    if backend == "numba":
        from optverify.backends.numba import numba_module

        return numba_module(chosen)
    if backend in BACKENDS:
        from optverify.backends.twins import Twin

        return Twin(chosen, backend)
    raise ValueError(unknown("backend", backend, BACKENDS))
