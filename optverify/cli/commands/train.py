"""optverify train"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from optverify.cli.arguments import integers, listed
from optverify.cli.group import command
from optverify.cli.output import check_writable, print_json, print_table, progress

if TYPE_CHECKING:
    from optverify.problems import Problem
    from optverify.training import Trace


@command
@click.argument("problem")
@click.option("--rules", default="all", show_default=True, help="Names separated by commas, or all.")
@click.option(
    "--epochs", type=click.IntRange(min=1), help="Passes over the examples of a finite sum.  [default: 5]"
)
@click.option("--steps", type=click.IntRange(min=1), help="Updates with the full gradient.  [default: 500]")
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=64, show_default=True, help="Examples a batch."
)
@click.option(
    "--hidden", default="64", show_default=True, help="Widths of the hidden layers, separated by commas."
)
@click.option("--lr", type=float, help="Learning rate of every rule, instead of one chosen for each.")
@click.option("--schedule", metavar="NAME[,ARG=VALUE...]", help="Let the learning rate follow a schedule.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of weights and batches."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Folder for the curves (SVG, CSV).  [default: runs/PROBLEM]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def run(problem: str, rules: str, out: Path | None, as_json: bool, **settings: Any) -> None:
    """Train with one rule after another and compare them.

    PROBLEM is a data set (blobs, digits, mnist), on which a small network is trained with mini-batches, or a
    problem of `optverify list problems`: finite sums go by epochs, everything else by steps.
    """
    # On batches as small as these the threads of BLAS cost more than they save; NumPy is not imported yet.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    plan = Plan(**settings)
    target = plan.problem(problem)
    names, left_out = _names(rules)
    folder = out or Path("runs") / problem
    check_writable(folder)
    results = _run_all(plan, target, names)
    written = _write_curves(folder, [trace for trace, _ in results])
    summaries = [_summary(trace, seconds) for trace, seconds in results]
    if as_json:
        print_json(
            {
                "problem": problem,
                "results": summaries,
                "left_out": left_out,
                "files": [str(path) for path in written],
            }
        )
        return
    _print(summaries)
    if left_out:
        click.echo("Left out: " + ", ".join(f"{name} (needs {what})" for name, what in left_out.items()))
    click.echo("Curves: " + ", ".join(map(str, written)))


@dataclass(frozen=True)
class Plan:
    """How to train, as the options say."""

    epochs: int | None
    steps: int | None
    batch_size: int
    hidden: str
    lr: float | None
    schedule: str | None
    seed: int

    def problem(self, name: str) -> Problem:
        """The network on the data set of that name, or else the problem of that name."""
        from optverify.language.messages import unknown
        from optverify.problems import DATA_SETS, FiniteSum, load, names, problem

        if name not in (*DATA_SETS, *names()):
            raise ValueError(unknown("problem", name, [*DATA_SETS, *names()]))
        if name in DATA_SETS:
            data = load(name, dtype="float32")
            chosen = problem(
                "mlp", data=data, hidden=integers("--hidden", self.hidden), activation="relu", seed=self.seed
            )
        else:
            chosen = problem(name)
        if self.epochs and self.steps:
            raise click.UsageError("--epochs and --steps exclude each other: give one of them")
        if self.epochs and not isinstance(chosen, FiniteSum):
            raise click.UsageError(f"problem {name!r} has no examples to go through in epochs: give --steps")
        return chosen

    def run(self, problem: Problem, rule: str, tell: Callable[[int, int], None]) -> Trace:
        """One run: by epochs where the problem is a finite sum and no steps are asked for."""
        from optverify.problems import FiniteSum
        from optverify.problems.network import Network
        from optverify.training import MiniBatch, minimize, network_rate, train

        lr = network_rate(rule) if self.lr is None and isinstance(problem, Network) else self.lr
        if isinstance(problem, FiniteSum) and not self.steps:
            epochs = self.epochs or 5
            updates = epochs * -(-problem.n // self.batch_size)
            batches = MiniBatch(self.batch_size, self.seed)
            return train(problem, rule, epochs, batches, lr=self._rate(rule, lr, updates), progress=tell)
        steps = self.steps or 500
        return minimize(problem, rule, steps, lr=self._rate(rule, lr, steps), progress=tell)

    def _rate(self, rule: str, lr: float | None, updates: int) -> Any:
        """The number, or the schedule with lr, and with total = updates, unless these are given."""
        if self.schedule is None:
            return lr
        from optverify.rules import registry as rules
        from optverify.schedules import registry as schedules

        name, *pairs = self.schedule.split(",")
        family = schedules.get(name)
        lr = rules.get(rule).hyperparameter("lr").default if lr is None else lr
        usual = {"lr": lr, "total": updates}
        known = {h.name for h in family.hyperparameters}
        return family(**{k: v for k, v in usual.items() if k in known} | dict(map(_pair, pairs)))


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise click.UsageError(
            f"--schedule: {text!r} is not of the form argument=value, for example gamma=0.5"
        )
    for number in (int, float):
        try:
            return name, number(value)
        except ValueError:
            pass
    return name, value


def _names(rules: str) -> tuple[list[str], dict[str, str]]:
    """The rules to run; and those that `all` leaves out -> what they need besides a gradient."""
    from optverify.rules import registry

    if rules != "all":
        names = listed("--rules", rules)
        for name in names:
            registry.get(name)  # refuses an unknown one before the first run begins
        return names, {}
    demands = {name: registry.get(name).demands for name in registry.names()}
    return [n for n, what in demands.items() if not what], {n: what for n, what in demands.items() if what}


def _run_all(plan: Plan, problem: Problem, rules: list[str]) -> list[tuple[Trace, float]]:
    results = []
    with progress("training", total=len(rules)) as advance:
        for i, rule in enumerate(rules):
            began = perf_counter()
            trace = plan.run(
                problem,
                rule,
                lambda done, total, i=i, rule=rule: advance(i + done / total, rule),  # type: ignore[misc]
            )
            results.append((trace, perf_counter() - began))
            advance(i + 1, rule)
    return results


def _write_curves(folder: Path, traces: list[Trace]) -> list[Path]:
    from optverify.training.figures import plot, save
    from optverify.training.trace import write_csv

    folder.mkdir(parents=True, exist_ok=True)
    figure, table = folder / "curves.svg", folder / "curves.csv"
    save(plot(traces), figure)
    names = traces[0].columns
    columns: dict[str, list[Any]] = {name: [] for name in ("rule", *names)}
    for trace in traces:
        columns["rule"] += [trace.rule.name] * len(trace.t)
        for name, column in trace.columns.items():
            columns[name] += column.tolist()
    write_csv(table, columns)
    return [figure, table]


def _summary(trace: Trace, seconds: float) -> dict[str, Any]:
    from optverify.training import Training

    last = {name: column[-1] for name, column in trace.to_dict().items() if isinstance(column, list)}
    summary = {
        "rule": trace.rule.name,
        "updates": last["t"],
        "first_lr": float(trace.lr[0]),
        "loss": last["value"],
        "gradient_norm": last["gradient_norm"],
        "seconds": round(seconds, 3),
        "note": trace.note,
    }
    if isinstance(trace, Training):
        summary |= {name: last[name] for name in ("train_accuracy", "test_accuracy")}
        summary["seconds"] = round(float(trace.seconds[-1]), 3)
    return summary


def _print(summaries: list[dict[str, Any]]) -> None:
    accuracies = any(s.get("test_accuracy") is not None for s in summaries)
    heads = ["rule", "lr>", "updates>", "loss>"]
    heads += ["train %>", "test %>"] if accuracies else ["|gradient|>"]
    rows = []
    for s in summaries:
        row = [s["rule"], f"{s['first_lr']:g}", s["updates"], _number(s["loss"])]
        row += (
            [_percent(s["train_accuracy"]), _percent(s["test_accuracy"])]
            if accuracies
            else [_number(s["gradient_norm"])]
        )
        rows.append([*row, f"{s['seconds']:.2f}", s["note"]])
    print_table([*heads, "seconds>", "note"], rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
