"""check on the optimizers of the libraries themselves: every path agrees, none is accused."""

from functools import partial
from importlib import import_module

import pytest

from optverify.conformance.check import judge

PATHS = [{"foreach": False}, {"foreach": True}, {"fused": True}]
TORCH = {
    "adam": "Adam", "adamw": "AdamW", "gd": "SGD", "adagrad": "Adagrad", "rmsprop": "RMSprop",
    "nadam": "NAdam", "radam": "RAdam", "adamax": "Adamax", "rprop": "Rprop", "asgd": "ASGD",
    "adadelta": "Adadelta", "adafactor": "Adafactor",
}  # fmt: skip
FUSED = ("adam", "adamw", "gd", "adagrad")
OPTAX = (
    "adam", "adamw", "lion", "lamb", "adagrad", "rmsprop", "nadam", "radam", "yogi", "adabelief",
    "novograd", "amsgrad", "adamax", "adadelta", "lars", "sm3", "rprop",
)  # fmt: skip
KERAS = {
    "adam": "Adam", "adamw": "AdamW", "adamax": "Adamax", "nadam": "Nadam", "adagrad": "Adagrad",
    "adadelta": "Adadelta", "rmsprop": "RMSprop", "ftrl": "Ftrl", "lion": "Lion", "lamb": "Lamb",
    "adafactor": "Adafactor", "gd": "SGD", "muon": "Muon",
}  # fmt: skip


def agrees(make, rule, like):
    verdict = judge(make, rule, like)
    assert verdict.ok, str(verdict)
    assert len(verdict.run) >= 19
    return verdict


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ",".join(f"{n}={v}" for n, v in path.items()))
@pytest.mark.parametrize("rule", TORCH)
def test_torch(rule, path):
    torch = pytest.importorskip("torch")
    if "fused" in path and rule not in FUSED:
        pytest.skip(f"{TORCH[rule]} has no fused path")
    agrees(partial(getattr(torch.optim, TORCH[rule]), **path), rule, "torch")


def test_a_dialect_of_torch_is_named_when_another_was_asked_for():
    torch = pytest.importorskip("torch")
    verdict = judge(lambda params: torch.optim.Adam(params, lr=0.01, weight_decay=0.1), "adam")
    assert not verdict.ok
    (first,) = verdict.alternatives
    assert first.options == {"weight_decay_form": "coupled"}
    assert "PyTorch" in first.libraries
    assert verdict.failed[0].departure.line.startswith("m_t = ")


@pytest.mark.parametrize("rule", OPTAX)
def test_optax(rule):
    optax = pytest.importorskip("optax")
    make = getattr(optax, rule)
    agrees(lambda: optax.inject_hyperparams(make)(0.01), rule, "optax")


@pytest.mark.parametrize("rule", KERAS)
def test_keras(rule):
    pytest.importorskip("keras")
    verdict = agrees(getattr(import_module("keras.optimizers"), KERAS[rule]), rule, "keras")
    if rule in ("adafactor", "muon"):  # root mean squares and norms in float32
        assert verdict.status == "near miss"
