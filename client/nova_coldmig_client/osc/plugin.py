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

"""Plugin of openstackclient."""

API_NAME = 'coldmig'
API_VERSION_OPTION = 'os_coldmig_api_version'
API_VERSIONS = {'1': 'nova_coldmig_client.osc.plugin'}
DEFAULT_API_VERSION = '1'


def make_client(instance):
    """Return the compute service of openstacksdk, which is an adapter.

    :param instance: osc_lib.clientmanager.ClientManager
    """
    return instance.sdk_connection.compute


def build_option_parser(parser):
    """Return the parser of the global options as it is.

    :param parser: argparse.ArgumentParser
    """
    return parser
