"""What the museum of the report shows of the cases: `python -m tests.conformance.cases.record` writes it.

The code of a case is run on its own gradients, over and over; a case without any gets small whole numbers.
The right numbers are not recorded, since the report derives them. Tests hold the record against the cases.
"""

import inspect
import json
import math
import re
import textwrap
from pathlib import Path

import numpy as np

from optverify.conformance.check import ConformanceError, check
from optverify.conformance.diagnose import diagnose
from optverify.conformance.schedules import diagnose_schedule
from optverify.conformance.schedules.driving import record as driven
from optverify.files import write_text
from optverify.language import Schedule
from tests.conformance.cases import adam, decay, layers, momentum, schedules

PATH = Path("optverify/report/museum/record.json")
UPDATES = 12
"""How long a curve is; a case with more gradients has all of them."""
OPTIMIZERS = [*adam.CASES, *decay.CASES, *momentum.CASES, *layers.CASES]


def tupled(x):
    return x if isinstance(x, tuple) else (x,)


def gradients(case):
    """Those of the case, the same objects for the same gradients."""
    if case.grads:
        return case.grads
    shape = np.shape(case.start)
    whole = np.arange(1, 1 + np.prod(shape, dtype=int)).reshape(shape)
    return [whole % 5 - 1.0, 2.0 - whole * whole % 3]


def stream(case):
    """Gradients and learning rates of each update: those of the case, then the gradients again."""
    grads = [[np.asarray(g, float) for g in tupled(gs)] for gs in gradients(case)]
    rates = case.lr if isinstance(case.lr, list) else [case.lr] * len(grads)
    for i in range(max(UPDATES, len(grads))):
        yield grads[i % len(grads)], rates[min(i, len(rates) - 1)]


def walked(case):
    """Theta after each update, all parameters: the code of the case, given what it changes again."""
    params = [np.array(x, dtype=np.asarray(x).dtype) for x in tupled(case.start)]
    made, last, path = case.make(params), None, []
    objects, given = gradients(case), []
    for i, (grads, lr) in enumerate(stream(case)):
        made.lr = lr
        same = last is not None and objects[i % len(objects)] is last
        last = objects[i % len(objects)]
        given = given if same else [np.array(g, p.dtype) for g, p in zip(grads, params, strict=True)]
        made.update(params, given)
        path.append([p.copy() for p in params])
    return path


def numbers(x):
    """Plain numbers, or nested lists of them; twelve digits."""
    if isinstance(x, (list, tuple)):
        return [numbers(e) for e in x]
    x = np.asarray(x)
    if x.ndim:
        return [numbers(e) for e in x]
    return float(f"{float(x):.12g}") if math.isfinite(x) else str(float(x))


def said(found):
    """The first line of a diagnosis, without the name of the box and how near the nearest is; the faults."""
    first = re.sub(r"^\S+: ", "", str(found).splitlines()[0]).partition(", which gives ")[0]
    return [first, *(f.text for f in found.faults if f.text not in first)]


def judged(case):
    """What the check says: that it passes, or the probe and the numbers with which it departs."""
    try:
        check(case.make, case.rule, **case.claims)
    except ConformanceError as error:
        return refused(error.verdict)
    return {"passes": True}


def refused(verdict):
    """Of a verdict that is not ok."""
    first = verdict.failed[0]
    d = first.departure
    told = {"passes": False, "probe": first.check, "shows": first.shows}
    if d is None:
        return {**told, "detail": first.detail}
    return {**told, "update": d.step, "expected": numbers(d.expected), "got": numbers(d.got), "line": d.line}


def code(case):
    """The source of what makes it another rule."""
    return textwrap.dedent(inspect.getsource(case.code)).strip()


def of_optimizer(case):
    return {
        "id": case.id,
        "title": case.title,
        "rule": case.rule,
        "claims": case.claims,
        "found": case.found,
        "as_rule": case.as_rule,
        "values": case.values,
        "start": [numbers(x) for x in tupled(case.start)],
        "grads": [numbers(gs) for gs, _ in stream(case)],
        "lr": [numbers(lr) for _, lr in stream(case)],
        "wrong": numbers(walked(case)),
        "code": code(case),
        "check": judged(case),
        "diagnosis": said(diagnose(case.make)),
    }


def of_schedule(case):
    given = case.is_wrong if isinstance(case.is_wrong, dict) else dict(enumerate(case.is_wrong))
    length = max(*given, UPDATES) + 1
    rates = driven(case.fault, length).rates
    found = diagnose_schedule(case.fault, case.right)
    return {
        "id": case.id,
        "title": case.title,
        "expected": str(case.right) if isinstance(case.right, Schedule) else "",
        "rates": numbers([case.right(t) for t in range(length)]),
        "wrong": numbers(list(rates)),
        "same": found.equivalent,
        "diagnosis": [line.strip() for line in str(found).splitlines()],
    }


def written():
    """The record: a line a case."""
    tables = {
        "optimizers": [of_optimizer(case) for case in OPTIMIZERS],
        "schedules": [of_schedule(case) for case in schedules.CASES],
    }
    parts = (
        f'"{name}": [\n'
        + ",\n".join(json.dumps(c, ensure_ascii=False, allow_nan=False) for c in rows)
        + "\n]"
        for name, rows in tables.items()
    )
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    write_text(PATH, written())
