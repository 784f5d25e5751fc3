"""Keras 3: epsilon in its hat form, decay always decoupled."""

from optverify.language.library import Entry, Library

BETAS = {"lr": "learning_rate", "beta1": "beta_1", "beta2": "beta_2", "eps": "epsilon",
         "weight_decay": "weight_decay"}
DECAY = {"weight_decay=...": {"weight_decay_form": "decoupled"}}

keras = Library("keras", "Keras", "3.15.1", (
    Entry("gd", "keras.optimizers.SGD", {},
          {"lr": "learning_rate", "weight_decay": "weight_decay"}, {"lr": 0.01}, DECAY),
    Entry("momentum", "keras.optimizers.SGD", {},
          {"lr": "learning_rate", "momentum": "momentum", "weight_decay": "weight_decay"},
          {"lr": 0.01, "momentum": 0.0}, DECAY),
    Entry("nesterov", "keras.optimizers.SGD(nesterov=True)", {"nesterov": "rewritten"},
          {"lr": "learning_rate", "momentum": "momentum", "weight_decay": "weight_decay"},
          {"lr": 0.01, "momentum": 0.0}, DECAY),
    Entry("adagrad", "keras.optimizers.Adagrad", {"epsilon": "inside"},
          {"lr": "learning_rate", "eps": "epsilon", "initial_accumulator": "initial_accumulator_value",
           "weight_decay": "weight_decay"},
          {"lr": 1e-3, "eps": 1e-7, "initial_accumulator": 0.1}, DECAY),
    Entry("rmsprop", "keras.optimizers.RMSprop", {"epsilon": "inside"},
          {"lr": "learning_rate", "rho": "rho", "eps": "epsilon", "momentum": "momentum",
           "weight_decay": "weight_decay"},
          {"lr": 1e-3, "eps": 1e-7},
          DECAY | {"centered=True": {"centered": True}, "momentum=...": {"buffer": "lr_inside"}}),
    Entry("adam", "keras.optimizers.Adam", {"epsilon": "hat"}, BETAS, {"eps": 1e-7},
          DECAY | {"amsgrad=True": {"amsgrad": "v"}}),
    Entry("adamw", "keras.optimizers.AdamW", {"epsilon": "hat"}, BETAS,
          {"eps": 1e-7, "weight_decay": 0.004}, {"amsgrad=True": {"amsgrad": "v"}}),
))  # fmt: skip
