"""Wiring only: the settings of this machine, then one configure() per concern."""

import os

from config import hub, login, services, spawning
from config.settings import Settings

c = get_config()  # noqa: F821 - JupyterHub provides it
settings = Settings.from_environ(os.environ)

hub.configure(c, settings)
login.configure(c, settings)
spawning.configure(c, settings)
services.configure(c, settings)
