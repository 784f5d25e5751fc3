"""Drive the real optimizers of a library over given gradients, in float64, the learning rate changing."""

from __future__ import annotations

import ast
import os
from unittest import mock

import numpy as np

os.environ.setdefault("JAX_ENABLE_X64", "1")


def parsed(spelled):
    """`torch.optim.SGD(nesterov=True)` -> dotted name, {"nesterov": True}; `momentum=...` sets nothing."""
    call = ast.parse(spelled, mode="eval").body
    function = call.func if isinstance(call, ast.Call) else call
    keywords = call.keywords if isinstance(call, ast.Call) else []
    fixed = {k.arg: ast.literal_eval(k.value) for k in keywords}
    return ast.unparse(function), {name: value for name, value in fixed.items() if value is not ...}


def arguments(entry, values, switches):
    """The class, and its keyword arguments: betas[0] and betas[1] become one tuple.

    `init_step=('heuristic', ...)` is a tuple with a place for init_step[1].
    """
    name, given = parsed(entry.spelled)
    for switch in switches:
        if "=" in switch:
            given |= parsed(f"_({switch})")[1]
        else:
            name = switch
    parts = {}
    for ours, value in values.items():
        theirs = entry.argument(ours)
        if theirs.endswith("]"):
            stem, index = theirs[:-1].split("[")
            pieces = parts.setdefault(stem, dict(enumerate(given.get(stem, ()))))
            pieces[int(index)] = entry.to_theirs(ours, value)
        else:
            given[theirs] = entry.to_theirs(ours, value)
    given |= {stem: tuple(part for _, part in sorted(pieces.items())) for stem, pieces in parts.items()}
    return name, given


def found(library, dotted):
    """The class of that name."""
    for part in dotted.split(".")[1:]:
        library = getattr(library, part)
    return library


def torch(entry, values, switches, theta, gradients, rates, losses):
    """theta after every update."""
    import torch

    torch.set_default_dtype(torch.float64)
    name, given = arguments(entry, values, switches)
    make = found(torch, name)
    parameter = torch.nn.Parameter(torch.tensor(theta, dtype=torch.float64))
    optimizer = make([parameter], **given)
    for gradient, rate in zip(gradients, rates, strict=True):
        if rate is not None:
            for group in optimizer.param_groups:
                group["lr"] = float(rate)
        parameter.grad = torch.tensor(gradient.copy())
        with mock.patch.object(torch.Tensor, "bfloat16", lambda x: x.clone()):  # where Muon loses digits
            optimizer.step()
        yield parameter.detach().numpy().copy()


def optax(entry, values, switches, theta, gradients, rates, losses):
    """theta after every update."""
    import jax
    import jax.numpy as jnp
    import optax
    import optax.contrib

    jax.config.update("jax_enable_x64", True)
    name, given = arguments(entry, values, switches)
    make = found(optax, name)
    has_rate = given.pop("learning_rate", None) is not None
    if has_rate:
        chain = optax.inject_hyperparams(lambda learning_rate: make(learning_rate=learning_rate, **given))
        optimizer = chain(learning_rate=float(rates[0]))
    else:
        optimizer = make(**given)
    optimizer = optax.with_extra_args_support(optimizer)
    parameter = jnp.array(theta)
    state = optimizer.init(parameter)
    update = jax.jit(optimizer.update)
    for gradient, rate, loss in zip(gradients, rates, losses, strict=True):
        if has_rate:
            state.hyperparams["learning_rate"] = jnp.asarray(float(rate))
        step, state = update(jnp.array(gradient), state, parameter, value=jnp.asarray(float(loss)))
        parameter = optax.apply_updates(parameter, step)
        yield np.array(parameter)


def keras(entry, values, switches, theta, gradients, rates, losses):
    """theta after every update."""
    import keras

    keras.config.set_floatx("float64")
    name, given = arguments(entry, values, switches)
    make = found(keras, name)
    variable = keras.Variable(theta, dtype="float64")
    optimizer = make(**given)
    optimizer.build([variable])
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate = float(rate)
        optimizer.apply([keras.ops.convert_to_tensor(gradient)])
        yield np.asarray(keras.ops.convert_to_numpy(variable)).copy()


DRIVERS = {"torch": torch, "optax": optax, "keras": keras}
