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
