"""Cases WD-02 to WD-08: weight decay, flags, aliasing."""

import numpy as np

from tests.conformance.cases._case import Case, Loop
from tests.conformance.cases.adam import ADAM, outside

CASES: list[Case] = []
DECAY = {**ADAM, "weight_decay": 0.1}


def case(*args, **kwargs):
    CASES.append(Case(*args, **kwargs))


def adamw(h, x, g, s, t):
    return outside(h, (1 - h.lr * h.weight_decay) * x, g, s, t)


def adamw_paper(h, x, g, s, t):
    return outside(h, (1 - h.weight_decay) * x, g, s, t)


def adam_l2(h, x, g, s, t):
    return outside(h, x, g + h.weight_decay * x, s, t)


SHRUNK = [0.99, 0.9801]
case(
    "WD-02",
    "look-alike: decay times lr",
    adamw,
    "adamw",
    [0, 0],
    SHRUNK,
    SHRUNK,
    values=DECAY,
    start=1.0,
    found={},
)
case(
    "WD-02",
    "decay without lr",
    adamw_paper,
    "adamw",
    [0, 0],
    [0.9, 0.81],
    SHRUNK,
    values=DECAY,
    start=1.0,
    found={"weight_decay_form": "decoupled_without_lr"},
    says=("decoupled_without_lr|without lr",),
)
case(
    "WD-03",
    "AdamW that is Adam with L2",
    adam_l2,
    "adamw",
    [0, 0],
    [0.9000000100, 0.8004122481],
    SHRUNK,
    values=DECAY,
    start=1.0,
    as_rule="adam",
    found={"weight_decay_form": "coupled"},
    says=("coupled|L2",),
)
case(
    "WD-03",
    "Adam with L2 that is AdamW",
    adamw,
    "adam",
    [0, 0],
    SHRUNK,
    [0.9000000100, 0.8004122481],
    claims={"weight_decay_form": "coupled"},
    values=DECAY,
    start=1.0,
    found={"weight_decay_form": "decoupled"},
    says=("decoupled|adamw",),
)


def grows(h, x, g, s, t):
    return outside(h, (1 + h.lr * h.weight_decay) * x, g, s, t)


def constant(h, x, g, s, t):
    return outside(h, x - h.lr * h.weight_decay, g, s, t)


case(
    "WD-04",
    "decay with the wrong sign",
    grows,
    "adamw",
    [0.0],
    [1.01],
    [0.99],
    values=DECAY,
    start=1.0,
    says=("weight_decay|decay", "sign|grows|+"),
)
case(
    "WD-04",
    "decay that does not depend on theta",
    constant,
    "adamw",
    [0.0],
    [1.99],
    [1.98],
    values=DECAY,
    start=2.0,
    says=("weight_decay|decay",),
)


def ignored(h, x, g, s, t):
    return outside(h, x, g, s, t)


case(
    "WD-05",
    "decay that is ignored",
    ignored,
    "adamw",
    [0.0],
    [1.0],
    [0.99999],
    lr=1e-3,
    start=1.0,
    values={**ADAM, "weight_decay": 0.01},
    says=("weight_decay", "no effect|no influence|without influence|ignored"),
)
case(
    "WD-05",
    "a large decay that is ignored",
    ignored,
    "adamw",
    [0.0],
    [1.0],
    [0.99],
    lr=1e-3,
    start=1.0,
    values={**ADAM, "weight_decay": 10.0},
    says=("weight_decay", "no effect|no influence|without influence|ignored"),
)


class Grouped(Loop):
    """huggingface/pytorch-image-models PR #2750: each group of one type shrinks all parameters."""

    def update(self, params, grads):
        for dtype in dict.fromkeys(x.dtype for x in params):
            for x, g in zip(params, grads, strict=True):
                if g is not None:
                    x[...] *= 1 - self.lr * self.weight_decay
            for x, g in zip(params, grads, strict=True):
                if x.dtype == dtype and g is not None:
                    x[...] -= self.lr * g


SGDW = {"weight_decay_form": "decoupled"}
case(
    "WD-06",
    "decay for each group of a type",
    Grouped,
    "gd",
    [(0.0, 0.0)],
    [(0.81, 0.81)],
    [(0.9, 0.9)],
    lr=1.0,
    claims=SGDW,
    values={"weight_decay": 0.1},
    start=(np.float32(1), np.float64(1)),
    digits=1e-7,
    found={},
)


def negated(h, x, g, s, t):
    """kozistr/pytorch_optimizer PR #528: maximize flips the sign twice."""
    g = -g
    return x - h.lr * -g


case(
    "WD-07",
    "maximize, negated twice",
    negated,
    "gd",
    [1.0],
    [-0.1],
    [0.1],
    claims={"maximize": True},
    found={"maximize": False},
    says=("gd|gradient descent|Gradient descent",),
)


def mutating(h, x, g, s, t):
    g += h.weight_decay * x
    return x - h.lr * g


case(
    "WD-08",
    "the gradient is changed in place",
    mutating,
    "gd",
    [1, 1, 1],
    [0.89, 0.7711, 0.644489],
    [0.89, 0.7811, 0.673289],
    claims={"weight_decay_form": "coupled"},
    values={"weight_decay": 0.1},
    start=1.0,
    found={},
    notes="it writes into the gradients that it is given",
    says=("gradient", "in place|writes into|written into|modified|changed|spoiled"),
)
