# SPDX-License-Identifier: Apache-2.0

"""Fingerprints of Nova's functions.

A fingerprint is the SHA-256 of a function's or class's source without its
comments and white space, so that it is the same on each Python.
"""

import hashlib
import importlib
import inspect
import io
import json
import logging
from pathlib import Path
import tokenize

LOG = logging.getLogger(__name__)

_DIRECTORY = Path(__file__).parent / 'fingerprints'


def resolve(target):
    """Find what a target names.

    :param target: str, ``module:attribute.path``.
    :returns: tuple of the object that holds the last attribute, and the name
        of that attribute.
    :raises: ImportError, AttributeError if there is no such thing.
    """
    module, _, path = target.partition(':')
    owner = importlib.import_module(module)
    *parents, name = path.split('.')
    for parent in parents:
        owner = getattr(owner, parent)
    return owner, name


def of(target):
    """Compute the fingerprint of a function or class of the installed Nova.

    :param target: str, ``module:attribute.path``.
    :returns: str, hexadecimal digest.
    :raises: ImportError, AttributeError if there is no such thing; OSError if
        its source is not there.
    """
    owner, name = resolve(target)
    source = inspect.getsource(inspect.unwrap(getattr(owner, name)))
    tokens = tokenize.generate_tokens(io.StringIO(_dedent(source)).readline)
    # Python 3.12 cuts an f-string into tokens and earlier ones do not. Without
    # white space and doubled braces both read the same.
    text = ''.join(''.join(
        token.string for token in tokens if token.type != tokenize.COMMENT
    ).split())
    text = text.replace('{{', '{').replace('}}', '}')
    return hashlib.sha256(text.encode()).hexdigest()


def _dedent(source):
    # inspect.cleandoc and textwrap.dedent both change strings that span
    # lines; a block needs no dedent.
    return 'if 1:\n' + source if source[:1].isspace() else source


def path(series):
    """Name the file that holds the fingerprints of a series.

    :param series: nova_coldmig.series.Series
    :returns: pathlib.Path
    """
    return _DIRECTORY / (series.name + '.json')


def recorded(series):
    """Read the fingerprints that a series was tested with.

    :param series: nova_coldmig.series.Series
    :returns: dict of target to list of str; a point release may have its own.
    """
    recorded_in = path(series)
    if not recorded_in.exists():
        return {}
    return json.loads(recorded_in.read_text())


def changed(targets, series):
    """List the targets whose source is not one that was tested.

    :param targets: iterable of str, ``module:attribute.path``.
    :param series: nova_coldmig.series.Series
    :returns: list of str
    """
    known = recorded(series)
    result = []
    for target in targets:
        try:
            if of(target) in known.get(target, ()):
                continue
        except Exception:
            # Gone, moved, without source, or a module that can not be
            # imported: changed, whatever the reason.
            LOG.debug('%s can not be read.', target, exc_info=True)
        result.append(target)
    return result
