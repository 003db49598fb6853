"""Make hub/static/vendor and the icon sprite again from package-lock.json: `python hub/static/vendor.py`."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENDOR = HERE / "vendor"
MANIFEST = VENDOR / "manifest.json"
FILES = {
    "bootstrap": {
        "dist/css/bootstrap.min.css": "bootstrap/bootstrap.min.css",
        "LICENSE": "bootstrap/LICENSE",
    },
    "bootstrap-icons": {"LICENSE": "bootstrap-icons/LICENSE"},
}
ICONS = (
    "archive",
    "arrow-clockwise",
    "box-arrow-right",
    "box-arrow-up-right",
    "calendar-event",
    "check-circle-fill",
    "check-lg",
    "circle",
    "circle-half",
    "clock",
    "clock-history",
    "download",
    "exclamation-triangle-fill",
    "floppy",
    "folder2-open",
    "globe",
    "hourglass-split",
    "house-door",
    "info-circle-fill",
    "link-45deg",
    "moon-stars",
    "pause-circle",
    "people",
    "person",
    "play-fill",
    "plus-lg",
    "search",
    "shield-lock",
    "stop-fill",
    "sun",
    "unlock",
    "x-circle-fill",
    "x-lg",
)


def make_sprite(icons: Path) -> str:
    """One SVG with a `<symbol>` per icon; the pages refer to `icons.svg#name`."""
    symbols = []
    for name in ICONS:
        body = re.search(r"<svg[^>]*>(.*)</svg>", (icons / f"{name}.svg").read_text(), re.DOTALL)
        if body is None:
            raise ValueError(f"{name}.svg is not the SVG this script expects")
        symbols.append(f'<symbol id="{name}" viewBox="0 0 16 16">{body[1].strip()}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def main() -> None:
    """Install the locked packages aside, copy what the pages use, and write the manifest."""
    lock = json.loads((HERE / "package-lock.json").read_text())["packages"]
    shutil.rmtree(VENDOR, ignore_errors=True)
    with tempfile.TemporaryDirectory() as aside:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, aside)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=aside, check=True)  # noqa: S607
        modules = Path(aside) / "node_modules"
        for package, files in FILES.items():
            for source, target in files.items():
                (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(modules / package / source, VENDOR / target)
        (VENDOR / "bootstrap-icons/icons.svg").write_text(make_sprite(modules / "bootstrap-icons/icons"))
    manifest = {
        package: {
            "version": lock[f"node_modules/{package}"]["version"],
            "licence": lock[f"node_modules/{package}"]["license"],
            "sha256": {name: digest for name, digest in digests().items() if name.startswith(f"{package}/")},
        }
        for package in FILES
    }
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n")


def digests() -> dict[str, str]:
    """What lies in the folder now."""
    files = sorted(path for path in VENDOR.rglob("*") if path.is_file() and path != MANIFEST)
    return {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def differences() -> list[str]:
    """The files that are not what the manifest says; none when nobody has touched them."""
    promised: dict[str, str] = {}
    for package in json.loads(MANIFEST.read_text()).values():
        promised |= package["sha256"]
    found = digests()
    return sorted(name for name in promised | found if promised.get(name) != found.get(name))


if __name__ == "__main__":
    main()
