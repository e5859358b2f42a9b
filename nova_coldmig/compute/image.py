# SPDX-License-Identifier: Apache-2.0

"""The image of a server, as Nova stored it with the server."""

from nova.i18n import _
from nova import objects
from nova import utils

from nova_coldmig import database
from nova_coldmig import exception as coldmig_exc


def get(instance):
    """Read the image of a server.

    Nova reads it on the compute hosts only, so a server whose image has a
    property that this Nova does not know is not found out before.

    :param instance: nova.objects.Instance
    :returns: nova.objects.ImageMeta
    :raises: nova_coldmig.exception.ForcedDestinationInvalid if a property is
        not known; nova_coldmig.exception.ForcedDestinationUnavailable if it
        can not be read for another reason.
    """
    with _reading():
        metadata = instance.system_metadata
    try:
        return instance.image_meta
    except database.UNKNOWN_DATA:
        unknown = _unknown(metadata)
    if not unknown:
        # It is nothing that a property says.
        with _reading():
            return instance.image_meta
    facts = {
        'server': instance.uuid,
        'properties': ', '.join('%s=%s' % item for item in unknown.items())}
    if set(unknown) <= set(objects.ImageMetaProps.fields):
        raise coldmig_exc.ForcedDestinationInvalid(reason=_(
            "The image of the server has properties that this Nova does not "
            "know, so it can not be told which hosts can run the server: "
            "%(properties)s. Stop the server, correct them with 'nova-manage "
            "image_property set %(server)s --property NAME=VALUE', and "
            "migrate again.") % facts)
    raise coldmig_exc.ForcedDestinationInvalid(reason=_(
        "The image of the server has properties that this Nova does not know, "
        "so it can not be told which hosts can run the server: "
        "%(properties)s. nova-manage can not set them all: correct them in "
        "the table instance_system_metadata, and migrate again.") % facts)


def _reading():
    return database.reading(
        _("the image of the server"), 'instance_system_metadata')


def _unknown(metadata):
    """Find the properties that Nova can not make an object of.

    :param metadata: dict, the system metadata of the server.
    :returns: dict of str, the name of the property, to str, its value.
    """
    known: dict[str, str] = {}
    unknown: dict[str, str] = {}
    properties = utils.get_image_from_system_metadata(metadata)['properties']
    # One after the other, in their order: of hw_numa_mem.0, hw_numa_mem.1 and
    # so on Nova looks at none without those before it.
    for name in sorted(properties, key=lambda name: (len(name), name)):
        tried = dict(known, **{name: properties[name]})
        try:
            # It takes what it read out of some dicts.
            objects.ImageMetaProps.from_dict(dict(tried))
        except database.UNKNOWN_DATA:
            unknown[name] = properties[name]
        else:
            known = tried
    return unknown
