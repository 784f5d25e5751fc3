"""Optimizers as people write them, right and wrong: for check, the command line and the pytest plugin."""

import ctypes
import os
import sys
import time

import numpy as np


class MyAdam:
    """Right, with epsilon outside the root."""

    def __init__(self, lr=0.1, b1=0.9, b2=0.999, eps=1e-3):
        self.lr, self.b1, self.b2, self.eps = lr, b1, b2, eps
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, theta, g):
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = self.b2 * self.v + (1 - self.b2) * g * g
        return theta - self.lr * self.direction()

    def direction(self):
        m_hat, v_hat = self.m / (1 - self.b1**self.t), self.v / (1 - self.b2**self.t)
        return m_hat / (np.sqrt(v_hat) + self.eps)


class HatAdam(MyAdam):
    """Epsilon-hat."""

    def direction(self):
        c = np.sqrt(1 - self.b2**self.t)
        return c * self.m / (1 - self.b1**self.t) / (np.sqrt(self.v) + self.eps)


class Float32Adam(MyAdam):
    """Right, with its hyperparameters in float32."""

    def __init__(self, lr=0.1):
        super().__init__(lr)
        self.b2 = float(np.float32(self.b2))

    @property
    def betas(self):
        return 0.9, 0.999


class Float32Norm(MyAdam):
    """Right, with its second moment in float32: it overflows where float64 does not."""

    def step(self, theta, g):
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * g
        with np.errstate(all="ignore"):
            square = np.square(g.astype(np.float32)).astype(np.float64)
        self.v = self.b2 * self.v + (1 - self.b2) * square
        return theta - self.lr * self.direction()


class OneCounter:
    """Adam over a list of parameters, with one counter for all."""

    def __init__(self, params, lr=0.1, b1=0.9, b2=0.999, eps=1e-3):
        self.params, self.lr, self.b1, self.b2, self.eps, self.t = params, lr, b1, b2, eps, 0
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]

    def update(self, params, grads):
        self.t += 1
        after = list(params)
        for k, (p, g) in enumerate(zip(params, grads, strict=True)):
            if g is not None:
                self.m[k] = self.b1 * self.m[k] + (1 - self.b1) * g
                self.v[k] = self.b2 * self.v[k] + (1 - self.b2) * g * g
                m_hat, v_hat = self.m[k] / (1 - self.b1**self.t), self.v[k] / (1 - self.b2**self.t)
                after[k] = p - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
        return after


class Quiet:
    """Gradient descent that does not show its learning rate."""

    def __init__(self):
        rate = [0.5]
        self.step = lambda theta, g: theta - rate[0] * g


class Cubed(MyAdam):
    """No dialect: the third power."""

    def direction(self):
        return super().direction() ** 3


class WrongWay(MyAdam):
    """Uphill."""

    def direction(self):
        return -super().direction()


class Spoils(MyAdam):
    """Right, but it writes into the gradient."""

    def step(self, theta, g):
        after = super().step(theta, g.copy())
        g *= 2
        return after


class Shared(MyAdam):
    """Its state outlives it."""

    kept = {}

    def step(self, theta, g):
        self.__dict__.update(Shared.kept)
        after = super().step(theta, g)
        Shared.kept = {"t": self.t, "m": self.m, "v": self.v}
        return after


class Stops(MyAdam):
    """Raises where a gradient is zero."""

    def step(self, theta, g):
        if not np.any(g):
            raise ZeroDivisionError("nothing to divide by")
        return super().step(theta, g)


class NotMade:
    """Cannot be made."""

    def __init__(self):
        raise RuntimeError("no accelerator here")

    def step(self, theta, g):
        return theta


class Nan(MyAdam):
    """0/0 where a gradient is zero."""

    def direction(self):
        with np.errstate(all="ignore"):
            return self.m / np.sqrt(self.v)


class Hangs(MyAdam):
    """Never ends where a gradient is zero."""

    def step(self, theta, g):
        while not g.any():
            time.sleep(0.01)
        return super().step(theta, g)


class Crashes(MyAdam):
    """Takes the process with it."""

    def step(self, theta, g):
        ctypes.string_at(0)


class Exits(MyAdam):
    """Ends the process in an orderly way."""

    def step(self, theta, g):
        sys.exit(3)


class Vanishes(MyAdam):
    """Ends the process at once, and says something first."""

    def step(self, theta, g):
        print("good bye", flush=True)
        os._exit(0)


class Chatty(MyAdam):
    """Right, and prints more than a pipe holds."""

    def step(self, theta, g):
        print("x" * 5000)
        return super().step(theta, g)


class Nothing:
    """No optimizer."""
