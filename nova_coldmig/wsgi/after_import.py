# SPDX-License-Identifier: Apache-2.0

"""Act between two imports that a module of Nova makes."""

import contextlib
from importlib import util
import sys


class _Hook:
    """Finds one module as all others would, and calls a function after it.

    See importlib.abc.MetaPathFinder.
    """

    def __init__(self, name, call):
        self._name = name
        self._call = call

    def find_spec(self, name, path=None, target=None):
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                self._call(module)

            # A loader that does not let it be set still loads the module.
            with contextlib.suppress(AttributeError):
                spec.loader.exec_module = (  # type: ignore[method-assign]
                    exec_module)
        return spec


def call(name, function):
    """Call a function when a module was imported, before anybody uses it.

    :param name: str, name of a module.
    :param function: callable that takes the module. It is called at once if
        the module is there already.
    """
    if name in sys.modules:
        function(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Hook(name, function))
