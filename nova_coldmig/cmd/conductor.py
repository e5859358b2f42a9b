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

"""nova-conductor, with the conductor half of nova-coldmig."""

# First of all: it selects the threading model of the series.
from nova.cmd import conductor

import sys

from oslo_log import log as logging

from nova_coldmig import seams
from nova_coldmig import series

LOG = logging.getLogger(__name__)


def main():
    """Run nova-conductor; takes its arguments and reads its files."""
    # oslo.config looks for files named after the program.
    sys.argv[0] = 'nova-conductor'
    try:
        seams.CONDUCTOR_MANAGER.apply(series.detect(allow_untested=True))
        conductor.main()
    except series.UnsupportedNova as e:
        if LOG.logger.hasHandlers():
            # The end of the process is told on the standard error only.
            LOG.critical('%s', e)
        sys.exit('nova-coldmig-conductor: %s' % e)
