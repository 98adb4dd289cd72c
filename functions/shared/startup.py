"""Makes a cold start cheaper: `begin` runs before a function's other imports, `finish` once its handler exists.

Together they save a fifth of a cold start (docs/adr/0073).
"""

import gc
import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

#: What dependencies import and no request uses. The Encryption SDK imports boto3 to create KMS clients, and boto3 the
#: S3 transfer manager; here botocore creates the clients. wrapt imports asyncio for decorators of coroutines.
_UNUSED: Final = ("boto3", "asyncio")


class _ImportedOnFirstUse(ModuleType):
    """Stands for a module until the first access to one of its names, which imports it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any member of the module
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def begin() -> None:
    """Turn the garbage collector off, and delay the import of unused modules until something uses them.

    Nearly everything that init allocates stays in use, so the collector would find almost no garbage.
    """
    gc.disable()
    for name in _UNUSED:
        if name not in sys.modules and find_spec(name):
            sys.modules[name] = _ImportedOnFirstUse(name)


def finish() -> None:
    """Turn the garbage collector on again, and exempt what init allocated. Every handler calls this last.

    Without a call of `begin` it does nothing.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
