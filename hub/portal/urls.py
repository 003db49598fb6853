"""Every address of the portal on one page, and which addresses may be gone back to."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

PREFIX = "/services/portal"
HOME = f"{PREFIX}/"
FILES = f"{PREFIX}/files"
PEOPLE = f"{PREFIX}/admin/people"
LANGUAGE = f"{PREFIX}/language"
THEME = f"{PREFIX}/theme"
LOGOUT = f"{PREFIX}/logout"
CALLBACK = f"{PREFIX}/oauth_callback"
ACCESSIBILITY = f"{PREFIX}/accessibility"
LEGAL = f"{PREFIX}/legal"
CODE = f"{PREFIX}/code"
HUB_LOGOUT = "/hub/logout"
HUB_AUTHORIZE = "/hub/api/oauth2/authorize"

MAX_SUFFIX = 512
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")


def join(code: str, suffix: str = "") -> str:
    """The page of a join link; with a suffix, what to open once there."""
    page = f"{PREFIX}/join/{quote(code, safe='')}"
    return f"{page}/user-redirect/{suffix}" if suffix else page


def start(slug: str) -> str:
    """The start page of an environment."""
    return f"{PREFIX}/start/{slug}"


def events(slug: str) -> str:
    """The stream behind the start page."""
    return f"{start(slug)}/events"


def cancel(slug: str) -> str:
    """Give up a start."""
    return f"{start(slug)}/cancel"


def stop(slug: str) -> str:
    """Ask (GET) and do (POST) a stop."""
    return f"{PREFIX}/servers/{slug}/stop"


def extend(slug: str) -> str:
    """Put off the stop."""
    return f"{PREFIX}/servers/{slug}/extend"


def open_(slug: str) -> str:
    """The address that leads into the running server."""
    return f"{PREFIX}/open/{slug}"


def archive(volume: str) -> str:
    """One home as an archive."""
    return f"{FILES}/{volume}/archive"


def server(username: str, slug: str, path: str) -> str:
    """The server itself, behind the proxy; the path stays below the server's own prefix."""
    return f"/user/{quote(username, safe='')}/{slug}/{path.lstrip('/')}"


def parse_suffix(raw: str) -> str:
    """What a link asks to open inside the server: a path below the server's own, with its query.

    Anything that could lead elsewhere (a host, a step up, a control character, a doubled
    encoding of those) gives the empty suffix: the environment then opens at its usual page.
    """
    if len(raw) > MAX_SUFFIX:
        return ""
    path, mark, query = raw.partition("?")
    seen = _decoded(path)
    if seen is None or _CONTROL.search(query):
        return ""
    steps = seen.strip("/").split("/")
    if seen.startswith("//") or "://" in seen or any(step in {".", ".."} for step in steps) or "" in steps:
        return ""
    kept = quote(unquote(path).strip("/"), safe="/-._~!$&'()*+,;=:@ ").replace(" ", "%20")
    return kept + (mark + quote(query, safe="/?-._~!$&'()*+,;=:@%") if query else "")


def parse_next(raw: str) -> str:
    """A page of ours to go back to; anything else gives the home page."""
    parts = urlsplit(raw) if raw.startswith("/") and not raw.startswith("//") else None
    seen = _decoded(parts.path) if parts else None
    if parts is None or seen is None or len(raw) > 2 * MAX_SUFFIX or _CONTROL.search(raw):
        return HOME
    if (
        parts.scheme
        or parts.netloc
        or not seen.startswith(HOME)
        or any(s in {".", ".."} for s in seen.split("/"))
    ):
        return HOME
    return raw


def page_of(path: str) -> str:
    """The page that shows the form of a POST address: where to return after signing in again."""
    if match := re.fullmatch(rf"{PREFIX}/(start/[^/]+)/(?:cancel|events)", path):
        return f"{PREFIX}/{match[1]}"
    if re.fullmatch(rf"{PREFIX}/servers/[^/]+/extend", path) or path in {LANGUAGE, THEME, LOGOUT, CODE}:
        return HOME
    return PEOPLE if path.startswith(PEOPLE) else path


def _decoded(path: str) -> str | None:
    """The path with every layer of percent-encoding removed; None when it hides something."""
    for _ in range(4):
        if _CONTROL.search(path.replace(" ", "")):
            return None
        further = unquote(path)
        if further == path:
            return path
        path = further
    return None


def suffix_name(suffix: str) -> str:
    """What a suffix opens, as people name it: the file, or the repository it fetches."""
    path, _, query = suffix.partition("?")
    name = unquote(path).rstrip("/").rpartition("/")[2]
    if name == "git-pull":
        repository = parse_qs(query).get("repo", [""])[0]
        return repository.rstrip("/").rpartition("/")[2].removesuffix(".git") or name
    return name


def people(search: str, page: int = 1) -> str:
    """The list of people, as searched and turned to."""
    asked = {name: value for name, value in (("search", search), ("page", page if page > 1 else "")) if value}
    return f"{PEOPLE}?{urlencode(asked)}" if asked else PEOPLE


def manage(username: str, verb: str) -> str:
    """One act on one person."""
    return f"{PEOPLE}/{quote(username, safe='')}/{verb}"
