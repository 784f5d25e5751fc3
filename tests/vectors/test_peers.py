"""PyTorch's optimizers pass the groups that are named after them: real programs are within the tolerances."""

import re

import numpy as np
import pytest

from optverify.libraries import library
from optverify.vectors.judging import Given, judge

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: its optimizers were not run on the vectors"
)

NEAR = {"nadam", "asgd"}
"""PyTorch keeps a product of momenta, or a rate, of these in float32 whatever theta is."""
OTHERS = {"muon"}
"""Computed in bfloat16 there."""
ENTRIES = {e.rule: e for e in library("torch").entries if e.rule not in OTHERS}


def arguments(entry, values):
    """Ours as theirs: `betas[0]`, `-beta2_decay`, `t0+1`."""
    found, tuples = {}, {}
    for ours, theirs in entry.names.items():
        if ours not in values:
            continue
        sign, name, index, shift = re.fullmatch(r"(-?)(\w+)(?:\[(\d)\])?([+-]\d+)?", theirs).groups()
        value = (-1 if sign else 1) * values[ours] - int(shift or 0)
        if index is None:
            found[name] = value
        else:
            tuples.setdefault(name, {})[int(index)] = value
    flags = dict.fromkeys(re.findall(r"(\w+)=True", entry.spelled), True)
    return {**found, **{n: tuple(x[i] for i in sorted(x)) for n, x in tuples.items()}, **flags}


def theta_of(entry, test, dtype):
    """Theta after each update that is told."""
    fed, values = test.input, {n: x["decimal"] for n, x in test.group["hyperparameters"].items()}
    kind, shape = getattr(torch, dtype), fed["shape"]
    theta = torch.tensor(np.reshape(fed["theta"]["decimal"][0], shape), dtype=kind, requires_grad=True)
    made = getattr(torch.optim, re.search(r"torch\.optim\.(\w+)", entry.spelled)[1])
    optimizer, rows = made([theta], **arguments(entry, values)), []
    gradients, factors = fed["gradients"]["decimal"], fed["lr_factors"]
    for k in range(fed["updates"]):
        for group in optimizer.param_groups:
            group["lr"] = values["lr"] * factors[k % len(factors)]
        theta.grad = torch.tensor(np.reshape(gradients[k % len(gradients)], shape), dtype=kind)
        optimizer.step()
        if k + 1 in fed["after"]:
            rows.append(theta.detach().numpy().ravel().astype(float).tolist())
    return rows


@pytest.fixture(autouse=True)
def _as_people_use_it():
    """Numbers that are no parameters have PyTorch's default type, which other tests set."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ENTRIES)
def test_an_optimizer_of_pytorch_passes_the_group_named_after_it(bank, name, dtype):
    judged = 0
    for test in bank.group(f"{name}/like=torch"):
        if test.data["t"] or test.data["ulps"][dtype] is None:
            continue
        verdict = judge(Given(test, dtype, {"theta": theta_of(ENTRIES[name], test, dtype)}), bank)
        error = verdict.errors["theta"]
        if name in NEAR and dtype == "float64":
            assert error.tolerance < error.ulps < 2**29  # float32 has 2^29 times the unit of float64
        else:
            assert verdict.outcome == "pass", "\n".join(verdict.lines())
        judged += 1
    assert judged
