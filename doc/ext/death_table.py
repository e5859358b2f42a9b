# SPDX-License-Identifier: Apache-2.0

"""A directive that shows what deaths on hosts with libvirt leave.

``death-table`` reads cloud/trials/deaths_libvirt.ini, which is what
tools/deaths asserts, so that the page says what was seen.
"""

import configparser
import pathlib

import list_table
from sphinx.util import docutils

TABLE = (pathlib.Path(__file__).parents[2] / 'cloud' / 'trials' /
         'deaths_libvirt.ini')
SIDES = {'libvirt1': 'source', 'libvirt2': 'destination'}
DOMAINS = {'-': 'no domain', 'running': 'the guest runs',
           'shut off': 'the guest is off'}
ACTIONS = {'act reboot': 'a hard reboot',
           'act reset': '``openstack server set --state active``',
           'until rest': None}


def _disks(text):
    """Say what a host has, of the field on.HOST."""
    *folders, domain = text.split(', ')
    parts = []
    for folder in folders:
        name, state = folder.split(' ')
        name = '``UUID%s``' % ('' if name == '.' else name)
        parts.append({'whole': '%s with the whole disk',
                      'part': '%s with a part of the disk',
                      'none': '%s without a disk'}[state] % name)
    return '; '.join(parts + [DOMAINS[domain]])


def _nova(text):
    """Say what Nova tells, of the field left."""
    host, status, task, migration, *_rest = text.split(', ')
    said = '``%s``' % status
    if task != '-':
        said += ', ``%s``' % task
    return '%s on the %s; migration %s' % (
        said, SIDES[host], '–' if migration == '-' else '``%s``' % migration)


def _step(line):
    if line in ACTIONS:
        return ACTIONS[line]
    verb, host, *rest = line.split()
    if verb == 'start':
        return 'start nova-compute on the %s' % SIDES[host]
    if verb == 'on':
        return 'on the %s ``%s``' % (SIDES[host], ' '.join(rest))
    raise ValueError(line)


def _remedy(section):
    """Say what puts it right, of the fields repair, then and again."""
    steps = []
    if section.get('repair') in ('by-hand', 'refused'):
        steps.append('by hand:')
    elif section.get('repair'):
        steps.append('``%s``' % section['repair'])
    for line in section.get('then', '').strip().splitlines():
        steps.append(_step(line))
    if section.get('again'):
        steps.append('then ``%s``' % section['again'])
    steps = [step for step in steps if step]
    text = '; '.join(steps).replace(':;', ':')
    if section['ends'].endswith('VERIFY_RESIZE'):
        text = '; '.join(filter(None, [text, 'confirm it']))
    return text or 'Nothing has to be done'


class DeathTable(docutils.SphinxDirective):
    """A row for each death."""

    def run(self):
        return self.parse_text_to_nodes('\n'.join(self.lines()))

    def lines(self):
        parser = configparser.ConfigParser()
        parser.read_string(TABLE.read_text())
        rows = [('What died', 'Nova says', 'On the source',
                 'On the destination', 'What puts it right')]
        for name in parser.sections():
            section = parser[name]
            what = ' '.join(section['what'].split())
            rows.append((
                what[0].upper() + what[1:], _nova(section['left']),
                _disks(section['on.libvirt1']),
                _disks(section['on.libvirt2']), _remedy(section)))
        return list_table.lines('24 18 18 18 22', rows)


def setup(app):
    """Register with Sphinx."""
    app.add_directive('death-table', DeathTable)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
