"""What competes for this project: generated steps, the textbook classes, and a bare pass over the arrays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from optverify.backends import step as steps_of
from optverify.backends.numba import numba_module, obstacle
from optverify.bench.textbook import TEXTBOOK
from optverify.bench.timing import Compete, Load
from optverify.language import Rule, Source, State, g, grad, rule, t, theta
from optverify.optimizers import Optimizer
from optverify.rules import registry

Array = np.ndarray[Any, Any]
NUMPY, NUMBA, TEXT, BARE = "numpy", "numba", "textbook", "bare pass"
PURE = {NUMPY: "numpy, pure", NUMBA: "numba, pure"}


def elementwise() -> list[str]:
    """The rules that are measured."""
    return [name for name in registry.names() if not obstacle(registry.get(name))]


def has_numba() -> bool:
    """True if the extra `fast` is installed."""
    return find_spec("numba") is not None


def states(name: str) -> tuple[str, ...]:
    """The names of the states of a rule that are arrays."""
    return tuple(s.name for s in registry.get(name).states if not s.scalar)


def gradient(load: Load) -> Array:
    """A gradient for every array of the load, in one piece; no zeros, by which Adamax would divide."""
    numbers = np.random.default_rng(0).standard_normal(load.numbers, np.float32)
    numbers[numbers == 0] = 1
    return numbers.astype(load.dtype)


def competitors(name: str, load: Load, slope: Array) -> dict[str, Compete]:
    """Ours, by name; each owns its parameters and states, all share the gradient."""
    backends = [NUMPY, NUMBA] if has_numba() else [NUMPY]
    made: dict[str, Compete] = {}
    for backend in backends:
        if load.count > 1:
            made[backend] = _optimizer(name, backend, load, slope)
        else:
            made[backend] = _in_place(name, backend, load, slope)
            if name in TEXTBOOK:
                made[PURE[backend]] = _pure(name, backend, load, slope)
    if name in TEXTBOOK:
        made[TEXT] = _textbook(name, load, slope)
    if has_numba():
        made[BARE] = bare_pass(len(states(name)), load, slope)
    return made


def arrays(load: Load) -> list[Array]:
    """Parameters to start from."""
    return [np.zeros(load.size, load.dtype) for _ in range(load.count)]


def pieces(load: Load, slope: Array) -> list[Array]:
    """The gradient of each array."""
    return list(slope.reshape(load.count, load.size))


def _in_place(name: str, backend: str, load: Load, slope: Array) -> Compete:
    module = steps_of(name, backend)
    (p,) = arrays(load)
    state = module.init(p)

    def update() -> None:
        nonlocal state
        state = module.update(p, slope, state)

    return update


def _pure(name: str, backend: str, load: Load, slope: Array) -> Compete:
    module = steps_of(name, backend)
    (p,) = arrays(load)
    state = module.init(p)

    def update() -> None:
        nonlocal p, state
        p, state = module.step(p, slope, state)

    return update


def _optimizer(name: str, backend: str, load: Load, slope: Array) -> Compete:
    params, grads = arrays(load), pieces(load, slope)
    optimizer = Optimizer(name, backend=backend)
    optimizer.gradient_point(params)  # a rule that looks ahead is given its gradient anywhere here
    return lambda: optimizer.update(params, grads)


def _textbook(name: str, load: Load, slope: Array) -> Compete:
    jobs = [(TEXTBOOK[name](), *pair) for pair in zip(arrays(load), pieces(load, slope), strict=True)]

    def update() -> None:
        for optimizer, p, part in jobs:
            optimizer.update(p, part)

    return update


# ---- the memory floor --------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def bare_rule(kept: int) -> Rule:
    """The rule that reads and writes theta and that many states, and only adds."""
    both = tuple(State(f"s{k}", meaning="read, written, of no use") for k in range(1, kept + 1))

    def write(dialect: Any) -> Iterator[tuple[Any, Any]]:
        """A pass over memory."""
        yield g[t], grad
        for s in both:
            yield s[t], s[t - 1] + g[t]
        yield theta[t], theta[t - 1] + g[t]

    sources = [Source("Nobody", 2000, "A pass over memory", "all of it", "Nowhere")]
    return rule("bare_pass", title="Bare pass", sources=sources, hyperparameters=(), states=both)(write)


def bare_pass(kept: int, load: Load, slope: Array) -> Compete:
    """One pass of the same machinery over the same arrays; one array, however many the load has."""
    module = numba_module(bare_rule(kept))
    (p,) = arrays(Load(load.numbers, 1, load.dtype))
    state = module.init(p)

    def update() -> None:
        nonlocal state
        state = module.update(p, slope, state)

    return update
