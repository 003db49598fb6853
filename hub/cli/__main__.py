"""`python -m hub.cli`: what the launcher calls inside the platform."""

from __future__ import annotations

from hub.cli.app import main

main()
