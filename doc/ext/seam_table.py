# SPDX-License-Identifier: Apache-2.0

"""Directives that show what nova-coldmig changes and relies on.

``seam-table`` takes ``api`` or ``conductor``, and ``relied-on`` ``recovery`` as
well. They read nova_coldmig.seams, which imports nothing of Nova.
"""

import list_table
from sphinx.util import docutils

from nova_coldmig import seams
from nova_coldmig import series

HALVES = {'api': seams.API, 'conductor': seams.CONDUCTOR,
          'recovery': seams.RECOVERY}
KINDS = {
    seams.Attribute: 'set',
    seams.Code: 'wrapped or subclassed',
    seams.Value: 'set',
    seams.Element: 'gets an element',
    seams.Call: 'told',
}


def _series(seam):
    names = [tree.name for tree in series.SERIES if seam.applies(tree)]
    if len(names) == len(series.SERIES):
        return 'all'
    return ', '.join(names)


class _Directive(docutils.SphinxDirective):

    required_arguments = 1

    def run(self):
        return self.parse_text_to_nodes(
            '\n'.join(self.lines(HALVES[self.arguments[0]])))


class SeamTable(_Directive):
    """A table of the seams of one half."""

    def lines(self, half):
        rows = [('Place in Nova', 'Is', 'By', 'Why', 'Series')]
        for seam in seams.SEAMS:
            if seam.half == half:
                rows.append((
                    '``%s``' % seam.target, KINDS[type(seam)],
                    '``%s``' % seam.by, seam.why, _series(seam)))
        return list_table.lines('30 10 30 25 5', rows)


class ReliedOn(_Directive):
    """A list of what one half relies on."""

    def lines(self, half):
        for target in seams.RELIED_ON[half]:
            yield '* ``%s``' % target


def setup(app):
    """Register with Sphinx."""
    app.add_directive('seam-table', SeamTable)
    app.add_directive('relied-on', ReliedOn)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
