"""The invariance table: what is known of each rule, in its paper's dialect. The columns are in `_symmetries`.

+ holds; c holds under conditions (constants scaled along, or 0); - refuted by rational numbers; ~ refuted by
numbers enclosed in intervals.
"""

from __future__ import annotations

from optverify.claims._claim import Evidence, Verdict

Cell = tuple[Verdict, Evidence]
MARKS: dict[str, Cell] = {
    "+": ("holds", "proved"),
    "c": ("holds under conditions", "proved"),
    "-": ("refuted", "exact certificate"),
    "~": ("refuted", "interval arithmetic"),
}

TABLE = """
rule                 scale  rate  units  diagonal  mirror  translation  rotation  two_sided  permutation
adabelief            c      ~     ~      c         +       +            ~         ~          +
adabound             c      ~     ~      ~         +       +            ~         ~          +
adadelta             ~      c     ~      ~         +       +            ~         ~          +
adafactor            c      ~     c      ~         +       ~            ~         ~          +
adagrad              c      ~     ~      c         +       +            ~         ~          +
adagrad_norm         c      ~     ~      ~         +       +            +         +          +
adam                 c      -     -      c         +       +            -         -          +
adamax               +      -     -      +         +       +            -         -          +
adamw                c      -     -      c         +       c            -         -          +
adan                 c      ~     ~      c         +       c            ~         ~          +
ademamix             c      -     -      c         +       c            -         -          +
adopt                c      -     -      -         +       +            -         -          +
aggmo                -      +     -      -         +       +            +         +          +
amsgrad              c      ~     ~      c         +       +            ~         ~          +
asgd                 -      +     -      -         +       +            +         +          +
dog                  c      ~     ~      ~         +       ~            +         +          +
ftrl                 c      ~     ~      c         +       ~            ~         ~          +
gd                   -      +     -      -         +       +            +         +          +
lamb                 c      ~     c      c         +       ~            ~         ~          +
laprop               c      -     -      c         +       +            -         -          +
lars                 c      ~     c      ~         +       ~            +         +          +
lion                 +      -     -      +         +       c            -         -          +
lookahead            -      +     -      -         +       +            +         +          +
madgrad              ~      ~     ~      ~         +       +            ~         ~          +
momentum             -      +     -      -         +       +            +         +          +
muon                 c      ~     ~      ~         +       +            ~         +          +
nadam                c      ~     ~      c         +       +            ~         ~          +
nesterov             -      +     -      -         +       +            +         +          +
novograd             c      ~     ~      ~         +       c            +         +          +
optimistic_adam      c      -     -      c         +       +            -         -          +
optimistic_gd        -      +     -      -         +       +            +         +          +
padam                ~      ~     ~      ~         +       +            ~         ~          +
polyak_step          c      ~     c      ~         +       +            +         +          +
prodigy              c      ~     c      ~         +       +            ~         ~          +
qhadam               c      -     -      c         +       +            -         -          +
qhm                  -      +     -      -         +       +            +         +          +
radam                -      ~     -      -         +       +            ~         ~          +
rmsprop              c      ~     ~      c         +       +            ~         ~          +
rprop                +      -     -      +         +       +            -         -          +
sam                  -      +     ~      ~         +       +            +         +          +
schedule_free_adamw  c      ~     ~      c         +       c            ~         ~          +
schedule_free_sgd    -      +     -      -         +       +            +         +          +
sgdw                 -      c     -      -         +       c            +         +          +
shampoo              c      ~     ~      ~         +       +            ~         +          +
signsgd              +      -     -      +         +       +            -         -          +
signum               +      -     -      +         +       +            -         -          +
sm3                  +      -     -      ~         +       +            -         -          +
soap                 c      -     -      -         +       +            -         -          ~
svrg                 -      +     -      -         +       +            +         +          +
yogi                 c      ~     ~      c         +       +            ~         ~          +
"""

NO_SLIP = frozenset(
    [*(("optimistic_gd", c) for c in ("scale", "units", "diagonal")), ("sam", "units"), ("sam", "diagonal")]
)
"""Cells that no single slip in the rule changes, as its other terms remain: derived, but no claims."""

FROM_IDENTITY = "the first step is taken in the basis of the identity, from which power iteration goes on"
NOTES = {
    ("soap", "two_sided"): FROM_IDENTITY,
    ("soap", "permutation"): FROM_IDENTITY,
    ("adopt", "diagonal"): "epsilon is positive in this rule; it is so while no root mean square is below it",
}
"""(rule, symmetry) -> what the scope of a cell says besides."""


def expected() -> dict[str, dict[str, Cell]]:
    """Rule -> symmetry -> verdict and evidence."""
    (_, *names), *rows = (line.split() for line in TABLE.strip().splitlines())
    return {rule: dict(zip(names, map(MARKS.__getitem__, marks), strict=True)) for rule, *marks in rows}
