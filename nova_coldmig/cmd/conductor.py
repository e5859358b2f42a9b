# SPDX-License-Identifier: Apache-2.0

"""nova-conductor, with the conductor half of nova-coldmig."""

# First of all: it selects the threading model of the series.
from nova.cmd import conductor

import sys

from nova import config
from oslo_config import cfg
from oslo_log import log as logging

from nova_coldmig import seams
from nova_coldmig import series
from nova_coldmig import start

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


def main():
    """Run nova-conductor; takes its arguments and reads its files."""
    # oslo.config looks for files named after the program. It prints the help
    # before.
    if not {'-h', '--help'}.intersection(sys.argv[1:]):
        sys.argv[0] = 'nova-conductor'
    try:
        _install()
    except series.UnsupportedNova as e:
        sys.exit('nova-coldmig-conductor: %s' % e)
    conductor.main()


def _install():
    """Install the conductor half, or not, as the configuration says."""
    try:
        config.parse_args(sys.argv, configure_db=False, init_rpc=False)
        logging.setup(CONF, 'nova')
        start.install(seams.CONDUCTOR)
    except series.UnsupportedNova:
        raise
    except Exception as e:
        # If it is an error in the configuration, Nova tells it next.
        LOG.error('It could not be decided whether nova-conductor runs with '
                  'the conductor half of forced cold migration, and it runs '
                  'without: %s', e)
    finally:
        # Nova parses it again, and takes it for the first time.
        CONF.clear()
