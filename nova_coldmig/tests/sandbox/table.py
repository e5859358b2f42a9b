# SPDX-License-Identifier: Apache-2.0

"""What a person reads: tables, and colours where there is a terminal."""

import os
import textwrap

import prettytable

UNITS = {'VCPU': '%d VCPU', 'PCPU': '%d PCPU', 'MEMORY_MB': '%d MB',
         'DISK_GB': '%d GB disk'}
STYLES = {'bold': 1, 'red': 31, 'green': 32, 'yellow': 33, 'cyan': 36}
WIDTH = 76


class Terminal:
    """Print for a person.

    :param stream: text stream
    :param environment: mapping, NO_COLOR in which is honoured.
    """

    def __init__(self, stream, environment=os.environ):
        self._stream = stream
        # See no-color.org: set and not empty.
        self.colour = stream.isatty() and not environment.get('NO_COLOR')

    def paint(self, text, style):
        """Give a text a style if this is a terminal that shows it.

        :param text: str
        :param style: str, a key of STYLES.
        :returns: str
        """
        if not self.colour:
            return text
        return '\033[%dm%s\033[0m' % (STYLES[style], text)

    def line(self, text=''):
        """Print a line as it is."""
        print(text, file=self._stream, flush=True)

    def heading(self, text):
        """Print the heading of a chapter."""
        self.line()
        self.line(self.paint(text, 'bold'))

    def say(self, text):
        """Print a paragraph."""
        for line in textwrap.wrap(text, WIDTH, initial_indent='   ',
                                  subsequent_indent='   ',
                                  break_long_words=False,
                                  break_on_hyphens=False):
            self.line(line)

    def check(self, text, good):
        """Print what was checked and the outcome.

        :param text: str
        :param good: bool
        """
        mark = self.paint('ok  ', 'green') if good else (
            self.paint('FAIL', 'red'))
        self.line('   %s %s' % (mark, text))

    def table(self, fields, rows):
        """Print a table.

        :param fields: sequence of str
        :param rows: iterable of sequences of str
        """
        for line in render(fields, rows).splitlines():
            self.line('   ' + line)


def render(fields, rows):
    """Make a table.

    :param fields: sequence of str
    :param rows: iterable of sequences of str, with a newline in a cell for
        more than one line.
    :returns: str
    """
    table = prettytable.PrettyTable(fields)
    table.align = 'l'
    table.hrules = prettytable.ALL
    for row in rows:
        table.add_row(row)
    return table.get_string()


def amounts(resources):
    """Say how much of which resources.

    :param resources: dict of resource class to amount
    :returns: str
    """
    order = list(UNITS)
    return '\n'.join(
        UNITS.get(name, '%d ' + name) % resources[name]
        for name in sorted(resources, key=lambda name: (
            order.index(name) if name in order else len(order), name)))


def holdings(allocations, providers, label):
    """Say who holds what of each provider: a row of a table.

    :param allocations: dict of provider name to dict of consumer id to dict
        of resource class to amount
    :param providers: sequence of provider names
    :param label: callable that takes the id of a consumer and returns what
        to call it.
    :returns: list of str, one for each provider.
    """
    return ['\n'.join('%s\n%s' % (label(consumer), amounts(resources))
                      for consumer, resources in sorted(
                          allocations[provider].items()))
            for provider in providers]
