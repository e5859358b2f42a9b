# SPDX-License-Identifier: Apache-2.0

"""What the sandbox fails with, in words for a person."""


class SandboxError(Exception):
    """The sandbox can not be had, or did not do as it should."""


class StoryError(SandboxError):
    """A step of the story is not as it should be."""
