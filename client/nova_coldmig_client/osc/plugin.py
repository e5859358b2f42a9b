# SPDX-License-Identifier: Apache-2.0

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
