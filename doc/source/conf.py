# SPDX-License-Identifier: Apache-2.0

"""Configuration of the documentation build."""

from importlib import metadata
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).parents[1] / 'ext'))

extensions = [
    'cliff.sphinxext',
    'openstackdocstheme',
    'oslo_config.sphinxconfiggen',
    'oslo_config.sphinxext',
    'oslo_policy.sphinxext',
    'oslo_policy.sphinxpolicygen',
    # Those of doc/ext:
    'death_table',
    'messages',
    'seam_table',
]

project = 'nova-coldmig'
copyright = 'nova-coldmig contributors'
version = release = metadata.version('nova-coldmig')

html_theme = 'openstackdocs'
html_static_path = ['_static']
openstackdocs_auto_name = False
openstackdocs_auto_version = False
pygments_style = 'native'
# What is an option stays one: no dash is made of two hyphens.
smartquotes = False

autoprogram_cliff_application = 'openstack'

config_generator_config_file = [
    ('configuration/config-generator.conf', '_static/nova-coldmig'),
]
policy_generator_config_file = [
    ('configuration/policy-generator.conf', '_static/nova-coldmig'),
]
