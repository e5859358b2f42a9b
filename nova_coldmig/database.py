# SPDX-License-Identifier: Apache-2.0

"""Reading records of Nova's databases that may not be readable."""

import contextlib

from nova import exception
from nova.i18n import _
from oslo_db import exception as db_exc
from oslo_log import log as logging
from oslo_versionedobjects import exception as ovo_exc
import sqlalchemy.exc

from nova_coldmig import exception as coldmig_exc

LOG = logging.getLogger(__name__)

#: What a database raises that does not answer.
NO_ANSWER = (db_exc.DBError, sqlalchemy.exc.SQLAlchemyError)

#: What the objects of Nova raise on stored data that they do not know: a
#: value of an older or newer release, JSON of another form, a NULL.
UNKNOWN_DATA = (ValueError, TypeError, LookupError, AttributeError,
                exception.Invalid, ovo_exc.VersionedObjectsException)


@contextlib.contextmanager
def reading(what, table):
    """Answer with a sentence if records can not be read.

    What Nova raises to say that there is no such record passes.

    :param what: str, what the records are about.
    :param table: str, the table of Nova's database that has them.
    :returns: context manager, for nothing but the reading.
    :raises: nova_coldmig.exception.ForcedDestinationUnavailable
    """
    try:
        yield
    except NO_ANSWER as e:
        LOG.warning('The database did not answer about %(what)s: %(error)s',
                    {'what': what, 'error': e})
        raise coldmig_exc.ForcedDestinationUnavailable(reason=_(
            "Nova's database did not answer about %s. Nothing was changed; "
            "migrate again when it answers.") % what)
    except UNKNOWN_DATA as e:
        LOG.warning('What the table %(table)s has of %(what)s can not be '
                    'read: %(error)s', {'table': table, 'what': what,
                                        'error': e}, exc_info=True)
        raise coldmig_exc.ForcedDestinationUnavailable(reason=_(
            "What the table %(table)s of Nova's database has of %(what)s can "
            "not be read by this Nova: %(error)s. Nothing was changed; mend "
            "the record, then migrate again.") %
            {'table': table, 'what': what, 'error': str(e).rstrip('.')})
