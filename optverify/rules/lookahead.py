"""Lookahead: gradient descent that returns, every k steps, to a point between the last two such points."""

from optverify.language import wrapper
from optverify.rules.gd import gd

wrapped = wrapper("lookahead")(gd)
lookahead = wrapped.named(
    "lookahead",
    title="Lookahead",
    summary="Every k steps the parameters return to a point between where they are and where they began.",
    sources=wrapped.sources[:1],
)
