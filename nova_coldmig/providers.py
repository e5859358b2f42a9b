# SPDX-License-Identifier: Apache-2.0

"""Resource providers of Placement."""

from keystoneauth1 import exceptions as ks_exc


def root(context, reportclient, provider):
    """Find the root of the tree that a resource provider is in.

    :param context: nova.context.RequestContext
    :param reportclient: nova.scheduler.client.report.SchedulerReportClient
    :param provider: str, UUID.
    :returns: str, the UUID of the root, which may be the provider itself; or
        None if Placement has no such provider.
    :raises: keystoneauth1.exceptions.ClientException if Placement does not
        answer, or with an error.
    """
    response = _get(context, reportclient, provider)
    if response.status_code == 404:
        return None
    return _body(response)['root_provider_uuid']


def aggregates(context, reportclient, provider):
    """Read the aggregates of a resource provider.

    :param context: nova.context.RequestContext
    :param reportclient: nova.scheduler.client.report.SchedulerReportClient
    :param provider: str, UUID.
    :returns: set of str, UUIDs.
    :raises: keystoneauth1.exceptions.ClientException if Placement does not
        answer, or with an error.
    """
    return set(_body(_get(
        context, reportclient, provider, '/aggregates'))['aggregates'])


def _get(context, reportclient, provider, what=''):
    return reportclient.get(
        '/resource_providers/%s%s' % (provider, what), version='1.19',
        global_request_id=context.global_id)


def _body(response):
    if response.status_code != 200:
        raise ks_exc.HttpError(
            message='Placement answered a question about a resource provider '
            'with an error: %s' % response.text,
            http_status=response.status_code)
    return response.json()
