"""Who may sign in, and for how long without being looked at again."""

from __future__ import annotations

from traitlets.config import Config

from config.settings import Settings


def configure(c: Config, settings: Settings) -> None:
    """Set the traits of the authenticator."""
    c.JupyterHub.authenticator_class = "hub.login.authenticator.PaillasseAuthenticator"
    c.PaillasseAuthenticator.database_url = settings.database_url
    c.PaillasseAuthenticator.language = settings.language
    c.PaillasseAuthenticator.timezone = settings.timezone
    c.PaillasseAuthenticator.self_registration = settings.self_registration
    c.PaillasseAuthenticator.username_pattern = r"[a-z][a-z0-9._-]{1,62}\Z"
    # A closed account loses its sessions within a minute, tokens included.
    c.PaillasseAuthenticator.auth_refresh_age = 60
    c.PaillasseAuthenticator.auth_refresh_strict = True
