# SPDX-License-Identifier: Apache-2.0

"""What is shown while a migration goes on."""

import time


class Display:
    """Show the status of a server: in one line on a terminal, else in many.

    :param stream: text stream
    """

    def __init__(self, stream):
        self._stream = stream
        self._terminal = stream.isatty()
        self._began = time.monotonic()
        self._last = None
        self._width = 0

    def show(self, status):
        """Show a status, which may be the same as before.

        :param status: str
        """
        if self._terminal:
            text = '%s, %d s' % (status, time.monotonic() - self._began)
            # What is left of a longer one is overwritten.
            self._stream.write('\r' + text.ljust(self._width))
            self._width = len(text)
        elif status != self._last:
            self._stream.write(status + '\n')
        self._last = status
        self._stream.flush()

    def close(self):
        """Leave the line, if there is one."""
        if self._width:
            self._stream.write('\n')
            self._stream.flush()
            self._width = 0
