"""Style sheets, scripts and icons: served from memory, compressed once, named after what they hold."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from hub.portal import urls

ROOT = Path(__file__).resolve().parents[1] / "static"
FOLDERS = ("css", "js", "img", "vendor")
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    "": "text/plain; charset=utf-8",
}
YEAR = 31_536_000


@dataclass(frozen=True)
class Asset:
    """One file as it is sent."""

    media_type: str
    plain: bytes
    packed: bytes


class Statics:
    """All assets of the folder; `build` names this exact set, so its addresses never go stale."""

    def __init__(self, root: Path = ROOT) -> None:
        self._assets: dict[str, Asset] = {}
        digest = hashlib.sha256()
        for path in sorted(
            path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()
        ):
            data, name = path.read_bytes(), path.relative_to(root).as_posix()
            digest.update(name.encode() + data)
            self._assets[name] = Asset(TYPES[path.suffix], data, gzip.compress(data, 9, mtime=0))
        self.build = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of an asset, valid for ever; raises KeyError when there is none of that name."""
        self._assets[name]
        return f"{urls.PREFIX}/static/{self.build}/{name}"

    def answer(self, request: Request, path: str) -> Response | None:
        """The asset of `<build>/<name>` or `<name>`; only the first kind may be kept for ever."""
        build, _, name = path.partition("/")
        named = build == self.build
        asset = self._assets.get(name if named else path) or self._assets.get(name)
        if asset is None:
            return None
        headers = {
            "Cache-Control": f"public, max-age={YEAR}, immutable" if named else "no-cache",
            "ETag": f'"{self.build}"',
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, headers=headers, media_type=asset.media_type)
        return Response(asset.plain, headers=headers, media_type=asset.media_type)
