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

"""Options of nova-coldmig, in the configuration object that Nova uses."""

from oslo_config import cfg

from nova_coldmig.conf import coldmig

CONF = cfg.CONF

coldmig.register_opts(CONF)


def list_opts():
    """List the options for oslo-config-generator.

    :returns: list of tuples of oslo_config.cfg.OptGroup and a list of
        oslo_config.cfg.Opt
    """
    return list(coldmig.list_opts().items())
