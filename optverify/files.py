"""Writing a file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a path to write to; what stands there at the end takes the place of `path`, in one move.

    A link stays, and the file it names is replaced, with the permissions it had; a device or a pipe
    (/dev/stdout) is written to, never replaced. The folder must be there. On an error nothing has changed.
    OSError, in one sentence, if it cannot be written.
    """
    named = Path(path)
    try:
        target = named.resolve()
        if target.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        written_to = target.exists() and not target.is_file()
        folder = Path(mkdtemp(prefix=f".{target.name}.", dir=None if written_to else target.parent))
    except OSError as error:
        raise _refused(named, error) from None
    fresh = folder / target.name
    try:
        yield fresh
        if written_to:
            target.write_bytes(fresh.read_bytes())
        else:
            if target.exists():
                fresh.chmod(target.stat().st_mode & 0o777)
            os.replace(fresh, target)
    except OSError as error:
        raise _refused(named, error) from None
    finally:
        fresh.unlink(missing_ok=True)
        folder.rmdir()


def write_text(path: Path | str, text: str) -> None:
    """Write a text as it is, in UTF-8; see `replacing`."""
    with replacing(path) as fresh:
        fresh.write_text(text, "utf-8", newline="\n")


def _refused(path: Path, error: OSError) -> OSError:
    return OSError(f"cannot write {str(path)!r} ({error.strerror or error}): name another file")
