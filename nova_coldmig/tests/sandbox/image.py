# SPDX-License-Identifier: Apache-2.0

"""As much of Glance's API v2 as the clients use, over Nova's fixture."""

import webob.exc

from nova_coldmig.tests.sandbox import web


class Image(web.Facade):
    """The images that Nova's GlanceFixture gives to Nova, read only.

    :param images: nova.tests.fixtures.GlanceFixture
    """

    ROUTES = (
        ('GET', '/', 'versions'),
        ('GET', '/versions', 'versions'),
        ('GET', '/v2/images', 'index'),
        ('GET', '/v2/images/{image_id}', 'show'),
    )

    def __init__(self, images):
        super().__init__()
        self._images = images

    def versions(self, req):
        """GET /"""
        return web.reply({'versions': [{
            'id': 'v2.9', 'status': 'CURRENT',
            'links': [{'rel': 'self',
                       'href': req.application_url + '/v2/'}],
        }]}, 300)

    def _all(self):
        return [present(image) for image in self._images.detail(None)]

    def index(self, req):
        """GET /v2/images"""
        images = web.matching(self._all(), req, ignore=(
            'limit', 'marker', 'sort', 'sort_key', 'sort_dir',
            'member_status'))
        return web.reply({'images': images, 'first': '/v2/images',
                          'schema': '/v2/schemas/images'})

    def show(self, req, image_id):
        """GET /v2/images/{image_id}"""
        for image in self._all():
            if image['id'] == image_id:
                return web.reply(image)
        raise webob.exc.HTTPNotFound('No image found with ID %s' % image_id)


def present(image):
    """Show an image of Nova's fixture the way Glance does.

    :param image: dict
    :returns: dict, with the properties at its top.
    """
    shown = {
        key: image.get(key) for key in (
            'id', 'name', 'status', 'visibility', 'container_format',
            'disk_format', 'size', 'min_ram', 'min_disk', 'protected')}
    shown.update(
        {key: value for key, value in image['properties'].items()
         if value is not None},
        tags=list(image.get('tags', ())),
        owner=image['properties'].get('owner'),
        created_at=image['created_at'].strftime('%Y-%m-%dT%H:%M:%SZ'),
        updated_at=image['updated_at'].strftime('%Y-%m-%dT%H:%M:%SZ'),
        checksum=None, os_hidden=False, virtual_size=None,
        file='/v2/images/%s/file' % image['id'],
        self='/v2/images/%s' % image['id'],
        schema='/v2/schemas/image')
    return shown
