"""The generated steps beside the textbook classes people write, in one run.

The competitors take turns, so that what else the machine does falls on all of them; a ratio is taken inside
each round, and the median over the rounds is reported with its quartiles.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import numpy as np

from optverify.language.messages import unknown
from optverify.steps import _engine

SIZES = (10**3, 10**5, 10**7)
ROUND_SECONDS = 2e-3
"""A turn makes enough updates to last about this long, at least one."""
SECONDS = 0.5
"""A measurement takes as many rounds as last about this long together, at least ROUNDS."""
ROUNDS = 9
Array = np.ndarray[Any, Any]
Progress = Callable[[int, int], None]


# ---- the textbook ------------------------------------------------------------------------------------------


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


# ---- steps -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One rule at one size.

    textbook, step, update: nanoseconds an element and update, medians over the rounds; step is the pure
    function, update the one in place. step_ratio, update_ratio: their time over the textbook's in the same
    round, (lower quartile, median, upper quartile). threads: how many the step uses at this size.
    """

    rule: str
    size: int
    dtype: str
    textbook: float
    step: float
    update: float
    step_ratio: tuple[float, float, float]
    update_ratio: tuple[float, float, float]
    rounds: int
    threads: int


def run(
    sizes: Sequence[int] = SIZES,
    rules: Iterable[str] | None = None,
    dtype: str = "float32",
    rounds: int | None = None,
    progress: Progress | None = None,
) -> list[Row]:
    """Time the default dialects, pure and in place, beside the textbook classes.

    rounds: how often each takes its turn; None: as often as fits into half a second, 9 times at least.
    progress is given how many of how many measurements are done.
    Raises ValueError for an unknown rule or a size below 1.
    """
    names = list(TEXTBOOK if rules is None else rules)
    for name in names:
        if name not in TEXTBOOK:
            raise ValueError(unknown("rule", name, TEXTBOOK))
    for size in sizes:
        if size < 1:
            raise ValueError(f"size = {size} is out of range: it must be an integer >= 1")
    rows: list[Row] = []
    for size in sizes:
        for name in names:
            rows.append(_measure(name, int(size), np.dtype(dtype), rounds))
            if progress is not None:
                progress(len(rows), len(sizes) * len(names))
    return rows


def _measure(name: str, size: int, dtype: np.dtype[Any], rounds: int | None) -> Row:
    competitors = [make(name, size, dtype) for make in (_textbook, _step, _update)]
    for compete in competitors:
        compete()  # the first update makes the state
    seconds = min(_time(compete, 1) for compete in competitors)
    updates = max(1, int(ROUND_SECONDS / max(seconds, 1e-9)))
    if rounds is None:
        rounds = max(ROUNDS, int(SECONDS / (3 * updates * max(seconds, 1e-9))))
    times: list[list[float]] = [[], [], []]
    for number in range(rounds):
        for i in ((number + k) % 3 for k in range(3)):
            times[i].append(_time(competitors[i], updates) / updates)
    textbook, step, update = (1e9 * median(column) / size for column in times)
    step_ratio, update_ratio = (
        _quartiles([t / base for t, base in zip(column, times[0], strict=True)]) for column in times[1:]
    )
    threads = _engine.threads(size * dtype.itemsize)
    return Row(name, size, str(dtype), textbook, step, update, step_ratio, update_ratio, rounds, threads)


def _time(compete: Callable[[], None], updates: int) -> float:
    began = perf_counter()
    for _ in range(updates):
        compete()
    return perf_counter() - began


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return (values[0],) * 3
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def _numbers(size: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Parameters and a gradient."""
    return np.zeros(size, dtype), np.random.default_rng(0).standard_normal(size).astype(dtype)


def _textbook(name: str, size: int, dtype: np.dtype[Any]) -> Callable[[], None]:
    (p, g), optimizer = _numbers(size, dtype), TEXTBOOK[name]()
    return lambda: optimizer.update(p, g)


def _step(name: str, size: int, dtype: np.dtype[Any]) -> Callable[[], None]:
    module = import_module(f"optverify.steps.{name}")
    theta, g = _numbers(size, dtype)
    state = module.init(theta)

    def compete() -> None:
        nonlocal theta, state
        theta, state = module.step(theta, g, state)

    return compete


def _update(name: str, size: int, dtype: np.dtype[Any]) -> Callable[[], None]:
    module = import_module(f"optverify.steps.{name}")
    theta, g = _numbers(size, dtype)
    state = module.init(theta)

    def compete() -> None:
        nonlocal state
        state = module.update(theta, g, state)

    return compete


# ---- imports -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """How long something takes to start, in milliseconds: the least and the median of several runs."""

    what: str
    least: float
    median: float


IMPORT_ADAM = (
    "import numpy; from time import perf_counter as now; began = now(); from optverify.steps import adam; "
    "print(now() - began)"
)


def starts(runs: int = 9) -> list[Start]:
    """What `from optverify.steps import adam` adds to `import numpy`, and how long `optverify --help` takes.

    Each run is a fresh interpreter.
    """
    added, shown = [], []
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", IMPORT_ADAM], capture_output=True, text=True, check=True)
        added.append(1e3 * float(done.stdout))
        began = perf_counter()
        subprocess.run([sys.executable, "-m", "optverify", "--help"], capture_output=True, check=True)
        shown.append(1e3 * (perf_counter() - began))
    return [
        Start("from optverify.steps import adam, above import numpy", min(added), median(added)),
        Start("optverify --help", min(shown), median(shown)),
    ]


def machine() -> dict[str, str]:
    """What the numbers were taken on."""
    return {
        "processor": _processor(),
        "cpus": str(_engine.CPUS),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
