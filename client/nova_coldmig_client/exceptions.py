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

"""What goes wrong in the client."""


class NotSupported(Exception):
    """The cloud does not have the package."""

    def __init__(self):
        super().__init__('This cloud can not force a cold migration: its '
                         'Nova does not have the package nova-coldmig.')


class MigrationFailed(Exception):
    """A server is not where it should be."""


class TimedOut(Exception):
    """A migration goes on, but nobody waits for it any longer."""
