"""Every schedule of torch.optim.lr_scheduler, optax.schedules and keras.optimizers.schedules, against ours.

All steps t = 0, 1, ..., 2T, in float64, at 1e-12 relative. Where a library subtracts nearly equal numbers,
its own rounding shows near 0: the comparison allows 8 ulps of the largest rate on top.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from optverify.language import Schedule
from optverify.schedules import ReduceOnPlateau, join, schedule

PEAK = 0.1


@pytest.fixture(scope="module")
def torch() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("torch", reason="torch is not installed: pip install optverify[peers]")


@pytest.fixture(scope="module")
def optax() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optax = pytest.importorskip("optax", reason="optax is not installed: pip install optverify[peers]")
        import jax
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield optax
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(scope="module")
def keras() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras = pytest.importorskip("keras", reason="keras is not installed: pip install optverify[peers]")
        import jax
    before = keras.config.floatx(), jax.config.jax_enable_x64
    keras.config.set_floatx("float64")
    jax.config.update("jax_enable_x64", True)
    yield keras
    keras.config.set_floatx(before[0])
    jax.config.update("jax_enable_x64", before[1])


def agree(ours: Schedule, theirs: list[float], start: int = 0) -> None:
    """Equal at t = start, start + 1, ...: 1e-12 relative, or 8 ulps of the largest rate."""
    mine = ours(range(start, start + len(theirs)))
    assert np.ptp(theirs) > 0 or len(theirs) == 1 or ours.name == "constant"
    assert mine == pytest.approx(theirs, rel=1e-12, abs=8 * 2.0**-52 * max(map(abs, theirs)))


# ---- PyTorch ---------------------------------------------------------------------------------------------


def torch_rates(torch: Any, make: Callable[[Any], Any], last: int, lr: float = PEAK) -> list[float]:
    """The rate of each update, the scheduler driven in its chainable form."""
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    parameter.grad = torch.zeros_like(parameter)
    optimizer = torch.optim.SGD([parameter], lr=lr)
    scheduler = make(optimizer)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(last):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return [float(r) for r in rates]


@pytest.mark.parametrize(("size", "gamma"), [(1, 0.9), (7, 0.3), (30, 0.1)])
def test_torch_step(torch: Any, size: int, gamma: float) -> None:
    theirs = torch_rates(torch, lambda o: torch.optim.lr_scheduler.StepLR(o, size, gamma), 100)
    agree(schedule("step", lr=PEAK, step_size=size, gamma=gamma), theirs)


@pytest.mark.parametrize(("milestones", "gamma"), [([1], 0.5), ([3, 8, 9], 0.1), ([10, 20, 40], 0.7)])
def test_torch_multi_step(torch: Any, milestones: list[int], gamma: float) -> None:
    theirs = torch_rates(torch, lambda o: torch.optim.lr_scheduler.MultiStepLR(o, milestones, gamma), 80)
    agree(schedule("multi_step", lr=PEAK, milestones=milestones, gamma=gamma), theirs)


@pytest.mark.parametrize(("factor", "total"), [(1 / 3, 5), (0.01, 1), (0.7, 30)])
def test_torch_constant(torch: Any, factor: float, total: int) -> None:
    theirs = torch_rates(torch, lambda o: torch.optim.lr_scheduler.ConstantLR(o, factor, total), 2 * total)
    agree(schedule("constant_warmup", lr=PEAK, factor=factor, warmup=total), theirs)


@pytest.mark.parametrize(
    ("start", "end", "total"), [(1 / 3, 1.0, 5), (1.0, 0.0, 10), (0.9, 0.1, 30), (0.01, 0.5, 7)]
)
def test_torch_linear(torch: Any, start: float, end: float, total: int) -> None:
    theirs = torch_rates(torch, lambda o: torch.optim.lr_scheduler.LinearLR(o, start, end, total), 2 * total)
    agree(schedule("linear", lr=PEAK * start, lr_end=PEAK * end, total=total), theirs)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.999])
def test_torch_exponential(torch: Any, gamma: float) -> None:
    theirs = torch_rates(torch, lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma), 100)
    agree(schedule("exponential", lr=PEAK, gamma=gamma), theirs)


@pytest.mark.parametrize(("total", "power"), [(5, 1.0), (20, 0.9), (30, 2.0)])
def test_torch_polynomial(torch: Any, total: int, power: float) -> None:
    theirs = torch_rates(torch, lambda o: torch.optim.lr_scheduler.PolynomialLR(o, total, power), 2 * total)
    agree(schedule("polynomial", lr=PEAK, total=total, power=power), theirs)


@pytest.mark.parametrize(("total", "lr_min"), [(5, 0.0), (10, 1e-3), (50, 0.03), (1, 0.01)])
def test_torch_cosine_reflects(torch: Any, total: int, lr_min: float) -> None:
    theirs = torch_rates(
        torch, lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, total, lr_min), 4 * total
    )
    agree(schedule("cosine", lr=PEAK, lr_min=lr_min, total=total, after="reflect"), theirs)


@pytest.mark.parametrize(("T_0", "T_mult", "lr_min"), [(1, 3, 0.0), (10, 1, 1e-3), (5, 2, 0.02)])
def test_torch_warm_restarts(torch: Any, T_0: int, T_mult: int, lr_min: float) -> None:
    restarts = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
    theirs = torch_rates(torch, lambda o: restarts(o, T_0, T_mult, lr_min), 130)
    agree(schedule("cosine_warm_restarts", lr=PEAK, lr_min=lr_min, T_0=T_0, T_mult=T_mult), theirs)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
@pytest.mark.parametrize(("up", "down", "gamma"), [(5, 5, 0.99), (3, 7, 0.9), (1, 1, 1.0)])
def test_torch_cyclic(torch: Any, mode: str, up: int, down: int, gamma: float) -> None:
    def make(o: Any) -> Any:
        return torch.optim.lr_scheduler.CyclicLR(
            o, 0.01, PEAK, up, down, mode=mode, gamma=gamma, cycle_momentum=False
        )

    ours = schedule(
        "cyclic", lr=PEAK, lr_min=0.01, step_size_up=up, step_size_down=down, gamma=gamma, mode=mode
    )
    agree(ours, torch_rates(torch, make, 4 * (up + down)))


@pytest.mark.parametrize("annealing", ["cosine", "linear"])
@pytest.mark.parametrize("phases", ["two", "three"])
@pytest.mark.parametrize(("total", "pct"), [(50, 0.3), (101, 0.3), (37, 0.29), (20, 0.5)])
def test_torch_one_cycle(torch: Any, total: int, pct: float, phases: str, annealing: str) -> None:
    """All `total` updates, also where pct_start*total is no integer. One more and PyTorch extrapolates."""

    def make(o: Any) -> Any:
        return torch.optim.lr_scheduler.OneCycleLR(
            o, PEAK, total_steps=total, pct_start=pct, anneal_strategy=annealing[:3].replace("lin", "linear"),
            three_phase=phases == "three", div_factor=20, final_div_factor=500, cycle_momentum=False,
        )  # fmt: skip

    ours = schedule(
        "one_cycle", lr=PEAK, total=total, pct_start=pct, pct_final=2 * pct, div_factor=20,
        final_div_factor=500, phases=phases, curve=annealing,
    )  # fmt: skip
    agree(ours, torch_rates(torch, make, total - 1))


def test_torch_one_cycle_past_its_end(torch: Any) -> None:
    """pytorch/pytorch#40362: after N updates PyTorch's rate is up again; ours is held at the last."""
    make = torch.optim.lr_scheduler.OneCycleLR
    theirs = torch_rates(torch, lambda o: make(o, 0.01, total_steps=50, cycle_momentum=False), 50)
    ours = schedule("one_cycle", lr=0.01, total=50)
    assert theirs[50] == pytest.approx(2.01684495e-5, rel=1e-8)
    assert ours(49) == ours(50) == pytest.approx(4e-8, rel=1e-12)


def test_torch_sequential(torch: Any) -> None:
    """Each piece starts its own clock at its milestone."""
    t = torch.optim.lr_scheduler

    def make(o: Any) -> Any:
        pieces = [t.ConstantLR(o, 0.1, 20), t.LinearLR(o, 0.5, 1.0, 4), t.CosineAnnealingLR(o, 10)]
        return t.SequentialLR(o, pieces, milestones=[3, 9])

    ours = join(
        [
            schedule("constant_warmup", lr=PEAK, factor=0.1, warmup=20),
            schedule("linear", lr=PEAK / 2, lr_end=PEAK, total=4),
            schedule("cosine", lr=PEAK, total=10, after="reflect"),
        ],
        boundaries=[3, 9],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch warns of its own call of step(epoch)
        theirs = torch_rates(torch, make, 40)
    agree(ours, theirs)


def test_torch_chained(torch: Any) -> None:
    """Schedulers on one optimizer multiply: a product on a common clock."""
    t = torch.optim.lr_scheduler

    def make(o: Any) -> Any:
        return t.ChainedScheduler([t.LinearLR(o, 0.25, 1.0, 6), t.ExponentialLR(o, 0.9)], optimizer=o)

    ours = schedule("linear", lr=0.25, lr_end=1, total=6) * schedule("exponential", lr=PEAK, gamma=0.9)
    agree(ours, torch_rates(torch, make, 30))


def metrics(seed: int) -> list[float]:
    """Noisy, with plateaus, ties, a NaN and an infinity."""
    rng = np.random.default_rng(seed)
    m = np.maximum.accumulate(rng.normal(size=150))[::-1] + rng.choice([0, 1e-5, 1e-3, 0.3], 150)
    m[40:60] = m[40]
    m[70], m[90] = math.nan, math.inf
    return [float(v) for v in m]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(
    ("patience", "cooldown", "lr_min", "eps"), [(0, 0, 0, 1e-8), (2, 3, 1e-3, 0), (5, 1, 0, 0.01)]
)
def test_torch_reduce_on_plateau(
    torch: Any, mode: str, threshold_mode: str, patience: int, cooldown: int, lr_min: float, eps: float
) -> None:
    """Step by step, to the last bit."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    common: dict[str, Any] = {
        "mode": mode, "threshold_mode": threshold_mode, "patience": patience, "cooldown": cooldown,
        "eps": eps, "factor": 0.5, "threshold": 1e-3,
    }  # fmt: skip
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=lr_min, **common)
    ours = ReduceOnPlateau(PEAK, lr_min=lr_min, **common)
    seen = set()
    for m in metrics(patience):
        theirs.step(m)
        assert ours.step(m) == optimizer.param_groups[0]["lr"]
        assert (ours.bad_steps, ours.cooldown_left) == (theirs.num_bad_epochs, theirs.cooldown_counter)
        seen.add(ours.lr)
    assert len(seen) > 2


# ---- optax -----------------------------------------------------------------------------------------------


def values(function: Callable[[Any], Any], last: int) -> list[float]:
    """At t = 0, ..., last, in one call; not compiled, as XLA would turn t/7 into t (1/7)."""
    import jax
    import jax.numpy as jnp

    found = jax.vmap(lambda t: jnp.asarray(function(t)))(jnp.arange(last + 1))
    return [float(v) for v in found]


def test_optax_constant(optax: Any) -> None:
    agree(schedule("constant", lr=PEAK), values(optax.constant_schedule(PEAK), 5))


@pytest.mark.parametrize(
    ("total", "power", "end", "begin"), [(10, 1.0, 0.0, 0), (30, 2.5, 0.01, 4), (7, 0.5, 0.3, 9)]
)
def test_optax_polynomial(optax: Any, total: int, power: float, end: float, begin: int) -> None:
    theirs = values(optax.polynomial_schedule(PEAK, end, power, total, begin), 2 * total + begin)
    ours = schedule("polynomial", lr=PEAK, lr_end=end, total=total, power=power)
    agree(ours.shifted(-begin), theirs)


@pytest.mark.parametrize(("start", "end", "total", "begin"), [(0.1, 0.0, 10, 0), (0.02, 0.5, 30, 3)])
def test_optax_linear(optax: Any, start: float, end: float, total: int, begin: int) -> None:
    theirs = values(optax.linear_schedule(start, end, total, begin), 2 * total + begin)
    agree(schedule("linear", lr=start, lr_end=end, total=total).shifted(-begin), theirs)


def test_optax_linear_from_zero(optax: Any) -> None:
    for total in (1, 8, 30):
        theirs = values(optax.linear_schedule(0.0, PEAK, total), 2 * total)
        agree(schedule("linear_warmup", lr=PEAK, warmup=total), theirs)


def test_optax_piecewise_constant(optax: Any) -> None:
    theirs = values(optax.piecewise_constant_schedule(1.0, {4: 0.5, 9: 0.1, 10: 3.0}), 20)
    agree(join([schedule("constant", lr=r) for r in (1.0, 0.5, 0.05, 0.15)], [4, 9, 10]), theirs)
    theirs = values(optax.piecewise_constant_schedule(1.0, {4: 0.3, 9: 0.3}), 20)
    agree(schedule("multi_step", lr=1.0, milestones=[4, 9], gamma=0.3), theirs)


@pytest.mark.parametrize("staircase", [False, True])
@pytest.mark.parametrize(
    ("steps", "rate", "begin", "end"), [(1, 0.9, 0, None), (7, 0.5, 3, 0.02), (10, 0.96, 0, 0.09)]
)
def test_optax_exponential(
    optax: Any, steps: int, rate: float, begin: int, end: float | None, staircase: bool
) -> None:
    theirs = values(optax.exponential_decay(PEAK, steps, rate, begin, staircase, end), 60)
    ours = schedule("exponential", lr=PEAK, gamma=rate, decay_steps=steps, staircase=staircase)
    moved = ours.shifted(-begin)
    agree(moved if end is None else moved.at_least(end), theirs)


@pytest.mark.parametrize(
    ("total", "alpha", "exponent"), [(10, 0.0, 1.0), (50, 0.1, 2.0), (33, 0.3, 0.7), (1, 0.0, 1.0)]
)
def test_optax_cosine(optax: Any, total: int, alpha: float, exponent: float) -> None:
    theirs = values(optax.cosine_decay_schedule(PEAK, total, alpha, exponent), 2 * total)
    agree(schedule("cosine_power", lr=PEAK, lr_min=PEAK * alpha, total=total, exponent=exponent), theirs)
    if exponent == 1:
        agree(schedule("cosine", lr=PEAK, lr_min=PEAK * alpha, total=total), theirs)


@pytest.mark.parametrize("kind", ["linear", "cosine"])
@pytest.mark.parametrize("scales", [{4: 0.1, 8: 0.01}, {1: 3.0, 2: 0.5, 30: 0.0}, {10: 2.0}])
def test_optax_piecewise_interpolated(optax: Any, kind: str, scales: dict[int, float]) -> None:
    """optax multiplies its scales up; our factors are relative to the first rate."""
    theirs = values(optax.piecewise_interpolate_schedule(kind, PEAK, scales), 2 * max(scales))
    ours = schedule(
        "piecewise_interpolated", lr=PEAK, milestones=list(scales), factors=np.cumprod(list(scales.values())),
        curve=kind,
    )  # fmt: skip
    agree(ours, theirs)


@pytest.mark.parametrize(("total", "pct"), [(50, 0.3), (101, 0.3), (37, 0.45)])
def test_optax_one_cycle(optax: Any, total: int, pct: float) -> None:
    common: dict[str, Any] = {
        "lr": PEAK, "total": total, "pct_start": pct, "div_factor": 20, "final_div_factor": 500, "last": "T",
    }  # fmt: skip
    theirs = values(optax.cosine_onecycle_schedule(total, PEAK, pct, 20, 500), 2 * total)
    agree(schedule("one_cycle", curve="cosine", **common), theirs)
    theirs = values(optax.linear_onecycle_schedule(total, PEAK, pct, 0.85, 20, 500), 2 * total)
    agree(schedule("one_cycle", curve="linear", phases="three", pct_final=0.85, **common), theirs)


def test_optax_one_cycle_rounds_a_product_of_floats(optax: Any) -> None:
    """0.29*100 in floats is just below 29: optax ends the first phase at 28, ours at 29 as written."""
    theirs = values(optax.cosine_onecycle_schedule(100, PEAK, 0.29, 20, 500), 100)
    ours = schedule("one_cycle", lr=PEAK, total=100, pct_start=0.29, last="T")
    assert (int(np.argmax(theirs)), int(np.argmax(ours(range(101))))) == (28, 29)


def test_optax_warmup_then(optax: Any) -> None:
    """warmup_constant, warmup_cosine_decay, warmup_exponential_decay: our pieces, joined."""
    zero, half = (
        schedule("linear_warmup", lr=PEAK, warmup=6),
        schedule("linear", lr=0.05, lr_end=PEAK, total=6),
    )
    for first, warm in ((0.0, zero), (0.05, half)):
        agree(warm, values(optax.warmup_constant_schedule(first, PEAK, 6), 12))
        theirs = optax.warmup_cosine_decay_schedule(first, PEAK, 6, 30, end_value=0.01, exponent=1.5)
        cosine = schedule("cosine_power", lr=PEAK, lr_min=0.01, total=24, exponent=1.5)
        agree(warm.then(cosine), values(theirs, 60))
        theirs = optax.warmup_exponential_decay_schedule(first, PEAK, 6, 5, 0.8, 3, True, 0.03)
        falling = schedule("exponential", lr=PEAK, gamma=0.8, decay_steps=5, staircase=True)
        agree(warm.then(falling.shifted(-3).at_least(0.03)), values(theirs, 60))


def test_optax_sgdr(optax: Any) -> None:
    """Cycles of warm-up and cosine, each with its own length and peak."""
    cycles = [(0.1, 2, 10), (0.05, 1, 20), (0.02, 3, 40)]
    theirs = optax.sgdr_schedule(
        [{"init_value": 0.0, "peak_value": p, "warmup_steps": w, "decay_steps": n} for p, w, n in cycles]
    )
    ours = join(
        [
            schedule("linear_warmup", lr=p, warmup=w).then(schedule("cosine", lr=p, total=n - w))
            for p, w, n in cycles
        ],
        boundaries=[10, 30],
    )
    agree(ours, values(theirs, 140))


def test_optax_join(optax: Any) -> None:
    pieces = [optax.linear_schedule(0.2, 0.1, 5), optax.exponential_decay(0.1, 3, 0.5)]
    ours = join(
        [
            schedule("linear", lr=0.2, lr_end=0.1, total=5),
            schedule("exponential", lr=0.1, gamma=0.5, decay_steps=3),
        ],
        boundaries=[8],
    )
    agree(ours, values(optax.join_schedules(pieces, [8]), 30))


@pytest.mark.parametrize(("patience", "cooldown", "floor"), [(1, 0, 0.0), (3, 2, 0.05)])
def test_optax_reduce_on_plateau(optax: Any, patience: int, cooldown: int, floor: float) -> None:
    """Reduces at `patience` bad steps where PyTorch waits for one more."""
    import jax
    import jax.numpy as jnp

    theirs = optax.contrib.reduce_on_plateau(
        factor=0.5, patience=patience, rtol=1e-3, cooldown=cooldown, min_scale=floor
    )
    ours = ReduceOnPlateau(
        1.0, factor=0.5, patience=patience - 1, threshold=1e-3, cooldown=cooldown, lr_min=floor, eps=0
    )
    one, update = jnp.ones(()), jax.jit(theirs.update)
    state = theirs.init(one)
    for m in metrics(3)[:60]:
        scale, state = update(one, state, value=m)
        assert ours.step(m) == float(scale)
    assert ours.lr < 0.5


# ---- Keras -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("staircase", [False, True])
@pytest.mark.parametrize(("steps", "rate"), [(1, 0.9), (7, 0.5), (10, 0.96)])
def test_keras_exponential_and_inverse_time(keras: Any, steps: int, rate: float, staircase: bool) -> None:
    k = keras.optimizers.schedules
    theirs = values(k.ExponentialDecay(PEAK, steps, rate, staircase), 60)
    agree(schedule("exponential", lr=PEAK, gamma=rate, decay_steps=steps, staircase=staircase), theirs)
    theirs = values(k.InverseTimeDecay(PEAK, steps, rate, staircase), 60)
    agree(schedule("inverse_time", lr=PEAK, decay_rate=rate, decay_steps=steps, staircase=staircase), theirs)


def test_keras_piecewise_constant(keras: Any) -> None:
    """A value holds up to and with its boundary: ours takes over one update later."""
    theirs = values(keras.optimizers.schedules.PiecewiseConstantDecay([4, 9], [0.1, 0.05, 0.2]), 20)
    agree(join([schedule("constant", lr=r) for r in (0.1, 0.05, 0.2)], [5, 10]), theirs)


@pytest.mark.parametrize("cycle", [False, True])
@pytest.mark.parametrize(("total", "end", "power"), [(10, 1e-4, 1.0), (7, 0.0, 2.0), (1, 0.02, 0.5)])
def test_keras_polynomial(keras: Any, total: int, end: float, power: float, cycle: bool) -> None:
    theirs = values(keras.optimizers.schedules.PolynomialDecay(PEAK, total, end, power, cycle), 4 * total)
    after = "cycle" if cycle else "hold"
    agree(schedule("polynomial", lr=PEAK, lr_end=end, total=total, power=power, after=after), theirs)


@pytest.fixture
def double_cosine(keras: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """keras.ops.cos and log compute in float32 whatever floatx says: here in the type of their argument."""
    import jax.numpy as jnp
    from keras.src.optimizers.schedules import learning_rate_schedule as module

    monkeypatch.setattr(module.ops, "cos", jnp.cos)
    monkeypatch.setattr(module.ops, "log", jnp.log)


COSINES = [(10, 0.0), (50, 0.1), (1, 0.5)]


def keras_cosines(keras: Any, total: int, alpha: float) -> list[tuple[Schedule, list[float]]]:
    """Without and with warm-up."""
    k = keras.optimizers.schedules
    cosine = schedule("cosine", lr=PEAK, lr_min=PEAK * alpha, total=total)
    warm = schedule("linear", lr=0.02, lr_end=PEAK, total=6).then(cosine)
    theirs = k.CosineDecay(0.02, total, alpha, warmup_target=PEAK, warmup_steps=6)
    return [
        (cosine, values(k.CosineDecay(PEAK, total, alpha), 2 * total)),
        (warm, values(theirs, 2 * total + 12)),
    ]


@pytest.mark.usefixtures("double_cosine")
@pytest.mark.parametrize(("total", "alpha"), COSINES)
def test_keras_cosine(keras: Any, total: int, alpha: float) -> None:
    for ours, theirs in keras_cosines(keras, total, alpha):
        agree(ours, theirs)


@pytest.mark.parametrize(("total", "alpha"), COSINES)
def test_keras_cosine_as_it_is_in_float32(keras: Any, total: int, alpha: float) -> None:
    for ours, theirs in keras_cosines(keras, total, alpha):
        assert ours(range(len(theirs))) == pytest.approx(theirs, rel=0, abs=2.0**-23 * PEAK)


@pytest.mark.usefixtures("double_cosine")
@pytest.mark.parametrize(
    ("first", "T_mult", "M_mult", "alpha"),
    [(10, 1, 1.0, 0.0), (5, 2, 0.9, 0.1), (4, 3, 0.5, 0.01), (1, 3, 0.9, 0.0)],
)
def test_keras_cosine_restarts(keras: Any, first: int, T_mult: int, M_mult: float, alpha: float) -> None:
    k = keras.optimizers.schedules
    theirs = values(k.CosineDecayRestarts(PEAK, first, float(T_mult), M_mult, alpha), 200)
    ours = schedule(
        "cosine_warm_restarts", lr=PEAK, lr_min=PEAK * alpha, T_0=first, T_mult=T_mult, M_mult=M_mult
    )
    agree(ours, theirs)
