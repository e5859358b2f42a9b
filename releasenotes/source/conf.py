# SPDX-License-Identifier: Apache-2.0

"""Configuration of the release notes build."""

extensions = [
    'openstackdocstheme',
    'reno.sphinxext',
]

project = 'nova-coldmig release notes'
copyright = 'nova-coldmig contributors'
# Release notes are of no single version.
version = release = ''

html_theme = 'openstackdocs'
openstackdocs_auto_name = False
openstackdocs_auto_version = False
pygments_style = 'native'
# As in the documentation.
smartquotes = False
