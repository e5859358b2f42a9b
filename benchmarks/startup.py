# SPDX-License-Identifier: Apache-2.0

"""What the package adds to the start of nova-api and nova-conductor."""

import os
import subprocess
import sys
import tempfile

from nova_coldmig.tests.sandbox import paste_ini

#: By service, what it does up to where it would serve: without and with.
_API = """
from nova import config
config.parse_args(['benchmark', '--config-file', %(conf)r])
from nova.api import wsgi
wsgi.Loader(%(paste)r).load_app('osapi_compute')
"""
_CONDUCTOR = """
import nova.cmd.conductor
from nova import config, objects, service
config.parse_args(['benchmark', '--config-file', %(conf)r])
objects.register_all()
from oslo_utils import importutils
%(install)s
importutils.import_class(service.SERVICE_MANAGERS['nova-conductor'])
"""
_INSTALL = """
from nova_coldmig import seams, start
assert start.install(seams.CONDUCTOR)
"""
_TIMED = """
import time
began = time.process_time()
%s
print(time.process_time() - began)
"""


def measure(runs):
    """Start both services in turn, without the package and with it.

    :param runs: int, how often each.
    :returns: dict of service to the least processor time in milliseconds.
    """
    with tempfile.TemporaryDirectory() as directory:
        programs = _programs(directory)
        found = {key: [] for key in programs}
        for _ in range(runs + 1):
            for key, program in programs.items():
                found[key].append(_run(program))
    result = {}
    for service in ('nova-api', 'nova-conductor'):
        # The fastest one is the one that was disturbed least. The first ones
        # compile.
        without, with_ = (1000 * min(found[service, key][1:])
                          for key in (False, True))
        result[service] = {
            'without_ms': round(without, 1), 'with_ms': round(with_, 1),
            'added_ms': round(with_ - without, 1), 'runs': runs}
    return result


def _programs(directory):
    conf = os.path.join(directory, 'nova.conf')
    with open(conf, 'w') as stream:
        stream.write('[api]\nauth_strategy = noauth2\n'
                     '[DEFAULT]\nstate_path = %s\n' % directory)
    with open(paste_ini.find()) as stream:
        pristine = stream.read()
    programs = {}
    for with_ in (False, True):
        paste = os.path.join(directory, 'paste-%d.ini' % with_)
        with open(paste, 'w') as stream:
            stream.write(paste_ini.activate(pristine) if with_ else pristine)
        programs['nova-api', with_] = _API % {'conf': conf, 'paste': paste}
        programs['nova-conductor', with_] = _CONDUCTOR % {
            'conf': conf, 'install': _INSTALL if with_ else ''}
    return programs


def _run(program):
    ran = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', _TIMED % program],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, universal_newlines=True)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return float(ran.stdout.split()[-1])
