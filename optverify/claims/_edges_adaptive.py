"""Inclusions among the rules with a second moment: AdaGrad, RMSProp, Adam and their relatives."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from optverify.claims._claim import about
from optverify.claims._edge import Edge
from optverify.claims._edges_momentum import averaged_buffer, choi, gd, ma_yarats, rewritten, v
from optverify.language import Source, beta1, beta2, eps, lr, momentum, rho, t
from optverify.language.symbols import hyper_symbol

kingma = Source(
    "Kingma and Ba", 2015, "Adam: a method for stochastic optimization", "section 5, related work", "ICLR",
    arxiv="1412.6980",
)  # fmt: skip
balles = Source(
    "Balles and Hennig", 2018, "Dissecting Adam: the sign, magnitude and variance of stochastic gradients",
    "section 1, Adam as sign descent", "ICML", arxiv="1705.07774",
)  # fmt: skip
dozat = Source("Dozat", 2016, "Incorporating Nesterov momentum into Adam", "Algorithm 2", "ICLR workshop",
               url="https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ")  # fmt: skip
liu_radam = Source(
    "Liu, Jiang, He, Chen, Liu, Gao and Han", 2020, "On the variance of the adaptive learning rate and"
    " beyond", "Algorithm 2", "ICLR", arxiv="1908.03265",
)  # fmt: skip
padam_paper = Source(
    "Chen, Zhou, Tang, Yang, Cao and Gu", 2018, "Closing the generalization gap of adaptive gradient methods"
    " in training deep neural networks", "Algorithm 1 and what follows it: p = 0 and p = 1/2",
    arxiv="1806.06763",
)  # fmt: skip
reddi = Source("Reddi, Kale and Kumar", 2018, "On the convergence of Adam and beyond", "Algorithm 2", "ICLR",
               arxiv="1904.09237")  # fmt: skip
luo = Source("Luo, Xiong, Liu and Sun", 2019, "Adaptive gradient methods with dynamic bound of learning rate",
             "the section on the algorithm", "ICLR", arxiv="1902.09843")  # fmt: skip
ziyin = Source("Ziyin, Wang and Ueda", 2020, "LaProp: separating momentum and adaptivity in Adam",
               "Algorithm 1", arxiv="2002.04839")  # fmt: skip
pagliardini = Source("Pagliardini, Ablin and Grangier", 2024, "The AdEMAMix optimizer: better, faster, older",
                     "Algorithm 1: alpha = 0 is AdamW", arxiv="2409.03137")  # fmt: skip
xie = Source(
    "Xie, Zhou, Li, Lin and Yan", 2022, "Adan: adaptive Nesterov momentum algorithm for faster optimizing"
    " deep models", "Algorithm 1", arxiv="2208.06677",
)  # fmt: skip
loshchilov = Source("Loshchilov and Hutter", 2019, "Decoupled weight decay regularization", "Algorithm 2",
                    "ICLR", arxiv="1711.05101")  # fmt: skip
mcmahan = Source(
    "McMahan", 2011, "Follow-the-regularized-leader and mirror descent: equivalence theorems and L1"
    " regularization", "the equivalence of the two updates", "AISTATS",
    url="https://proceedings.mlr.press/v15/mcmahan11b.html",
)  # fmt: skip
gupta = Source("Gupta, Koren and Singer", 2018, "Shampoo: preconditioned stochastic tensor optimization",
               "Algorithm 1", "ICML", arxiv="1802.09568")  # fmt: skip
vyas = Source(
    "Vyas, Morwani, Zhao, Kwun, Shapira, Brandfonbrener, Janson and Kakade", 2024, "SOAP: improving and"
    " stabilizing Shampoo using Adam", "Algorithm 3", arxiv="2409.11321",
)  # fmt: skip
shazeer = Source("Shazeer and Stern", 2018, "Adafactor: adaptive learning rates with sublinear memory cost",
                 "Algorithm 5 and the decay rate of section 7", "ICML", arxiv="1804.04235")  # fmt: skip
anil = Source("Anil, Gupta, Koren and Singer", 2019, "Memory-efficient adaptive optimization",
              "Algorithm SM3-II", "NeurIPS", arxiv="1901.11150")  # fmt: skip
you_lamb = Source(
    "You, Li, Reddi, Hseu, Kumar, Bhojanapalli, Song, Demmel, Keutzer and Hsieh", 2020, "Large batch"
    " optimization for deep learning: training BERT in 76 minutes", "Algorithm 2", "ICLR", arxiv="1904.00962",
)  # fmt: skip
daskalakis = Source("Daskalakis, Ilyas, Syrgkanis and Zeng", 2018, "Training GANs with optimism",
                    "the algorithm Optimistic Adam", "ICLR", arxiv="1711.00141")  # fmt: skip
zhuang = Source(
    "Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris and Duncan", 2020, "AdaBelief optimizer: adapting"
    " stepsizes by the belief in observed gradients", "Algorithm 2", "NeurIPS", arxiv="2010.07468",
)  # fmt: skip
mishchenko = Source("Mishchenko and Defazio", 2023, "Prodigy: an expeditiously adaptive parameter-free"
                    " learner", "the Adam version", arxiv="2306.06101")  # fmt: skip
defazio = Source("Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky", 2024, "The road less scheduled",
                 "Algorithm 1", "NeurIPS", arxiv="2405.15682")  # fmt: skip
zeiler = Source("Zeiler", 2012, "ADADELTA: an adaptive learning rate method", "Algorithm 1",
                arxiv="1212.5701")  # fmt: skip
zaheer = Source(
    "Zaheer, Reddi, Sachan, Kale and Kumar", 2018, "Adaptive methods for nonconvex optimization",
    "Algorithm 2", "NeurIPS",
    url="https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization",
)  # fmt: skip
ginsburg = Source("Ginsburg and others", 2019, "Stochastic gradient methods with layer-wise adaptive moments"
                  " for training of deep networks", "Algorithm 1", arxiv="1905.11286")  # fmt: skip
taniguchi = Source("Taniguchi and others", 2024, "ADOPT: modified Adam can converge with any beta2 with the"
                   " optimal rate", "the algorithm ADOPT", "NeurIPS", arxiv="2411.02853")  # fmt: skip

G, m = sp.symbols("G m")
as_mean = {"m": v, "v": None}
"""The buffer of momentum is Adam's first moment; the second one does not count."""
positive_final_lr = hyper_symbol("final_lr", positive=True)
adam, rmsprop, adagrad = about("adam"), about("rmsprop"), about("adagrad")
uncorrected = about("adam", bias_correction="none")
from_zero = {"initial_accumulator": 0}
left = sp.sqrt(1 - rho**t)
"""What bias correction multiplies a root mean square with, the other way round."""
unbiased = {"beta1": 0, "beta2": rho, "lr": lr / left, "eps": eps / left}

corrected_rmsprop = Edge(
    "rmsprop.adam", "Adam with beta1 = 0 and lr and eps over sqrt(1 - beta2^t) is RMSProp.",
    rmsprop, adam, unbiased, (kingma, choi), given=from_zero, label="beta1 = 0, lr and eps corrected",
)  # fmt: skip
adagrad_as_rmsprop = Edge(
    "adagrad.rmsprop", "RMSProp with rho = 1 - 1/t, and lr and eps over sqrt(t), is AdaGrad.",
    adagrad, rmsprop, {"rho": 1 - 1 / t, "lr": lr / sp.sqrt(t), "eps": eps / sp.sqrt(t)}, (kingma,),
    {"v": G / t}, from_zero, label="rho = 1 - 1/t, lr/sqrt(t)",
)  # fmt: skip
momentum_as_adam = Edge(
    "momentum.adam", "Adam becomes momentum as eps tends to infinity, with lr = eps lr (1 - beta1^t).",
    averaged_buffer, adam, {"beta1": momentum, "lr": eps * lr * (1 - momentum**t)}, (choi,), as_mean,
    limit=(eps, sp.oo), label="eps -> oo, lr eps (1 - beta1^t)",
)  # fmt: skip
nadam_as_qhadam = Edge(
    "nadam.qhadam", "QHAdam with a schedule of nu1 and lr is Nadam.",
    about("nadam", momentum_schedule="constant", first_correction="same", second_correction="adam"),
    about("qhadam"),
    {"nu1": beta1 * (1 - beta1**t) / (1 - beta1 ** (t + 1)), "nu2": 1,
     "lr": lr * (1 - beta1 ** (t + 1)) / (1 - beta1**t)},
    (ma_yarats,), label="nu1 and lr scheduled",
)  # fmt: skip

adagrad_as_ftrl = Edge(
    "adagrad.ftrl", "FTRL-Proximal without penalties is AdaGrad.",
    adagrad, about("ftrl"), {"beta": eps, "lambda1": 0, "lambda2": 0}, (mcmahan,),
    {"n": G, "z": -sp.Symbol("theta") * (eps + sp.sqrt(G)) / lr}, start=0, label="lambda1 = lambda2 = 0",
)  # fmt: skip

adam_as_laprop = Edge(
    "adam.laprop_no_momentum", "Without momentum LaProp is Adam.",
    adam, about("laprop"), {"beta1": 0}, (ziyin,), {"n": v, "m": None}, {"beta1": 0}, label="beta1 = 0",
)  # fmt: skip

EDGES = (
    Edge(
        "rmsprop.adam_uncorrected", "Adam without bias correction and with beta1 = 0 is RMSProp.",
        rmsprop, uncorrected, {"beta1": 0, "beta2": rho}, (kingma, choi), given=from_zero,
        label="beta1 = 0, no correction",
    ),
    corrected_rmsprop,
    replace(
        corrected_rmsprop, name="rmsprop.adam_same", title="Adam with beta1 = 0 is RMSProp.",
        where={"beta1": 0, "beta2": rho}, refuted=True, instead=corrected_rmsprop,
        evidence="interval arithmetic",
    ),
    adagrad_as_rmsprop,
    replace(
        adagrad_as_rmsprop, name="adagrad.rmsprop_same", title="RMSProp with rho = 1 - 1/t is AdaGrad.",
        where={"rho": 1 - 1 / t}, refuted=True, instead=adagrad_as_rmsprop,
        evidence="interval arithmetic",
    ),
    Edge(
        "adagrad.adam", "Adam with beta1 = 0, beta2 = 1 - 1/t, and lr and eps over sqrt(t), is AdaGrad.",
        adagrad, uncorrected,
        {"beta1": 0, "beta2": 1 - 1 / t, "lr": lr / sp.sqrt(t), "eps": eps / sp.sqrt(t)}, (kingma,),
        {"v": G / t}, from_zero, condition="no bias correction", label="beta2 = 1 - 1/t, lr/sqrt(t)",
    ),
    momentum_as_adam,
    replace(
        momentum_as_adam, name="momentum.adam_constant",
        title="Adam becomes momentum as eps tends to infinity with lr proportional to eps.",
        where={"beta1": momentum, "lr": eps * lr}, refuted=True, instead=momentum_as_adam,
    ),
    Edge(
        "gd.rmsprop", "RMSProp becomes gradient descent as eps tends to infinity with lr = eps lr.",
        gd, rmsprop, {"lr": eps * lr}, (choi,), limit=(eps, sp.oo), label="eps -> oo",
    ),
    Edge(
        "gd.adagrad", "AdaGrad becomes gradient descent as eps tends to infinity with lr = eps lr.",
        gd, adagrad, {"lr": eps * lr}, (choi,), limit=(eps, sp.oo), label="eps -> oo",
    ),
    Edge(
        "gd.adadelta", "AdaDelta becomes gradient descent as eps tends to infinity.",
        gd, about("adadelta"), {}, (zeiler,), limit=(eps, sp.oo), label="eps -> oo",
    ),
    Edge(
        "nesterov.nadam", "Nadam becomes Nesterov's momentum as eps tends to infinity.",
        rewritten, about("nadam", momentum_schedule="constant", first_correction="same",
                         second_correction="adam"),
        {"beta1": momentum, "lr": eps * lr * (1 - momentum**t) / (1 - momentum)}, (choi, dozat),
        {"m": (1 - momentum) * v, "v": None}, limit=(eps, sp.oo), label="eps -> oo",
    ),
    Edge(
        "momentum.amsgrad", "AMSGrad becomes momentum as eps tends to infinity with lr = eps lr.",
        averaged_buffer, about("amsgrad"), {"beta1": momentum, "lr": eps * lr}, (reddi, choi), as_mean,
        limit=(eps, sp.oo), label="eps -> oo",
    ),
    Edge(
        "momentum.yogi", "Yogi becomes momentum as eps tends to infinity with lr = eps lr.",
        averaged_buffer, about("yogi"), {"beta1": momentum, "lr": eps * lr}, (zaheer, choi), as_mean,
        limit=(eps, sp.oo), label="eps -> oo",
    ),
    Edge(
        "signsgd.adam", "Adam with beta1 = beta2 = eps = 0 is signSGD.",
        about("signsgd"), adam, {"beta1": 0, "beta2": 0, "eps": 0}, (balles,), nonzero=True,
        label="beta1 = beta2 = eps = 0",
    ),
    Edge(
        "signsgd.rmsprop", "RMSProp with rho = eps = 0 is signSGD.",
        about("signsgd"), rmsprop, {"rho": 0, "eps": 0}, (balles,), nonzero=True, label="rho = eps = 0",
    ),
    Edge(
        "signsgd.adamax", "Adamax with beta1 = beta2 = 0 is signSGD.",
        about("signsgd"), about("adamax"), {"beta1": 0, "beta2": 0}, (kingma,), nonzero=True,
        label="beta1 = beta2 = 0",
    ),
    Edge(
        "signsgd.novograd", "In dimension 1 NovoGrad with beta1 = beta2 = eps = 0 is signSGD.",
        about("signsgd"), about("novograd"), {"beta1": 0, "beta2": 0, "eps": 0, "weight_decay": 0},
        (ginsburg,), scalar=True, nonzero=True, label="dimension 1",
    ),
    Edge(
        "adam.adamw", "AdamW without weight decay is Adam.",
        adam, about("adamw"), {"weight_decay": 0}, (loshchilov,), label="weight_decay = 0",
    ),
    Edge(
        "adam.qhadam", "QHAdam with nu1 = nu2 = 1 is Adam.",
        adam, about("qhadam"), {"nu1": 1, "nu2": 1}, (ma_yarats,), label="nu1 = nu2 = 1",
    ),
    nadam_as_qhadam,
    replace(
        nadam_as_qhadam, name="nadam.qhadam_constant", title="QHAdam with nu1 = beta1 and nu2 = 1 is Nadam.",
        where={"nu1": beta1, "nu2": 1}, refuted=True, instead=nadam_as_qhadam,
    ),
    Edge(
        "rmsprop.nadam", "Nadam with beta1 = 0, and lr and eps corrected, is RMSProp.",
        rmsprop, about("nadam"),
        {"beta1": 0, "beta2": rho, "lr": lr * sp.sqrt(rho) / left, "eps": eps * sp.sqrt(rho) / left},
        (dozat,), given=from_zero, condition="rho > 0", label="beta1 = 0",
    ),
    Edge(
        "rmsprop.laprop", "LaProp with beta1 = 0, and lr and eps corrected, is RMSProp.",
        rmsprop, about("laprop"), unbiased, (ziyin,), {"n": v}, from_zero, label="beta1 = 0",
    ),
    adam_as_laprop,
    replace(
        adam_as_laprop, name="adam.laprop", title="LaProp is Adam with its operations in another order.",
        where={}, given={}, refuted=True, instead=adam_as_laprop, evidence="interval arithmetic",
        label="the same numbers",
    ),
    Edge(
        "momentum.radam", "RAdam that is never rectified is momentum.",
        averaged_buffer, about("radam"), {"beta1": momentum, "beta2": 0, "lr": lr * (1 - momentum**t)},
        (liu_radam,), as_mean, label="beta2 = 0, lr (1 - beta1^t)",
    ),
    Edge(
        "amsgrad.padam", "Padam with p = 1/2 is AMSGrad.",
        about("amsgrad"), about("padam"), {"partial": sp.Rational(1, 2)}, (padam_paper,), label="p = 1/2",
    ),
    Edge(
        "momentum.padam", "Padam with p = 0 is momentum.",
        averaged_buffer, about("padam"), {"beta1": momentum, "partial": 0}, (padam_paper,), as_mean,
        label="p = 0",
    ),
    Edge(
        "adam.adabound", "AdaBound with the band wide open is Adam.",
        uncorrected, about("adabound", step_decay="none"), {"final_lr": positive_final_lr}, (luo,),
        limit=(hyper_symbol("gamma"), 0), label="gamma -> 0",
    ),
    Edge(
        "adam.ademamix", "AdEMAMix with alpha = 0 and no decay is Adam.",
        adam, about("ademamix"), {"alpha": 0, "weight_decay": 0}, (pagliardini,), {"m1": m, "nu": v},
        label="alpha = 0",
    ),
    Edge(
        "adamw.ademamix", "AdEMAMix with alpha = 0 is AdamW.",
        about("adamw"), about("ademamix"), {"alpha": 0}, (pagliardini,), {"m1": m, "nu": v},
        label="alpha = 0",
    ),
    Edge(
        "adam.adan", "Adan with beta2 = 0 and no decay is Adam.",
        adam, about("adan", start="corrected_from_zero", epsilon="outside"),
        {"beta2": 0, "beta3": beta2, "weight_decay": 0}, (xie,), {"n": v, "v": None}, label="beta2 = 0",
    ),
    Edge(
        "adam.optimistic_adam", "Optimistic Adam without optimism is Adam.",
        adam, about("optimistic_adam", weight="optimism"), {"optimism": 0}, (daskalakis,),
        label="optimism = 0",
    ),
    Edge(
        "adamw.lamb", "LAMB with trust ratio 1 is AdamW.",
        about("adamw"), about("lamb"), {"phi": 1}, (you_lamb,), condition="the trust ratio is 1",
        label="trust ratio 1",
    ),
    Edge(
        "adam.prodigy", "Prodigy whose estimate does not grow is Adam.",
        uncorrected, about("prodigy"), {"d_coefficient": 0, "d0": 1}, (mishchenko,), {"d": 1},
        label="d = 1",
    ),
    Edge(
        "adam.soap", "In dimension 1 SOAP is Adam.",
        adam, about("soap"), {}, (vyas,), {"L": v, "R": v, "Q_L": 1, "Q_R": 1}, scalar=True, nonzero=True,
        label="1 x 1",
    ),
    Edge(
        "adagrad.shampoo", "In dimension 1 Shampoo is AdaGrad.",
        about("adagrad", epsilon="inside"), about("shampoo"), {}, (gupta,), {"L": G + eps, "R": G + eps},
        from_zero, scalar=True, condition="eps under the root", label="1 x 1",
    ),
    Edge(
        "adagrad.sm3", "In dimension 1 SM3 is AdaGrad.",
        adagrad, about("sm3"), {}, (anil,), {"R": G, "C": G}, {"eps": 0, "initial_accumulator": 0},
        scalar=True, nonzero=True, label="1 x 1",
    ),
    adagrad_as_ftrl,
    replace(
        adagrad_as_ftrl, name="adagrad.ftrl_start", refuted=True, instead=adagrad_as_ftrl, start=None,
        evidence="interval arithmetic",
        title="FTRL-Proximal without penalties is AdaGrad, wherever it starts.",
    ),
    Edge(
        "adagrad.adafactor", "Adafactor with a plain mean, lr over sqrt(t) and nothing clipped is AdaGrad.",
        adagrad, about("adafactor", factored=False, relative_step=False, parameter_scale=False,
                       clipping=False),
        {"decay_rate": 1, "eps1": 0, "lr": lr / sp.sqrt(t)}, (shazeer,), {"V": G / t},
        {"eps": 0, "initial_accumulator": 0}, label="decay_rate = 1, lr/sqrt(t)",
    ),
    Edge(
        "rmsprop.schedule_free_adamw", "Schedule-Free AdamW with beta1 = 0 moves its z as RMSProp does.",
        rmsprop, about("schedule_free_adamw"),
        {"beta1": 0, "beta2": rho, "weight_decay": 0, "lr": lr / left}, (defazio,),
        {"theta": None, "z": sp.Symbol("theta")}, from_zero, label="beta1 -> 0",
    ),
    Edge(
        "gd.adabelief", "AdaBelief with beta1 = 0 does not adapt: it is gradient descent with lr/eps.",
        gd, about("adabelief", epsilon="outside", bias_correction="none"), {"beta1": 0, "lr": eps * lr},
        (zhuang,), {"s": 0}, condition="eps > 0, added to the root alone", label="beta1 = 0",
    ),
    Edge(
        "rmsprop.adabelief", "AdaBelief with beta1 = 0 is RMSProp.",
        rmsprop, about("adabelief", epsilon="outside", bias_correction="none"), {"beta1": 0, "beta2": rho},
        (zhuang,), {"s": v}, from_zero, refuted=True, ends=("0.53117524337", "-1"), right="gd.adabelief",
        evidence="interval arithmetic",
        label="beta1 = 0",
    ),
    Edge(
        "rmsprop.adopt", "ADOPT with beta1 = 0 is RMSProp.",
        rmsprop, about("adopt", clipping="none"), {"beta1": 0, "beta2": rho}, (taniguchi,),
        {"v": v}, from_zero, refuted=True, ends=("0.53117524337", "1"),
        evidence="interval arithmetic", label="beta1 = 0",
    ),
)  # fmt: skip
