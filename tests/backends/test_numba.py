"""The Numba steps: in every elementwise dialect the bits of the NumPy steps, whatever they are handed."""

import inspect

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra 'fast' is not installed")

from optverify.backends.numba import numba_module
from optverify.backends.numpy import numpy_module
from optverify.rules import registry
from tests.steps.compare import RATES, THETA, assert_same_bits, hostile, label, values_of

ELEMENTWISE = [registry.get(name) for name in registry.names() if registry.get(name).elementwise]
OTHERS = [name for name in registry.names() if not registry.get(name).elementwise]


def changed(name):
    """The dialects of a rule that differ from the paper's in one choice."""
    return [d for d in registry.get(name).dialects(1) if d.elementwise]


DIALECTS = [d for r in ELEMENTWISE for d in changed(r.name)]


def assert_same_run(dialect, dtype):
    plain, fast, values = numpy_module(dialect), numba_module(dialect), values_of(dialect)
    theta, gradients = THETA.astype(dtype), hostile().astype(dtype)
    initial = {n: values[n] for n in inspect.signature(plain.init).parameters if n != "theta"}
    given = {n: values[n] for n in inspect.signature(plain.step).parameters if n in values}
    expected, state = theta, plain.init(theta, **initial)
    stepped, stepped_state = theta, fast.init(theta, **initial)
    written, written_state = theta.copy(), fast.init(theta, **initial)
    with np.errstate(all="ignore"):  # 1e30 squared is infinite in float32
        for lr, g in zip(RATES, gradients, strict=True):
            if "lr" in given:
                given["lr"] = lr
            expected, state = plain.step(expected, g, state, **given)
            stepped, stepped_state = fast.step(stepped, g, stepped_state, **given)
            written_state = fast.update(written, g, written_state, **given)
            for way, at, after in (("step", stepped, stepped_state), ("update", written, written_state)):
                assert_same_bits(at, expected, f"theta by {way}")
                for name, got, want in zip(state._fields[1:], after[1:], state[1:], strict=True):
                    assert_same_bits(got, want, f"{name} by {way}")
    assert state.t == stepped_state.t == written_state.t == len(RATES)


@pytest.mark.parametrize("dialect", DIALECTS, ids=label)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_bits_are_those_of_the_numpy_steps(dialect, dtype):
    assert_same_run(dialect, dtype)
