# SPDX-License-Identifier: Apache-2.0

"""What the directives with a table share."""


def lines(widths, rows):
    """Write a table.

    :param widths: str, of the columns
    :param rows: list of tuples of str, the first of them the headers
    :returns: generator of str, lines of reStructuredText
    """
    yield from ('.. list-table::', '   :header-rows: 1',
                '   :widths: ' + widths, '')
    for row in rows:
        for position, cell in enumerate(row):
            yield '   %s %s' % ('  -' if position else '* -', cell)
