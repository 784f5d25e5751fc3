"""The cases of the museum: what somebody's code does, beside what the rule does on the same gradients."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from optverify.backends import step
from optverify.conformance.verdict import shown_by
from optverify.rules import rule

Path = tuple[float, ...]
Kind = Literal["equivalent", "another dialect", "another rule", "fault"]


@dataclass(frozen=True)
class Judgement:
    """What is said of a case. kind: what it comes to; probe: the first that departs, in words, "" where all
    agree; update, expected, got: there; line: the first of the rule whose value departs; sentences: of the
    diagnosis."""

    kind: Kind
    sentences: tuple[str, ...]
    probe: str = ""
    update: int | None = None
    expected: str = ""
    got: str = ""
    line: str = ""


@dataclass(frozen=True)
class Case:
    """Code and two paths.

    claim: what it is said to be, in words; rule, options: its recurrence, "" for a schedule; code: that was
    run; right, wrong: one coordinate of theta after each update, from the start on, or learning rates; what:
    which of the two; command: what shows the equation that the code has in truth.
    """

    title: str
    claim: str
    rule: str
    options: Mapping[str, Any]
    found: Mapping[str, Any]
    code: str
    what: str
    right: Path
    wrong: Path
    judgement: Judgement
    command: str


def cases() -> dict[str, tuple[Case, ...]]:
    """Number of the exhibit -> its cases."""
    record = json.loads((files("optverify.report.museum") / "record.json").read_text("utf-8"))
    found: dict[str, tuple[Case, ...]] = {}
    for told in record["optimizers"]:
        found[told["id"]] = (*found.get(told["id"], ()), _of_optimizer(told))
    for told in record["schedules"]:
        found[told["id"]] = (*found.get(told["id"], ()), _of_schedule(told))
    return found


# ---- optimizers --------------------------------------------------------------------------------------------


def _of_optimizer(told: Mapping[str, Any]) -> Case:
    options, found = told["claims"], told["found"] or {}
    right = np.array([_flat(now) for now in derived(told)])
    wrong = np.array([_flat(now) for now in (told["start"], *told["wrong"])])
    k = _telling(right, wrong)
    truth = told["as_rule"] or told["rule"]
    return Case(
        told["title"],
        _dialect(told["rule"], options),
        told["rule"],
        options,
        found,
        told["code"],
        "theta" if right.shape[1] == 1 else f"theta, number {k + 1}",
        tuple(right[:, k]),
        tuple(wrong[:, k]),
        _judged(told),
        shown_by(truth, found or ({} if told["as_rule"] else options)),
    )


def derived(told: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Theta before the first update and after each one, all parameters: by the step of the rule."""
    module = step(told["rule"], **told["claims"])
    known = {h.name for h in rule(told["rule"], **told["claims"]).hyperparameters}
    values = {name: value for name, value in told["values"].items() if name in known}
    starts = {name: values.pop(name) for name in list(values) if name == "initial_accumulator"}
    theta = [np.asarray(x, float) for x in told["start"]]
    state = [module.init(x, **starts) for x in theta]
    yield list(theta)
    for lr, grads in zip(told["lr"], told["grads"], strict=True):
        for k, g in enumerate(grads):
            theta[k], state[k] = module.step(theta[k], np.asarray(g, float), state[k], lr=lr, **values)
        yield list(theta)


def _flat(parameters: Sequence[Any]) -> list[float]:
    return [float(x) for parameter in parameters for x in np.asarray(parameter, float).flat]


def _telling(right: Any, wrong: Any) -> int:
    """The coordinate whose paths are furthest apart."""
    apart = np.abs(right - wrong).max(axis=0)
    return int(np.argmax(np.where(np.isfinite(apart), apart, np.inf)))


def _dialect(name: str, options: Mapping[str, Any]) -> str:
    spelled = ", ".join(f"{axis} = {option}" for axis, option in options.items())
    return f"{rule(name).title}{f' ({spelled})' if spelled else ''}"


def _judged(told: Mapping[str, Any]) -> Judgement:
    check, sentences = told["check"], tuple(told["diagnosis"])
    if check["passes"]:
        alike = told["found"] == {} and len(sentences) == 1
        return Judgement("equivalent" if alike else "fault", sentences)
    kind: Kind = "another dialect" if told["found"] else "another rule" if told["as_rule"] else "fault"
    return Judgement(
        kind,
        sentences,
        check["shows"],
        check.get("update"),
        _plain(check.get("expected", "")),
        _plain(check.get("got", check.get("detail", ""))),
        check.get("line", ""),
    )


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.7g}"


# ---- schedules ---------------------------------------------------------------------------------------------


def _of_schedule(told: Mapping[str, Any]) -> Case:
    wrong = tuple(map(float, told["wrong"]))
    sentences = tuple(line.removeprefix("fault, ") for line in told["diagnosis"])
    return Case(
        told["title"],
        told["expected"],
        "",
        {},
        {},
        "",
        "learning rate",
        tuple(map(float, told["rates"])),
        wrong,
        Judgement("equivalent" if told["same"] else "fault", sentences),
        "",
    )
