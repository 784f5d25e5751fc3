"""optverify completion SHELL"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from optverify.cli.group import command

VARIABLE = "_OPTVERIFY_COMPLETE"


@command
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def run(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options, rules, schedules and claims.

    For bash, in ~/.bashrc: eval "$(optverify completion bash)"; for zsh the same with zsh; for fish:
    optverify completion fish > ~/.config/fish/completions/optverify.fish
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion is known for {shell}")
    click.echo(made(ctx.find_root().command, {}, "optverify", VARIABLE).source())
