"""optax: rules that are chains of gradient transformations."""

from optverify.language.library import Entry, Library

BETAS = {"lr": "learning_rate", "beta1": "b1", "beta2": "b2", "eps": "eps"}

optax = Library("optax", "optax", "0.2.8", (
    Entry("gd", "optax.sgd", {}, {"lr": "learning_rate"}, {"lr": None}),
    Entry("momentum", "optax.sgd(momentum=...)", {"lr_placement": "outside"},
          {"lr": "learning_rate", "momentum": "momentum"}, {"lr": None, "momentum": None}),
    Entry("nesterov", "optax.sgd(nesterov=True)", {"nesterov": "rewritten", "lr_placement": "outside"},
          {"lr": "learning_rate", "momentum": "momentum"}, {"lr": None, "momentum": None}),
    Entry("adagrad", "optax.adagrad", {"epsilon": "inside"},
          {"lr": "learning_rate", "eps": "eps", "initial_accumulator": "initial_accumulator_value"},
          {"lr": None, "eps": 1e-7, "initial_accumulator": 0.1},
          note="a coordinate whose sum is zero stays where it is"),
    Entry("rmsprop", "optax.rmsprop", {"epsilon": "inside"},
          {"lr": "learning_rate", "rho": "decay", "eps": "eps", "initial_accumulator": "initial_scale",
           "momentum": "momentum"}, {"lr": None},
          {"eps_in_sqrt=False": {"epsilon": "outside"}, "centered=True": {"centered": True},
           "momentum=...": {"buffer": "lr_inside"}}),
    Entry("adam", "optax.adam", {}, BETAS, {"lr": None},
          note="eps_root stands under the root: epsilon='inside' with eps=0 outside"),
    Entry("adamw", "optax.adamw", {}, BETAS | {"weight_decay": "weight_decay"},
          {"lr": None, "weight_decay": 1e-4}),
    Entry("amsgrad", "optax.amsgrad", {"amsgrad": "v_hat", "bias_correction": "both"}, BETAS, {"lr": None}),
))  # fmt: skip
