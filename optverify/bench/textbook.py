"""The classes of the textbooks, as people write them: the measure of what generated steps gain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class GD:
    """theta -= lr g."""

    def __init__(self, lr: float = 0.01) -> None:
        self.lr = lr

    def update(self, p: Array, g: Array) -> None:
        """One update."""
        p -= self.lr * g


class Momentum:
    """v = mu v - lr g; theta += v."""

    def __init__(self, lr: float = 0.01, mu: float = 0.9) -> None:
        self.lr, self.mu = lr, mu
        self.v: Any = 0.0

    def update(self, p: Array, g: Array) -> None:
        """One update."""
        self.v = self.mu * self.v - self.lr * g
        p += self.v


class Nesterov(Momentum):
    """The same update; what differs is where g was taken."""


class AdaGrad:
    """G += g^2; theta -= lr g/(sqrt(G) + eps)."""

    def __init__(self, lr: float = 0.01, eps: float = 1e-10) -> None:
        self.lr, self.eps = lr, eps
        self.G: Any = 0.0

    def update(self, p: Array, g: Array) -> None:
        """One update."""
        self.G = self.G + g**2
        p -= self.lr * g / (np.sqrt(self.G) + self.eps)


class RMSProp:
    """v = rho v + (1 - rho) g^2; theta -= lr g/(sqrt(v) + eps)."""

    def __init__(self, lr: float = 1e-3, rho: float = 0.9, eps: float = 1e-8) -> None:
        self.lr, self.rho, self.eps = lr, rho, eps
        self.v: Any = 0.0

    def update(self, p: Array, g: Array) -> None:
        """One update."""
        self.v = self.rho * self.v + (1 - self.rho) * g**2
        p -= self.lr * g / (np.sqrt(self.v) + self.eps)


class Adam:
    """Algorithm 1 of Kingma and Ba (2015), line by line."""

    def __init__(self, lr: float = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> None:
        self.lr, self.b1, self.b2, self.eps = lr, b1, b2, eps
        self.t = 0
        self.m: Any = 0.0
        self.v: Any = 0.0

    def update(self, p: Array, g: Array) -> None:
        """One update."""
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = self.b2 * self.v + (1 - self.b2) * g**2
        m_hat = self.m / (1 - self.b1**self.t)
        v_hat = self.v / (1 - self.b2**self.t)
        p -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


TEXTBOOK: dict[str, Callable[[], Any]] = {
    "adagrad": AdaGrad,
    "adam": Adam,
    "gd": GD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
}
