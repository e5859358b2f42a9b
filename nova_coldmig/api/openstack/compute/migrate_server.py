# SPDX-License-Identifier: Apache-2.0

from nova.api.openstack import api_version_request
from nova.api.openstack import wsgi
from nova.api import validation
from nova.i18n import _
from oslo_utils import strutils
from webob import exc

from nova_coldmig.api.openstack.compute.schemas import migrate_server as schema
from nova_coldmig.compute import api as compute


class ForcedMigrateServer:
    """What Nova's migrate action needs of its controller, with force."""

    def __init__(self, controller):
        self.compute_api = compute.ForcedAPI.of(controller.compute_api)


def migrate_action(upstream, tree):
    """Make the migrate action that serves the new microversion as well.

    :param upstream: function, MigrateServerController._migrate of the tree
        with all its decorators. It answers every request in the end, and
        alone those at older microversions.
    :param tree: nova_coldmig.series.Series
    :returns: function, to be MigrateServerController._migrate.
    """

    # No expected_errors: the one of Nova's method is enough, and a second
    # would hide the name of an unexpected exception.
    @wsgi.response(202)
    @wsgi.action('migrate')
    @validation.schema(schema.migrate, tree.microversion)
    def _migrate(self, req, id, body):
        """Permit admins to migrate a server to a new host."""
        if api_version_request.is_supported(req, tree.microversion):
            migrate = body['migrate'] or {'host': None}
            host = migrate['host']
            # Nova's schema makes sure that the string is one it knows.
            if strutils.bool_from_string(migrate.get('force')):
                if host is None:
                    raise exc.HTTPBadRequest(explanation=_(
                        "Can't force to a non-provided destination. Name the "
                        "host, or leave out force."))
                self = ForcedMigrateServer(self)
            body = {'migrate': {'host': host}}
        return upstream(self, req=req, id=id, body=body)

    # Such as the schema of the response, where the series has one.
    for name, value in vars(upstream).items():
        vars(_migrate).setdefault(name, value)
    return _migrate
