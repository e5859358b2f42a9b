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


"""What goes wrong in the client, each in a sentence for a person."""


class ClientError(Exception):
    """Something that the user of a command is told."""


class NotSupported(ClientError):
    """The cloud does not have the package."""

    def __init__(self):
        super().__init__('This cloud can not force a cold migration: its '
                         'Nova does not have the package nova-coldmig.')


class RequestFailed(ClientError):
    """Nova refused, or did not answer.

    :ivar status: int of HTTP, or None if there was no answer.
    """

    def __init__(self, message, status=None):
        super().__init__(message)
        self.status = status

    @classmethod
    def from_response(cls, response):
        """Take the message out of what Nova answered.

        :param response: requests.Response, an error.
        """
        try:
            # {"conflictingRequest": {"code": 409, "message": ...}}
            (error,) = response.json().values()
            message = error['message']
        except (ValueError, AttributeError, TypeError, KeyError):
            # Of something between here and Nova.
            message = response.reason or 'Error'
        message = '%s (HTTP %d)' % (message, response.status_code)
        request_id = response.headers.get('x-openstack-request-id')
        if request_id:
            message += ' (Request-ID: %s)' % request_id
        return cls(message, response.status_code)

    @property
    def transient(self):
        """Whether the same request may be answered later."""
        return (self.status is None or self.status >= 500
                or self.status == 429)


class MigrationFailed(ClientError):
    """A server is not where it should be."""


class GaveUp(ClientError):
    """A migration goes on, but nobody waits for it any longer."""
