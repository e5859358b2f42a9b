# SPDX-License-Identifier: Apache-2.0

"""WSGI entry point of nova-api with the API half of nova-coldmig.

For deployments that keep api-paste.ini as Nova ships it: it takes the place
of nova.wsgi.osapi_compute (nova-api-wsgi in 2024.1). Nova's own module selects
the threading model, parses the configuration and makes the application. The
API half is installed in between, if at all: as soon as the configuration is
parsed.
"""

import functools
import importlib
from importlib import machinery
from importlib import util

from nova_coldmig.wsgi import after_import


def _install_when_configured(wsgi_app):
    init_global_data = getattr(wsgi_app, 'init_global_data', None)
    if init_global_data is None:
        return

    @functools.wraps(init_global_data)
    def init_and_install(*args, **kwargs):
        init_global_data(*args, **kwargs)
        # It would import what has to wait for the threading model.
        from nova_coldmig import seams
        from nova_coldmig import start
        start.install(seams.API)

    wsgi_app.init_global_data = init_and_install


def _nova_has_module():
    # In 2024.1 nova.wsgi is no package. It must not be imported to find out,
    # as it is not the first to be imported there.
    nova = util.find_spec('nova')
    if nova is None:
        return False
    package = machinery.PathFinder.find_spec(
        'nova.wsgi', nova.submodule_search_locations)
    return package is not None and bool(package.submodule_search_locations)


after_import.call('nova.api.openstack.wsgi_app', _install_when_configured)
if _nova_has_module():
    application = importlib.import_module(
        'nova.wsgi.osapi_compute').application
else:
    application = importlib.import_module(
        'nova.api.openstack.compute.wsgi').init_application()

from nova_coldmig import seams  # noqa: E402
from nova_coldmig import start  # noqa: E402

if not start.decided(seams.API):
    start.leave_out(
        seams.API, 'nova-coldmig could not find where this Nova parses its '
        'configuration. Install a nova-coldmig release made for it.')
