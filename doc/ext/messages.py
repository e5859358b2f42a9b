# SPDX-License-Identifier: Apache-2.0

"""Tell which messages of nova-coldmig the documentation does not explain.

An operator who searches for a message must find it. This reads the messages
out of the code without importing it and warns of each that no page has.

On a page, a word in capitals stands for each part that the code fills in.
"""

import ast
from pathlib import Path
import re

from sphinx.util import logging

LOG = logging.getLogger(__name__)

PACKAGE = Path(__file__).parents[2] / 'nova_coldmig'
#: Calls whose first text is shown to a person.
FUNCTIONS = {'_', 'UnsupportedNova', 'Result', 'info', 'warning', 'error'}
PLACEHOLDER = re.compile(r'%(?:\(\w+\))?[sd]')
CAPITALS = '[A-Z_]+'


def _name(function):
    return getattr(function, 'attr', getattr(function, 'id', None))


def _text(node):
    """Find the text of an argument, which may be followed by ``% facts``."""
    if isinstance(node, ast.BinOp):
        node = node.left
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ' '.join(node.value.split())
    return None


def collect():
    """Read the messages of the package.

    :returns: list of tuples of a str, the file, an int, the line, and a str.
    """
    found = []
    for path in sorted(PACKAGE.rglob('*.py')):
        name = path.relative_to(PACKAGE.parent)
        if 'tests' in name.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in FUNCTIONS:
                found.extend((str(name), node.lineno, text)
                             for text in map(_text, node.args)
                             # Not what is nothing but a placeholder.
                             if text and PLACEHOLDER.sub('', text))
    return found


def _check(app, env):
    pages = ' '.join(' '.join(env.get_doctree(name).astext().split())
                     for name in env.found_docs)
    for path, line, text in collect():
        pattern = CAPITALS.join(
            re.escape(part) for part in PLACEHOLDER.split(text))
        if not re.search(pattern, pages):
            LOG.warning('%s:%d: no page has the message "%s"',
                        path, line, text)


def setup(app):
    """Register with Sphinx."""
    app.connect('env-check-consistency', _check)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
