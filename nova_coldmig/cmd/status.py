#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""nova-coldmig-status: is the feature there, and if not, what to do."""

# First of all: it selects the threading model of the series.
from nova.cmd import status  # noqa: F401

import configparser
import os
import sys

from nova import config
from nova import context as nova_context
from nova import objects
from nova import servicegroup
from oslo_db import exception as db_exc
import oslo_messaging as messaging
from oslo_upgradecheck import upgradecheck

from nova_coldmig import activation
from nova_coldmig.conductor import rpcapi
import nova_coldmig.conf
from nova_coldmig import seams
from nova_coldmig import series

CONF = nova_coldmig.conf.CONF


class Checks(upgradecheck.UpgradeCommands):
    """The checks of ``nova-coldmig-status upgrade check``."""

    def _check_tree(self):
        """Whether both halves can be installed into the installed Nova."""
        tested = 'nova-coldmig was tested with Nova %s.' % series.installed()
        try:
            for half in (seams.API, seams.CONDUCTOR):
                seams.check(half)
        except series.UnsupportedNova as e:
            if CONF.coldmig.allow_untested_tree:
                return upgradecheck.Result(
                    upgradecheck.Code.WARNING, str(e))
            return upgradecheck.Result(upgradecheck.Code.FAILURE, str(e))
        return upgradecheck.Result(upgradecheck.Code.SUCCESS, tested)

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
                paste.read(path)
                factory = paste.get(activation.PASTE_SECTION,
                                    activation.PASTE_OPTION)
            except configparser.Error as e:
                return upgradecheck.Result(
                    upgradecheck.Code.FAILURE,
                    '%s can not be read: %s' % (path, e))
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
            upgradecheck.Code.SUCCESS, 'Active in %s.' % ', '.join(files))

    def _check_conductors(self):
        """Whether each super conductor runs forced cold migrations."""
        context = nova_context.get_admin_context()
        try:
            services = objects.ServiceList.get_by_binary(
                context, 'nova-conductor')
        except db_exc.CantStartEngineError:
            # No [database]connection, which nova-api need not have.
            services = []
        except db_exc.DBError as e:
            return upgradecheck.Result(
                upgradecheck.Code.FAILURE,
                'The database in [database]connection can not be read: %s. '
                'Run this with the nova.conf of the super conductor.' % e)
        up = [service.host for service in services
              if servicegroup.API().service_is_up(service)]
        return _ask_each(context, up) if up else _ask_any(context)

    _upgrade_checks = (
        ('Supported Nova', _check_tree),
        ('API activation', _check_api_paste),
        ('Super conductors', _check_conductors),
    )


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


def _ask_each(context, hosts):
    without = []
    silent = []
    for host in hosts:
        try:
            if rpcapi.ConductorAPI().version(context, host) is None:
                without.append(host)
        except messaging.MessagingTimeout:
            silent.append(host)
    if without:
        return upgradecheck.Result(
            upgradecheck.Code.FAILURE,
            'nova-conductor on %s does not know force and asks the '
            'scheduler about the host instead. Start '
            'nova-coldmig-conductor in its place.' % ', '.join(without))
    if silent:
        return upgradecheck.Result(
            upgradecheck.Code.WARNING,
            'nova-conductor on %s did not answer within 10 seconds. See '
            'its log and [DEFAULT]transport_url, which must be the one '
            'of nova-api.' % ', '.join(silent))
    return upgradecheck.Result(
        upgradecheck.Code.SUCCESS, 'Asked: %s.' % ', '.join(hosts))


def _ask_any(context):
    # Where nova-api runs, the database is often not the one that the super
    # conductor has its record in. The bus is the same.
    try:
        version = rpcapi.ConductorAPI().version(context)
    except messaging.MessagingTimeout:
        return upgradecheck.Result(
            upgradecheck.Code.FAILURE,
            'No nova-conductor is up in the database in '
            '[database]connection, and none answers on '
            '[DEFAULT]transport_url. Start nova-coldmig-conductor in its '
            'place, and run this with the nova.conf of the super conductor.')
    if version is None:
        return upgradecheck.Result(
            upgradecheck.Code.FAILURE,
            'A nova-conductor on [DEFAULT]transport_url does not know force '
            'and asks the scheduler about the host instead. Start '
            'nova-coldmig-conductor in its place.')
    return upgradecheck.Result(
        upgradecheck.Code.SUCCESS,
        'One of those on [DEFAULT]transport_url was asked. Run this with the '
        'nova.conf of the super conductor to have each asked.')


def main():
    """Run the checks; exit codes are those of nova-status."""
    upgradecheck.register_cli_options(CONF, Checks())
    config.parse_args(sys.argv)
    objects.register_all()
    return upgradecheck.run(CONF)
