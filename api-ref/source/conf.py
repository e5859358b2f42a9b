# SPDX-License-Identifier: Apache-2.0

"""Configuration of the API reference build."""

from importlib import metadata

extensions = [
    'openstackdocstheme',
    'os_api_ref',
]

project = 'nova-coldmig API reference'
copyright = 'nova-coldmig contributors'
version = release = metadata.version('nova-coldmig')

html_theme = 'openstackdocs'
html_theme_options = {
    'sidebar_mode': 'toc',
}
openstackdocs_auto_name = False
openstackdocs_auto_version = False
pygments_style = 'native'
# As in the documentation.
smartquotes = False
