# SPDX-License-Identifier: Apache-2.0

"""nova-coldmig-status: is the feature there, and if not, what to do."""

# First of all: it selects the threading model of the series.
from nova.cmd import status  # noqa: F401

import configparser
import errno
import functools
import os
import socket
import sys

from nova import config
from nova import context as nova_context
from nova import objects
from nova import rpc
from nova import servicegroup
from oslo_db import exception as db_exc
import oslo_messaging as messaging
from oslo_upgradecheck import upgradecheck

from nova_coldmig import activation
from nova_coldmig.cmd import bounded
from nova_coldmig.conductor import rpcapi
import nova_coldmig.conf
from nova_coldmig.conf import coldmig
from nova_coldmig import seams
from nova_coldmig import series
from nova_coldmig import start

CONF = nova_coldmig.conf.CONF

#: How long, in seconds, something that is asked may take to answer. A
#: conductor has as long as ConductorAPI gives it, and a little to reach it.
DATABASE = 10
BROKER = 5
CONDUCTORS = rpcapi.TIMEOUT + 3

#: By [coldmig]on_unknown_tree, what an unknown tree means.
UNKNOWN_TREE = {
    coldmig.DISABLE: (
        upgradecheck.Code.FAILURE,
        'Until then nova-api and nova-coldmig-conductor run as Nova does '
        'without nova-coldmig.'),
    coldmig.REFUSE: (
        upgradecheck.Code.FAILURE,
        'Until then nova-api and nova-coldmig-conductor do not start, as '
        '[coldmig]on_unknown_tree = refuse asks.'),
    coldmig.RUN: (
        upgradecheck.Code.WARNING,
        'nova-api and nova-coldmig-conductor run with it nevertheless, as '
        '[coldmig]on_unknown_tree = run asks.'),
}


def _guarded(check):
    """Let a check end with a verdict, whatever happens in it."""

    @functools.wraps(check)
    def run(self):
        try:
            return check(self)
        except Exception as e:
            return upgradecheck.Result(
                upgradecheck.Code.FAILURE,
                'This could not be told: %s' % _in_words(e))

    return run


def _in_words(error):
    """Take what an exception says, without statements and links.

    :param error: Exception
    :returns: str
    """
    if (isinstance(error, OSError) and error.errno is not None and
            error.errno in errno.errorcode):
        # Green sockets give the name of the constant.
        return os.strerror(error.errno)
    # What follows is for those who debug SQLAlchemy.
    text = ' '.join(str(error).partition('[SQL:')[0].partition(
        '(Background on this error')[0].split())
    return text or type(error).__name__


class Checks(upgradecheck.UpgradeCommands):
    """The checks of ``nova-coldmig-status upgrade check``."""

    def _check_tree(self):
        """Whether both halves can be installed into the installed Nova."""
        reasons = []
        for half in (seams.API, seams.CONDUCTOR):
            try:
                tree = seams.check(half)
            except series.UnsupportedNova as e:
                if str(e) not in reasons:
                    reasons.append(str(e))
        if reasons:
            code, meaning = UNKNOWN_TREE[start.on_unknown_tree()]
            return upgradecheck.Result(
                code, '%s %s' % (' '.join(reasons), meaning))
        return upgradecheck.Result(
            upgradecheck.Code.SUCCESS, _known(tree, series.installed()))

    def _check_api_paste(self):
        """Whether api-paste.ini activates the API half."""
        files = _api_paste_files()
        if not files:
            return upgradecheck.Result(
                upgradecheck.Code.WARNING,
                'There is no %s here. Run this where nova-api runs.' %
                CONF.wsgi.api_paste_config)
        for path in files:
            paste = configparser.RawConfigParser()
            try:
                with open(path) as stream:
                    paste.read_file(stream)
                factory = paste.get(activation.PASTE_SECTION,
                                    activation.PASTE_OPTION)
            except (configparser.Error, OSError, UnicodeError) as e:
                return upgradecheck.Result(
                    upgradecheck.Code.FAILURE,
                    '%s can not be read: %s' % (path, _in_words(e)))
            if factory != activation.ROUTER_FACTORY:
                return upgradecheck.Result(
                    upgradecheck.Code.WARNING,
                    'Force is not in the API: %s has paste.app_factory = %s. '
                    'Set it to %s in [%s] and restart nova-api, unless '
                    'nova-api reads another file, is served from %s or does '
                    'not run here.' % (
                        path, factory, activation.ROUTER_FACTORY,
                        activation.PASTE_SECTION, activation.WSGI_MODULE))
        return upgradecheck.Result(
            upgradecheck.Code.SUCCESS, 'Switched on in %s.' % ', '.join(files))

    def _check_conductors(self):
        """Whether each super conductor runs forced cold migrations."""
        context = nova_context.get_admin_context()
        try:
            hosts = bounded.run([functools.partial(_hosts_up, context)],
                                DATABASE)[0].result()
        except bounded.NotInTime:
            return upgradecheck.Result(
                upgradecheck.Code.FAILURE,
                'The database in [database]connection did not answer within '
                '%d seconds. Run this where it can be reached, with the '
                'nova.conf of the super conductor.' % DATABASE)
        except db_exc.CantStartEngineError:
            # No [database]connection, which nova-api need not have.
            hosts = []
        except db_exc.DBError as e:
            return upgradecheck.Result(
                upgradecheck.Code.FAILURE,
                'The database in [database]connection can not be read: %s. '
                'Run this with the nova.conf of the super conductor.' %
                _in_words(e).rstrip('.'))
        if rpc.TRANSPORT is None:
            rpc.init(CONF)
        return _broker_away() or _ask(context, hosts)

    _upgrade_checks = (
        ('Supported Nova', _guarded(_check_tree)),
        ('API activation', _guarded(_check_api_paste)),
        ('Super conductors', _guarded(_check_conductors)),
    )


def _known(tree, version):
    """Say how well a version of a known series is known.

    :param tree: nova_coldmig.series.Series
    :param version: str
    :returns: str
    """
    if version == tree.tested:
        return 'nova-coldmig was tested with Nova %s.' % version
    return (
        'nova-coldmig was tested with Nova %s. This is Nova %s%s, and every '
        'function of it that is replaced or relied on is as in a release of '
        '%s.' % (
            tree.tested, version,
            ', a development version' if series.is_development(version)
            else '', tree.name))


def _api_paste_files():
    """Find the files that nova-api may read.

    A WSGI server reads the one that nova.api.openstack.wsgi_app.
    _get_config_files names, the program nova-api, up to 2025.1, that of the
    option. Nova's function is not called: its module changes threads.

    :returns: list of str, those that exist.
    """
    name = os.environ.get('OS_NOVA_CONFIG_FILES', '').split(';')[0]
    files = [
        os.path.join(os.environ.get('OS_NOVA_CONFIG_DIR', '/etc/nova').strip(),
                     name or 'api-paste.ini'),
        CONF.find_file(CONF.wsgi.api_paste_config)]
    found = {os.path.realpath(path): path for path in reversed(files)
             if path and os.path.exists(path)}
    return sorted(found.values())


def _hosts_up(context):
    """List the hosts of the nova-conductor services that are up."""
    services = objects.ServiceList.get_by_binary(context, 'nova-conductor')
    return [service.host for service in services
            if servicegroup.API().service_is_up(service)]


def _broker_away():
    """Tell whether no broker takes connections.

    oslo.messaging would try again for ever.

    :returns: oslo_upgradecheck.upgradecheck.Result or None
    """
    brokers = [(host.hostname, host.port or 5672) for host in
               messaging.TransportURL.parse(CONF).hosts if host.hostname]
    outcomes = bounded.run(
        [functools.partial(_connect, broker) for broker in brokers], BROKER)
    if not brokers or any(outcome.error is None for outcome in outcomes):
        return None
    return upgradecheck.Result(
        upgradecheck.Code.FAILURE,
        'The super conductors can not be asked: no message broker of '
        '[DEFAULT]transport_url can be reached (%s). Start it, or run this '
        'where it can be reached.' % ', '.join(
            '%s:%d: %s' % (*broker, _in_words(outcome.error))
            for broker, outcome in zip(brokers, outcomes)))


def _connect(broker):
    socket.create_connection(broker, timeout=BROKER).close()


def _ask(context, hosts):
    """Ask each conductor of the hosts, or one if there are none.

    :param hosts: list of str
    :returns: oslo_upgradecheck.upgradecheck.Result
    """
    # Where nova-api runs, the database is often not the one that the super
    # conductor has its record in. The bus is the same.
    client = rpcapi.ConductorAPI()
    outcomes = bounded.run(
        [functools.partial(client.version, context, host)
         for host in hosts or [None]], CONDUCTORS)
    for outcome in outcomes:
        if outcome.error is not None and not isinstance(
                outcome.error, (bounded.NotInTime,
                                messaging.MessagingTimeout)):
            return upgradecheck.Result(
                upgradecheck.Code.FAILURE,
                'The super conductors can not be asked on '
                '[DEFAULT]transport_url: %s' % _in_words(outcome.error))
    if all(isinstance(outcome.error, bounded.NotInTime)
           for outcome in outcomes):
        return upgradecheck.Result(
            upgradecheck.Code.FAILURE,
            'The super conductors can not be asked: the message broker of '
            '[DEFAULT]transport_url takes connections and did not answer '
            'within %d seconds. See its log, and the standard error.' %
            CONDUCTORS)
    if not hosts:
        return _one(outcomes[0])
    return _each(dict(zip(hosts, outcomes)))


def _each(outcomes):
    without = [host for host, outcome in outcomes.items()
               if outcome.error is None and outcome.value is None]
    silent = [host for host, outcome in outcomes.items() if outcome.error]
    if without:
        return upgradecheck.Result(
            upgradecheck.Code.FAILURE,
            'nova-conductor on %s does not know force and asks the '
            'scheduler about the host instead. Start '
            'nova-coldmig-conductor in its place; if it is that already, its '
            'log says why it runs without.' % ', '.join(without))
    if silent:
        return upgradecheck.Result(
            upgradecheck.Code.WARNING,
            'nova-conductor on %s did not answer within %d seconds. See '
            'its log and [DEFAULT]transport_url, which must be the one '
            'of nova-api.' % (', '.join(silent), rpcapi.TIMEOUT))
    return upgradecheck.Result(
        upgradecheck.Code.SUCCESS, 'Asked: %s.' % ', '.join(outcomes))


def _one(outcome):
    if outcome.error is not None:
        return upgradecheck.Result(
            upgradecheck.Code.FAILURE,
            'No nova-conductor is up in the database in '
            '[database]connection, and none answers on '
            '[DEFAULT]transport_url. Start nova-coldmig-conductor in its '
            'place, and run this with the nova.conf of the super conductor.')
    if outcome.value is None:
        return upgradecheck.Result(
            upgradecheck.Code.FAILURE,
            'A nova-conductor on [DEFAULT]transport_url does not know force '
            'and asks the scheduler about the host instead. Start '
            'nova-coldmig-conductor in its place; if it is that already, its '
            'log says why it runs without.')
    return upgradecheck.Result(
        upgradecheck.Code.SUCCESS,
        'One of those on [DEFAULT]transport_url was asked. Run this with the '
        'nova.conf of the super conductor to have each asked.')


def main():
    """Run the checks; exit codes are those of nova-status."""
    upgradecheck.register_cli_options(CONF, Checks())
    # The bus is one of the things that may be away.
    config.parse_args(sys.argv, init_rpc=False)
    objects.register_all()
    # As upgradecheck.main does: it looks there for --json.
    upgradecheck.CONF = CONF
    return upgradecheck.run(CONF)
