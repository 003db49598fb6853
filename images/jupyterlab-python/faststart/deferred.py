"""Modules that enter `sys.modules` empty and run their own code when somebody first uses them.

`importlib.util.LazyLoader` does the same, but a second `import` of the module already counts as use
there; here only a missing attribute does. A deferred module may be given a few names in advance, for
`from module import name` statements that would load it at once; its own code replaces them when it runs.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_loading = threading.RLock()


class DeferredModule(ModuleType):
    """A module whose code has not run yet."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # the import system asks this of modules that are no packages
            raise AttributeError(name)
        load(self)
        return ModuleType.__getattribute__(self, name)


def load(module: ModuleType) -> ModuleType:
    """The same module with its own code run; nothing happens where it ran, or runs further up this thread."""
    with _loading:
        module.__dict__.pop("_run", _nothing)(module)
    return module


def _nothing(module: ModuleType) -> None:
    """Stand for code that has run or is running."""


class DeferringLoader(Loader):
    """Create the module and keep its real loader for later."""

    def __init__(self, real: Loader, names: Mapping[str, object]) -> None:
        self.real = real
        self.names = names

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return DeferredModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(self.names, _run=self.run)

    def run(self, module: ModuleType) -> None:
        """Run the module's own code; a failure leaves it deferred, so that a next use tells again."""
        try:
            self.real.exec_module(module)
        except BaseException:
            module.__dict__["_run"] = self.run
            raise
        module.__class__ = ModuleType


class Deferring(MetaPathFinder):
    """Find the modules of a table as deferred ones, every other as usual."""

    def __init__(self, table: Mapping[str, Mapping[str, object]]) -> None:
        self.table = table

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.table:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = DeferringLoader(spec.loader, self.table[fullname])
        return spec


def install(table: Mapping[str, Mapping[str, object]]) -> Deferring:
    """Defer the modules named in the table from now on, until the finder leaves `sys.meta_path`.

    What is deferred already stays so until it is used.
    """
    finder = Deferring(table)
    sys.meta_path.insert(0, finder)
    return finder
