"""The optimizer: a rule, its hyperparameters and its state."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from optverify.optimizers import arrays, saved
from optverify.optimizers.dialects import checked, defaults, is_default, keywords, step_module
from optverify.optimizers.trees import Path, Tree, aligned, exchanged, leaves, rebuilt, show, side_by_side
from optverify.steps import _engine
from optverify.steps._engine import Array, Lr

if TYPE_CHECKING:
    from optverify.language import Rule
    from optverify.steps._fast import Plan
    from optverify.steps._fast_trees import Table


class Optimizer:
    """A rule that trains: updates nested structures of arrays in place, stops and resumes.

        optimizer = Optimizer("adam", lr=1e-3, epsilon="hat")
        optimizer.update(params, grads)

    rule: its name. settings: hyperparameters (`lr`, `beta1`, ...; `lr` a number > 0, or a schedule, which is
    given the number of updates made) and axis options (`epsilon="hat"`); the others have their defaults.
    on_nonfinite: "error" raises on a gradient with NaN or infinity, "skip" leaves that update out.
    backend: "numpy", or "numba" for elementwise rules: the same bits, all arrays in one compiled call.

    Hyperparameters are attributes, `optimizer.lr = 0.01`; a new value is checked.
    A look-ahead rule ("nesterov") wants its gradient at `optimizer.gradient_point(params)`; with the gradient
    at params it would be plain momentum. A warning says so if gradient_point is never asked.
    Raises ValueError or TypeError for a rule, setting or value that is unknown or out of range,
    ModuleNotFoundError without Numba for its backend.
    """

    lr: Lr
    _steps: ModuleType
    _hyperparameters: dict[str, Any]
    _skips: bool
    _t: int
    _asked: bool
    _held: Tree
    _behind: bool
    _table: Table | None

    def __init__(
        self, rule: str, /, *, on_nonfinite: str = "error", backend: str = "numpy", **settings: Any
    ) -> None:
        if on_nonfinite not in ("error", "skip"):
            raise ValueError(f"on_nonfinite = {on_nonfinite!r} is not known: it is 'error' or 'skip'")
        self._steps = step_module(rule, settings, backend)
        given = {name: value for name, value in settings.items() if name not in self._steps.OPTIONS}
        self._hyperparameters = checked(self._steps, {**defaults(self._steps), **given})
        self._skips, self._backend = on_nonfinite == "skip", backend
        self._t, self._state, self._asked = 0, None, False

    # ---- what it is --------------------------------------------------------------------------------------

    @property
    def rule(self) -> Rule:
        """The rule, in the dialect chosen."""
        from optverify.rules import rule

        return rule(self._steps.RULE, **self._steps.OPTIONS)

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """Name -> value, a copy."""
        return dict(self._hyperparameters)

    @property
    def inputs(self) -> tuple[str, ...]:
        """What update() is given besides gradients; only global_norm may be left out."""
        return tuple(getattr(self._steps, "INPUTS", ()))

    @property
    def t(self) -> int:
        """The number of updates made."""
        return self._t

    @property
    def state(self) -> Tree:
        """What the rule remembers: a tree like params of States; None before the first update."""
        return self._state

    @property
    def _state(self) -> Tree:
        """The tree of States; t and numbers are set where updates of a table have left them behind."""
        if self._behind and (table := self._table) is not None:
            self._held = exchanged(self._held, self._steps.State, lambda s: table.after(s, self._t))
            self._behind = False
        return self._held

    @_state.setter
    def _state(self, state: Tree) -> None:
        self._held, self._behind, self._table = state, False, None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._hyperparameters:
            raise AttributeError(f"Optimizer has no attribute or hyperparameter {name!r}")
        return self._hyperparameters[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        if name not in self._steps.DOMAINS:
            from optverify.language.messages import unknown

            raise AttributeError(unknown("hyperparameter", name, self._steps.DOMAINS))
        if name in self._initial and self._state is not None:
            raise ValueError(
                f"{name} is where the state starts from: it cannot change after the first update"
            )
        self._hyperparameters = checked(self._steps, {**self._hyperparameters, name: value})

    def __repr__(self) -> str:
        usual = {"lr": None, **defaults(self._steps)}
        shown = {n: v for n, v in self._hyperparameters.items() if n == "lr" or v != usual.get(n)}
        shown |= {} if is_default(self._steps) else self.rule.changed_options
        shown |= {"on_nonfinite": "skip"} if self._skips else {}
        shown |= {"backend": self._backend} if self._backend != "numpy" else {}
        return f"Optimizer({', '.join([repr(self._steps.RULE), *(f'{n}={v!r}' for n, v in shown.items())])})"

    def __reduce__(self) -> tuple[Any, ...]:
        options = {} if is_default(self._steps) else self._steps.OPTIONS
        settings = {**options, **self._hyperparameters, "on_nonfinite": "skip" if self._skips else "error"}
        settings |= {"backend": self._backend}
        return _again, (self._steps.RULE, settings, self._t, saved.state_as_data(self._state, self._steps))

    # ---- updates -----------------------------------------------------------------------------------------

    def gradient_point(self, params: Tree) -> Tree:
        """The tree of points at which the rule wants its next gradient: params itself, or the look-ahead."""
        self._asked = True
        if not self._steps.LOOKS_AHEAD:
            return params
        wanted = keywords(self._steps.gradient_point)
        placed = [(path, arrays.parameter(path, p)) for path, p in leaves(params)]
        given = {name: value for name, value in self._at_t().items() if name in wanted}
        states = self._states(params, placed)
        look = self._steps.gradient_point
        return rebuilt(params, (look(p, s, **given) for (_, p), s in zip(placed, states, strict=True)))

    def update(self, params: Tree, grads: Tree, **inputs: Any) -> bool:
        """One update, written into the arrays of params. True if it was made, False if it was skipped.

        params: a writeable NumPy array of floating-point or complex numbers, or lists, tuples and dicts of
        such arrays, nested at will. grads: nested alike, each array of the same shape. inputs: what the rule
        needs besides ("svrg": snapshot_grad, full_grad), arrays nested alike; global_norm is computed.

        Raises ValueError or TypeError, naming the array, if grads do not fit params, are None or not finite,
        or if params cannot be updated in place; params and state are then as before. (An interruption in
        the middle, by the keyboard or by NumPy when it is told to raise, leaves them half updated.)
        """
        if (made := self._at_once(params, grads, inputs)) is not None:
            return made
        pairs = [
            (path, arrays.parameter(path, p), arrays.gradient(path, p, g))
            for path, p, g in aligned(params, grads, "grads")
        ]
        if not pairs:
            raise ValueError("params holds no arrays: there is nothing to update")
        placed = [(path, p) for path, p, _ in pairs]
        arrays.check_apart(placed)
        slopes = [g for _, _, g in pairs]
        if (bad := arrays.nonfinite([arrays.narrowed(p, g) for _, p, g in pairs])) is not None:
            if self._skips:
                return False
            path, p, g = pairs[bad]
            raise ValueError(
                f"grads{show(path)} {arrays.what_is_nonfinite(p, g)}: gradients must be finite; "
                "on_nonfinite='skip' leaves such updates out"
            )
        self._warn_if_never_asked()
        more = arrays.inputs(getattr(self._steps, "INPUTS", {}), inputs, params, slopes, self._steps.RULE)
        given, states = self._at_t(), self._states(params, placed)
        slopes = arrays.unshared(slopes, [p for _, p in placed])
        update = self._steps.update
        jobs = zip(placed, slopes, states, more, strict=True)
        after = [update(p, g, s, **given, **m) for (_, p), g, s, m in jobs]
        self._state, self._t = rebuilt(params, iter(after)), self._t + 1
        return True

    def _at_once(self, params: Tree, grads: Tree, inputs: Mapping[str, Any]) -> bool | None:
        """The update by one call for all arrays; None, and nothing done, if they are not made for that."""
        plan: Plan | None = getattr(self._steps, "_PLAN", None) if self._backend == "numba" else None
        both = side_by_side(params, grads) if plan and plan.tree and not inputs else None
        if plan is None or both is None:
            return None
        table = self._table
        if table is None or not table.belongs_to(both[0]):
            table = self._new_table(plan, params, both[0])
        if table is None or not table.take(both[1]):
            return None
        if not table.finite():
            return False if self._skips else None
        self._warn_if_never_asked(stacklevel=4)
        given = {n: self._hyperparameters[n] for n in keywords(self._steps.step)}
        table.update(self._t + 1, (given.pop("lr", 1.0), *given.values()))
        if table is not self._table:
            self._state = rebuilt(params, iter(table.states))
            self._table = table
        self._t, self._behind = self._t + 1, True
        return True

    def _new_table(self, plan: Plan, params: Tree, found: Sequence[Any]) -> Table | None:
        """The table of these parameters and their states; None if the loops do not take them."""
        from optverify.steps import _fast_trees

        if not found or not _fast_trees.fit(found):
            return None
        placed = [(path, arrays.parameter(path, p)) for path, p in leaves(params)]
        return _fast_trees.table(plan, found, self._states(params, placed))

    def _warn_if_never_asked(self, stacklevel: int = 3) -> None:
        if self._steps.LOOKS_AHEAD and self._t and not self._asked:
            self._asked = True  # once is enough
            warnings.warn(
                f"Optimizer({self._steps.RULE!r}) looks ahead: take gradients at "
                "optimizer.gradient_point(params), not at params",
                stacklevel=stacklevel,
            )

    @property
    def _initial(self) -> dict[str, Any]:
        """The hyperparameters that states start from; of a schedule, its rate for the first update."""
        given = {name: self._hyperparameters[name] for name in keywords(self._steps.init)}
        if callable(given.get("lr")):
            given["lr"] = _engine.rate(given["lr"], self._t)
        return given

    def _at_t(self) -> dict[str, Any]:
        """The hyperparameters of the next update, a schedule asked once."""
        given = {
            name: value for name, value in self._hyperparameters.items() if name in keywords(self._steps.step)
        }
        if callable(given.get("lr")):
            value = _engine.rate(given["lr"], self._t)
            given["lr"] = lambda t: value  # as a schedule it may be 0
        return given

    def _states(self, params: Tree, placed: list[tuple[Path, Array]]) -> list[Any]:
        """The State of every array, new on first use; ValueError if params are not those it belongs to."""
        if self._state is None:
            return [self._steps.init(p, **self._initial)._replace(t=self._t) for _, p in placed]
        states = [s for _, _, s in aligned(params, self._state, "state")]
        for (path, p), state in zip(placed, states, strict=True):
            for name, side in saved.sides(self._steps).items():
                x = getattr(state, name)
                if side == "" and (x.shape != p.shape or x.dtype != p.dtype):
                    raise ValueError(
                        f"params{show(path)} has shape {p.shape}, dtype {p.dtype} but its state {name} has "
                        f"shape {x.shape}, dtype {x.dtype}: other parameters need an Optimizer of their own"
                    )
        return states

    # ---- stop and resume ---------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on bit by bit: dicts, lists, numbers, strings, and copies of the arrays.

        "state" holds a tree like params for each state ("m", "v"), tuples as lists; a schedule is stored by
        its config(). Raises TypeError if lr is a function of one's own, which cannot be written down.
        """
        return {
            "version": saved.VERSION,
            "rule": self._steps.RULE,
            "options": dict(self._steps.OPTIONS),
            "hyperparameters": saved.hyperparameters_as_data(self._hyperparameters),
            "t": self._t,
            "state": saved.state_as_data(self._state, self._steps),
        }

    def load_state_dict(self, data: Mapping[str, Any]) -> None:
        """Go on from what state_dict() gave, hyperparameters and schedule included; the arrays are copied.

        Raises ValueError or TypeError, and changes nothing, if data is incomplete, of another version, rule
        or dialect, holds a value out of range, or arrays that do not fit each other or the present state.
        """
        saved.check_header(data, self._steps)
        hyperparameters = checked(self._steps, saved.hyperparameters_from(data, self._steps))
        state = saved.state_from(data["state"], data["t"], self._steps, like=self._state)
        self._hyperparameters, self._t, self._state = hyperparameters, data["t"], state


def _again(rule: str, settings: dict[str, Any], t: int, state: Any) -> Optimizer:
    """An optimizer that was pickled or copied."""
    optimizer = Optimizer(rule, **settings)
    optimizer._t, optimizer._state = t, saved.state_from(state, t, optimizer._steps)
    return optimizer
