"""Drive the real optimizers of a library over given gradients, in float64, the learning rate changing."""

from __future__ import annotations

import ast
import os

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")


def parsed(spelled):
    """`torch.optim.SGD(nesterov=True)` -> dotted name, {"nesterov": True}; `momentum=...` sets nothing."""
    call = ast.parse(spelled, mode="eval").body
    function = call.func if isinstance(call, ast.Call) else call
    keywords = call.keywords if isinstance(call, ast.Call) else []
    fixed = {k.arg: ast.literal_eval(k.value) for k in keywords}
    return ast.unparse(function), {name: value for name, value in fixed.items() if value is not ...}


def arguments(entry, values, switches):
    """The keyword arguments of their class: betas[0] and betas[1] become one tuple."""
    name, given = parsed(entry.spelled)
    pairs = {}
    for ours, value in values.items():
        theirs = entry.names[ours]
        if theirs.endswith("]"):
            stem, index = theirs[:-1].split("[")
            pairs.setdefault(stem, {})[int(index)] = value
        else:
            given[theirs] = value
    given |= {stem: tuple(v for _, v in sorted(found.items())) for stem, found in pairs.items()}
    for switch in switches:
        argument, value = switch.split("=", 1)
        if value != "...":
            given[argument] = ast.literal_eval(value)
    return name, given


def torch(entry, values, switches, theta, gradients, rates):
    """theta after every update."""
    import torch

    torch.set_default_dtype(torch.float64)
    name, given = arguments(entry, values, switches)
    make = torch
    for part in name.split(".")[1:]:
        make = getattr(make, part)
    parameter = torch.nn.Parameter(torch.tensor(theta, dtype=torch.float64))
    optimizer = make([parameter], **given)
    for gradient, rate in zip(gradients, rates, strict=True):
        if rate is not None:
            for group in optimizer.param_groups:
                group["lr"] = float(rate)
        parameter.grad = torch.tensor(gradient.copy())
        optimizer.step()
        yield parameter.detach().numpy().copy()


def optax(entry, values, switches, theta, gradients, rates):
    """theta after every update."""
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", True)
    name, given = arguments(entry, values, switches)
    make = optax
    for part in name.split(".")[1:]:
        make = getattr(make, part)
    given.pop("learning_rate", None)
    chain = optax.inject_hyperparams(lambda learning_rate: make(learning_rate=learning_rate, **given))
    optimizer = chain(learning_rate=float(rates[0]))
    parameter = jnp.array(theta)
    state = optimizer.init(parameter)
    for gradient, rate in zip(gradients, rates, strict=True):
        state.hyperparams["learning_rate"] = jnp.asarray(float(rate))
        step, state = optimizer.update(jnp.array(gradient), state, parameter)
        parameter = optax.apply_updates(parameter, step)
        yield np.array(parameter)


def keras(entry, values, switches, theta, gradients, rates):
    """theta after every update."""
    import keras

    keras.config.set_floatx("float64")
    name, given = arguments(entry, values, switches)
    make = keras
    for part in name.split(".")[1:]:
        make = getattr(make, part)
    variable = keras.Variable(theta, dtype="float64")
    optimizer = make(**given)
    optimizer.build([variable])
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate = float(rate)
        optimizer.apply([keras.ops.convert_to_tensor(gradient)])
        yield np.asarray(keras.ops.convert_to_numpy(variable)).copy()


DRIVERS = {"torch": torch, "optax": optax, "keras": keras}
