"""One data file a schedule: `x.py` holds the schedule named `x`; calling the package lists them.

`schedule("cosine", lr=0.1, total=100)` makes one; `join`, `a.then(b)` and `a * b` compose them;
`a.shifted(k)`, `a.repeated()` and `a.at_least(lr_min)` change one. `ReduceOnPlateau` follows a metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optverify._package import make_callable
from optverify.language import FormulaSchedule, Registry, Schedule, ScheduleFamily, join
from optverify.schedules._reduce_on_plateau import ReduceOnPlateau

registry = Registry(ScheduleFamily, __name__, __path__, kind="schedule")
make_callable(__name__)

__all__ = ["ReduceOnPlateau", "join", "names", "registry", "schedule", "schedule_from_config"]

PARTS = {
    "join": {"pieces", "boundaries", "clock"},
    "product": {"left", "right"},
    "shifted": {"piece", "by"},
    "repeated": {"piece", "every"},
    "at_least": {"piece", "lr_min"},
}


def names() -> list[str]:
    """Return all names, sorted."""
    return registry.names()


def schedule(name: str, /, **arguments: Any) -> FormulaSchedule:
    """Return the schedule of that name with these values and options.

    Raises TypeError or ValueError for a name or argument that is unknown, missing, or out of range.
    """
    return registry.get(name)(**arguments)


def schedule_from_config(config: Mapping[str, Any]) -> Schedule:
    """Return the schedule that config() describes, with the checks of schedule().

    Raises TypeError or ValueError for a config that no schedule gives.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("schedule"), str):
        raise TypeError(f"{config!r} is not a schedule config: give what Schedule.config() returned")
    name = config["schedule"]
    expected = PARTS.get(name, {"arguments"})
    if set(config) - {"schedule"} != expected:
        given = ", ".join(sorted(map(str, set(config) - {"schedule"})))
        raise ValueError(
            f"config of schedule {name!r} has {given or 'nothing'}: give {', '.join(sorted(expected))}"
        )
    for part in expected & {"pieces", "boundaries"}:
        if not isinstance(config[part], list):
            raise TypeError(f"{part} of schedule {name!r} are {config[part]!r}: give a list")
    if name == "join":
        return join(map(schedule_from_config, config["pieces"]), config["boundaries"], config["clock"])
    if name == "product":
        return schedule_from_config(config["left"]) * schedule_from_config(config["right"])
    if "piece" in expected:
        piece = schedule_from_config(config["piece"])
        (argument,) = expected - {"piece"}
        return getattr(piece, name)(config[argument])  # type: ignore[no-any-return]
    if not isinstance(config["arguments"], Mapping):
        raise TypeError(f"arguments of schedule {name!r} are {config['arguments']!r}: give a dict of values")
    return schedule(name, **config["arguments"])
