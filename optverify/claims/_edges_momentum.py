"""Inclusions among rules without a second moment, and of those in sign, norm and matrix rules."""

from __future__ import annotations

import sympy as sp

from optverify.claims._claim import about
from optverify.claims._edge import Edge
from optverify.language import Source, grad, lr, momentum, t
from optverify.language.symbols import dampening, hyper_symbol, initial_accumulator

choi = Source(
    "Choi, Shallue, Nado, Lee, Maddison and Dahl", 2019, "On empirical comparisons of optimizers for deep"
    " learning", "the inclusion relations between update rules, and their appendix", arxiv="1910.05446",
)  # fmt: skip
ma_yarats = Source(
    "Ma and Yarats", 2019, "Quasi-hyperbolic momentum and Adam for deep learning",
    "the section on connections to other algorithms", "ICLR", arxiv="1810.06801",
)  # fmt: skip
lucas = Source(
    "Lucas, Sun, Zemel and Grosse", 2019, "Aggregated momentum: stability through passive damping",
    "the section on Nesterov's momentum as a special case", "ICLR", arxiv="1804.00325",
)  # fmt: skip
sutskever = Source(
    "Sutskever, Martens, Dahl and Hinton", 2013, "On the importance of initialization and momentum in deep"
    " learning", "section 2", "ICML", url="https://proceedings.mlr.press/v28/sutskever13.html",
)  # fmt: skip
bernstein = Source(
    "Bernstein, Wang, Azizzadenesheli and Anandkumar", 2018, "signSGD: compressed optimisation for non-convex"
    " problems", "the introduction and Algorithm 2", "ICML", arxiv="1802.04434",
)  # fmt: skip
lion_paper = Source(
    "Chen, Liang, Huang, Real, Wang, Pham, Dong, Luong, Hsieh, Lu and Le", 2023, "Symbolic discovery of"
    " optimization algorithms", "the section on Lion, its comparison with signed momentum", "NeurIPS",
    arxiv="2302.06675",
)  # fmt: skip
loshchilov = Source(
    "Loshchilov and Hutter", 2019, "Decoupled weight decay regularization", "Algorithms 1 and 2", "ICLR",
    arxiv="1711.05101",
)  # fmt: skip
defazio = Source(
    "Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky", 2024, "The road less scheduled",
    "the section that introduces Schedule-Free: beta = 0 and beta = 1", "NeurIPS", arxiv="2405.15682",
)  # fmt: skip
polyak_juditsky = Source(
    "Polyak and Juditsky", 1992, "Acceleration of stochastic approximation by averaging", "the algorithm",
    "SIAM Journal on Control and Optimization 30", url="https://doi.org/10.1137/0330046",
)  # fmt: skip
you_lars = Source(
    "You, Gitman and Ginsburg", 2017, "Large batch training of convolutional networks", "the algorithm LARS",
    arxiv="1708.03888",
)  # fmt: skip
zhang_lookahead = Source(
    "Zhang, Lucas, Hinton and Ba", 2019, "Lookahead optimizer: k steps forward, 1 step back", "Algorithm 1",
    "NeurIPS", arxiv="1907.08610",
)  # fmt: skip
johnson = Source(
    "Johnson and Zhang", 2013, "Accelerating stochastic gradient descent using predictive variance reduction",
    "procedure SVRG", "NeurIPS",
)  # fmt: skip
mertikopoulos = Source(
    "Mokhtari, Ozdaglar and Pattathil", 2020, "A unified analysis of extra-gradient and optimistic gradient"
    " methods for saddle point problems", "the generalized method, with two step sizes", "AISTATS",
    arxiv="1901.08511",
)  # fmt: skip
riedmiller = Source(
    "Riedmiller and Braun", 1993, "A direct adaptive method for faster backpropagation learning: the RPROP"
    " algorithm", "the adaptation of the step sizes", "IEEE ICNN",
)  # fmt: skip
jordan = Source(
    "Jordan, Jin, Boza, You, Cesista, Newhouse and Bernstein", 2024, "Muon: an optimizer for hidden layers in"
    " neural networks", "the definition, with Newton-Schulz", url="https://kellerjordan.github.io/posts/muon/",
)  # fmt: skip

polyak = Source(
    "Polyak", 1969, "Minimization of unsmooth functionals", "the step with a known minimum",
    "USSR Computational Mathematics and Mathematical Physics 9",
    url="https://doi.org/10.1016/0041-5553(69)90061-5",
)  # fmt: skip

v, m, z, theta_bar = sp.symbols("v m z theta_bar")
"""States of the smaller rule, by name."""
nu, full = hyper_symbol("nu"), sp.Symbol("example_grad", real=True)
heavy_ball, gd = about("momentum"), about("gd")
averaged_buffer = about("momentum", form="ema", lr_placement="outside")
"""Momentum whose buffer is a decaying mean of gradients, with lr outside."""
rewritten = about("nesterov", nesterov="rewritten", lr_placement="outside")

EDGES = (
    Edge(
        "gd.momentum", "Momentum with momentum 0 is gradient descent.",
        gd, heavy_ball, {"momentum": 0}, (sutskever, choi), label="momentum = 0",
    ),
    Edge(
        "gd.nesterov", "Nesterov's momentum with momentum 0 is gradient descent.",
        gd, about("nesterov"), {"momentum": 0}, (sutskever, choi), label="momentum = 0",
    ),
    Edge(
        "ema.momentum", "Momentum as a decaying mean of gradients is the heavy ball with lr (1 - momentum).",
        about("momentum", form="ema"), heavy_ball, {"lr": lr * (1 - momentum)}, (ma_yarats,),
    ),
    Edge(
        "dampened.momentum", "Dampening only rescales the learning rate of momentum.",
        about("momentum", form="dampened"), heavy_ball, {"lr": lr * (1 - dampening)}, (sutskever,),
        condition="a first buffer of zero",
    ),
    Edge(
        "momentum.sgdw", "SGDW without weight decay is momentum.",
        heavy_ball, about("sgdw"), {"weight_decay": 0}, (loshchilov,), label="weight_decay = 0",
    ),
    Edge(
        "gd.qhm", "Quasi-hyperbolic momentum with nu = 0 is gradient descent.",
        gd, about("qhm"), {"nu": 0}, (ma_yarats,), label="nu = 0",
    ),
    Edge(
        "momentum.qhm", "Quasi-hyperbolic momentum with nu = 1 is momentum with a mean as its buffer.",
        averaged_buffer, about("qhm"), {"nu": 1}, (ma_yarats,), {"m": v}, label="nu = 1",
    ),
    Edge(
        "nesterov.qhm", "Quasi-hyperbolic momentum with nu = momentum is Nesterov's momentum.",
        rewritten, about("qhm"), {"nu": momentum, "lr": lr / (1 - momentum)}, (ma_yarats,),
        {"m": (1 - momentum) * v}, label="nu = momentum, lr/(1 - momentum)",
    ),
    Edge(
        "momentum.aggmo", "AggMo with equal momenta is momentum.",
        heavy_ball, about("aggmo"), {"beta1": momentum, "beta2": momentum, "beta3": momentum}, (lucas,),
        {"v_1": v / lr, "v_2": v / lr, "v_3": v / lr}, label="all betas equal",
    ),
    Edge(
        "qhm.aggmo", "AggMo with the momenta (mu, 0) is quasi-hyperbolic momentum with nu = 1/(2 - mu).",
        about("qhm"), about("aggmo", velocities="2"),
        {"beta1": momentum, "beta2": 0, "lr": 2 * lr * (1 - momentum) / (2 - momentum)},
        (ma_yarats, lucas), {"v_1": -m / (1 - momentum)}, {"nu": 1 / (2 - momentum)},
        label="beta2 = 0",
    ),
    Edge(
        "nesterov.aggmo", "Nesterov's momentum is AggMo with the momenta (mu, 0).",
        rewritten, about("aggmo", velocities="2"), {"beta1": momentum, "beta2": 0}, (lucas,),
        {"v_1": -v}, refuted=True, ends=("1/3", "1/2"), right="qhm.aggmo", label="betas (mu, 0)",
    ),
    Edge(
        "gd.optimistic_gd", "Optimistic gradient descent without its correction is gradient descent.",
        gd, about("optimistic_gd", weights="generalized"), {"alpha": 1, "beta": 0}, (mertikopoulos,),
        label="beta = 0",
    ),
    Edge(
        "gd.asgd", "Averaged SGD moves its parameters as gradient descent does.",
        gd, about("asgd"), {}, (polyak_juditsky,), label="theta itself",
    ),
    Edge(
        "asgd.schedule_free_sgd", "Schedule-Free SGD with beta = 0 is SGD with Polyak-Ruppert averaging.",
        about("asgd"), about("schedule_free_sgd"), {"momentum": 0}, (defazio, polyak_juditsky),
        {"theta": theta_bar, "z": sp.Symbol("theta"), "W": lr**2 * t}, {"average_start": 0},
        label="momentum -> 0",
    ),
    Edge(
        "gd.lookahead", "Lookahead with a slow step of 1 is the rule it is wrapped round.",
        gd, about("lookahead"), {"slow_lr": 1}, (zhang_lookahead,), label="slow_lr = 1",
    ),
    Edge(
        "gd.svrg", "SVRG with a snapshot at every update is full-batch gradient descent.",
        gd, about("svrg"), {"period": 1, "snapshot_grad": full, "full_grad": grad}, (johnson,),
        {"theta_tilde": sp.Symbol("theta")}, gradient=full, label="period = 1",
        condition="the gradient at the snapshot is that of the same examples at the same parameters",
    ),
    Edge(
        "gd.polyak_step", "Polyak's step is gradient descent while the gap is the squared gradient norm.",
        gd, about("polyak_step"), {"loss": grad**2, "f_min": 0, "eps": 0}, (polyak,),
        scalar=True, nonzero=True, condition="f(theta) - f_min = |grad|^2 at every step", label="gap = |g|^2",
    ),
    Edge(
        "signsgd.signum", "Signum with momentum 0 is signSGD.",
        about("signsgd"), about("signum"), {"momentum": 0}, (bernstein,), label="momentum = 0",
    ),
    Edge(
        "signum.forms", "Signum is the same with a mean and with a sum of gradients as its buffer.",
        about("signum", form="heavy_ball"), about("signum"), {}, (bernstein,), {"m": (1 - momentum) * m},
    ),
    Edge(
        "signum.lion", "Lion with beta1 = beta2 and no decay is Signum.",
        about("signum"), about("lion"), {"beta1": momentum, "beta2": momentum, "weight_decay": 0},
        (lion_paper, bernstein), label="beta1 = beta2",
    ),
    Edge(
        "signsgd.lion", "Lion with beta1 = 0 and no decay is signSGD.",
        about("signsgd"), about("lion"), {"beta1": 0, "weight_decay": 0}, (lion_paper,), label="beta1 = 0",
    ),
    Edge(
        "signsgd.rprop", "Rprop whose step sizes neither grow nor shrink is signSGD.",
        about("signsgd"), about("rprop", variant="rprop-"),
        {"eta_plus": 1, "eta_minus": 1, "min_step": lr, "max_step": lr}, (riedmiller, bernstein),
        {"Delta": lr}, label="steps held",
    ),
    Edge(
        "momentum.lars", "LARS with trust ratio 1 and no decay is momentum.",
        heavy_ball, about("lars"), {"lambda": 1, "weight_decay": 0}, (you_lars,), {"v": -v},
        condition="the trust ratio is 1", label="trust ratio 1",
    ),
    Edge(
        "signum.muon", "In dimension 1 Muon is Signum.",
        about("signum", form="heavy_ball"), about("muon", nesterov=False),
        {"ns_a": 2, "ns_b": -sp.Rational(3, 2), "ns_c": sp.Rational(1, 2), "eps": 0}, (jordan,),
        {"B": m}, scalar=True, buffer="m",
        condition="coefficients with the sum 1, here 2, -3/2 and 1/2, without Nesterov", label="1 x 1",
    ),
    Edge(
        "momentum.adabound", "AdaBound becomes momentum as its band closes.",
        averaged_buffer, about("adabound", step_decay="none"), {"beta1": momentum, "final_lr": lr},
        (Source("Luo, Xiong, Liu and Sun", 2019, "Adaptive gradient methods with dynamic bound of learning"
                " rate", "the section on the algorithm", "ICLR", arxiv="1902.09843"),),
        {"m": v, "v": None}, limit=(hyper_symbol("gamma"), sp.oo), label="gamma -> oo",
    ),
    Edge(
        "adagrad.adagrad_norm", "In dimension 1 AdaGrad-Norm is AdaGrad.",
        about("adagrad"), about("adagrad_norm"), {"b0": sp.sqrt(initial_accumulator)},
        (Source("Ward, Wu and Bottou", 2019, "AdaGrad stepsizes: sharp convergence over nonconvex"
                " landscapes", "Algorithm 1", "ICML", arxiv="1806.01811"),),
        {"b": sp.sqrt(sp.Symbol("G"))}, {"eps": 0}, scalar=True, label="dimension 1",
    ),
    Edge(
        "adagrad_norm.dog", "DoG with its distance held at 1 is AdaGrad-Norm.",
        about("adagrad_norm"), about("dog"), {"r_bar": 1, "eps": sp.Symbol("b0") ** 2},
        (Source("Ivgi, Hinder and Carmon", 2023, "DoG is SGD's best friend: a parameter-free dynamic step"
                " size schedule", "equation (1)", "ICML", arxiv="2302.12022"),),
        {"G": sp.Symbol("b") ** 2 - sp.Symbol("b0") ** 2},
        condition="the distance from the start is held at 1", label="distance 1",
    ),
)  # fmt: skip
