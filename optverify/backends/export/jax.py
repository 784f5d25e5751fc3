"""JAX: a module on its arrays, through which derivatives go."""

from __future__ import annotations

from sympy.printing.numpy import JaxPrinter

from optverify.backends.export.arrays import Arrays, traced
from optverify.language import Rule

NOTE = (
    "Derivatives go through it, with respect to hyperparameters too. The count of updates is an array, so"
    " that jax.jit compiles once. Without jax_enable_x64 numbers are float32, 1 - beta**t among them."
)


class Jax(Arrays, JaxPrinter):  # type: ignore[misc]
    """JAX."""

    call = {f: f"jnp.{f}" for f in ("sqrt", "abs", "exp", "log", "sign", "maximum", "minimum")}
    where = "jnp.where"


def jax_source(rule: Rule) -> str:
    """The JAX module of a rule."""
    return traced(rule, Jax, "jax.py", NOTE)
