"""Runs the equations of a rule that is not elementwise: whole arrays at once, no blocks.

For rules with norms, means over rows and columns, matrix products, numbers among their states, or a choice
that depends on the values. Written by hand; imports NumPy alone. Real numbers only; float16 is computed in
float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from numpy import asarray, copyto, dtype, errstate, eye, float64, full, ndarray

from optverify.steps import _engine
from optverify.steps._engine import Array


class Plan(NamedTuple):
    """A rule on whole arrays.

    state: its State; equations: the recurrence; check: of hyperparameters; sides: state -> its side;
    reads_lr: False if an update asks for no lr; inputs: what else it is given, with the range of a number
    and "" for an array.
    """

    state: Any
    equations: Callable[..., tuple[Any, ...]]
    check: Callable[..., None]
    sides: Mapping[str, str]
    needs_matrix: bool
    reads_lr: bool = True
    inputs: Mapping[str, str] = MappingProxyType({})


def shape_of(side: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a state for a theta of this shape."""
    if not side:
        return shape
    m, n = shape
    return {"rows": (m, 1), "columns": (1, n), "left": (m, m), "right": (n, n)}[side]


def fresh(theta: Any, sides: Mapping[str, str], *initial: Any) -> tuple[Any, ...]:
    """The states before the first update; TypeError or ValueError for a theta the rule cannot take."""
    values = parameters(theta, any(side not in ("", "number") for side in sides.values()))
    return tuple(_first(values, side, value) for side, value in zip(sides.values(), initial, strict=True))


def _first(theta: Array, side: str, value: Any) -> Any:
    if side == "number":
        return float(value)
    if value is theta or isinstance(value, ndarray):
        return asarray(value, theta.dtype).copy()
    shape = shape_of(side, theta.shape)
    if side in ("left", "right"):
        return value * eye(shape[0], dtype=theta.dtype)
    return full(shape, value, theta.dtype)


def parameters(theta: Any, needs_matrix: bool) -> Array:
    """theta as an array of reals, a matrix if it must be one."""
    values = _engine.parameters(theta)
    if values.dtype.kind == "c":
        raise TypeError("theta is complex, and this rule is for reals: step real and imaginary parts apart")
    if needs_matrix and values.ndim != 2:
        raise ValueError(
            f"theta has shape {values.shape}, and this rule is for matrices: reshape it to two dimensions, "
            "or use an elementwise rule such as adam for vectors and biases"
        )
    return values


def pure(plan: Plan, theta: Any, grad: Any, state: Any, given: tuple[Any, ...]) -> tuple[Any, Any]:
    """One update into new arrays: (theta, state). No argument is written to.

    given: lr, the other hyperparameters, then the inputs.
    """
    values = parameters(theta, plan.needs_matrix)
    made, after = _updated(plan, values, grad, state, given)
    return (made if isinstance(theta, ndarray) else made[()]), after


def in_place(plan: Plan, theta: Array, grad: Any, state: Any, given: tuple[Any, ...]) -> Any:
    """One update written into theta and the states; nothing is written if an argument is refused."""
    if not isinstance(theta, ndarray):
        raise TypeError(
            f"update() writes into theta, and a {type(theta).__name__} cannot be written into; use step()"
        )
    values = parameters(theta, plan.needs_matrix)
    made, after = _updated(plan, values, grad, state, given)
    targets = [values, *(x for x in state[1:] if isinstance(x, ndarray))]
    if not all(x.flags.writeable for x in targets):
        raise ValueError("update() writes into theta and the state, and one of them is read-only: use step()")
    copyto(values, made)
    kept = []
    for old, new in zip(state[1:], after[1:], strict=True):
        if isinstance(old, ndarray):
            copyto(old, new)
        kept.append(old if isinstance(old, ndarray) else new)
    return plan.state(after[0], *kept)


def _updated(plan: Plan, theta: Array, grad: Any, state: Any, given: tuple[Any, ...]) -> tuple[Array, Any]:
    slope = _engine.gradient(theta, grad)
    numbers = len(given) - len(plan.inputs)
    given, inputs = given[:numbers], given[numbers:]
    more = [_input(n, d, x, theta) for (n, d), x in zip(plan.inputs.items(), inputs, strict=True)]
    check_state(plan, theta, state)
    lr = _engine.rate(given[0], state[0])
    plan.check(lr, *given[1:])
    work = _engine.computed_in(theta)
    arrays = [asarray(x, work) if isinstance(x, ndarray) else x for x in (theta, slope, *more)]
    states = [asarray(x, work) if isinstance(x, ndarray) else x for x in state[1:]]
    values = [lr, *given[1:]] if plan.reads_lr else given[1:]
    out = _computed(plan, arrays, states, state[0] + 1, list(map(float, values)))
    made = [_own(x, theta.dtype, (*arrays, *states, theta, grad, *more, *state[1:])) for x in out[:1]]
    after = [
        _own(x, theta.dtype, (*arrays, *states, *state[1:], *made)) if isinstance(old, ndarray) else float(x)
        for old, x in zip(state[1:], out[1:], strict=True)
    ]
    return made[0], plan.state(state[0] + 1, *after)


def _computed(plan: Plan, arrays: list[Any], states: list[Any], t: int, values: list[float]) -> Any:
    """The equations; where Python's numbers refuse a division by zero, with NumPy's, which go on."""
    try:
        return plan.equations(*arrays, *states, t, *values)
    except ZeroDivisionError:
        arrays, states = (
            [float64(x) if isinstance(x, float) else x for x in part] for part in (arrays, states)
        )
        with errstate(all="ignore"):
            return plan.equations(*arrays, *states, t, *map(float64, values))


def _input(name: str, domain: str, x: Any, theta: Array) -> Any:
    """An array that fits theta, or a number in its domain as a float."""
    if not domain:
        return _engine.gradient(theta, x, name)
    _engine.check({name: domain}, **{name: x})
    return float(x)


def _own(x: Any, kind: dtype[Any], others: tuple[Any, ...]) -> Array:
    """x as an array of this type that shares no memory with the others."""
    made = asarray(x, kind)
    return made.copy() if made.base is not None or any(made is y for y in others) else made


def check_state(plan: Plan, theta: Array, state: Any) -> None:
    """TypeError or ValueError unless state is what init(theta) makes, updated or not."""
    fields = plan.state._fields
    if getattr(state, "_fields", None) != fields:
        raise TypeError(f"state must be a State with {', '.join(fields)}: make it with init(theta)")
    for (name, side), x in zip(plan.sides.items(), state[1:], strict=True):
        if side == "number":
            fits = isinstance(x, float)
        else:
            shape = shape_of(side, theta.shape)
            fits = isinstance(x, ndarray) and x.shape == shape and x.dtype == theta.dtype
        if not fits:
            raise ValueError(
                f"state.{name} does not fit theta of shape {theta.shape}: make it with init(theta)"
            )
