"""Optimizers of other languages: a process that speaks JSON lines on stdin and stdout.

The format is described in docs/json-lines.md. A process that does not answer in time is killed.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from optverify.conformance.protocol import Adapter, Array, Box, Make, Unsupported

FORMAT, VERSION = "optverify box", 1
LONGEST = 1 << 26
"""Bytes of one answer; more is not believed."""


@dataclass(frozen=True)
class Command:
    """A command to start, as make. arguments: the program and its arguments, or one line as in a shell.

    time_limit: seconds that any answer may take; folder: where it is started.
    """

    arguments: Sequence[str] | str
    time_limit: float = 10.0
    folder: str | Path | None = None

    def words(self) -> list[str]:
        """Program and arguments."""
        return shlex.split(self.arguments) if isinstance(self.arguments, str) else list(self.arguments)


class Process(Adapter):
    """make is a Command, or a list of a program and its arguments."""

    name = "process"

    def fits(self, thing: Any) -> bool:
        """A command."""
        words = isinstance(thing, list | tuple) and bool(thing) and all(isinstance(w, str) for w in thing)
        return words or isinstance(thing, Command)

    def start(self, make: Make, params: Sequence[Array]) -> Box:
        """A box around a new process."""
        command: Any = make if isinstance(make, str | list | tuple | Command) else make()
        return ProcessBox(command if isinstance(command, Command) else Command(command), params)


class ProcessBox(Box):
    """A process that has been given the parameters."""

    def __init__(self, command: Command, params: Sequence[Array]) -> None:
        self._limit, self._rest = command.time_limit, b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the box
        try:
            self._process = subprocess.Popen(
                command.words(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
                cwd=command.folder, start_new_session=True,
            )  # fmt: skip
        except OSError:
            self._errors.close()
            raise
        self._answer: dict[str, Any] = {}
        self._params = [np.array(p) for p in params]
        try:
            hello = {"do": "start", "format": FORMAT, "version": VERSION, "params": [pack(p) for p in params]}
            first = self._ask(hello)
            if first.get("version") != VERSION:
                raise ValueError(f"it speaks version {first.get('version')!r} of the format, not {VERSION}")
        except BaseException:
            self.close()
            raise
        self._passed = {n: float(x) for n, x in first.get("hyperparameters", {}).items()}

    # ---- the protocol of boxes ---------------------------------------------------------------------------

    def update(self, grads: Sequence[Array | None], **inputs: Any) -> None:
        """One update; the answer holds the parameters."""
        more = {n: pack(np.asarray(x)) for n, x in inputs.items()}
        slopes = [None if g is None else pack(g) for g in grads]
        answer = self._ask({"do": "update", "grads": slopes, "inputs": more})
        after = [unpack(p) for p in answer["params"]]
        if [a.shape for a in after] != [p.shape for p in self._params]:
            raise ValueError(f"it answers with parameters of shapes {[a.shape for a in after]}")
        self._params, self._answer = after, answer

    def params(self) -> list[Array]:
        """The parameters of the last answer."""
        return [p.copy() for p in self._params]

    def set_lr(self, lr: float) -> None:
        """Ask for another learning rate."""
        self._ask({"do": "lr", "lr": lr})

    def hyperparameters(self) -> Mapping[str, float]:
        """What its first answer said."""
        return dict(self._passed)

    def state(self) -> Mapping[str, list[Array]]:
        """What its last answer said."""
        return {n: [unpack(x) for x in xs] for n, xs in self._answer.get("state", {}).items()}

    def points(self) -> list[Array]:
        """What its last answer said, or the parameters."""
        told = self._answer.get("points")
        return self.params() if told is None else [unpack(p) for p in told]

    def close(self) -> None:
        """Kill the process and those it has started."""
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                try:
                    end.close()
                except OSError:  # it is gone, and with it what was not yet written
                    continue
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.2)
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()
        self._process.wait()
        self._errors.close()

    # ---- lines -------------------------------------------------------------------------------------------

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a message. Unsupported, or an error that says what went wrong."""
        if self._process.stdin is None or self._process.stdin.closed:
            raise RuntimeError("the process has been stopped")
        line = (json.dumps(message, allow_nan=False) + "\n").encode()
        until = time.monotonic() + self._limit
        try:
            self._send(line, until)
            answer = json.loads(self._line(until))
        except (BrokenPipeError, EOFError):
            raise RuntimeError(f"the process ended, {self._end()}") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"an answer is no JSON: {error}") from None
        if not isinstance(answer, dict):
            raise ValueError(f"an answer is a {type(answer).__name__}, not an object")
        if "unsupported" in answer:
            raise Unsupported(str(answer["unsupported"]))
        if "error" in answer:
            raise RuntimeError(f"the process reports: {answer['error']}")
        return answer

    def _send(self, line: bytes, until: float) -> None:
        assert self._process.stdin is not None
        pipe = self._process.stdin.fileno()
        os.set_blocking(pipe, False)
        with selectors.DefaultSelector() as ready:
            ready.register(pipe, selectors.EVENT_WRITE)
            while line:
                self._wait(ready, until)
                try:
                    line = line[os.write(pipe, line) :]
                except BlockingIOError:
                    continue

    def _line(self, until: float) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        with selectors.DefaultSelector() as ready:
            ready.register(pipe, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                self._wait(ready, until)
                read = os.read(pipe, 1 << 16)
                if not read:
                    raise EOFError
                self._rest += read
                if len(self._rest) > LONGEST:
                    self.close()
                    raise ValueError(f"an answer has more than {LONGEST} bytes")
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _wait(self, ready: selectors.BaseSelector, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0 or not ready.select(left):
            self.close()
            raise TimeoutError(f"the process did not answer within {self._limit:g} seconds and was killed")

    def _end(self) -> str:
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "its output closed"
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"exit code {code}" + (f": {said[-1]}" if said else "")


# ---- arrays as JSON ----------------------------------------------------------------------------------------


def pack(x: Array) -> dict[str, Any]:
    """An array as JSON: shape, dtype, data in C order; a number that is not finite is a string."""
    data = [v if math.isfinite(v) else str(v) for v in np.ravel(x).astype(float).tolist()]
    return {"shape": list(x.shape), "dtype": str(x.dtype), "data": data}


def unpack(saved: Mapping[str, Any]) -> Array:
    """The array that pack() has written."""
    return np.array([float(v) for v in saved["data"]], dtype=saved.get("dtype", "float64")).reshape(
        saved["shape"]
    )
