"""What the Hub must not write into its log: join codes in addresses, and whose a cookie is."""

from __future__ import annotations

import logging
import re

from jupyterhub import log as hub_log
from tornado.log import app_log

_JOIN = re.compile(r"(/join/|%2[Ff]join%2[Ff])[^/?&%#]+")


class Discretion(logging.Filter):
    """Drops the line that shows which session and which person a new XSRF cookie is made from."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every other line."""
        return not str(record.msg).startswith("Setting new xsrf cookie for")


def hide_codes(address: str) -> str:
    """The address without the secret of a join link."""
    return _JOIN.sub(r"\1[secret]", address)


def install() -> None:
    """Make the Hub's log discreet; doing it twice changes nothing."""
    scrub = hub_log._scrub_uri
    if not hasattr(scrub, "discreet"):

        def discreet(address: str) -> str:
            return hide_codes(scrub(address))

        discreet.discreet = True  # type: ignore[attr-defined]
        hub_log._scrub_uri = discreet
        app_log.addFilter(Discretion())
