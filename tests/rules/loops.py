"""Runs of a step module, and of plain loops written from the papers, on the same hostile gradients."""

import inspect

import numpy as np

from optverify.backends import step

from .hostile import HOSTILE, RATES, START, gradients

WEIGHT_DECAY = 0.07
GRADIENTS = gradients()
NEVER_ZERO = np.where(GRADIENTS == 0, 0.3, GRADIENTS)
"""For a rule that divides 0 by 0 while all gradients were zero."""


def known(function, values):
    """Those of the values that the function takes."""
    return {n: v for n, v in values.items() if n in inspect.signature(function).parameters}


def generated(name, options, values, gradients=GRADIENTS):
    """Theta after each update by the generated step; values: what init and step take."""
    module = step(name, **options)
    theta, state = START, module.init(START, **known(module.init, values))
    for lr, g in zip(RATES, gradients, strict=True):
        theta, state = module.step(theta, g, state, **known(module.step, {"lr": float(lr), **values}))
        yield theta


def written(move, settings, decay="none", maximize=False, stream=HOSTILE):
    """Theta after each update by a loop: `move(memory, t, lr, g, **settings)` is what theta loses."""
    theta, memory, wd = stream.start, {}, WEIGHT_DECAY
    for t, (lr, grad) in enumerate(zip(stream.rates, stream.gradients, strict=True), 1):
        g = -grad if maximize else grad
        if decay == "coupled":
            g = g + wd * theta
        stepped = theta - move(memory, t, lr, g, **settings)
        if decay == "decoupled":
            stepped = stepped - lr * wd * theta
        elif decay == "decoupled_without_lr":
            stepped = stepped - wd * theta
        elif decay == "after_step":
            stepped = stepped - lr * wd * stepped
        theta = stepped
        yield theta


def path_of(name, gradients, lr=0.1, start=0.0, options=None, **values):
    """Theta of one number after each update."""
    module = step(name, **(options or {}))
    theta, state, path = start, module.init(start, **known(module.init, values)), []
    for g in gradients:
        theta, state = module.step(theta, g, state, **known(module.step, {"lr": lr, **values}))
        path.append(float(theta))
    return path
