"""The command line. One file a command under `commands/`; what a command needs is imported when it runs."""

import click

import optverify

from .group import CommandGroup

__all__ = ["main"]


@click.command(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(optverify.__version__, prog_name="optverify", message="%(prog)s %(version)s")
def main() -> None:
    """Optimizer update rules, each written once; equations, steps, claims and reports made from them.

    Exit codes: 0 all holds, 1 a check failed, 2 wrong usage or input, 70 a fault of optverify itself,
    130 interrupted.
    """
