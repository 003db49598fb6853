"""The command of the image: JupyterLab for a Hub when one started the container, on its own otherwise."""

from __future__ import annotations

import gc
import locale
import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module

from faststart import deferred, edges

LOCALES = {"fr": "fr_FR.UTF-8", "en": "en_US.UTF-8"}


def main() -> None:
    """Start the server; returns when it has stopped."""
    complete_locale(os.environ)
    with_hub = bool(os.environ.get("JUPYTERHUB_API_TOKEN"))
    with nullcontext() if os.environ.get("PAILLASSE_FASTSTART") == "0" else hurry(with_hub):
        kind = import_module("faststart.labserver" if with_hub else "faststart.alone")
        server = kind.prepare(sys.argv[1:])
    server.start()


def complete_locale(environ: MutableMapping[str, str]) -> None:
    """Make a full locale of a bare language ("fr"), for the server and all it starts."""
    for name in ("LC_ALL", "LANG"):
        language = environ.get(name, "")[:2].lower()
        if language in LOCALES:
            environ[name] = LOCALES[language]
    with suppress(locale.Error):  # a language of which the image has no locale: plain C, in English
        locale.setlocale(locale.LC_ALL, "")


@contextmanager
def hurry(with_hub: bool) -> Iterator[None]:
    """Defer what is not needed to answer, and collect no garbage until then: there is none yet."""
    finder = deferred.install({**edges.LAB, **edges.HUB} if with_hub else edges.LAB)
    gc.disable()
    yield
    gc.freeze()
    gc.enable()
    sys.meta_path.remove(finder)
