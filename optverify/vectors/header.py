"""What stands at the head of a file, and what a failure with a flag means."""

from __future__ import annotations

from typing import Any

from optverify._version import __version__
from optverify.language import Rule, ScheduleFamily

FORMAT, VERSION = "optverify vectors", 1

FLAGS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "Usual": ("the recurrence itself is another one: start here", "recurrence", ()),
    "ZeroGradient": (
        "zero gradients are skipped, or a quotient of zeros is not what the rule says: states must fade and"
        " decay must go on without a gradient", "zero handling",
        ("https://github.com/google-deepmind/optax/issues/1754",)),
    "ZeroStart": (
        "a norm, a second moment or a distance that is still zero is divided by, or not guarded as the rule"
        " has it",
        "zero handling", ()),
    "WeightDecay": (
        "decay is missing, has the wrong sign, or stands elsewhere: coupled (L2), decoupled with or without"
        " lr", "weight decay",
        ("https://arxiv.org/abs/1711.05101", "https://github.com/pytorch/pytorch/issues/38853")),
    "Memory": ("a decay rate is wrong, used for another state, or used as 1 - beta", "states", ()),
    "SignFlip": (
        "a sign is lost, an absolute value is missing, or a state keeps what it should forget", "signs", ()),
    "NearEpsilon": (
        "epsilon stands elsewhere: outside the root, inside it, or before bias correction (epsilon-hat)",
        "epsilon",
        ("https://arxiv.org/abs/1412.6980", "https://github.com/tensorflow/tensorflow/issues/9047")),
    "BelowEpsilon": ("epsilon has another size or stands under the root", "epsilon",
                     ("https://github.com/pytorch/pytorch/pull/92551",)),
    "Huge": ("a square overflows, or is scaled or clipped without need", "range", ()),
    "Subnormal": (
        "numbers below the normal ones are flushed to zero, or a square that vanishes is divided by", "range",
        ("https://github.com/chainer/chainer/issues/6299",)),
    "FallingMoment": (
        "a maximum is taken over another quantity, or not at all (AMSGrad), or an old state is read for the"
        " new one",
        "states", ("https://arxiv.org/abs/1904.09237",)),
    "ChangedRate": (
        "lr is inside the buffer where it belongs outside, or the reverse; or a change of lr is not seen",
        "learning rate", ("https://github.com/pytorch/pytorch/issues/1099",)),
    "Steady": ("an estimate of distance, a count or a bound grows in another way", "estimates", ()),
    "Shape": (
        "a norm or a mean is taken over other numbers, rows for columns, or a shape is not taken", "shapes",
        ()),
    "LongRun": (
        "a bias correction, a schedule or a count is off by one, or drifts, when t is large", "time", ()),
    "GivenState": (
        "states given from outside are not taken over; leave these tests out if a program cannot be given"
        " states",
        "time", ()),
    "Start": ("t counts the updates already made: the first update reads t = 0", "time", ()),
    "Seam": (
        "one piece ends and the next begins one update early or late, or a float decides which: count in"
        " integers",
        "seams", ("https://arxiv.org/abs/1608.03983",)),
    "End": ("the last value is reached early or late, or not at all", "end", ()),
    "BeyondEnd": (
        "after the end the rate is extrapolated instead of held, reflected or begun anew", "end", ()),
    "Restart": (
        "the index of the cycle comes from a logarithm, which is wrong at exact restarts", "seams",
        ("https://arxiv.org/abs/1608.03983",)),
    "LargeTime": ("t is kept in a float, or a carried rate drifts", "time", ()),
    "Joined": ("a piece that takes over reads the wrong clock, its own or the common one", "seams", ()),
}  # fmt: skip
"""Flag -> (what a failure means, the kind of fault, links)."""


def notes(flags: list[str]) -> dict[str, Any]:
    """The notes of these flags."""
    return {
        flag: {"meaning": FLAGS[flag][0], "kind": FLAGS[flag][1], "links": list(FLAGS[flag][2])}
        for flag in flags
    }


def generator() -> str:
    """What wrote a file."""
    return f"optverify {__version__}"


def _begin(kind: str, name: str, subject: Rule | ScheduleFamily) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "generator": generator(),
        "kind": kind,
        kind: name,
        "title": subject.title,
        "summary": subject.summary,
        "sources": [{"citation": str(s), "link": s.link} for s in subject.sources],
    }


def header(rule: Rule) -> dict[str, Any]:
    """The head of the file of a rule."""
    return {
        **_begin("rule", rule.name, rule),
        "equations": {"text": [f"{lhs} = {rhs}" for lhs, rhs in rule.assignments], "latex": rule.latex()},
        "gradient_point": str(rule.gradient_point),
        "hyperparameters": [
            {"name": h.name, "latex": h.latex, "domain": str(h.domain), "meaning": h.meaning}
            for h in rule.every_hyperparameter
        ],
        "states": [
            {"name": s.name, "shape": s.shape, "initial": str(s.initial), "meaning": s.meaning}
            for s in rule.every_state
        ],
        "axes": [
            {"name": a.name, "question": a.question, "default": a.default,
             "options": {_word(o): meaning for o, meaning in a.options.items()}}
            for a in rule.axes
        ],
    }  # fmt: skip


def schedule_header(family: ScheduleFamily) -> dict[str, Any]:
    """The head of the file of a schedule."""
    return {
        **_begin("schedule", family.name, family),
        "equations": {"text": [f"{lhs} = {rhs}" for lhs, rhs in family.lines()], "latex": family.latex()},
        "parameters": [
            {"name": h.name, "latex": h.latex, "domain": str(h.domain), "meaning": h.meaning}
            for h in family.hyperparameters
        ],
        "axes": [
            {"name": a.name, "question": a.question, "default": a.default,
             "options": {_word(o): meaning for o, meaning in a.options.items()}}
            for a in family.axes
        ],
    }  # fmt: skip


def _word(option: Any) -> str:
    return str(option).lower() if isinstance(option, bool) else str(option)
