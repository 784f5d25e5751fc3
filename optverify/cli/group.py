"""The group of commands: finds them by itself, and turns exceptions into one line and an exit code."""

from __future__ import annotations

import pkgutil
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

COMMANDS = f"{__package__}.commands"
HOLDS, FAILED, BAD_INPUT, INTERNAL, INTERRUPTED, CLOSED_PIPE = 0, 1, 2, 70, 130, 141


def _debug() -> click.Option:
    """--debug, taken by the group and by every command; `CommandGroup.main` looks for it."""
    help_text = "Show the full traceback of an error."
    return click.Option(["--debug"], is_flag=True, expose_value=False, help=help_text)


def command(function: Callable[..., int | None]) -> click.Command:
    """A command named after the module it stands in; it returns its exit code, or None for 0."""
    name = function.__module__.rpartition(".")[2]
    made = click.command(name, context_settings={"help_option_names": ["-h", "--help"]})(function)
    made.params.append(_debug())
    return made


def group(function: Callable[..., int | None]) -> click.Group:
    """The same with commands of its own, `@run.command("plot")`; it is run by itself if none is named."""
    name = function.__module__.rpartition(".")[2]
    settings = {"help_option_names": ["-h", "--help"]}
    made = click.group(name, invoke_without_command=True, context_settings=settings)(function)
    made.params.append(_debug())
    return made


class CommandGroup(click.Group):
    """Module `x` of `optverify.cli.commands` holds the command `x`, as `run`."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params.append(_debug())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted, read off the folder."""
        return sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent / "commands")]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None if there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = import_module(f"{COMMANDS}.{cmd_name}").run
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name in the error."""
        if args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            from optverify.language.messages import unknown

            raise click.UsageError(unknown("command", args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that closed the pipe (`| head`) ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return CLOSED_PIPE

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Parse and run, then exit with the code of the command; errors are one line on stderr."""
        args = list(sys.argv[1:] if args is None else args) or ["--help"]
        try:
            status = super().main(args, prog_name or "optverify", **{**extra, "standalone_mode": False})
        except click.Abort:
            click.echo("interrupted", err=True)
            status = INTERRUPTED
        except Exception as error:
            if "--debug" in args:
                traceback.print_exc()
            line, status = _explain(error)
            click.echo(line, err=True)
        sys.exit(status or HOLDS)


def _explain(error: Exception) -> tuple[str, int]:
    """One line that says what is wrong, and the exit code."""
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        hint = (
            f" (see {context.command_path} --help)" if isinstance(error, click.UsageError) and context else ""
        )
        return f"error: {_line(error.format_message())}{hint}", BAD_INPUT
    if isinstance(error, ValueError | TypeError | OSError | ModuleNotFoundError):
        return f"error: {_line(str(error))}", BAD_INPUT
    kind = type(error).__name__
    return (
        f"internal error: {kind}: {_line(str(error))}; run it again with --debug for the traceback",
        INTERNAL,
    )


def _line(message: str) -> str:
    return " ".join(message.split())
