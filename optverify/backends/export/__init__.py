"""A rule as source code in another language, to be used without this package."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from optverify.language import Rule
from optverify.language.messages import unknown

CODE = {
    "numpy": ("arrays", "numpy_standalone"),
    "numba": ("numba", "numba_source"),
    "torch": ("torch", "torch_source"),
    "jax": ("jax", "jax_source"),
    "c": ("c", "c_source"),
    "javascript": ("javascript", "javascript_source"),
    "julia": ("julia", "julia_source"),
    "rust": ("rust", "rust_source"),
}


def export_rule(rule: Rule, to: str) -> str:
    """The source of a rule in a language, readable and in need of nothing but that language.

    ValueError for an unknown target.
    """
    if to not in CODE:
        raise ValueError(unknown("target", to, CODE))
    module, function = CODE[to]
    write: Callable[[Rule], str] = getattr(import_module(f"{__name__}.{module}"), function)
    return write(rule)
