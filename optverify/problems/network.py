"""A multilayer perceptron: softmax cross-entropy over a labelled data set; theta is a list of layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import check_size, choice, integer
from .data import DataSet, load
from .points import Tree, checked
from .problem import FiniteSum
from .registry import register


@dataclass(frozen=True, eq=False, kw_only=True)
class Network(FiniteSum):
    """A classifying network over `data`; theta = [{"W": (inputs, outputs), "b": (outputs,)}, ...]."""

    data: DataSet
    activation: str

    def logits(self, theta: Tree, x: NDArray[Any]) -> NDArray[Any]:
        """The scores of the classes, shape (examples, classes), for x of shape (examples, inputs)."""
        point = checked(theta, self.initial, self.name)
        inputs = self.initial[0]["W"].shape[0]
        if np.ndim(x) != 2 or np.shape(x)[1] != inputs:
            raise ValueError(
                f"x of problem {self.name!r} must have shape (examples, {inputs}), got {np.shape(x)}"
            )
        return np.asarray(_forward(point, x, self.activation))

    def accuracy(self, theta: Tree, x: NDArray[Any], y: NDArray[Any]) -> float:
        """The fraction of the examples x whose highest score is that of their label y."""
        if np.shape(y) != np.shape(x)[:1]:
            raise ValueError(
                f"y of problem {self.name!r} must hold one label for each of the {len(x)} rows of x, "
                f"got shape {np.shape(y)}"
            )
        return float(np.mean(np.argmax(self.logits(theta, x), axis=1) == y))


@register
def mlp(
    data: DataSet | str = "blobs", hidden: Sequence[int] = (16,), activation: str = "tanh", seed: int = 0
) -> Network:
    r"""A multilayer perceptron, mean softmax cross-entropy over the training part of `data`.

    h_0 = x, h_l = phi(h_{l-1} W_l + b_l), logits = h_{k-1} W_k + b_k,
    f = (1/n) \sum_i (log \sum_c exp(logits_ic) - logits_{i, y_i}).

    `data` is a DataSet or the name of one, `hidden` the widths of the hidden layers (none of them: softmax
    regression). phi is "tanh" (weights by Glorot, variance 2/(inputs + outputs)) or "relu" (by He, variance
    2/inputs; the subgradient chosen at 0 is 0); the last layer is by Glorot; biases start at 0. The weights
    are drawn with `seed`, in the dtype of the data. The infimum is at least 0 and otherwise not known.
    """
    data = load(data) if isinstance(data, str) else data
    if not isinstance(data, DataSet):
        raise TypeError(f"mlp: data must be a DataSet or the name of one, got {type(data).__name__}")
    choice("activation", activation, _ACTIVATIONS)
    if isinstance(hidden, str) or not isinstance(hidden, Sequence):
        raise TypeError(f"mlp: hidden must be a sequence of layer widths like (64,), got {hidden!r}")
    widths = [integer("mlp", "hidden", width, least=1) for width in hidden]
    check_size(
        "mlp", sum(map(prod, pairwise([data.train_x.shape[-1], *widths]))), f"hidden = {tuple(widths)}"
    )
    rng = np.random.default_rng(integer("mlp", "seed", seed, least=0))
    features, labels = data.train_x, data.train_y

    def batch(theta: Tree, xp: Any, indices: Any) -> Any:
        return _cross_entropy(_forward(theta, features[indices], activation), labels[indices])

    return Network(
        name="mlp",
        title="Multilayer perceptron",
        latex=r"\frac{1}{n} \sum_{i=1}^{n} \left(\log \sum_{c} e^{z_{i c}} - z_{i y_i}\right), \quad"
        r" z_i = W_k^{\top} \phi(\cdots \phi(W_1^{\top} x_i + b_1) \cdots) + b_k",
        symbols={
            "n": f"number of examples, {len(labels)}",
            "x_i, y_i": "features and label of an example",
            "z_{i c}": "its score for class c",
            "k": f"number of layers, {len(widths) + 1}",
            r"W_1, b_1, \dots, W_k, b_k": "weights and biases of the layers: the parameters",
            r"\phi": f"the activation, {activation}, elementwise",
        },
        source="Rumelhart, Hinton & Williams 1986; Glorot & Bengio 2010; He et al. 2015, arXiv:1502.01852",
        initial=_initial(rng, [features.shape[1], *widths, data.classes], activation, features.dtype),
        n=len(labels),
        batch=batch,
        # ReLU has kinks.
        tags=frozenset(
            {"nonconvex", "finite_sum", "network", "nonsmooth" if activation == "relu" else "smooth"}
        ),
        data=data,
        activation=activation,
    )


def _initial(rng: np.random.Generator, sizes: list[int], activation: str, dtype: Any) -> list[dict[str, Any]]:
    layers = []
    for depth, (inputs, outputs) in enumerate(pairwise(sizes)):
        he = activation == "relu" and depth < len(sizes) - 2
        deviation = np.sqrt(2 / inputs) if he else np.sqrt(2 / (inputs + outputs))
        W = (deviation * rng.standard_normal((inputs, outputs))).astype(dtype)
        layers.append({"W": W, "b": np.zeros(outputs, dtype)})
    return layers


def _tanh(z: Any) -> Any:
    import autograd.numpy as anp

    return anp.tanh(z)


def _relu(z: Any) -> Any:
    import autograd.numpy as anp

    return z * (anp.real(z) > 0)


_ACTIVATIONS = {"tanh": _tanh, "relu": _relu}


def _forward(theta: Tree, x: Any, activation: str) -> Any:
    phi = _ACTIVATIONS[activation]
    *hidden, last = theta
    h = x
    for layer in hidden:
        h = phi(h @ layer["W"] + layer["b"])
    return h @ last["W"] + last["b"]


def _cross_entropy(logits: Any, labels: NDArray[np.intp]) -> Any:
    """Mean of logsumexp(logits) - logits[label]; the shift against overflow is a constant to autograd."""
    import autograd.numpy as anp
    from autograd.tracer import getval

    shift = np.max(np.real(getval(logits)), axis=1, keepdims=True)
    shifted = logits - shift
    log_partition = anp.log(anp.sum(anp.exp(shifted), axis=1))
    return anp.mean(log_partition - shifted[np.arange(len(labels)), labels])
