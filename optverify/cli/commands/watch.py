"""optverify watch FILE.py"""

from __future__ import annotations

from pathlib import Path

import click

from optverify.cli.group import command


@command
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rule", default="", metavar="NAME", help="Show this rule alone.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any that is free."
)
@click.option("--open/--no-open", "show", default=True, help="Open the page in the browser.")
def run(file: Path, rule: str, port: int, show: bool) -> None:
    """Keep a page of the rules in FILE, and reload it in the browser whenever the file is saved.

    FILE is run, as `python FILE` would. A mistake in it is shown with its line; the last good page stays.
    Ctrl-C ends it.
    """
    from optverify.report.watch import Server, Watched

    watched = Watched(file.resolve(), rule)
    server = Server(watched, port, click.echo)
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    click.echo(watched.state.mistake or f"{file} was read")
    click.echo(f"see {address} (Ctrl-C ends this)")
    if show:
        click.launch(address)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        click.echo("ended")
    finally:
        server.server_close()
