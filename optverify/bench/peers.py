"""What competes from other libraries, where it is installed: PyTorch on its three paths, optax under jit.

A rule is made as `optverify.libraries` spells it, with the defaults of the library, and this project's where
it has none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from optverify.bench.ours import arrays, pieces
from optverify.bench.timing import Compete, Load
from optverify.language.library import Entry
from optverify.libraries import library as library_of
from optverify.rules import registry

Array = np.ndarray[Any, Any]
ALONE = {"foreach": False}
PATHS: Mapping[str, Mapping[str, bool]] = {
    "torch": ALONE,
    "torch foreach": {"foreach": True},
    "torch fused": {"fused": True},
}
OPTAX = "optax"
NAMES = (*PATHS, OPTAX)
TREES = ("adam",)
"""optax under jit takes many seconds to compile a thousand arrays: it does so for these rules only."""
LARGE = 10**6
"""Above it PyTorch is not measured one array at a time: of one array foreach makes the same calls."""
ARGUMENT = re.compile(r"(\w+)=([^,()]+)")


def entry(library: str, rule: str) -> Entry | None:
    """The rule in that library; None if the library is not installed or does not have it."""
    if find_spec(library) is None:
        return None
    return next((e for e in library_of(library).entries if e.rule == rule), None)


def maker(found: Entry) -> Callable[..., Any]:
    """The library's class or function with the arguments it has to be given."""
    path, _, given = found.spelled.partition("(")
    module, _, name = path.rpartition(".")
    arguments: dict[str, Any] = {
        key: ast.literal_eval(value) for key, value in ARGUMENT.findall(given) if value != "..."
    }
    usual = {h.name: h.default for h in registry.get(found.rule).every_hyperparameter}
    for ours, default in found.defaults.items():
        if default is None and (number := usual[ours]) is not None:
            arguments[found.argument(ours)] = found.to_theirs(ours, number)
    return partial(getattr(import_module(module), name), **arguments)


def competitors(rule: str, load: Load, grad: Array) -> dict[str, Compete]:
    """Theirs, by name."""
    made: dict[str, Compete] = {}
    if found := entry("torch", rule):
        for name, path in PATHS.items():
            if path == ALONE and load.size > LARGE:
                continue
            if update := _torch(maker(found), path, load, grad):
                made[name] = update
    if (found := entry("optax", rule)) and (load.count == 1 or rule in TREES):
        made[OPTAX] = _optax(maker(found), load, grad)
    return made


def _torch(make: Callable[..., Any], path: Mapping[str, bool], load: Load, grad: Array) -> Compete | None:
    """None if the class does not have that path."""
    torch = import_module("torch")
    params = [torch.nn.Parameter(torch.from_numpy(p)) for p in arrays(load)]
    for p, g in zip(params, pieces(load, grad), strict=True):
        p.grad = torch.from_numpy(g)
    try:
        optimizer = make(params, **path)
    except (TypeError, RuntimeError):
        return None
    step: Compete = optimizer.step
    return step


def _optax(make: Callable[..., Any], load: Load, grad: Array) -> Compete:
    """One call of a compiled function, its parameters and state donated, waited for."""
    jax, optax = import_module("jax"), import_module("optax")
    jax.config.update("jax_enable_x64", True)
    params = [jax.numpy.asarray(p) for p in arrays(load)]
    grads = [jax.numpy.asarray(g) for g in pieces(load, grad)]
    rule = make()
    state = jax.tree.map(lambda x: jax.numpy.array(x, copy=True), rule.init(params))  # none donated twice

    def step(params: Any, grads: Any, state: Any) -> Any:
        updates, state = rule.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    compiled = jax.jit(step, donate_argnums=(0, 2))

    def update() -> None:
        nonlocal params, state
        params, state = jax.block_until_ready(compiled(params, grads, state))

    return update


def versions() -> dict[str, str]:
    """Library -> version, of those that are installed."""
    found = [name for name in ("numba", "torch", "optax", "jax") if find_spec(name)]
    return {name: str(import_module(name).__version__) for name in found}
