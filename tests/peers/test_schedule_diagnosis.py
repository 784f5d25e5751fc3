"""The diagnosis of schedules on those of real libraries: none is accused, each is named."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from optverify.conformance.schedules import diagnose_schedule

TORCH: dict[str, tuple[Callable[[Any], Any], str]] = {
    "step": (lambda s: partial(s.StepLR, step_size=30), "'step', lr=0.1, step_size=30"),
    "exponential": (lambda s: partial(s.ExponentialLR, gamma=0.97), "'exponential', lr=0.1, gamma=0.97"),
    "polynomial": (lambda s: partial(s.PolynomialLR, total_iters=40, power=2.0), "total=40, power=2.0"),
    "cosine": (lambda s: partial(s.CosineAnnealingLR, T_max=50, eta_min=1e-3), "after='reflect'"),
    "restarts": (lambda s: partial(s.CosineAnnealingWarmRestarts, T_0=10, T_mult=2), "T_0=10, T_mult=2"),
    "cyclic": (
        lambda s: partial(s.CyclicLR, base_lr=0.01, max_lr=0.1, step_size_up=20, cycle_momentum=False),
        "step_size_up=20, step_size_down=20",
    ),
    "one after another": (
        lambda s: (
            lambda optimizer: s.SequentialLR(
                optimizer, [s.LinearLR(optimizer, 0.1, 1.0, 10), s.CosineAnnealingLR(optimizer, 50)], [10]
            )
        ),
        "boundaries=[10]",
    ),
}
OPTAX: dict[str, tuple[Callable[[Any], Any], str]] = {
    "linear": (lambda s: s.linear_schedule(0.1, 0.001, 50), "'linear', lr=0.1, lr_end=0.001, total=50"),
    "begins late": (
        lambda s: s.polynomial_schedule(0.1, 0.001, 2.0, 50, transition_begin=10),
        "boundaries=[10]",
    ),
    "exponential with an end": (
        lambda s: s.exponential_decay(0.1, 10, 0.5, end_value=0.01),
        ".at_least(0.01)",
    ),
    "warm-up, cosine": (
        lambda s: s.warmup_cosine_decay_schedule(0.01, 0.1, 10, 100, end_value=0.001),
        "'cosine', lr=0.1, lr_min=0.001, total=90",
    ),
    "one cycle": (lambda s: s.cosine_onecycle_schedule(100, 0.1), "'one_cycle', lr=0.1, total=100, last='T'"),
    "steps": (lambda s: s.piecewise_constant_schedule(0.1, {10: 0.5, 30: 0.1}), "boundaries=[10, 30]"),
}


@pytest.mark.parametrize("name", TORCH)
def test_torch(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("torch", reason="torch is not installed: pip install optverify[peers]")
        from torch.optim import lr_scheduler
    make, formula = TORCH[name]
    found = diagnose_schedule(make(lr_scheduler))
    assert found.holds, str(found)
    assert formula in str(found.formula)


def test_torch_one_cycle_goes_up_again() -> None:
    """pytorch/pytorch#40362, reproduced by hand in tests/conformance/cases."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch = pytest.importorskip("torch", reason="torch is not installed: pip install optverify[peers]")
    found = diagnose_schedule(
        partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=0.01, total_steps=50), steps=51
    )
    assert "at t = 49 the rate is 4e-08, at t = 50 2.016844951e-05 again" in str(found)


@pytest.mark.parametrize("name", OPTAX)
def test_optax(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optax = pytest.importorskip("optax", reason="optax is not installed: pip install optverify[peers]")
    make, formula = OPTAX[name]
    found = diagnose_schedule(make(optax))
    assert found.holds, str(found)
    assert formula in str(found.formula)


KERAS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "steps": (
        lambda s: s.ExponentialDecay(0.1, 20, 0.5, staircase=True),
        "'step', lr=0.1, step_size=20, gamma=0.5",
    ),
    "inverse time": (lambda s: s.InverseTimeDecay(0.1, 10, 0.5), "'inverse_time', lr=0.1, decay_rate=0.05"),
    "polynomial": (lambda s: s.PolynomialDecay(0.1, 50, power=2.0), "total=50, power=2.0"),
    "constants": (lambda s: s.PiecewiseConstantDecay([10, 30], [0.1, 0.05, 0.01]), "boundaries=[11, 31]"),
    "cosine": (lambda s: s.CosineDecay(0.1, 100, alpha=0.1), "'cosine', lr=0.1, lr_min=0.01, total=100"),
    "warm-up, cosine": (
        lambda s: s.CosineDecay(0.01, 100, warmup_target=0.1, warmup_steps=10),
        "schedule('cosine', lr=0.1, total=100)], boundaries=[10]",
    ),
    "restarts": (lambda s: s.CosineDecayRestarts(0.1, 10), "T_0=10, T_mult=2"),
    "even restarts that fall": (
        lambda s: s.CosineDecayRestarts(0.1, 10, t_mul=1.0, m_mul=0.5),
        "T_0=10, M_mult=0.5",
    ),
}
TRANSFORMERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "constant": (lambda s: s.get_constant_schedule, "'constant', lr=0.1"),
    "constant with warm-up": (
        lambda s: partial(s.get_constant_schedule_with_warmup, num_warmup_steps=10),
        "'linear_warmup', lr=0.1, warmup=10",
    ),
    "linear": (
        lambda s: partial(s.get_linear_schedule_with_warmup, num_warmup_steps=10, num_training_steps=100),
        "schedule('linear', lr=0.1, total=90)], boundaries=[10]",
    ),
    "cosine": (
        lambda s: partial(s.get_cosine_schedule_with_warmup, num_warmup_steps=10, num_training_steps=100),
        "schedule('cosine', lr=0.1, total=90",
    ),
    "hard restarts": (
        lambda s: partial(
            s.get_cosine_with_hard_restarts_schedule_with_warmup,
            num_warmup_steps=10, num_training_steps=100, num_cycles=3,
        ),
        "T_0=30), schedule('cosine', lr=0.1, total=30)], boundaries=[10, 70]",
    ),
    "polynomial": (
        lambda s: partial(
            s.get_polynomial_decay_schedule_with_warmup,
            num_warmup_steps=10, num_training_steps=100, lr_end=1e-3, power=2.0,
        ),
        "schedule('polynomial', lr=0.1, lr_end=0.001, total=90, power=2.0)], boundaries=[10]",
    ),
    "inverse square root": (
        lambda s: partial(s.get_inverse_sqrt_schedule, num_warmup_steps=10),
        "'inverse_sqrt'",
    ),
    "warm-up, stable, decay": (
        lambda s: partial(
            s.get_wsd_schedule, num_warmup_steps=10, num_decay_steps=20, num_stable_steps=70,
            decay_type="linear",
        ),
        "'wsd', lr=0.1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KERAS)
def test_keras(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("keras", reason="keras is not installed: pip install optverify[peers]")
        from keras.optimizers import schedules
    make, formula = KERAS[name]
    found = diagnose_schedule(make(schedules))
    assert found.holds, str(found)
    assert formula in str(found.formula)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers(name: str) -> None:
    for module in ("transformers", "torch"):
        pytest.importorskip(module, reason=f"{module} is not installed: pip install {module}")
    from transformers import optimization

    make, formula = TRANSFORMERS[name]
    found = diagnose_schedule(make(optimization))
    assert found.holds, str(found)
    assert formula in str(found.formula)
