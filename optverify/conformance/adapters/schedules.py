"""Schedules of libraries, as `optverify.conformance.schedules` drives them.

A function of t, the number of updates already made, or a function that makes an object with `rate()`, the
rate of the next update, and `advance()`, an update was made.

* torch.optim.lr_scheduler, transformers: make(optimizer) returns the scheduler, as in
  `lambda optimizer: StepLR(optimizer, 30)`; `functools.partial(StepLR, step_size=30)` does as well.
* optax, Keras: the schedule itself, a function of the count.
"""

from __future__ import annotations

import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from typing import Any

from optverify.conformance.adapters._making import required, stems_from
from optverify.conformance.adapters.optax import in_x64, jitted

LR = 0.1
TORCH = ("torch.optim.lr_scheduler.", "transformers.optimization.", "pytorch_optimizer.lr_scheduler.")


class ScheduleAdapter(ABC):
    """How the schedules of one library are driven. name, library: as of an Adapter."""

    name: str
    library: str

    @abstractmethod
    def fits(self, schedule: Any) -> bool:
        """True if it is of this library, or makes one; must import nothing heavy."""

    @abstractmethod
    def start(self, schedule: Any, lr: float) -> Callable[..., Any]:
        """A function of t, or one that makes an object to drive. lr: the base rate, where it is told one."""


class TorchSchedules(ScheduleAdapter):
    """Schedulers of torch, and those of transformers, which are such."""

    name = "torch"
    library = "torch"

    def fits(self, schedule: Any) -> bool:
        """A class of torch, a function of transformers, bare or partial, or a function of `optimizer`."""
        if not callable(schedule):
            return False
        return stems_from(schedule, *TORCH) or required(schedule)[:1] == ["optimizer"]

    def start(self, schedule: Any, lr: float) -> Callable[..., Any]:
        """Made for a fresh optimizer with one parameter."""
        return partial(TorchSchedule, schedule, lr)


class TransformersSchedules(TorchSchedules):
    """The same by another name, whose version is that of transformers."""

    name = "transformers"
    library = "transformers"

    def fits(self, schedule: Any) -> bool:
        """A function of transformers."""
        return callable(schedule) and stems_from(schedule, "transformers.optimization.")


class TorchSchedule:
    """A scheduler over torch.optim.SGD, driven as a training loop does."""

    def __init__(self, make: Callable[[Any], Any], lr: float) -> None:
        torch = import_module("torch")
        parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
        parameter.grad = torch.zeros_like(parameter)
        self.optimizer = torch.optim.SGD([parameter], lr=lr, momentum=0.9)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.scheduler = make(self.optimizer)
        self._measured = bool(required(self.scheduler.step))

    def rate(self) -> float:
        """What the optimizer uses in its next update."""
        return float(self.optimizer.param_groups[0]["lr"])

    def get_last_lr(self) -> float:
        """What the scheduler says of it."""
        return float(self.scheduler.get_last_lr()[0])

    def advance(self) -> None:
        """An update, then a step of the schedule; one that wants a metric is told it does not improve."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.optimizer.step()
            self.scheduler.step(*([1.0] if self._measured else []))

    def state_dict(self) -> dict[str, Any]:
        """Of both."""
        return {"optimizer": self.optimizer.state_dict(), "scheduler": self.scheduler.state_dict()}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Of both."""
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scheduler.load_state_dict(saved["scheduler"])


class OptaxSchedules(ScheduleAdapter):
    """Functions of a count."""

    name = "optax"
    library = "optax"

    def fits(self, schedule: Any) -> bool:
        """A function made by optax."""
        return callable(schedule) and stems_from(schedule, "optax.")

    def start(self, schedule: Any, lr: float) -> Callable[..., Any]:
        """The function, in 64 bits."""

        def rate(t: int) -> float:
            with in_x64():
                return float(schedule(t))

        return rate


class KerasSchedules(ScheduleAdapter):
    """Objects that are called with the number of updates made."""

    name = "keras"
    library = "keras"

    def fits(self, schedule: Any) -> bool:
        """A LearningRateSchedule."""
        return not isinstance(schedule, type) and stems_from(schedule, "keras.src.optimizers.schedules.")

    def start(self, schedule: Any, lr: float) -> Callable[..., Any]:
        """The function, with floatx float64 while it is asked; Keras's own is compiled where that is JAX.

        Their branches would be compiled anew whenever they are asked. What a user has written may be no
        function of JAX at all.
        """
        on_jax = import_module("keras").config.backend() == "jax" and "jax" in sys.modules
        own = type(schedule).__module__.startswith("keras.src.optimizers.schedules.")
        return partial(_keras_rate, jitted(schedule) if on_jax and own else schedule, on_jax)


def _keras_rate(schedule: Callable[[int], Any], on_jax: bool, t: int) -> float:
    config = import_module("keras").config
    before = config.floatx()
    config.set_floatx("float64")
    try:
        with in_x64() if on_jax else nullcontext():
            return float(schedule(t))
    finally:
        config.set_floatx(before)


def schedule_adapters() -> dict[str, ScheduleAdapter]:
    """Name -> adapter."""
    known = (TransformersSchedules(), TorchSchedules(), OptaxSchedules(), KerasSchedules())
    return {a.name: a for a in known}


def as_schedule(schedule: Any, adapter: str | None = None, lr: float = LR) -> Any:
    """What drives this schedule; the schedule itself if no library is recognised."""
    known = schedule_adapters()
    if adapter is not None:
        if adapter not in known:
            from optverify.language.messages import unknown

            raise ValueError(unknown("adapter of schedules", adapter, list(known)))
        return known[adapter].start(schedule, lr)
    return next((a.start(schedule, lr) for a in known.values() if a.fits(schedule)), schedule)
