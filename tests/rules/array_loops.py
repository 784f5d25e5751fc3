"""Loops written from the papers of rules that look at a whole array, and the stream they are run on."""

import numpy as np

from .hostile import RATES, STEPS, Stream

DECAY = 0.07


def gradients():
    """3 x 4: spikes, a zero row at first, a zero column, flips of sign, tiny entries, an all-zero step."""
    g = np.random.default_rng(5).normal(size=(STEPS, 3, 4)) * np.array([1.0, 1e-3, 10.0, 1.0])
    g[7] *= 1e3
    g[:6, 1] = 0
    g[:, :, 3] = 0
    g[20:22] = 0
    g[25:, 0, 0] = (-1.0) ** np.arange(25, STEPS)
    g[30:, 2, 1] *= 1e-6
    return g


MATRICES = Stream(np.random.default_rng(3).normal(size=(3, 4)), RATES, gradients())
TAMED = MATRICES._replace(gradients=np.clip(MATRICES.gradients, -3, 3))
"""A power of a matrix loses as many digits as its condition number has."""


def pairs(stream):
    """Learning rate and gradient of each update."""
    return zip(stream.rates, stream.gradients, strict=True)


def length(x):
    return float(np.sqrt(np.sum(np.square(x))))


def loss(x):
    return float(np.sum(x * x) / 2)


def adagrad_norm(b, stream=MATRICES):
    """Ward et al. (2019), Algorithm 1."""
    x, square = stream.start.copy(), b**2
    for lr, g in pairs(stream):
        square += np.sum(g * g)
        x = x - lr / square**0.5 * g
        yield x


def polyak_step(f_min, eps, bound="none", gap="signed", stream=MATRICES):
    """The gap over the square of the slope; the loss is that of `loss`."""
    x = stream.start.copy()
    for lr, g in pairs(stream):
        above = loss(x) - f_min
        above = max(above, 0.0) if gap == "positive" else above
        size = 0.0
        if g.any():
            size = above / (length(g) ** 2 + eps)
            size = size if bound == "none" else min(above / (0.6 * (length(g) ** 2 + eps)), 0.7)
        x = x - lr * size * g
        yield x


def novograd(averaging="sum", form="in_direction", stream=MATRICES):
    """Ginsburg et al. (2019), Algorithm 1."""
    x, m, v = stream.start.copy(), np.zeros_like(stream.start), None
    for lr, slope in pairs(stream):
        x = x * (1 - lr * DECAY) if form == "before_step" else x
        g = slope + DECAY * x if form == "coupled" else slope
        square = np.sum(g * g)
        v = square if v is None else 0.7 * v + 0.3 * square
        step = g / (np.sqrt(v) + 0.01) + (DECAY * x if form == "in_direction" else 0)
        m = 0.9 * m + (0.1 if averaging == "mean" else 1) * step
        x = x * (1 - lr * DECAY) - lr * m if form == "decoupled" else x - lr * m
        yield x


def lars(lr_placement="inside", nesterov=False, form="in_direction", stream=MATRICES):
    """You, Gitman and Ginsburg (2017), equation (6) and Algorithm 1."""
    x, v = stream.start.copy(), np.zeros_like(stream.start)
    for lr, g in pairs(stream):
        whole = g + DECAY * x
        size = length(g) + DECAY * length(x) if form == "in_direction" else length(whole)
        trust = 0.02 * length(x) / (size + 0.01) if length(x) and size else 1
        step = trust * whole * (lr if lr_placement == "inside" else 1)
        v = 0.8 * v + step
        move = step + 0.8 * v if nesterov else v
        x = x - move * (1 if lr_placement == "inside" else lr)
        yield x


def lamb(correction="both", form="in_direction", phi="identity", stream=MATRICES):
    """You et al. (2020), Algorithm 2."""
    x, m, v = stream.start.copy(), np.zeros_like(stream.start), np.zeros_like(stream.start)
    for k, (lr, slope) in enumerate(pairs(stream), 1):
        x = x * (1 - lr * DECAY) if form == "before_step" else x
        g = slope + DECAY * x if form == "coupled" else slope
        m, v = 0.9 * m + 0.1 * g, 0.8 * v + 0.2 * g * g
        first = m / (1 - 0.9**k) if correction in ("both", "first") else m
        second = v / (1 - 0.8**k) if correction in ("both", "second") else v
        r = first / (np.sqrt(second) + 0.01) + (DECAY * x if form == "in_direction" else 0)
        weight = length(x) if phi == "identity" else min(max(length(x), 0.5), 2.0)
        ratio = weight / length(r) if weight > 0 and length(r) > 0 else 1
        x = (x * (1 - lr * DECAY) if form == "decoupled" else x) - lr * ratio * r
        yield x


def sm3(version="II", buffer="none", epsilon="none", stream=MATRICES):
    """Anil et al. (2019), rows and columns as the cover, entry by entry."""
    (m, n), x = stream.start.shape, stream.start.copy()
    rows, columns, mean = [0.0] * m, [0.0] * n, np.zeros((m, n))
    for lr, g in pairs(stream):
        nu = np.zeros((m, n))
        if version == "I":
            rows = [rows[i] + max(g[i] ** 2) for i in range(m)]
            columns = [columns[j] + max(g[:, j] ** 2) for j in range(n)]
        for i in range(m):
            for j in range(n):
                nu[i, j] = min(rows[i], columns[j]) + (g[i, j] ** 2 if version == "II" else 0)
        if version == "II":
            rows, columns = [max(r) for r in nu], [max(c) for c in nu.T]
        step = np.zeros((m, n))
        step[nu > 0] = g[nu > 0] / np.sqrt(nu[nu > 0] + (0.01 if epsilon == "inside" else 0))
        mean = 0.9 * mean + 0.1 * step
        x = x - lr * (mean if buffer == "ema" else step)
        yield x


def adafactor(options, stream=MATRICES):
    """Shazeer and Stern (2018), Algorithms 4 and 5, with their sums."""
    form, floor = options.get("weight_decay_form"), "epsilon" in options
    x, m = stream.start.copy(), np.zeros_like(stream.start)
    row, column, full = np.zeros(x.shape[0]), np.zeros(x.shape[1]), np.zeros_like(x)
    for k, (lr, g) in enumerate(pairs(stream), 1):
        x = x * (1 - lr * DECAY) if form == "before_step" else x
        rate = min(lr, k**-0.5) if options.get("relative_step", True) else lr
        rate *= max(0.5, length(x) / x.size**0.5) if options.get("parameter_scale", True) else 1
        beta = 1 - k**-0.7
        square = g * g + (0 if floor else 0.02)
        row = beta * row + (1 - beta) * square.sum(axis=1)
        column = beta * column + (1 - beta) * square.sum(axis=0)
        full = beta * full + (1 - beta) * square
        total = row.sum()
        if floor:
            total = max(total, 0.02 * x.size)  # the mean of the row means is the sum over all entries
        v = np.outer(row, column) / total if options.get("factored", True) else full
        v = np.maximum(v, 0.02**2) if floor else v
        u = g / np.sqrt(v)
        u = u / max(1, length(u) / x.size**0.5 / 0.9) if options.get("clipping", True) else u
        m = 0.8 * m + 0.2 * rate * u
        x = x * (1 - lr * DECAY) if form == "decoupled" else x
        x = x - (m if "buffer" in options else rate * u)
        yield x


def muon(buffer="sum", nesterov=True, scaling="rows", epsilon="added", stream=MATRICES):
    """Newton-Schulz as what it does to singular values: no matrix product is shared with the rule."""
    (rows, columns), x, b = stream.start.shape, stream.start.copy(), np.zeros_like(stream.start)
    for k, (lr, g) in enumerate(pairs(stream), 1):
        w = 1 if buffer == "sum" else 0.1
        b = 0.9 * b + w * g
        move = {
            True: w * g + 0.9 * b,
            False: b,
            "corrected": w * g / (1 - 0.9**k) + 0.9 * b / (1 - 0.9 ** (k + 1)),
        }[nesterov]
        size = length(move) + 0.01 if epsilon == "added" else max(length(move), 0.01)
        u, s, vt = np.linalg.svd(move / size, full_matrices=False)
        for _ in range(5):
            s = 3.4445 * s - 4.775 * s**3 + 2.0315 * s**5
        scale = {
            "rows": max(1, rows / columns) ** 0.5,
            "columns": max(1, columns / rows) ** 0.5,
            "rms": 0.3 * max(rows, columns) ** 0.5,
            "none": 1,
        }[scaling]
        x = x - lr * scale * (u * s) @ vt
        yield x


def power(a, p):
    """Power of a symmetric positive definite matrix, by its singular values."""
    u, s, _ = np.linalg.svd(a)
    return (u * s**p) @ u.T


def shampoo(eps=0.05, memory="sum", exponent="quarter", stream=TAMED):
    """Gupta, Koren and Singer (2018), Algorithm 1."""
    x = stream.start.copy()
    left, right = (eps * np.eye(n) for n in x.shape)
    p = -0.25 if exponent == "quarter" else -0.5
    for lr, g in pairs(stream):
        old, new = (1, 1) if memory == "sum" else (0.9, 0.1)
        left, right = old * left + new * g @ g.T, old * right + new * g.T @ g
        x = x - lr * power(left, p) @ g @ power(right, p)
        yield x


def dog(first_distance="relative", stream=MATRICES):
    """Ivgi, Hinder and Carmon (2023): distance over gradients."""
    x, total, far = stream.start.copy(), 0.0, 0.0
    for lr, g in pairs(stream):
        least = 0.04 * (1 + length(stream.start)) if first_distance == "relative" else 0.04
        far = max(far, length(x - stream.start), least)
        total += np.sum(g * g)
        x = x - lr * far / np.sqrt(total + 0.01) * g
        yield x


def prodigy(correction="none", distance="old", safe=False, start_distance=0.06, stream=MATRICES):
    """Mishchenko and Defazio (2024), the Adam version."""
    x = stream.start.copy()
    m, v, s = (np.zeros_like(x) for _ in range(3))
    r, d = 0.0, start_distance
    for k, (lr, g) in enumerate(pairs(stream), 1):
        rate = lr * np.sqrt(1 - 0.9**k) / (1 - 0.8**k) if correction == "both" else lr
        m, v = 0.8 * m + 0.2 * d * g, 0.9 * v + 0.1 * d**2 * g * g
        b = 0.9**0.5
        r = b * r + (1 - b) * rate * d**2 * np.sum(g * (stream.start - x))
        s = b * s + (1 - b) * (1 if safe else rate) * d**2 * g
        new = max(d, 0.8 * r / np.abs(s).sum()) if s.any() else d
        x = x - rate * d * m / (np.sqrt(v) + (new if distance == "new" else d) * 0.01)
        d = new
        yield x
