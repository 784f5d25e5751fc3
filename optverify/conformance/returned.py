"""What an update gave back, held to one standard: real numbers, in the shape and type of the parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from optverify.conformance.protocol import Array, Unsupported


class WrongResultError(TypeError):
    """What came back in place of a parameter is none."""


class Narrowed(Unsupported):
    """float64 came back as float32."""


def as_array(value: Any) -> Array:
    """A fresh array of what was returned; WrongResultError names the type of what is no array of numbers."""
    try:
        array = np.array(value, subok=False)
    except (TypeError, ValueError) as error:
        raise WrongResultError(_no_numbers(type(value).__name__)) from error
    if array.dtype.kind not in "fiucb" and not _is_float(array):
        name = type(value).__name__
        raise WrongResultError(_no_numbers(f"{name} of dtype {array.dtype}" if name == "ndarray" else name))
    return array


def checked(values: Sequence[Any], like: Sequence[Array]) -> list[Array]:
    """The parameters that came back, as arrays; WrongResultError where one is no longer like it was.

    Narrowed where float64 came back as float32: such a box is driven in float32, its own type.
    """
    if len(values) != len(like):
        raise WrongResultError(f"{len(values)} parameters come back where {len(like)} were given")
    return [_checked(v, p, k, len(like)) for k, (v, p) in enumerate(zip(values, like, strict=True))]


def _checked(value: Any, like: Array, k: int, count: int) -> Array:
    array = as_array(value)
    where = f" (parameter {k})" if count > 1 else ""
    if array.shape != like.shape:
        raise WrongResultError(
            f"it gives an array of shape {array.shape} for a parameter of shape {like.shape}{where}: return "
            "the new parameters alone"
        )
    if _is_float(array) and array.dtype.itemsize >= like.dtype.itemsize:
        return array
    text = (
        f"it returns {array.dtype} for {like.dtype} parameters{where}: the type of a parameter is to be kept"
    )
    if (array.dtype, like.dtype) == (np.float32, np.float64):
        raise Narrowed(text)
    raise WrongResultError(text)


def _is_float(array: Array) -> bool:
    """True for the floating-point types, those of ml_dtypes among them."""
    return array.dtype.kind == "f" or "float" in array.dtype.name


def _no_numbers(what: str) -> str:
    return f"it returns {what}, no array of numbers: return the new parameters alone"
