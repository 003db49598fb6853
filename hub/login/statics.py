"""The portal's styles and pictures, served by the Hub too: its pages stay whole while the portal is down."""

from __future__ import annotations

from pathlib import Path

from tornado.web import StaticFileHandler

from hub.login.provider import Route

STATIC = Path(__file__).parent.parent / "static"

STATIC_ROUTES: list[Route] = [
    (r"/paillasse/((?:css|img|vendor)/.*)", StaticFileHandler, {"path": str(STATIC)})
]
