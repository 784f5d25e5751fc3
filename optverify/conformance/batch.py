"""The equations of a rule for many values of its hyperparameters at once.

Fitting asks for thousands of runs that differ in the hyperparameters alone. Here every array has a first
axis, one row a set of values, so that they all cost about as much as one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from optverify.backends.compiled import Compiled, compiled
from optverify.backends.numpy import NUMPY
from optverify.language import Rule

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Batched:
    """The equations of a rule on arrays with a row for each set of hyperparameters.

    steps: the same for one set; functions: initial and equations, batched.
    """

    steps: Compiled
    functions: Mapping[str, Any]

    def start(self, theta: Array, values: Mapping[str, Array]) -> dict[str, Any]:
        """Theta and the states before the first update. theta has the first axis already."""
        made = self.functions["initial"](theta=theta, **values)
        pairs = zip(self.steps.names[1:], made, strict=True)
        return {"theta": theta} | {n: _first(self.steps.sides[n], theta, x) for n, x in pairs}

    def update(self, at: Mapping[str, Any], grad: Array, t: Any, given: Mapping[str, Any]) -> dict[str, Any]:
        """Theta and the states after update t."""
        made = self.functions["equations"](**at, **{self.steps.gradient: grad}, t=t, **given)
        return dict(zip(self.steps.names, made, strict=True))

    def everything(
        self, at: Mapping[str, Any], grad: Array, t: Any, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Every name that the equations assign in update t, in the order of the rule."""
        equations = _everything(self.steps.source)
        return dict(equations(**at, **{self.steps.gradient: grad}, t=t, **given))


def _first(side: str, theta: Array, value: Any) -> Array:
    """A state before the first update, with the first axis."""
    shape = list(theta.shape[1:])
    rows = max(theta.shape[0], len(value) if np.ndim(value) else 1)
    if side == "number":
        shape = [1] * len(shape)
    elif side:
        m, n = shape
        shape = {"rows": [m, 1], "columns": [1, n], "left": [m, m], "right": [n, n]}[side]
    if side in ("left", "right"):
        return np.asarray(np.reshape(value, (-1, 1, 1)) * np.eye(shape[0]))
    return np.array(np.broadcast_to(value, (rows, *shape)), dtype=float)


@lru_cache(maxsize=4096)
def batched(rule: Rule) -> Batched:
    """The equations of a rule, batched."""
    steps = compiled(rule)
    return Batched(steps, _functions(steps.source))


def _functions(source: str) -> dict[str, Any]:
    functions: dict[str, Any] = dict(FUNCTIONS)
    exec("\n".join(_row_by_row(line) if " if " in line else line for line in source.splitlines()), functions)
    return functions


@lru_cache(maxsize=4096)
def _row_by_row(line: str) -> str:
    """A line of a program with its choices made row by row."""
    code = line.lstrip()
    return line[: len(line) - len(code)] + ast.unparse(_Choices().visit(ast.parse(code)))


@lru_cache(maxsize=512)
def _everything(source: str) -> Any:
    """The equations, with all names they assign as result."""
    *lines, _ = source.strip().splitlines()
    names = [line.strip().partition(" = ")[0] for line in lines if line.startswith("    ") and " = " in line]
    body = lines[[k for k, line in enumerate(lines) if line.startswith("def ")][-1] + 1 :]
    head = lines[: len(lines) - len(body)]
    kept = [n for n in names if n.isidentifier()]
    text = [*head, *body, f"    return {{{', '.join(f'{n!r}: {n}' for n in kept)}}}"]
    return _functions("\n".join(text))["equations"]


class _Choices(ast.NodeTransformer):
    """`a if c else b` chooses row by row."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.Call:
        self.generic_visit(node)
        return ast.Call(
            ast.Name("_pick", ast.Load()), [node.test, _later(node.body), _later(node.orelse)], []
        )


def _later(body: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)


def _pick(condition: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    if np.ndim(condition) == 0:
        return yes() if condition else no()
    return np.where(condition, yes(), no())


# ---- operators ---------------------------------------------------------------------------------------------


def _inside(x: Array) -> tuple[int, ...]:
    return tuple(range(1, x.ndim))


def norm(x: Array) -> Array:
    """Euclidean norm of each row, scaled like that of the steps."""
    largest = np.max(np.abs(x), axis=_inside(x), keepdims=True, initial=0)
    safe = np.where((largest > 0) & np.isfinite(largest), largest, 1)
    y = x / safe
    return np.where(  # type: ignore[no-any-return]
        safe == largest, largest * np.sqrt(np.sum(y * y, axis=_inside(x), keepdims=True)), largest
    )


def _size(x: Array) -> float:
    return float(np.prod(x.shape[1:]))


def _power_of(x: Array, exponent: Any) -> Array:
    values, vectors = np.linalg.eigh(x)
    values = np.maximum(values, 0)
    scaled = np.where(values > 0, values, 1) ** exponent * (values > 0)
    return np.asarray((vectors * scaled[:, None, :]) @ np.swapaxes(vectors, 1, 2))


def _eigenvectors(x: Array) -> Array:
    vectors = np.linalg.eigh(x)[1][:, :, ::-1]
    places = np.argmax(np.abs(vectors), axis=1)[:, None, :]
    return np.where(np.take_along_axis(vectors, places, axis=1) < 0, -vectors, vectors)


def _orthonormal(x: Array) -> Array:
    q, r = np.linalg.qr(x)
    return np.where(np.diagonal(r, axis1=1, axis2=2)[:, None, :] < 0, -q, q)


FUNCTIONS: dict[str, Any] = {
    **{name: getattr(np, name) for name in NUMPY},
    "math": SimpleNamespace(**{name: getattr(np, name) for name in ("sqrt", "exp", "log", "sign")}),
    "max": np.maximum,
    "min": np.minimum,
    "larger": np.maximum,
    "smaller": np.minimum,
    "square": np.square,
    "_pick": _pick,
    "norm": norm,
    "norm1": lambda x: np.sum(np.abs(x), axis=_inside(x), keepdims=True),
    "inner": lambda x, y: np.sum(x * y, axis=_inside(np.asarray(x * y)), keepdims=True),
    "mean": lambda x: np.mean(x, axis=_inside(x), keepdims=True),
    "rms": lambda x: norm(x) / np.sqrt(_size(x)),
    "rows": lambda x: float(x.shape[1]),
    "columns": lambda x: float(x.shape[2]),
    "row_mean": lambda x: np.mean(x, axis=2, keepdims=True),
    "column_mean": lambda x: np.mean(x, axis=1, keepdims=True),
    "row_max": lambda x: np.max(x, axis=2, keepdims=True),
    "column_max": lambda x: np.max(x, axis=1, keepdims=True),
    "matmul": np.matmul,
    "transpose": lambda x: np.swapaxes(x, 1, 2),
    "power_of": _power_of,
    "eigenvectors": _eigenvectors,
    "orthonormal": _orthonormal,
}
