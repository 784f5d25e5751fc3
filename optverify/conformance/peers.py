"""What further libraries call things, for the matrix: those that are too far from ours to be translated.

As in `optverify.libraries`, but options are the dialect where it is known beforehand; where a library has
another one, or none is written here, the matrix looks for it among all dialects of the rule.
"""

from __future__ import annotations

from optverify.language.library import Entry, Library

NESTEROV = {"nesterov": "rewritten"}
OUTSIDE = {"lr_placement": "outside"}
COUPLED = {"weight_decay_form": "coupled"}

MLP = "sklearn.neural_network._stochastic_optimizers."
STEP = {"lr": "learning_rate_init", "momentum": "momentum"}
SKLEARN = Library("sklearn", "scikit-learn", "1.9.1", (
    Entry("momentum", f"{MLP}SGDOptimizer(nesterov=False)", {}, STEP),
    Entry("nesterov", f"{MLP}SGDOptimizer", NESTEROV, STEP),
    Entry("adam", f"{MLP}AdamOptimizer", {"epsilon": "hat"},
          {"lr": "learning_rate_init", "beta1": "beta_1", "beta2": "beta_2", "eps": "epsilon"}),
))  # fmt: skip

MISC = "autograd.misc.optimizers."
AUTOGRAD = Library("autograd", "autograd", "1.9.1", (
    Entry("momentum", f"{MISC}sgd", {"form": "ema"}, {"lr": "step_size", "momentum": "mass"}),
    Entry("rmsprop", f"{MISC}rmsprop", {}, {"lr": "step_size", "rho": "gamma", "eps": "eps"},
          {"initial_accumulator": 1.0}, note="the mean square starts at 1"),
    Entry("adam", f"{MISC}adam", {}, {"lr": "step_size", "beta1": "b1", "beta2": "b2", "eps": "eps"}),
))  # fmt: skip

EXAMPLES = "jax.example_libraries.optimizers."
MASS = {"lr": "step_size", "momentum": "mass"}
BETAS = {"lr": "step_size", "beta1": "b1", "beta2": "b2", "eps": "eps"}
SQUARES = {"lr": "step_size", "rho": "gamma", "eps": "eps"}
JAX = Library("jax", "jax.example_libraries", "0.10.2", (
    Entry("gd", f"{EXAMPLES}sgd", {}, {"lr": "step_size"}),
    Entry("momentum", f"{EXAMPLES}momentum", OUTSIDE, MASS),
    Entry("nesterov", f"{EXAMPLES}nesterov", NESTEROV | OUTSIDE, MASS),
    Entry("adagrad", f"{EXAMPLES}adagrad(momentum=0.0)", {}, {"lr": "step_size"}, {"eps": 0.0},
          note="with its momentum, 0.9 by default, a mean of scaled gradients, which no dialect has"),
    Entry("rmsprop", f"{EXAMPLES}rmsprop", {"epsilon": "inside"}, SQUARES),
    Entry("rmsprop", f"{EXAMPLES}rmsprop_momentum", {"epsilon": "inside", "buffer": "lr_inside"},
          SQUARES | {"momentum": "momentum"}),
    Entry("adam", f"{EXAMPLES}adam", {}, BETAS),
    Entry("adamax", f"{EXAMPLES}adamax", {"epsilon": "outside"}, BETAS),
    Entry("sm3", f"{EXAMPLES}sm3", {"buffer": "ema"}, {"lr": "step_size", "momentum": "momentum"}),
))  # fmt: skip

MOMENTS = {"lr": "lr", "beta1": "beta_1", "beta2": "beta_2", "eps": "eps"}
RIVER = Library("river", "river", "0.26.1", (
    Entry("gd", "river.optim.SGD", {}, {"lr": "lr"}),
    Entry("momentum", "river.optim.Momentum", {}, {"lr": "lr", "momentum": "rho"}),
    Entry("nesterov", "river.optim.NesterovMomentum", {}, {"lr": "lr", "momentum": "rho"}),
    Entry("adagrad", "river.optim.AdaGrad", {"epsilon": "inside"}, {"lr": "lr", "eps": "eps"}),
    Entry("rmsprop", "river.optim.RMSProp", {"epsilon": "inside"}, {"lr": "lr", "rho": "rho", "eps": "eps"}),
    Entry("adadelta", "river.optim.AdaDelta", {}, {"rho": "rho", "eps": "eps"}, {"lr": 1.0}),
    Entry("adam", "river.optim.Adam", {"epsilon": "hat"}, MOMENTS),
    Entry("amsgrad", "river.optim.AMSGrad(correct_bias=True)", {"epsilon": "hat", "bias_correction": "both"},
          MOMENTS, {}, {"correct_bias=False": {"epsilon": "outside", "bias_correction": "none"}}),
    Entry("adamax", "river.optim.AdaMax", {"epsilon": "outside"}, MOMENTS),
    Entry("nadam", "river.optim.Nadam",
          {"momentum_schedule": "constant", "first_correction": "same", "second_correction": "adam"},
          MOMENTS),
    Entry("adabound", "river.optim.AdaBound", {"bias_correction": "both", "step_decay": "none"},
          MOMENTS | {"gamma": "gamma", "final_lr": "final_lr"},
          note="final_lr is scaled by lr over its first value again at every update"),
    Entry("ftrl", "river.optim.FTRLProximal", {},
          {"lr": "alpha", "beta": "beta", "lambda1": "l1", "lambda2": "l2"}, {"initial_accumulator": 0.0},
          note="weights are made from the sums before this gradient, and never become 0"),
))  # fmt: skip

PENNYLANE = Library("pennylane", "PennyLane", "0.45.1", (
    Entry("gd", "pennylane.GradientDescentOptimizer", {}, {"lr": "stepsize"}),
    Entry("momentum", "pennylane.MomentumOptimizer", {}, {"lr": "stepsize", "momentum": "momentum"}),
    Entry("nesterov", "pennylane.NesterovMomentumOptimizer", {}, {"lr": "stepsize", "momentum": "momentum"}),
    Entry("adagrad", "pennylane.AdagradOptimizer", {"epsilon": "inside"}, {"lr": "stepsize", "eps": "eps"}),
    Entry("rmsprop", "pennylane.RMSPropOptimizer", {"epsilon": "inside"},
          {"lr": "stepsize", "rho": "decay", "eps": "eps"}),
    Entry("adam", "pennylane.AdamOptimizer", {"epsilon": "hat"},
          {"lr": "stepsize", "beta1": "beta1", "beta2": "beta2", "eps": "eps"}),
))  # fmt: skip

TINY = "tinygrad.nn.optim."
TINY_SGD = {"lr": "lr", "momentum": "momentum", "weight_decay": "weight_decay"}
TINY_ADAM = {"lr": "lr", "beta1": "b1", "beta2": "b2", "eps": "eps"}
TINYGRAD = Library("tinygrad", "tinygrad", "0.14.0", (
    Entry("gd", f"{TINY}SGD", COUPLED, {"lr": "lr", "weight_decay": "weight_decay"}),
    Entry("momentum", f"{TINY}SGD", OUTSIDE | COUPLED, TINY_SGD, {},
          {"classic=True": {"lr_placement": "inside"}}),
    Entry("nesterov", f"{TINY}SGD(nesterov=True)", NESTEROV | OUTSIDE | COUPLED, TINY_SGD),
    Entry("adam", f"{TINY}Adam", {}, TINY_ADAM),
    Entry("adamw", f"{TINY}AdamW", {}, TINY_ADAM | {"weight_decay": "weight_decay"}),
    Entry("lamb", f"{TINY}LAMB", {}, TINY_ADAM | {"weight_decay": "weight_decay"}),
    Entry("lars", f"{TINY}LARS", {}, TINY_SGD | {"trust_coefficient": "tcoef"}, {"eps": 0.0}),
    Entry("muon", f"{TINY}Muon", {"scaling": "none", "weight_decay_form": "decoupled"}, TINY_SGD),
))  # fmt: skip

OPT = "mlx.optimizers."
MX = {"lr": "learning_rate", "eps": "eps"}
MX_BETAS = MX | {"beta1": "betas[0]", "beta2": "betas[1]"}
MX_SGD = {"lr": "learning_rate", "momentum": "momentum", "weight_decay": "weight_decay"}
UNCORRECTED = {"bias_correction": "none"}
CORRECTED = {"bias_correction=True": {"bias_correction": "both"}}
MLX = Library("mlx", "MLX", "0.32.4", (
    Entry("gd", f"{OPT}SGD", COUPLED, {"lr": "learning_rate", "weight_decay": "weight_decay"}),
    Entry("momentum", f"{OPT}SGD", {"form": "dampened"} | OUTSIDE | COUPLED,
          MX_SGD | {"dampening": "dampening"}),
    Entry("nesterov", f"{OPT}SGD(nesterov=True)", NESTEROV | OUTSIDE | COUPLED, MX_SGD),
    Entry("rmsprop", f"{OPT}RMSprop", {}, MX | {"rho": "alpha"}),
    Entry("adagrad", f"{OPT}Adagrad", {}, MX),
    Entry("adadelta", f"{OPT}AdaDelta", {}, MX | {"rho": "rho"}),
    Entry("adam", f"{OPT}Adam", UNCORRECTED, MX_BETAS, {}, CORRECTED),
    Entry("adamw", f"{OPT}AdamW", UNCORRECTED, MX_BETAS | {"weight_decay": "weight_decay"}, {}, CORRECTED),
    Entry("adamax", f"{OPT}Adamax", {"epsilon": "outside"} | UNCORRECTED, MX_BETAS),
    Entry("lion", f"{OPT}Lion", {}, {n: x for n, x in MX_BETAS.items() if n != "eps"}
          | {"weight_decay": "weight_decay"}),
    Entry("adafactor", f"{OPT}Adafactor(relative_step=False, warmup_init=False)",
          {"relative_step": False, "weight_decay_form": "decoupled"},
          {"lr": "learning_rate", "eps1": "eps[0]", "eps2": "eps[1]", "clip_threshold": "clip_threshold",
           "decay_rate": "-decay_rate", "weight_decay": "weight_decay"}),
    Entry("muon", f"{OPT}Muon", {"buffer": "ema"} | COUPLED, MX_SGD, {"eps": 1e-7}),
))  # fmt: skip

OF = "pytorch_optimizer."
PO = {"lr": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "weight_decay": "weight_decay"}
PO_EPS = PO | {"eps": "eps"}
PO_SGD = {"lr": "lr", "momentum": "momentum", "weight_decay": "weight_decay"}
PYTORCH_OPTIMIZER = Library("pytorch_optimizer", "pytorch_optimizer", "4.1.0", (
    Entry("lion", f"{OF}Lion", {}, PO),
    Entry("adabelief", f"{OF}AdaBelief", {"weight_decay_form": "decoupled"}, PO_EPS),
    Entry("yogi", f"{OF}Yogi", {"weight_decay_form": "decoupled"},
          PO_EPS | {"initial_accumulator": "initial_accumulator"}),
    Entry("adabound", f"{OF}AdaBound", {}, PO_EPS | {"final_lr": "final_lr", "gamma": "gamma"}),
    Entry("adan", f"{OF}Adan", {}, PO_EPS | {"beta3": "betas[2]"}),
    Entry("adopt", f"{OF}ADOPT", {}, PO_EPS, note="the bound t^(1/4) begins with t = 2"),
    Entry("ademamix", f"{OF}AdEMAMix", {"growth": "none"}, PO_EPS | {"beta3": "betas[2]", "alpha": "alpha"}),
    Entry("laprop", f"{OF}LaProp", {}, PO_EPS, note="epsilon is added before the bias correction"),
    Entry("lars", f"{OF}LARS", {}, PO_SGD | {"trust_coefficient": "trust_coefficient"}, {"eps": 0.0}),
    Entry("madgrad", f"{OF}MADGRAD", {}, PO_SGD | {"eps": "eps"}),
    Entry("novograd", f"{OF}NovoGrad", {}, PO_EPS),
    Entry("prodigy", f"{OF}Prodigy", {}, PO_EPS | {"d0": "d0", "d_coefficient": "d_coef"}),
    Entry("qhadam", f"{OF}QHAdam", {}, PO_EPS | {"nu1": "nus[0]", "nu2": "nus[1]"}),
    Entry("qhm", f"{OF}QHM", {}, PO_SGD | {"nu": "nu"}),
    Entry("radam", f"{OF}RAdam", {}, PO_EPS),
    Entry("sgdw", f"{OF}SGDW", {}, PO_SGD),
    Entry("signum", f"{OF}SignSGD", {}, PO_SGD),
    Entry("sm3", f"{OF}SM3", {}, {"lr": "lr", "momentum": "momentum", "eps": "eps"}),
    Entry("padam", f"{OF}PAdam", {}, PO_EPS | {"partial": "partial"}),
    Entry("schedule_free_sgd", f"{OF}ScheduleFreeSGD", {"parameters": "gradient_point"}, PO_SGD),
    Entry("schedule_free_adamw", f"{OF}ScheduleFreeAdamW", {"parameters": "gradient_point"}, PO_EPS),
    Entry("aggmo", f"{OF}AggMo", {},
          {"lr": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "beta3": "betas[2]",
           "weight_decay": "weight_decay"}),
    Entry("adadelta", f"{OF}AdaDelta", {},
          {"lr": "lr", "rho": "rho", "eps": "eps", "weight_decay": "weight_decay"}),
    Entry("adamax", f"{OF}AdaMax", {}, PO_EPS),
    Entry("ftrl", f"{OF}FTRL", {},
          {"lr": "lr", "lr_power": "-lr_power", "beta": "beta", "lambda1": "lambda_1", "lambda2": "lambda_2"},
          {"initial_accumulator": 0.0}),
    Entry("lamb", f"{OF}Lamb",
          {"bias_correction": "none", "phi": "clipped", "weight_decay_form": "before_step"},
          PO_EPS, {"phi_max": 10.0},
          note="lr is divided by 1 - beta1^t, and epsilon added to what the trust ratio divides by"),
    Entry("soap", f"{OF}SOAP", {"first": "skipped", "epsilon": "hat", "weight_decay_form": "after_step"},
          PO_EPS | {"precondition_frequency": "precondition_frequency"},
          note="columns are sorted anew by their eigenvalues, and QR is made in float32"),
    Entry("muon", f"{OF}Muon([{{'params': params, 'use_muon': True}}])",
          {"buffer": "ema", "epsilon": "floor", "weight_decay_form": "decoupled"}, PO_SGD, {"eps": 1e-7},
          {"nesterov=False": {"nesterov": False}, "use_adjusted_lr=True": {"scaling": "rms"}}),
))  # fmt: skip

PEERS = {
    peer.name: peer
    for peer in (SKLEARN, AUTOGRAD, JAX, RIVER, PENNYLANE, TINYGRAD, MLX, PYTORCH_OPTIMIZER)
}  # fmt: skip
