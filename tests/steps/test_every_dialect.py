"""Every dialect of every rule: the calls on buffers are the equations, to the last bit."""

import inspect

import numpy as np
import pytest

from optverify.backends.numpy import numpy_module
from optverify.steps import _engine

from .compare import DIALECTS, RATES, THETA, assert_same_bits, hostile, inputs_of, label, values_of


def equations_run(module, dialect, theta, gradients):
    """Theta and the states after each update, by the readable equations on whole arrays."""
    values = values_of(dialect)
    initial = {n: values[n] for n in inspect.signature(module.init).parameters if n != "theta"}
    states = list(module.init(theta, **initial)[1:])
    names = list(inspect.signature(module.equations).parameters)[3 + len(dialect.inputs) + len(states) :]
    for t, (lr, gradient) in enumerate(zip(RATES, gradients, strict=True), 1):
        given = {**values, "lr": lr}
        more = inputs_of(dialect, gradient).values()
        theta, *states = module.equations(theta, gradient, *more, *states, t, *(given[n] for n in names))
        yield theta, states


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dialect", DIALECTS, ids=label)
def test_step_and_update_are_the_equations_to_the_last_bit_cut_or_not(dialect, dtype, monkeypatch):
    module, values = numpy_module(dialect), values_of(dialect)
    theta, gradients = THETA.astype(dtype), hostile().astype(dtype)
    initial = {n: values[n] for n in inspect.signature(module.init).parameters if n != "theta"}
    given = {n: values[n] for n in inspect.signature(module.step).parameters if n in values}
    stepped, state = theta, module.init(theta, **initial)
    cut, cut_state = theta, state
    written, written_state = theta.copy(), module.init(theta, **initial)
    written_cut, written_cut_state = theta.copy(), module.init(theta, **initial)
    with np.errstate(all="ignore"):  # 1e30 squared is infinite in float32
        for (expected, states), lr, g in zip(
            equations_run(module, dialect, theta, gradients), RATES, gradients, strict=True
        ):
            if "lr" in given:
                given["lr"] = lr
            given |= inputs_of(dialect, g)
            stepped, state = module.step(stepped, g, state, **given)
            written_state = module.update(written, g, written_state, **given)
            with monkeypatch.context() as patch:
                patch.setattr(_engine, "WHOLE", 0)
                patch.setattr(_engine, "BLOCK_BYTES", 3 * g.itemsize)
                cut, cut_state = module.step(cut, g, cut_state, **given)
                written_cut_state = module.update(written_cut, g, written_cut_state, **given)
            for way, at, after in (
                ("step", stepped, state),
                ("update", written, written_state),
                ("step in blocks", cut, cut_state),
                ("update in blocks", written_cut, written_cut_state),
            ):
                assert_same_bits(at, expected, f"theta by {way}")
                for name, got, want in zip(after._fields[1:], after[1:], states, strict=True):
                    assert_same_bits(got, want, f"{name} by {way}")
    assert state.t == written_state.t == cut_state.t == len(RATES)
