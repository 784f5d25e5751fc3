"""A page of the rules in a file under work, made again when the file changes, served to one's own browser.

The file is run, as it is when it is imported. A mistake in it is shown, with its line, above the last page
that was good.
"""

from __future__ import annotations

import linecache
import queue
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

from markupsafe import Markup

from optverify.language import Rule
from optverify.report.web.document import page
from optverify.report.web.home import Entry
from optverify.report.web.rules import rules_section
from optverify.report.web.section import Section, html

SECONDS = 0.3
"""Between two looks at the file."""
EVENTS = "/events"


@dataclass(frozen=True)
class State:
    """What is shown. version: goes up with each change; body: the page; mistake: what is wrong, in words."""

    version: int
    body: str
    mistake: str = ""


@dataclass
class Watched:
    """A file and the page of its rules. rule: the name of the only one to show, "" for all."""

    path: Path
    rule: str = ""
    state: State = State(0, "")
    _sections: list[Section] = field(default_factory=list)
    _stamp: tuple[int, int] = (0, 0)
    _listeners: list[queue.SimpleQueue[int]] = field(default_factory=list)

    def look(self) -> bool:
        """Make the page anew if the file is another; true if it was."""
        found = self._stamped()
        if found == self._stamp:
            return False
        self._stamp = found
        mistake = ""
        try:
            self._sections = [rules_section(rules_of(self.path, self.rule))]
        except Exception as error:
            mistake = told(error, self.path)
        shown = [banner(self.path, mistake), *self._sections]
        body = page(shown, f"{self.path.name}: optverify watch", connect="'self'")
        self.state = State(self.state.version + 1, body, mistake)
        for listener in self._listeners:
            listener.put(self.state.version)
        return True

    def _stamped(self) -> tuple[int, int]:
        """Time and size; a file that is being replaced is looked at again."""
        try:
            now = self.path.stat()
        except OSError:
            return (-1, -1)
        return (now.st_mtime_ns, now.st_size)

    def versions(self) -> Iterator[int]:
        """Every version from now on, as it is made; 0 now and then, to notice a reader that has gone."""
        mine: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._listeners.append(mine)
        try:
            while True:
                try:
                    yield mine.get(timeout=5)
                except queue.Empty:
                    yield 0
        finally:
            self._listeners.remove(mine)


def rules_of(path: Path, name: str = "") -> list[Rule]:
    """The rules that a file defines, or the one of that name; ValueError if there is none."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    linecache.checkcache(str(path))
    exec(compile(path.read_text("utf-8"), str(path), "exec"), module.__dict__)
    rules = {x.name: x for x in vars(module).values() if isinstance(x, Rule)}
    if not rules:
        raise ValueError(f"{path.name} defines no rule: it needs a function under @rule(...)")
    if name and name not in rules:
        raise ValueError(f"{path.name} defines no rule {name!r}: it has {', '.join(rules)}")
    return [rules[name]] if name else list(rules.values())


def told(error: BaseException, path: Path) -> str:
    """An error in one sentence, with the line of the file that it comes from."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path.name}, line {error.lineno}: {error.msg}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    where = f"{path.name}, line {lines[-1]}" if lines else path.name
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return f"{where}: {kind}{error}"


def banner(path: Path, mistake: str) -> Section:
    """The head of the page: the file, and what is wrong with it."""
    entries: list[Entry] = []
    body = html("watch.html.j2", path=path.name, mistake=mistake)
    return Section("home", "File", Markup(body), ("watch.js",), further={"search": {"entries": entries}})


class Server(ThreadingHTTPServer):
    """Serves the page of a file on this machine alone, and looks at the file. OSError for a port in use."""

    daemon_threads = True

    def __init__(self, watched: Watched, port: int, say: Callable[[str], None]) -> None:
        self.watched, self.say, self._over = watched, say, threading.Event()
        watched.look()
        try:
            super().__init__(("127.0.0.1", port), handler(watched))
        except OSError as error:
            raise OSError(
                f"cannot listen on port {port} ({error.strerror}): name another by --port"
            ) from None
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._over.wait(SECONDS):
            if self.watched.look():
                self.say(self.watched.state.mistake or f"{self.watched.path.name} was read again")

    def server_close(self) -> None:
        """Stop looking, and free the port."""
        self._over.set()
        super().server_close()


def handler(watched: Watched) -> type[BaseHTTPRequestHandler]:
    """Answers `/` with the page and `/events` with a line for every new version."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self._page()
            elif self.path == EVENTS:
                self._events()
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _page(self) -> None:
            body = watched.state.body.encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def _events(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            try:
                for version in watched.versions():
                    self.wfile.write(f"data: {version}\n\n".encode() if version else b": still here\n\n")
                    self.wfile.flush()
            except OSError:
                return  # the reader has gone

        def log_message(self, format: str, *arguments: Any) -> None:
            """Requests are not told."""

    return Handler
