"""JupyterLab without a Hub: `docker run` on somebody's own machine, with the usual token in the log."""

from __future__ import annotations

from jupyter_server.serverapp import ServerApp
from jupyterlab.labapp import LabApp


def prepare(arguments: list[str]) -> ServerApp:
    """A server bound to its port on every address of the container."""
    return LabApp.initialize_server(argv=["--ip=0.0.0.0", "--no-browser", *arguments])
