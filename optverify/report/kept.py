"""Reports on disk, by content: what was made once of the same sources is not made again.

The key is a hash of everything a report hangs on: every file of the package, the versions of libraries and
what else the manifest names. One compressed file a report lies in the user's cache folder; where that cannot
be read or written, reports are made anew.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from tempfile import NamedTemporaryFile

from platformdirs import user_cache_path

from optverify.conformance.recorded import recorded_file
from optverify.ledger.content import digest
from optverify.report.manifest import environment
from optverify.vectors.bank import default_folder
from optverify.vectors.files import IDS

ROOT = Path(__file__).parents[1]
KEPT = 3
"""Reports; the oldest go first."""

Files = dict[str, str]


def kept(make: Callable[[], Files], folder: Path | None = None) -> Files:
    """The files of the report: those in `folder` (the user's cache) under today's key, else made."""
    folder = folder or user_cache_path("optverify") / "reports"
    path = folder / f"{key()}.json.gz"
    found = _read(path)
    if found is None:
        found = make()
        _write(path, found)
    return found


def key() -> str:
    """A hash of all that a report hangs on. Installed libraries count, since some only add what is shown."""
    sources = [p for p in sorted(ROOT.rglob("*")) if p.is_file() and p.suffix != ".pyc"]
    beside = [p for p in (recorded_file(), default_folder() / IDS) if ROOT not in p.parents]
    names = [p.relative_to(ROOT).as_posix() for p in sources] + [p.name for p in beside]
    named = (
        part for name, p in zip(names, [*sources, *beside], strict=True) for part in (name, p.read_bytes())
    )
    installed = sorted(f"{d.name} {d.version}" for d in distributions())
    return digest([json.dumps(environment()), *installed, *named])


def _read(path: Path) -> Files | None:
    try:
        found = json.loads(gzip.decompress(path.read_bytes()))
        os.utime(path)  # used now: not the oldest
    except (OSError, ValueError, EOFError, zlib.error):
        return None
    whole = isinstance(found, dict) and all(isinstance(text, str) for text in found.values())
    return found if whole else None


def _write(path: Path, files: Files) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as fresh:
            fresh.write(gzip.compress(json.dumps(files).encode(), 6, mtime=0))
        os.replace(fresh.name, path)
        reports = sorted(path.parent.glob("*.json.gz"), key=lambda p: p.stat().st_mtime)
        for old in reports[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return
