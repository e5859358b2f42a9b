# SPDX-License-Identifier: Apache-2.0

"""Generated requests of the migrate action.

What is generated starts from the schema that the API validates with, so a
property that is added there is generated here.
"""

from hypothesis import strategies as st
from oslo_serialization import jsonutils

from nova_coldmig import series

TREE = series.detect()
HOSTS = ('host1', 'host2', 'host3')

_text = st.text(max_size=12)
_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), _text)
_anything = st.recursive(
    _scalars, lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_text, inner, max_size=3)), max_leaves=6)


def _near(text):
    """Make what is nearly a text."""
    return st.sampled_from((
        text + '\n', ' ' + text, text + '\x00', text.upper(), text.title(),
        text + '.', text * 100, '%' + text, text + "' OR 1=1 --",
        text[:-1], text[::-1], '\ud800' + text, text + '\u2028'))


def _property(name, schema):
    known = st.sampled_from(schema.get('enum', HOSTS + (None,)))
    return st.one_of(
        known, known, known,
        known.filter(lambda value: isinstance(value, str)).flatmap(_near),
        _anything)


def migrates(schema):
    """Make values of "migrate".

    :param schema: dict, the JSON schema of the body.
    """
    properties = schema['properties']['migrate']['properties']
    known = st.fixed_dictionaries({}, optional={
        name: _property(name, part) for name, part in properties.items()})
    extra = st.dictionaries(
        st.one_of(_text, st.sampled_from(('Force', 'hosts', 'host '))),
        _scalars, max_size=1)
    return st.one_of(
        known, known, known, st.none(),
        st.builds(lambda one, two: dict(two, **one), known, extra),
        _anything)


def bodies(schema):
    """Make bodies, most of them JSON.

    :param schema: dict, the JSON schema of the body.
    """
    migrate = migrates(schema)
    documents = st.one_of(
        *[st.fixed_dictionaries({'migrate': migrate})] * 5,
        st.builds(lambda value, name: {'migrate': value, name + '!': 1},
                  migrate, _text),
        st.builds(lambda value: {'Migrate': value}, migrate),
        _anything)
    written = st.builds(jsonutils.dump_as_bytes, documents)
    return st.one_of(
        written, written, written, written, written,
        st.builds(lambda text, cut: text[:-cut], written,
                  st.integers(1, 5)),
        st.binary(max_size=40))


def headers():
    """Make the headers that the answer depends on."""
    major, minor = (int(part) for part in TREE.microversion.split('.'))
    versions = st.one_of(
        *[st.just('compute ' + TREE.microversion)] * 4,
        st.sampled_from((
            'compute 2.1', 'compute 2.55', 'compute 2.56', 'compute latest',
            'compute %d.%d' % (major, minor - 1),
            'compute %d.%d' % (major, minor + 1), 'compute 3.0',
            'compute -1.1', 'compute', 'compute 2', 'compute 2.01',
            'placement 1.1', 'compute 2.999999999999999999999')),
        st.text(st.characters(min_codepoint=32, max_codepoint=126),
                max_size=10).map('compute {}'.format))
    types = st.one_of(
        *[st.just('application/json')] * 6,
        st.sampled_from((
            'application/json; charset=utf-8', 'application/xml',
            'text/plain', 'application/vnd.openstack.compute+json', '')))
    return st.fixed_dictionaries(
        {'Content-Type': types, 'OpenStack-API-Version': versions},
        optional={'Accept': st.sampled_from((
            '*/*', 'application/json', 'text/html', 'q=;;'))})
