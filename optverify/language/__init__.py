"""The words update rules are written in.

A rule file imports from here and reads like its paper; `rules/adam.py` is the model to look at.
"""

from optverify.language.axis import Axis, Option
from optverify.language.composition import Join, Product, join
from optverify.language.counts import Count, Factors, Milestones, Parameter, decay_factor
from optverify.language.hyperparameter import Domain, Hyperparameter, nonnegative, positive, real, unit
from optverify.language.operators import (
    column_max,
    column_mean,
    columns,
    eigenvectors,
    inner,
    matmul,
    mean,
    norm,
    norm1,
    orthonormal,
    power_of,
    rms,
    row_max,
    row_mean,
    rows,
    transpose,
)
from optverify.language.registry import Registry
from optverify.language.rule import Assignment, Exclusion, Rule, rule
from optverify.language.schedule import Schedule
from optverify.language.schedule_family import FormulaSchedule, ScheduleFamily, schedule
from optverify.language.source import Source
from optverify.language.symbols import (
    Input,
    State,
    Variable,
    beta1,
    beta2,
    dampening,
    eps,
    g,
    grad,
    hyper_symbol,
    initial_accumulator,
    lr,
    lr_decay,
    momentum,
    rho,
    t,
    theta,
    weight_decay,
)
from optverify.language.words import (
    bias_correction,
    corrected,
    decay,
    decayed,
    direction,
    ema,
    epsilon,
    gradient,
    layerwise_decay,
    looked_at,
    lr_placement,
    maximize,
    root,
    trust_ratio,
    weight_decay_form,
)
from optverify.language.wrappers import WRAPPERS, Wrapper, wrapper

__all__ = [
    "WRAPPERS", "Assignment", "Axis", "Count", "Domain", "Exclusion", "Factors", "FormulaSchedule",
    "Hyperparameter", "Input", "Join", "Milestones", "Option", "Parameter", "Product", "Registry", "Rule",
    "Schedule", "ScheduleFamily", "Source", "State", "Variable", "Wrapper", "beta1", "beta2",
    "bias_correction", "column_max", "column_mean", "columns", "corrected", "dampening", "decay",
    "decay_factor", "decayed", "direction", "eigenvectors", "ema", "eps", "epsilon", "g", "grad", "gradient",
    "hyper_symbol", "initial_accumulator", "inner", "join", "layerwise_decay", "looked_at", "lr", "lr_decay",
    "lr_placement", "matmul", "maximize", "mean", "momentum", "nonnegative", "norm", "norm1", "orthonormal",
    "positive", "power_of", "real", "rho", "rms", "root", "row_max", "row_mean", "rows", "rule", "schedule",
    "t", "theta", "transpose", "trust_ratio", "unit", "weight_decay", "weight_decay_form", "wrapper",
]  # fmt: skip
