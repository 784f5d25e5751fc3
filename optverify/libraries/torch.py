"""PyTorch, torch.optim."""

from optverify.language.library import Entry, Library

SGD = {"weight_decay_form": "coupled"}
MOMENTUM = {"lr": "lr", "momentum": "momentum", "weight_decay": "weight_decay"}
BETAS = {"lr": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps", "weight_decay": "weight_decay"}
COUPLED = {"weight_decay_form": "coupled"}
MAXIMIZE = {"maximize=True": {"maximize": True}}

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
          MAXIMIZE | {"amsgrad=True": {"amsgrad": "v"},
                      "decoupled_weight_decay=True": {"weight_decay_form": "decoupled"}}),
    Entry("adamw", "torch.optim.AdamW", {}, BETAS, {}, MAXIMIZE | {"amsgrad=True": {"amsgrad": "v"}}),
))  # fmt: skip
