# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

from tempest.test_discover import plugins

from nova_coldmig_tempest_plugin import config


class ColdmigTempestPlugin(plugins.TempestPlugin):
    """What Tempest asks of a plugin."""

    def load_tests(self):
        package = Path(__file__).parent
        return str(package / 'tests'), str(package.parent)

    def register_opts(self, conf):
        conf.register_group(config.group)
        conf.register_opts(config.OPTS, group=config.group)

    def get_opt_lists(self):
        return [(config.group.name, config.OPTS)]
