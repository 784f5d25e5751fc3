"""torch.optim on every path, driven by name and by sight, against plain loops."""

import functools

import numpy as np
import pytest

from optverify.conformance.adapters import adapters, drive
from optverify.conformance.protocol import Unsupported
from tests.conformance.adapters.plain import RATES, adam, agree, by_hand, gd, gradients, momentum, run, start


@pytest.fixture
def torch(library):
    return library("torch")


PATHS = [{"foreach": False}, {"foreach": True}, {"fused": True}, {"differentiable": True}]


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_adam_on_every_path(torch, path):
    rates, rtol = (RATES, 1e-12) if "differentiable" not in path else (None, 1e-4)
    found = run(lambda params: torch.optim.Adam(params, eps=1e-3, **path), rates=rates)
    agree(found, by_hand(adam, eps=1e-3, rates=rates, lr=0.001), rtol)


def test_a_step_counter_in_float32_shows_in_a_differentiable_adam(torch):
    """What the matrix reports as numbers in float32, by hand: 1 - beta^t is one."""
    found = run(lambda params: torch.optim.Adam(params, betas=(0.9, 0.95), differentiable=True), rates=None)
    exact = by_hand(adam, lr=0.001, b2=0.95, rates=None)
    first = 1 - torch.tensor(0.9) ** torch.tensor(1.0)
    second = 1 - torch.tensor(0.95) ** torch.tensor(1.0)
    with pytest.raises(AssertionError):
        agree(found, exact)
    factor = float(torch.sqrt(second) * (0.001 / first))
    g = gradients()[0][0][0]
    m, v = 0.1 * g, (1 - 0.95) * g * g
    by_float32 = factor * m / (np.sqrt(v) + 1e-8 * factor / float(0.001 / first))
    update, right = start()[0][0] - found[0][0][0], start()[0][0] - exact[0][0][0]
    assert update == pytest.approx(by_float32, rel=1e-11)
    assert 1e-9 < abs(update / right - 1) < 1e-6


def test_capturable_where_the_cpu_allows_it(torch):
    """This version does not: the box then raises what torch raises, which becomes a verdict."""
    box = drive(lambda params: torch.optim.Adam(params, capturable=True), start())
    with pytest.raises(AssertionError, match="capturable"):
        box.update([np.ones_like(p) for p in start()])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_other_rules_and_dtypes(torch, dtype):
    rtol = 1e-12 if dtype == "float64" else 1e-6
    found = run(functools.partial(torch.optim.SGD, momentum=0.8), dtype=dtype)
    wanted = by_hand(momentum, mu=0.8, lr_inside=False)
    if dtype == "float64":
        agree(found, wanted, rtol)
    else:
        np.testing.assert_allclose(found[-1][0], wanted[-1][0], rtol=1e-5)


def test_by_class_by_instance_by_name_and_by_make(torch):
    plain = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    for make in (torch.optim.SGD, functools.partial(torch.optim.SGD, lr=0.1), plain):
        agree(run(make), by_hand(gd))
        agree(run(make, "torch"), by_hand(gd))
    assert adapters()["torch"].fits(torch.optim.SGD)
    assert not adapters()["torch"].fits(torch.nn.Linear(1, 1))


def test_an_object_of_no_library_that_steps_over_gradients_of_tensors(torch):
    class Mine:
        def __init__(self, params, lr=0.1):
            self.params, self.lr = list(params), lr

        def step(self):
            with torch.no_grad():
                for p in self.params:
                    p.sub_(self.lr * p.grad)

    agree(run(lambda params: Mine(params, 0.1), rates=None), by_hand(gd, rates=None))


def test_a_missing_gradient_leaves_the_parameter_alone(torch):
    box = drive(torch.optim.Adam, start())
    box.update([None, np.ones((1, 2))])
    assert np.array_equal(box.params()[0], start()[0])
    assert not np.array_equal(box.params()[1], start()[1])


def test_groups_have_a_rate_each(torch):
    box = drive(torch.optim.SGD, start(), groups=[0.1, 0.2])
    box.update([np.ones_like(p) for p in start()])
    moved = [a - b for a, b in zip(start(), box.params(), strict=True)]
    assert moved[0] == pytest.approx(0.1)
    assert moved[1] == pytest.approx(0.2)

    class Fixed:
        def step(self):
            pass

    with pytest.raises(Unsupported, match="groups"):
        drive(lambda params: Fixed(), start(), "torch", groups=[0.1, 0.2])


def test_hyperparameters_and_state_have_the_names_of_torch(torch):
    box = drive(lambda params: torch.optim.AdamW(params, lr=torch.tensor(0.25)), start())
    assert box.hyperparameters() == {
        "lr": 0.25, "betas[0]": 0.9, "betas[1]": 0.999, "eps": 1e-8, "weight_decay": 0.01,
    }  # fmt: skip
    assert box.state() == {}
    box.set_lr(0.125)
    box.update([np.full_like(p, 2.0) for p in start()])
    state = box.state()
    assert state["exp_avg"][1] == pytest.approx(np.full((1, 2), 0.2))
    assert state["step"] == [1, 1]
    assert box.hyperparameters()["lr"] == 0.25  # as it was made


def test_a_gradient_that_is_written_into_is_noticed(torch):
    class Spoils(torch.optim.SGD):
        def step(self, closure=None):
            for p in self.param_groups[0]["params"]:
                p.grad.mul_(2)
            return super().step(closure)

    box = drive(lambda params: Spoils(params, lr=0.1), start())
    assert not box.spoiled()
    box.update([np.ones_like(p) for p in start()])
    assert box.spoiled()


def test_an_optimizer_that_wants_a_loss_gets_a_linear_one(torch):
    box = drive(lambda params: torch.optim.LBFGS(params, lr=0.1, max_iter=1), [np.array([1.0, 2.0])])
    box.update([np.array([3.0, -4.0])])
    step = box.params()[0] - np.array([1.0, 2.0])
    assert step / step[0] == pytest.approx([1, -4 / 3])


def test_a_make_that_forgets_its_parameters_is_told_so(torch):
    with pytest.raises(TypeError, match="hand params on"):
        drive(lambda params: torch.optim.SGD([torch.zeros(2)], lr=0.1), start())
