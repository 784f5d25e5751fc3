"""PyTorch and JAX: the numbers of the NumPy step, exact hypergradients, and one compilation for every t."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from optverify.backends.export import export_rule
from optverify.backends.export.header import identifier
from optverify.language import grad, t, theta
from optverify.language import lr as rate
from optverify.rules import registry, rule

from .export_cases import UPDATES, case, distance, expected, imported, run, used
from .test_export import NAMES, WRAPPED

HEAVY = {"shampoo": 1e-10, "soap": 1e-9, "muon": 1e-12, "prodigy": 1e-12}
"""As for the compiled programs: powers and bases of matrices, and inner products that cancel."""
NEAR = {"torch": 1e-13, "jax": 2e-12}
"""JAX raises to t by a routine of its own, and 1 - beta^t multiplies what that rounds by 1/(1 - beta)."""
SMOOTH = [
    "gd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adam",
    "adamw",
    "nadam",
    "radam",
    "schedule_free_sgd",
]
"""Rules whose derivative with respect to lr is compared with SymPy's."""


class Torch:
    """What the tests need of PyTorch."""

    name = "torch"

    def __init__(self):
        self.torch = pytest.importorskip("torch", reason="needs torch: these tests run where the peers are")

    def array(self, x):
        """An array as a tensor."""
        return self.torch.from_numpy(np.array(x))

    def derivative(self, function, x):
        """Of a function of one number."""
        number = self.torch.tensor(x, dtype=self.torch.float64, requires_grad=True)
        (made,) = self.torch.autograd.grad(function(number), number)
        return float(made)

    def compiled(self, function):
        """A function compiled whole, and how often that was done."""
        graphs = []

        def backend(graph, inputs):
            graphs.append(graph)
            return graph.forward

        self.torch.compiler.reset()
        return self.torch.compile(function, backend=backend, fullgraph=True), lambda: len(graphs)


class Jax:
    """What the tests need of JAX, in float64."""

    name = "jax"

    def __init__(self):
        self.jax = pytest.importorskip("jax", reason="needs jax: these tests run where the peers are")
        self.jax.config.update("jax_enable_x64", True)

    def array(self, x):
        """An array of JAX."""
        return self.jax.numpy.asarray(x)

    def derivative(self, function, x):
        """Of a function of one number."""
        return float(self.jax.grad(function)(x))

    def compiled(self, function):
        """A function compiled, and how often that was done."""
        made = self.jax.jit(function)
        return made, made._cache_size


@pytest.fixture(params=[Torch, Jax], ids=["torch", "jax"])
def library(request):
    """PyTorch or JAX."""
    made = request.param()
    yield made
    if made.name == "jax":
        made.jax.config.update("jax_enable_x64", False)


def module_of(library, chosen, folder, name="exported"):
    """The exported module of a rule."""
    own = f"{library.name}_{identifier(chosen.name)}_{name}"  # torch.compile knows modules by their names
    return imported(export_rule(chosen, library.name), folder, own)


@pytest.mark.parametrize("name", [*NAMES, *WRAPPED])
def test_every_dialect_that_changes_one_option(library, tmp_path, name):
    near = next((d for n, d in HEAVY.items() if n in name), NEAR[library.name])
    for i, dialect in enumerate(rule(name).dialects(1)):
        c = case(dialect)
        with np.errstate(all="ignore"):
            got = run(module_of(library, dialect, tmp_path, str(i)), c, library.array, library.array)
        assert distance(got, expected(c)) < near, dialect.changed_options


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(library, tmp_path, name):
    c = case(rule(name))
    module = module_of(library, c.rule, tmp_path)
    x = library.array(c.theta.astype(np.float32))
    state = module.init(x, **used(module.init, c.updates[0].values))
    for u in c.updates[:2]:
        given = {n: v if np.ndim(v) == 0 else library.array(v.astype(np.float32)) for n, v in u.given.items()}
        gradient = library.array(u.gradient.astype(np.float32))
        x, state = module.step(x, gradient, state, **given, **used(module.step, u.values))
        for s in (theta, *c.rule.states):
            made = x if s is theta else getattr(state, s.name)
            assert str(made.dtype).endswith("float64" if s.scalar else "float32"), s.name
    assert int(state.t) == 2


@pytest.mark.parametrize("name", NAMES)
def test_it_is_compiled_once_and_counts_on(library, tmp_path, name):
    c = case(rule(name))
    module = module_of(library, c.rule, tmp_path)
    fixed = used(module.step, c.updates[0].values)

    def step(x, gradient, state, **given):
        return module.step(x, gradient, state, **given, **fixed)

    compiled, times = library.compiled(step)
    x = library.array(c.theta)
    state = module.init(x, **used(module.init, c.updates[0].values))
    for u in c.updates[:4]:
        given = {n: library.array(v) for n, v in u.given.items()}
        x, state = compiled(x, library.array(u.gradient), state, **given)
    assert times() == 1
    assert distance(np.asarray(x).ravel(), c.rows(expected(c))[4, "theta"]) < 1e-9


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's own, on its way to the code
def test_torch_compile_with_code_generation(tmp_path):
    torch = pytest.importorskip("torch", reason="needs torch: these tests run where the peers are")
    c = case(rule("adam"))
    module = imported(export_rule(c.rule, "torch"), tmp_path, "torch_inductor")
    step = torch.compile(module.step, fullgraph=True)
    x = torch.from_numpy(c.theta.copy())
    state = module.init(x)
    for u in c.updates[:3]:
        x, state = step(x, torch.from_numpy(u.gradient), state)
    assert distance(x.numpy(), c.rows(expected(c))[3, "theta"]) < 1e-12


@pytest.mark.parametrize("name", ["lion", "rprop", "signsgd"])
def test_a_gradient_that_is_nan_shows(library, tmp_path, name):
    c = case(rule(name))
    first = replace(c.updates[0], gradient=np.where(np.arange(12) == 3, np.nan, c.updates[0].gradient))
    c = replace(c, updates=(first, *c.updates[1:]))
    with np.errstate(all="ignore"):
        got = run(module_of(library, c.rule, tmp_path), c, library.array, library.array)
    assert np.isnan(c.rows(expected(c))[1, "theta"][3])
    assert distance(got, expected(c)) < NEAR[library.name]


@pytest.mark.parametrize("name", ["lamb", "lars", "novograd", "clip_by_norm(adam)"])
def test_arrays_without_numbers(library, tmp_path, name):
    chosen = rule(name)
    module = module_of(library, chosen, tmp_path)
    x = library.array(np.zeros(0))
    made, state = module.step(x, x, module.init(x))
    assert made.shape == (0,)
    assert int(state.t) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms_of_the_largest_numbers(library, tmp_path, dtype):
    module = module_of(library, rule("lars"), tmp_path)
    largest = np.finfo(dtype).max
    for x in ([largest, 0], [largest / 2, -largest / 2], [largest / 3, 1]):
        wanted = float(np.linalg.norm(np.array(x, np.longdouble)))
        got = module.norm(library.array(np.array(x, dtype)))
        assert float(got) == pytest.approx(wanted, rel=4 * float(np.finfo(dtype).eps))


# ---- hypergradients ------------------------------------------------------------------------------------


RATE = sp.Float("0.05", 50)


def slope(x):
    """The gradient of x^4/4 + x^2 + x, a loss that is no parabola."""
    return x**3 + 2 * x + 1


def loss(x):
    """x^4/4 + x^2 + x."""
    return x**4 / 4 + x**2 + x


def unrolled(library, module, c, updates):
    """The loss after some updates as a function of lr."""

    values = c.updates[0].values

    def final(number):
        x = library.array(np.array([0.75]))
        state = module.init(x, **used(module.init, values))
        for _ in range(updates):
            point = module.gradient_point(x, state, **used(module.gradient_point, values)) if c.looks else x
            x, state = module.step(x, slope(point), state, **{**used(module.step, values), "lr": number})
        return loss(x)[0]

    return final


def exact(chosen, values, updates):
    """The derivative of that loss with respect to lr: SymPy's of every line, chained in 50 digits."""
    env = {h.symbol: sp.Float(str(values[h.name]), 50) for h in chosen.hyperparameters} | {rate: RATE}
    along = {rate: sp.S.One, theta.before: sp.S.Zero}
    env[theta.before] = sp.Float("0.75", 50)

    def put(symbol, e):
        """Symbol = e, and its derivative."""
        slopes = [e.diff(x) * dx for x, dx in along.items() if e.has(x)]
        along[symbol] = sum((d.subs(env) for d in slopes), sp.S.Zero)
        env[symbol] = sp.sympify(e).subs(env)

    for s in chosen.states:
        put(s.before, sp.sympify(s.initial))
    for i in range(1, updates + 1):
        env[t] = sp.Integer(i)
        put(grad, slope(chosen.gradient_point))
        for lhs, rhs in chosen.assignments:
            put(lhs, rhs)
        for s in (theta, *chosen.states):
            env[s.before], along[s.before] = env[s.now], along[s.now]
    return float(loss(theta.before).diff(theta.before).subs(env) * along[theta.before])


@pytest.mark.parametrize("name", SMOOTH)
def test_the_derivative_with_respect_to_lr_is_sympys(library, tmp_path, name):
    chosen = rule(name)
    c = case(chosen, shape=(1,))
    module = module_of(library, chosen, tmp_path)
    got = library.derivative(unrolled(library, module, c, 3), 0.05)
    assert got == pytest.approx(exact(chosen, c.updates[0].values, 3), rel=1e-11)


def test_second_derivatives_go_through_too(tmp_path):
    torch = pytest.importorskip("torch", reason="needs torch: these tests run where the peers are")
    module = imported(export_rule(rule("momentum"), "torch"), tmp_path, "torch_second")
    number = torch.tensor(0.05, dtype=torch.float64, requires_grad=True)
    c = case(rule("momentum"), shape=(1,))
    value = unrolled(Torch(), module, c, 2)(number)
    (first,) = torch.autograd.grad(value, number, create_graph=True)
    (second,) = torch.autograd.grad(first, number)
    step = 1e-5
    ahead, behind = (Torch().derivative(unrolled(Torch(), module, c, 2), 0.05 + s) for s in (step, -step))
    assert float(second) == pytest.approx((ahead - behind) / (2 * step), rel=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_no_branch_that_is_not_chosen_makes_a_derivative_nan(library, tmp_path, name):
    chosen = registry.get(name)
    c = case(chosen)
    module = module_of(library, chosen, tmp_path)
    number = "lr" if "lr" in used(module.step, c.updates[0].values) else "eta_plus"  # Rprop's steps grow

    def total(given_rate):
        x = library.array(c.theta)
        state = module.init(x, **used(module.init, c.updates[0].values))
        for u in c.updates[: UPDATES // 2]:
            given = {n: library.array(v) for n, v in u.given.items()}
            gradient = library.array(np.where(u.gradient == 0, 0.5, u.gradient))
            values = {**used(module.step, u.values), number: given_rate}
            x, state = module.step(x, gradient, state, **given, **values)
        return (x**2).sum()

    assert np.isfinite(library.derivative(total, 0.01 if number == "lr" else 1.2))
