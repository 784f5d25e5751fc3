"""Paths of one optimizer: those that agree, those that part, and those that are refused."""

import functools

import numpy as np
import pytest

from optverify.conformance.check import judge
from optverify.conformance.paths import along, disagreements, switches


class Paths:
    """Adam, or what goes wrong on another path of it; update(params, grads)."""

    fault = ""

    def __init__(self, params, lr=0.1, eps=1e-3, weight_decay=0.1, *, foreach=False, fused=False):
        self.lr, self.eps, self.weight_decay, self.t = lr, eps, weight_decay, 0
        self.foreach, self.fused = foreach, fused
        self.m, self.v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]

    def update(self, params, grads):
        self.t += 1
        wrong = self.fault if self.fused else ""
        if wrong == "refused":
            raise RuntimeError("fused needs an accelerator")
        if wrong == "fails later" and self.t == 3:
            raise IndexError("list index out of range")
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            g = g if wrong == "decay" else g + self.weight_decay * p
            self.m[i] = 0.9 * self.m[i] + 0.1 * g
            self.v[i] = 0.99 * self.v[i] + 0.01 * g * g
            m, v = self.m[i] / (1 - 0.9**self.t), self.v[i] / (1 - 0.99**self.t)
            if wrong == "counter in float32":
                v = self.v[i] / float(1 - np.float32(0.99) ** np.float32(self.t))
            root = np.sqrt(v + self.eps) if wrong == "epsilon" else np.sqrt(v) + self.eps
            p -= self.lr * m / root
            if wrong == "last alone" and i < len(params) - 1:
                p += self.lr * m / root


def with_fault(fault):
    return type("Faulty", (Paths,), {"fault": fault})


@pytest.mark.parametrize("fault", ["", "refused", "counter in float32"])
def test_none_is_accused(fault):
    assert list(disagreements(with_fault(fault))) == []


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("decay", "random"),
        ("epsilon", "random"),
        ("fails later", "random"),
        ("last alone", "several shapes"),
    ],
)
def test_a_path_that_parts_is_named(fault, check):
    (found,) = disagreements(with_fault(fault))
    assert (found.path, found.plain, found.check) == ("fused=True", "foreach=False", check)
    if fault == "fails later":
        assert "raises IndexError: list index out of range, in update 3" in str(found)
    else:
        assert "in update 1 and not by" in str(found)


def test_check_says_so_though_the_path_it_was_given_agrees():
    verdict = judge(with_fault("decay"), "adam", beta1=0.9, beta2=0.99, weight_decay_form="coupled")
    assert verdict.ok
    assert "its paths disagree: with fused=True it moves" in str(verdict)


def test_switches_are_arguments_of_make():
    assert switches(Paths, []) == ["foreach", "fused"]
    assert switches(functools.partial(Paths, fused=True), []) == ["foreach", "fused"]
    assert switches(lambda params: Paths(params, lr=0.2), [np.ones(2)]) == []
    made = along(functools.partial(Paths, fused=True), ["foreach", "fused"], foreach=True)([np.ones(2)])
    assert (made.foreach, made.fused) == (True, False)


# ---- torch -------------------------------------------------------------------------------------------------


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed: pip install optverify[peers]")


ALIKE = [
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}), ("AdamW", {}), ("SGD", {"lr": 0.1}),
    ("Adagrad", {}), ("RMSprop", {"momentum": 0.9, "centered": True}), ("NAdam", {}), ("RAdam", {}),
    ("Adamax", {}), ("Rprop", {}), ("ASGD", {}), ("Adadelta", {}), ("Adafactor", {}), ("Muon", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), ALIKE, ids=[name for name, _ in ALIKE])
def test_torch_agrees_with_itself(torch, name, settings):
    make = functools.partial(getattr(torch.optim, name), **settings)
    assert [str(d) for d in disagreements(make)] == []

    def by_hand(params):
        return make(params)

    assert [str(d) for d in disagreements(by_hand)] == []


def test_switches_of_torch_are_settings_of_its_groups(torch):
    parameter = torch.nn.Parameter(torch.zeros(2))

    def make(params):
        return torch.optim.Adam(params, fused=True)

    known = switches(make, [parameter])
    assert known == ["foreach", "fused", "differentiable", "capturable"]
    (group,) = along(make, known, foreach=True)([parameter]).param_groups
    assert {n: group[n] for n in known} == dict.fromkeys(known, False) | {"foreach": True}


def test_fused_momentum_of_torch_does_not_take_a_late_gradient(torch):
    """As reproduced by a plain loop: torch 2.13 raises TypeError where its other paths go on."""
    make = functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9)
    for found in disagreements(make):
        assert (found.path, found.check) == ("fused=True", "late gradient")
        assert "TypeError" in found.said

    def thetas(**path):
        a, b = (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2))
        optimizer, rows = make([a, b], **path), []
        for t in range(3):
            a.grad, b.grad = torch.ones_like(a), torch.ones_like(b) if t else None
            optimizer.step()
            rows.append((float(a.detach()), float(b.detach())))
        return rows

    rows, x, v = [], [1.0, 1.0], [0.0, 0.0]
    for t in range(3):
        for i in range(2):
            if i == 0 or t:
                v[i] = 0.9 * v[i] + 1.0
                x[i] -= 0.1 * v[i]
        rows.append(tuple(x))
    for path in ({"foreach": False}, {"foreach": True}):
        assert np.allclose(thetas(**path), rows, rtol=1e-12)
    if list(disagreements(make)):
        with pytest.raises(TypeError):
            thetas(fused=True)
    else:
        assert np.allclose(thetas(fused=True), rows, rtol=1e-12)
