"""PyTorch, torch.optim."""

from optverify.language.library import Entry, Library

SGD = {"weight_decay_form": "coupled"}
MOMENTUM = {"lr": "lr", "momentum": "momentum", "weight_decay": "weight_decay"}
BETAS = {"lr": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps", "weight_decay": "weight_decay"}
COUPLED = {"weight_decay_form": "coupled"}
MAXIMIZE = {"maximize=True": {"maximize": True}}
FLAGS: dict[str, dict[str, str | bool]] = {
    "maximize=True": {"maximize": True},
    "decoupled_weight_decay=True": {"weight_decay_form": "decoupled"},
}

torch = Library("torch", "PyTorch", "2.13.0", (
    Entry("gd", "torch.optim.SGD", COUPLED, {"lr": "lr", "weight_decay": "weight_decay"},
          {"lr": 1e-3, "weight_decay": 0.0}, MAXIMIZE),
    Entry("momentum", "torch.optim.SGD",
          COUPLED | {"form": "dampened", "lr_placement": "outside", "first_buffer": "gradient"},
          MOMENTUM | {"dampening": "dampening"},
          {"lr": 1e-3, "momentum": None, "dampening": 0.0, "weight_decay": 0.0}, MAXIMIZE,
          note="the first buffer is the first gradient, undampened"),
    Entry("nesterov", "torch.optim.SGD(nesterov=True)",
          COUPLED | {"nesterov": "rewritten", "lr_placement": "outside"}, MOMENTUM,
          {"lr": 1e-3, "momentum": None, "weight_decay": 0.0}, MAXIMIZE),
    Entry("adagrad", "torch.optim.Adagrad", COUPLED | {"lr_schedule": "inverse_time"},
          {"lr": "lr", "lr_decay": "lr_decay", "eps": "eps", "weight_decay": "weight_decay",
           "initial_accumulator": "initial_accumulator_value"},
          {"lr": 1e-2, "eps": 1e-10, "weight_decay": 0.0}, MAXIMIZE),
    Entry("rmsprop", "torch.optim.RMSprop", COUPLED | {"buffer": "lr_outside"},
          {"lr": "lr", "rho": "alpha", "eps": "eps", "momentum": "momentum", "weight_decay": "weight_decay"},
          {"lr": 1e-2, "rho": 0.99, "momentum": 0.0, "weight_decay": 0.0},
          MAXIMIZE | {"centered=True": {"centered": True}}),
    Entry("adam", "torch.optim.Adam", COUPLED, BETAS, {"weight_decay": 0.0},
          FLAGS | {"amsgrad=True": {"amsgrad": "v"}}),
    Entry("adamw", "torch.optim.AdamW", {}, BETAS, {}, MAXIMIZE | {"amsgrad=True": {"amsgrad": "v"}}),
    Entry("amsgrad", "torch.optim.Adam(amsgrad=True)", COUPLED | {"bias_correction": "both"}, BETAS,
          {"weight_decay": 0.0}, FLAGS),
    Entry("adadelta", "torch.optim.Adadelta", COUPLED,
          {"lr": "lr", "rho": "rho", "eps": "eps", "weight_decay": "weight_decay"},
          {"rho": 0.9, "weight_decay": 0.0}, MAXIMIZE),
    Entry("adamax", "torch.optim.Adamax", COUPLED | {"epsilon": "inside"}, BETAS, {"weight_decay": 0.0},
          MAXIMIZE),
    Entry("nadam", "torch.optim.NAdam",
          COUPLED | {"momentum_schedule": "growing_outside", "second_correction": "adam"},
          BETAS | {"momentum_decay": "momentum_decay"}, {"weight_decay": 0.0}, FLAGS),
    Entry("radam", "torch.optim.RAdam", COUPLED | {"threshold": "above_5"}, BETAS, {"weight_decay": 0.0},
          FLAGS),
    Entry("rprop", "torch.optim.Rprop", {"variant": "irprop-"},
          {"lr": "lr", "eta_minus": "etas[0]", "eta_plus": "etas[1]", "min_step": "step_sizes[0]",
           "max_step": "step_sizes[1]"}, {"lr": 0.01}, MAXIMIZE),
    Entry("asgd", "torch.optim.ASGD", COUPLED | {"step_size": "falling_late"},
          {"lr": "lr", "lambd": "lambd", "power": "alpha", "average_start": "t0+1",
           "weight_decay": "weight_decay"},
          {"average_start": 1e6 + 1, "weight_decay": 0.0}, MAXIMIZE, note="theta_bar is its state ax"),
    Entry("adafactor", "torch.optim.Adafactor", {"epsilon": "floor", "weight_decay_form": "decoupled"},
          {"lr": "lr", "eps1": "eps[0]", "eps2": "eps[1]", "clip_threshold": "d",
           "decay_rate": "-beta2_decay", "weight_decay": "weight_decay"},
          {"eps1": 2.0**-52, "weight_decay": 0.0}, MAXIMIZE,
          note="eps[0] is by default the spacing of the type of theta at 1, here that of float64"),
    Entry("muon", "torch.optim.Muon",
          {"buffer": "ema", "epsilon": "floor", "weight_decay_form": "decoupled"},
          {"lr": "lr", "momentum": "momentum", "ns_a": "ns_coefficients[0]", "ns_b": "ns_coefficients[1]",
           "ns_c": "ns_coefficients[2]", "eps": "eps", "weight_decay": "weight_decay"},
          {"lr": 1e-3, "weight_decay": 0.1},
          {"nesterov=False": {"nesterov": False}, "adjust_lr_fn='match_rms_adamw'": {"scaling": "rms"}},
          note="its Newton-Schulz steps are made in bfloat16, whatever theta is; compared in float64"),
))  # fmt: skip
