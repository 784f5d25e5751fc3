"""The ways in which one optimizer computes the same, foreach, fused and their like: do they agree?

A library that computes an update in several ways has several implementations of one rule. Each is driven
through the same probes, and compared with the plain one: where they part, at most one of them is the rule.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from optverify.conformance.adapters._making import made, signature
from optverify.conformance.nearness import AMPLIFIED
from optverify.conformance.probes import Probe, bank
from optverify.conformance.protocol import Make
from optverify.conformance.reference import Run, compare, run_box

PLAIN: Mapping[str, bool] = {"foreach": False, "fused": False, "differentiable": False, "capturable": False}
"""The switches, as they are for one parameter after the other and one operation after the other."""
PROBES = ("random", "zero gradient", "lr change", "zeros later", "near epsilon", "falling second moments",
          "mixed sizes", "several shapes", "late gradient", "two groups")  # fmt: skip
"""Those in which implementations of one rule have been seen to part."""


@dataclass(frozen=True)
class Disagreement:
    """A way that parts from the plain one. path: `fused=True`; check: the probe; said: where and how.

    raises: it gives no other numbers, but none.
    """

    path: str
    plain: str
    check: str
    said: str
    raises: bool = False

    def __str__(self) -> str:
        """In a sentence."""
        return f"with {self.path} it {self.said} ({self.check}); with {self.plain} it does not"


def switches(make: Make, params: Sequence[Any]) -> list[str]:
    """The switches that this optimizer has: arguments of make, or settings of its groups of parameters."""
    known = signature(make)
    if named := [name for name in PLAIN if name in known]:
        return named
    try:
        groups = made(make, list(params)).param_groups
    except Exception:  # of the user's code: it has no groups, or wants parameters of another kind
        return []
    return [name for name in PLAIN if groups and name in groups[0]]


def along(make: Make, known: Sequence[str], **chosen: bool) -> Make:
    """What makes the same optimizer with these switches thrown, and all other ones as in PLAIN."""
    setting = {name: chosen.get(name, PLAIN[name]) for name in known}
    if signature(make).keys() >= set(known):
        return partial(make, **setting)

    def switched(params: Any) -> Any:
        optimizer = made(make, params)
        for group in optimizer.param_groups:
            group.update(setting)
        optimizer.defaults.update(setting)
        return optimizer

    return switched


def disagreements(make: Make, adapter: str | None = None, dtype: str = "float64") -> Iterator[Disagreement]:
    """Every way of an optimizer that parts from its plain one, with the first probe on which it does.

    Ways that it refuses from the first update on (capturable on a CPU) are passed over.
    """
    first = bank(None, {}, dtype, long=0)[0]
    known = switches(make, _tensors(first))
    if not known:
        return
    shown = _run(along(make, known), first.first(1), adapter).hyperparameters
    values = {name: shown[name] for name in ("lr", "eps") if shown.get(name)}
    probes = [p for p in bank(None, values, dtype, long=0) if p.name in PROBES]
    runs = [(probe, _run(along(make, known), probe, adapter)) for probe in probes]
    for name in known:
        if not PLAIN[name]:
            yield from _parting(along(make, known, **{name: True}), name, known[0], runs, adapter)


def _tensors(probe: Probe) -> Sequence[Any]:
    """Parameters as torch takes them, where it is loaded: nothing else is known to have such groups."""
    torch = sys.modules.get("torch")
    copies = [p.copy() for p in probe.params]
    return copies if torch is None else [torch.nn.Parameter(torch.from_numpy(p)) for p in copies]


def _parting(
    make: Make, name: str, first: str, runs: Sequence[tuple[Probe, Run]], adapter: str | None
) -> Iterator[Disagreement]:
    runs_at_all = False
    for probe, plain in runs:
        if plain.error or plain.unsupported:
            continue
        run = _run(make, probe, adapter)
        if run.unsupported or (run.error and not runs_at_all and not run.count):
            continue
        runs_at_all = True
        if said := _apart(run, plain):
            yield Disagreement(f"{name}=True", f"{first}=False", probe.name, said, bool(run.error))
            return


def _run(make: Make, probe: Probe, adapter: str | None) -> Run:
    """A run; what making it raises is an error like any other."""
    try:
        return run_box(make, probe, adapter, states=False)
    except Exception as error:  # of the user's code
        rows = [list(probe.params)]
        return Run(rows, rows, [], [], probe.dtype, error=f"{type(error).__name__}: {error}", failed=0)


def _apart(run: Run, plain: Run) -> str:
    """Where a run parts from the plain one, in words; empty if it does not.

    A counter in float32 inside a float64 run is let pass: bias corrections make up to AMPLIFIED of it.
    """
    if run.error:
        return f"raises {run.error}, in update {run.failed}"
    d = compare(run, plain, AMPLIFIED)
    if d is None:
        return ""
    place = f"coordinate {list(d.coordinate)} of parameter {d.param}"
    return f"moves {place} by {d.got:.10g} times lr in update {d.step} and not by {d.expected:.10g} times lr"
