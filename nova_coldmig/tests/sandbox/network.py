# SPDX-License-Identifier: Apache-2.0

"""As much of Neutron's API v2.0 as the clients use, over Nova's fixture."""

import webob.exc

from nova_coldmig.tests.sandbox import web

#: What Nova's fixture does not have and a client may list nevertheless.
EMPTY = ('routers', 'floatingips', 'agents', 'trunks', 'subnetpools',
         'address_scopes', 'security_group_rules', 'availability_zones')


class Network(web.Facade):
    """The networks and ports of Nova's NeutronFixture, read only.

    :param client: what nova.network.neutron.get_client returns for an admin.
    """

    ROUTES = (
        ('GET', '/', 'versions'),
        ('GET', '/v2.0', 'version'),
        ('GET', '/v2.0/', 'version'),
        ('GET', '/v2.0/{collection}', 'index'),
        ('GET', '/v2.0/{collection}/{entity_id}', 'show'),
    )

    def __init__(self, client):
        super().__init__()
        self._client = client

    def versions(self, req):
        """GET /"""
        return web.reply({'versions': [{
            'id': 'v2.0', 'status': 'CURRENT',
            'links': [{'rel': 'self',
                       'href': req.application_url + '/v2.0/'}],
        }]})

    def version(self, req):
        """GET /v2.0"""
        return web.reply({'resources': [
            {'name': name[:-1], 'collection': name, 'links': [{
                'rel': 'self', 'href': '%s/v2.0/%s' % (
                    req.application_url, name)}]}
            for name in ('networks', 'subnets', 'ports')]})

    def _all(self, collection):
        lister = getattr(self._client, 'list_' + collection, None)
        if lister:
            return lister()[collection]
        if collection in EMPTY:
            return []
        raise webob.exc.HTTPNotFound('There are no %s.' % collection)

    def index(self, req, collection):
        """GET /v2.0/{collection}"""
        collection = collection.replace('-', '_').replace('.json', '')
        return web.reply({
            collection: web.matching(self._all(collection), req)})

    def show(self, req, collection, entity_id):
        """GET /v2.0/{collection}/{entity_id}"""
        collection = collection.replace('-', '_')
        for entity in self._all(collection):
            if entity_id in (entity.get('id'), entity.get('alias')):
                return web.reply({collection[:-1]: entity})
        raise webob.exc.HTTPNotFound('There is no %s %s.' % (
            collection[:-1], entity_id))
