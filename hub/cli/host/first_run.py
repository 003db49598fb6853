"""The first run ends with something to use: an administrator, the ready environments, a join link."""

from __future__ import annotations

import json
import secrets
from typing import Any

from hub.cli.host.console import Failure, say, step
from hub.cli.host.forward import call
from hub.cli.host.images import FIRST_ENVIRONMENT
from hub.cli.host.messages import tr
from hub.cli.host.shell import ROOT, CommandFailed
from hub.cli.host.site import Site

ADMIN = "admin"
CATALOGUE = "environments/catalogue"
RECORD = "first-run.json"


def ensure_first_run(site: Site, url: str) -> dict[str, Any]:
    """What `--json` writes: {stack, url, join_link, admin, environments}.

    `admin` is None unless this very call made the account: its password is told once and kept nowhere.
    Each part is done once; a run that broke off is taken up where it stopped. Raises Failure.
    """
    record: dict[str, Any] = site.read(RECORD) or {}
    admin = None
    if not record.get("admin"):
        admin = _administrator(site)
        record["admin"] = ADMIN
        site.remember(RECORD, record)
    if not record.get("join_link"):
        record["environments"] = _environments(site)
        record["join_link"] = _link(site)
        site.remember(RECORD, record)
    return {
        "stack": site.stack,
        "url": url,
        "join_link": _at(url, record["join_link"]),
        "admin": admin,
        "environments": record["environments"],
    }


def forget(site: Site) -> None:
    """What was remembered belongs to other data: make the administrator and the link again."""
    site.remember(RECORD, {})


def _administrator(site: Site) -> dict[str, str] | None:
    password = secrets.token_urlsafe(12)
    with step(tr("First administrator")) as notes:
        try:
            call(site, "user", "add", ADMIN, "--role", "admin", "--password-stdin", stdin=password)
        except CommandFailed as error:
            # The data outlived the launcher's memory (a new machine, a restored volume).
            if ADMIN not in call(site, "user", "list", "--search", ADMIN).split():
                raise _refused(tr("The first administrator could not be made."), error) from error
            notes.append(tr("“{name}” exists already", name=ADMIN))
            return None
    return {"username": ADMIN, "password": password}


def _environments(site: Site) -> list[str]:
    slugs = sorted(path.stem for path in (ROOT / CATALOGUE).glob("*.yaml"))
    with step(tr("Ready environments")) as notes:
        try:
            call(site, "env", "apply", f"/srv/paillasse/{CATALOGUE}")
        except CommandFailed as error:
            raise _refused(tr("The ready environments could not be applied."), error) from error
        notes.append(", ".join(slugs))
    return slugs


def _link(site: Site) -> str:
    with step(tr("Join link")):
        try:
            made = json.loads(call(site, "env", "link", FIRST_ENVIRONMENT, "--json"))
        except CommandFailed as error:
            raise _refused(tr("The join link could not be made."), error) from error
        return str(made["url"])


def _refused(reason: str, error: CommandFailed) -> Failure:
    return Failure(reason, tr("Read the platform's words above, then run this command again."), error.output)


def _at(url: str, link: str) -> str:
    """The same link at today's public address: the port or the name may have changed since it was made."""
    return f"{url}/join/{link.rpartition('/join/')[2]}"


def tell(report: dict[str, Any]) -> None:
    """The last words of `up`."""
    say()
    say(tr("The platform is up:  {url}", url=report["url"]))
    if report["admin"]:
        say(tr("Administrator:       {username}", **report["admin"]))
        say(
            tr(
                "One-time password:   {password}   (shown only now; it must be changed at the first sign-in)",
                **report["admin"],
            )
        )
    say(tr("Join link:           {link}", link=report["join_link"]))
