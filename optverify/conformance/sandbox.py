"""Other people's code in a process of its own, with a time limit: a crash or a hang becomes an answer.

The child is this module, run as a program. It is handed a job as JSON, loads what is to be judged, and leaves
its answer in a file; what it prints goes into a pipe of which the last lines are kept, to explain a crash. If
it hangs, it says where it stands before it is killed, with all processes that it started.
"""

from __future__ import annotations

import faulthandler
import functools
import importlib
import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from json import dumps, loads  # by name: their code may replace those of the module
from os import _exit
from pathlib import Path
from typing import Any, Literal

How = Literal["answered", "raised", "crashed", "hung", "refused", "broken"]

GRACE = 1.0
"""Seconds before the limit at which a child that hangs writes down where it stands."""
PROCESS = "process"
"""The adapter whose target is a command."""
KEPT = 400
"""Lines of the child's output that are kept."""
FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+),? in (?P<name>\S+)')
SPEAKER = str(Path(__file__).with_name("adapters") / "process.py")
"""What it raises is said of a process, which is theirs."""
TOOLS = frozenset({"numpy", "sympy", "mpmath", "autograd"})
OURS = str(Path(__file__).resolve().parents[1]) + os.sep


@dataclass(frozen=True)
class Ending:
    """How a job ended: an answer, or a sentence on what happened instead.

    how: "refused" means that the job itself was wrong (no such module, no such rule); "raised" that their
    code raised, "broken" that ours did: then the answer is the traceback.
    """

    how: How
    answer: Any = None
    detail: str = ""
    seconds: float = 0.0


class JobError(ValueError):
    """The job cannot be done as it was asked for."""


def load(target: str, arguments: Mapping[str, Any] | None = None) -> Any:
    """What `module:Class` or `path/to/file.py:Class` names; with arguments, what makes it with those.

    Raises JobError if there is no such module or no such name in it; what the module raises gets through.
    """
    home, colon, name = target.rpartition(":")
    if not (colon and home and name):
        raise JobError(f"{target!r} is not of the form module:Class or path/to/file.py:Class")
    found: Any = _from_file(Path(home)) if home.endswith(".py") else _from_module(home)
    for part in name.split("."):
        if not hasattr(found, part):
            raise JobError(_no_such_name(home, part, found))
        found = getattr(found, part)
    return functools.partial(found, **arguments) if arguments else found


def command(line: str, seconds: float) -> Any:
    """What starts another program, as the adapter for processes takes it: it may take half of the time."""
    from optverify.conformance.adapters.process import Command

    words = shlex.split(line)
    if not words or shutil.which(words[0]) is None:
        raise JobError(f"there is no program {line.partition(' ')[0]!r}: give its path, and its arguments")
    return Command(words, time_limit=min(10.0, seconds / 2))


def _from_file(path: Path) -> Any:
    if not path.is_file():
        raise JobError(f"there is no file {str(path)!r}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.parent.resolve()))
    spec.loader.exec_module(module)
    return module


def _from_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise JobError(f"there is no module {error.name!r} here or among the installed ones") from None
        raise


def _no_such_name(home: str, part: str, found: Any) -> str:
    from optverify.language.messages import unknown

    return f"{home}: {unknown('name', part, [n for n in dir(found) if not n.startswith('_')])}"


# ---- the parent --------------------------------------------------------------------------------------------


def run(task: str, target: str, seconds: float, **job: Any) -> Ending:
    """Do a task (`module:function`, called with what the target names and with the job) in a fresh process.

    job: anything JSON can carry; `arguments`, if among it, are handed to the target itself when it makes the
    optimizer. The function returns what JSON can carry.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        order, answer = Path(folder, "job"), Path(folder, "answer")
        order.write_text(dumps({"task": task, "target": target, "job": job}), "utf-8")
        child = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import child; child()", folder, str(seconds)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=_environment(),
            start_new_session=True,
        )
        output = _Tail(child)
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(child)
        lines = output.lines()
        where = Path(folder, "where").read_text("utf-8") if Path(folder, "where").exists() else ""
        taken = time.monotonic() - began
        if answer.exists():
            return _read(answer.read_bytes(), taken)
        during = f" {where}" if where else ""
        if code is None:
            return Ending("hung", None, f"it did not end within {seconds:g} s{during}{_place(lines)}", taken)
        return Ending("crashed", None, f"{_death(code)}{during}{_place(lines) or _last(lines)}", taken)


def _read(answer: bytes, seconds: float) -> Ending:
    """The answer, of which every text can be written anywhere; a crash if it is none."""
    try:
        return Ending(**printable(loads(answer)), seconds=seconds)
    except (ValueError, TypeError, RecursionError) as error:
        kind = type(error).__name__
        return Ending("crashed", None, f"its process left no answer that can be read ({kind})", seconds)


def printable(found: Any) -> Any:
    """The same with text that is no Unicode (a lone surrogate) spelled out, in whatever it lies."""
    if isinstance(found, str):
        return found.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(found, dict):
        return {printable(k): printable(v) for k, v in found.items()}
    return [printable(x) for x in found] if isinstance(found, list) else found


def _environment() -> dict[str, str]:
    """As ours, with the packages that this process finds, and no more threads than it is given."""
    path = os.pathsep.join(p for p in (str(Path(OURS).parent), os.environ.get("PYTHONPATH", "")) if p)
    return {**_keras_backend(), **os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _keras_backend() -> dict[str, str]:
    """A backend that is there, where Keras would take TensorFlow, its default, and that is not installed."""
    try:
        home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
        chosen = loads((home / "keras.json").read_text("utf-8")).get("backend", "tensorflow")
    except (OSError, ValueError, AttributeError, RuntimeError):
        chosen = "tensorflow"
    if chosen != "tensorflow" or importlib.util.find_spec("tensorflow"):
        return {}
    installed = [name for name in ("jax", "torch") if importlib.util.find_spec(name)]
    return {"KERAS_BACKEND": installed[0]} if installed else {}


class _Tail:
    """The last lines that a process prints, read as they come, so that it never waits for a full pipe."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._kept: deque[str] = deque(maxlen=KEPT)
        self._pipe = child.stdout
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._pipe is not None
        with self._pipe as pipe:
            while line := pipe.readline(10_000):
                self._kept.append(line.rstrip("\n"))

    def lines(self) -> list[str]:
        """What was kept; a grandchild that keeps the pipe open is not waited for."""
        self._thread.join(2)
        return list(self._kept)


def _end(child: subprocess.Popen[str]) -> None:
    """Kill the process, and all that it started where there are process groups."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):
        child.kill()
    child.wait()


def _death(code: int) -> str:
    if code >= 0:
        return f"its process ended by itself, with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    words = {"SIGSEGV": " (a segmentation fault)", "SIGKILL": " (out of memory?)", "SIGABRT": " (abort)"}
    return f"its process was killed by {name}{words.get(name, '')}"


def _place(lines: list[str]) -> str:
    """Where the code stood, by the traceback of faulthandler: its own innermost line if there is one."""
    starts = [i for i, line in enumerate(lines) if "most recent call first" in line]
    if not starts:
        return ""
    main = next((i for i in reversed(starts) if lines[i].startswith("Current thread")), starts[-1])
    frames: list[re.Match[str]] = []
    for line in lines[main + 1 :]:
        if (frame := FRAME.search(line)) is None:
            break
        frames.append(frame)
    theirs = [f for f in frames if _is_theirs(f["file"])]
    nearest = [f for f in theirs if "site-packages" not in f["file"]] or theirs or frames
    return f", in {_name(nearest[0])}" if nearest else ""


def _name(frame: re.Match[str]) -> str:
    return f"{frame['name']} ({os.path.relpath(frame['file'])}, line {frame['line']})"


def _last(lines: list[str]) -> str:
    said = [line for line in lines if line.strip()]
    return f"; the last it printed: {said[-1]}" if said else ""


# ---- the child ---------------------------------------------------------------------------------------------


def child() -> None:
    """Do the job of the folder that is named on the command line, and leave the answer there."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    faulthandler.enable()
    faulthandler.dump_traceback_later(max(seconds - GRACE, seconds / 2))
    sys.path[0] = os.getcwd()
    sys.argv = sys.argv[:1]
    order = loads(Path(folder, "job").read_text("utf-8"))
    result = _done(order, lambda text: _write(folder, "where", text), seconds)
    faulthandler.cancel_dump_traceback_later()
    _write(folder, "answer", dumps(result))
    with suppress(BaseException):  # they may be theirs by now
        sys.stdout.flush()
        sys.stderr.flush()
    _exit(0)  # threads that their library has left running are not waited for


def _write(folder: Path, name: str, text: str) -> None:
    """At once or not at all: the parent may look at any time."""
    Path(folder, f"{name}.part").write_text(text, "utf-8")
    Path(folder, f"{name}.part").replace(Path(folder, name))


def _done(order: Mapping[str, Any], say: Callable[[str], None], seconds: float) -> dict[str, Any]:
    job = dict(order["job"])
    home, _, name = order["task"].partition(":")
    task = getattr(importlib.import_module(home), name)
    try:
        arguments = job.pop("arguments", None)
        if job.get("adapter") == PROCESS:
            make = command(order["target"], seconds)
        else:
            make = load(order["target"], arguments)
    except JobError as error:
        return {"how": "refused", "detail": str(error)}
    except BaseException as error:  # even SystemExit is an answer
        return {"how": "raised", "detail": f"{order['target'].rpartition(':')[0]} {raised(error)}"}
    try:
        return {"how": "answered", "answer": task(make, say=say, **job)}
    except JobError as error:
        return {"how": "refused", "detail": str(error)}
    except BaseException as error:
        if is_ours(error) and not isinstance(error, SystemExit):
            trace = "".join(traceback.format_exception(error))
            return {"how": "broken", "detail": raised(error), "answer": trace}
        return {"how": "raised", "detail": raised(error)}


def raised(error: BaseException) -> str:
    """`raises ValueError: ... (mine.py, line 3, in step)`, the place in their code."""
    text = f"calls sys.exit({error.code!r})" if isinstance(error, SystemExit) else f"raises {message(error)}"
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if _is_theirs(file):
            place = f" ({os.path.relpath(file)}, line {line}, in {name})"
    return text + place


def message(error: BaseException) -> str:
    """`ValueError: ...` on one line, whatever its text is."""
    kind = type(error).__name__
    try:
        text = printable(" ".join(str(error).split()))
    except Exception:  # its own __str__ raises
        text = "its text cannot be shown"
    return f"{kind}: {text}" if text else kind


def is_ours(error: BaseException) -> bool:
    """True if no code of theirs was running, here or in a process: what was asked is wrong, or we are."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return not any(_is_theirs(file) or file == SPEAKER for file in files)


def _is_theirs(file: str) -> bool:
    """True for code that is neither ours, nor Python's, nor that of NumPy and SymPy."""
    installed = re.search(r"(?:site|dist)-packages[/\\](\w+)", file)
    if installed is not None and not file.startswith(OURS):
        return installed[1] not in TOOLS
    return not file.startswith((OURS, "<", sys.base_prefix + os.sep))
