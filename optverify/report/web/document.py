"""The document round the sections: style, script, font, data, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from optverify._version import __version__
from optverify.report.web.section import Section, html

BASE_STYLES = ("base.css",)
BASE_SCRIPTS = ("core.js", "route.js", "search.js")
FONT = "mathematics.woff2"


def page(
    sections: Sequence[Section], title: str = "optverify: the optimizer reference", connect: str = "'none'"
) -> str:
    """The page of these sections as HTML.

    Scripts and styles stand in the page once, in the order in which they are first named, and are let in by
    their hash; there is no other source of either, no form, and no request but to `connect`.
    """
    style = _font_face() + _joined(BASE_STYLES, [s.styles for s in sections])
    script = '"use strict";\n' + _joined(BASE_SCRIPTS, [s.scripts for s in sections])
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        f"font-src data:; img-src data:; connect-src {connect}; base-uri 'none'; form-action 'none'"
    )
    return str(
        html(
            "document.html.j2",
            title=title,
            version=__version__,
            policy=policy,
            style=Markup(style),
            script=Markup(script),
            sections=sections,
            stores={name: packed(data) for s in sections for name, data in s.stores.items()},
        )
    )


def packed(data: Mapping[str, Any]) -> str:
    """Data as base64 of the deflated JSON; `ov.data` in the page undoes it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(text: str) -> Any:
    """What `packed` was given."""
    return json.loads(zlib.decompress(base64.b64decode(text)))


STORE = re.compile(r'(<script type="application/octet-stream" data-store="[^"]*">)([^<]*)')


def opened(text: str) -> str:
    """A page with its data as JSON, to compare it with another."""
    return STORE.sub(
        lambda m: m.group(1) + json.dumps(unpacked(m.group(2)), ensure_ascii=False, indent=0), text
    )


def static(name: str) -> bytes:
    """A file of `static/`."""
    return (files("optverify.report.web") / "static" / name).read_bytes()


def _joined(first: Sequence[str], named: Sequence[Sequence[str]]) -> str:
    """The text of these files, each once; nothing in them can end the element that they stand in."""
    names = dict.fromkeys([*first, *(name for group in named for name in group)])
    text = "\n".join(static(name).decode().strip() for name in names)
    if "</" in text or "<!--" in text:
        raise ValueError(f"one of {', '.join(names)} holds '</' or '<!--', which would end its element")
    return text


def _font_face() -> str:
    data = base64.b64encode(static(FONT)).decode()
    return f'@font-face{{font-family:"Mathematics";src:url(data:font/woff2;base64,{data}) format("woff2")}}\n'


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
