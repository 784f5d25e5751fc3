"""PyTorch: torch.optim on every path, and whatever inherits from its Optimizer or steps over `p.grad`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from optverify.conformance.adapters._making import Watch, made, numbers, required, stems_from
from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported

BASE = "torch.optim.optimizer.Optimizer"


class Torch(Adapter):
    """make(params) is given a list of torch.nn.Parameter."""

    name = "torch"
    library = "torch"

    def fits(self, thing: Any) -> bool:
        """An optimizer of torch, or its class."""
        return stems_from(thing, BASE)

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around the optimizer that make gives for these parameters."""
        return TorchBox(make, params)

    def start_in_groups(self, make: Make, params: Sequence[Array], rates: Sequence[float]) -> Box:
        """make(params) is given a list of parameter groups, as the optimizers of torch take it."""
        return TorchBox(make, params, rates)


class TorchBox(Box):
    """An optimizer that reads `p.grad` and writes into `p` when step() is called."""

    def __init__(self, make: Make, params: Sequence[Array], rates: Sequence[float] = ()) -> None:
        self._torch = torch = import_module("torch")
        self._params = [torch.nn.Parameter(self._tensor(p)) for p in params]
        if isinstance(make, torch.optim.Optimizer):
            make = _again(make)
        groups = [{"params": [p], "lr": lr} for p, lr in zip(self._params, rates, strict=False)]
        self.optimizer = self._made(make, groups)
        held = [p for g in getattr(self.optimizer, "param_groups", ()) for p in g["params"]]
        if held and not any(p is q for p in self._params for q in held):
            raise TypeError(
                "the optimizer does not hold the parameters that make(params) was given: hand params on, "
                "as in lambda params: torch.optim.Adam(params, lr=0.1)"
            )
        if getattr(self.optimizer, "defaults", {}).get("differentiable"):
            for p in self._params:  # it may not write into leaves that autograd records
                p.requires_grad_(False)
        self._watch, self._passed = Watch(), self._numbers()

    def _made(self, make: Make, groups: Sequence[Mapping[str, Any]]) -> Any:
        if not groups:
            return made(make, self._params)
        try:
            optimizer = made(make, groups)
        except Exception as error:  # of the user's code
            raise Unsupported(f"it takes no groups of parameters ({error})") from error
        if len(getattr(optimizer, "param_groups", ())) != len(groups):
            raise Unsupported("it takes no groups of parameters")
        return optimizer

    def _tensor(self, x: Array) -> Any:
        return self._torch.from_numpy(np.array(x))

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """Set p.grad and step, with a closure if a loss is given or step() demands one."""
        kept = [None if g is None else np.array(g) for g in grads]
        self._watch.give(kept)

        def closure() -> Any:
            for p, g in zip(self._params, kept, strict=True):
                p.grad = None if g is None else self._torch.from_numpy(g)
            loss = inputs.get("loss")
            return self._torch.tensor(loss) if loss is not None else self._linear(kept)

        closure()
        if "loss" in inputs or required(self.optimizer.step):
            self.optimizer.step(closure)
        else:
            self.optimizer.step()

    def _linear(self, grads: Sequence[Array | None]) -> Any:
        pairs = [(p.detach(), g) for p, g in zip(self._params, grads, strict=True) if g is not None]
        return sum((p * self._torch.from_numpy(g.copy())).sum() for p, g in pairs)

    def params(self) -> list[Array]:
        """The parameters now."""
        return [p.detach().cpu().numpy().copy() for p in self._params]

    def set_lr(self, lr: float) -> None:
        """Of every group; a learning rate that is a tensor is filled."""
        groups = getattr(self.optimizer, "param_groups", ())
        if not all("lr" in g for g in groups) or not groups:
            raise Unsupported("its parameter groups have no learning rate")
        for group in groups:
            if isinstance(group["lr"], self._torch.Tensor):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr

    def hyperparameters(self) -> Mapping[str, float]:
        """Of the first parameter group, as it was made."""
        return dict(self._passed)

    def _numbers(self) -> dict[str, float]:
        group: Mapping[str, Any] = next(iter(getattr(self.optimizer, "param_groups", ())), {})
        tensor = self._torch.Tensor
        plain = {n: x.item() if isinstance(x, tensor) and x.numel() == 1 else x for n, x in group.items()}
        return numbers({n: x for n, x in plain.items() if n not in ("params", "step")})

    def state(self) -> Mapping[str, list[Array]]:
        """What it keeps for every parameter."""
        kept = getattr(self.optimizer, "state", None) or {}
        states = [kept.get(p, {}) if hasattr(kept, "get") else {} for p in self._params]
        names = [n for n in (states[0] if states else ()) if all(n in s for s in states)]
        found = {n: [self._array(s[n]) for s in states] for n in names}
        return {n: [x for x in xs if x is not None] for n, xs in found.items() if None not in map(id_of, xs)}

    def _array(self, x: Any) -> Array | None:
        if isinstance(x, self._torch.Tensor):
            wide = x.detach().to(self._torch.float64 if x.dtype.itemsize < 4 else x.dtype)
            return np.asarray(wide.cpu().numpy()).copy()
        return np.asarray(x) if isinstance(x, int | float) else None

    def spoiled(self) -> bool:
        """True if p.grad was written into."""
        return self._watch.look()


def id_of(x: Any) -> Any:
    """None for None, something else for all else: arrays do not like to be compared."""
    return None if x is None else id(x)


def _again(optimizer: Any) -> Make:
    """Makes an optimizer like this one, for other parameters."""
    settings = {n: x for n, x in optimizer.param_groups[0].items() if n in optimizer.defaults}
    known = import_module("inspect").signature(type(optimizer)).parameters
    settings = {n: x for n, x in settings.items() if n in known}
    return lambda params: type(optimizer)(params, **settings)
