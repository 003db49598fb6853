"""The commands that run inside the platform, where the database is: one group of verbs to a module."""

from __future__ import annotations

import sys

import typer

from config.settings import SettingsError
from hub.cli import env, user
from hub.cli.runtime import tr
from hub.i18n import N_

app = typer.Typer(
    name="paillasse",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=tr(N_("Environments and people of a Paillasse installation.")),
)
app.add_typer(env.app, name="env")
app.add_typer(user.app, name="user")


def main() -> None:
    """Run the command line; a wrong setting is told by its variable, without a traceback."""
    try:
        app()
    except SettingsError as error:
        sys.exit(str(error))
