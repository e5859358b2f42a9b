# SPDX-License-Identifier: Apache-2.0

import ddt
import requests

from nova_coldmig_client import exceptions
from nova_coldmig_client import polling
from nova_coldmig_client.tests.unit import base
from nova_coldmig_client import watch

LOST = {'exc': requests.exceptions.ConnectionError('gone')}


def event(name, result='Error', **details):
    return dict(event=name, result=result, **details)


@ddt.ddt
class TestWatch(base.TestCase):
    def setUp(self):
        super().setUp()
        self.quicken()
        self.seen = []
        self.failed('migrate', event('a', details='host3 is full'))

    def failed(self, name, *events):
        """Let an action fail with events, the newest first."""
        old = {'action': name, 'request_id': 'req-old'}
        new = {'action': name, 'request_id': 'req-new'}
        self.requests.get(base.ACTIONS, [
            {'json': {'instanceActions': [old]}},
            {'json': {'instanceActions': [new, old]}}])
        self.requests.get(base.ACTIONS + '/req-new', json={
            'instanceAction': {'events': list(events)}})

    def watch(self, *answers, host='host3', before=None):
        self.requests.get(base.SERVER, [
            before or base.server('ACTIVE', 'host1')] + list(answers))
        return watch.Watch(self.client, 'the-id', host, self.seen.append)

    def assertFails(self, watched, message, **kwargs):
        exc = self.assertRaises(
            exceptions.MigrationFailed, watched.wait, **kwargs)
        self.assertEqual(message, str(exc))

    def test_success(self):
        watched = self.watch(
            base.server('RESIZE', 'host1', 'resize_prep'),
            base.server('RESIZE', 'host1', 'resize_prep'),
            base.server('VERIFY_RESIZE', 'host3'))
        self.assertEqual('VERIFY_RESIZE', watched.wait())
        self.assertEqual(['RESIZE (resize_prep)', 'RESIZE (resize_prep)',
                          'VERIFY_RESIZE'], self.seen)
        self.assertEqual('compute 2.84', self.microversion(
            self.requests.last_request))

    def test_older_nova(self):
        self.announce('2.79')
        self.assertEqual('VERIFY_RESIZE', self.watch(
            base.server('VERIFY_RESIZE', 'host3')).wait())
        self.assertEqual('compute 2.79', self.microversion(
            self.requests.last_request))

    @ddt.data('ACTIVE', 'SHUTOFF')
    def test_confirmed_by_nova(self, status):
        self.assertEqual(status, self.watch(
            base.server('RESIZE', 'host3', 'resize_finish'),
            base.server(status, 'host3')).wait())

    def test_hosts_in_other_letters(self):
        self.assertEqual('VERIFY_RESIZE', self.watch(
            base.server('VERIFY_RESIZE', 'host3'), host='HOST3').wait())

    @ddt.data(('ACTIVE', 'host1'), ('SHUTOFF', 'host1'), ('PAUSED', 'host1'),
              ('VERIFY_RESIZE', 'host2'), ('ERROR', 'host3'))
    @ddt.unpack
    def test_failure(self, status, host):
        self.assertFails(
            self.watch(base.server(status, host)),
            'The server is %s on %s: host3 is full' % (status, host))

    @ddt.data(('VERIFY_RESIZE', 'host2', True), ('ACTIVE', 'host2', True),
              # Of a host that is a cluster.
              ('VERIFY_RESIZE', 'host1', True), ('ACTIVE', 'host1', False))
    @ddt.unpack
    def test_any_host(self, status, after, moved):
        watched = self.watch(base.server(status, after), host=None)
        if moved:
            watched.wait()
        else:
            self.assertRaises(exceptions.MigrationFailed, watched.wait)

    @ddt.data(('host1', 'host1', True), ('host2', 'host2', True),
              # Reverted.
              ('host2', 'host1', False))
    @ddt.unpack
    def test_any_host_confirmed(self, arrived, after, confirmed):
        self.accept()
        watched = self.watch(base.server('VERIFY_RESIZE', arrived),
                             base.server('ACTIVE', after), host=None)
        if confirmed:
            self.assertEqual('ACTIVE', watched.wait(confirm=True))
        else:
            self.assertRaises(exceptions.MigrationFailed, watched.wait,
                              confirm=True)

    @ddt.data('host3', None)
    def test_host_is_not_shown(self, host):
        def unseen(*args):
            answer = base.server(*args)
            del answer['json']['server'][watch.HOST]
            return answer

        before = unseen('ACTIVE', 'host1')
        self.assertEqual('VERIFY_RESIZE', self.watch(
            unseen('VERIFY_RESIZE', 'host3'), host=host,
            before=before).wait())
        for status, where in (('ACTIVE', 'host1'), ('ERROR', 'host3')):
            self.failed('migrate', event('a', details='host3 is full'))
            self.assertFails(
                self.watch(unseen(status, where), host=host, before=before),
                'The server is %s on the %s host: host3 is full' % (
                    status, 'new' if where == 'host3' else 'old'))

    def test_deleted(self):
        self.assertFails(
            self.watch(base.server('RESIZE', 'host1', 'resize_prep'),
                       base.error(404, 'No such server.', 'itemNotFound')),
            'The server was deleted meanwhile.')

    @ddt.data(LOST, {'status_code': 503}, {'status_code': 500},
              {'status_code': 429},
              # Of something between here and Nova.
              {'status_code': 404, 'text': '<html>'},
              {'text': '<html>'}, {'text': ''}, {'json': {}},
              {'json': {'server': {}}}, {'json': {'server': None}},
              {'status_code': 300, 'json': {'choices': []}},
              {'status_code': 204})
    def test_nova_comes_back(self, trouble):
        self.assertEqual('VERIFY_RESIZE', self.watch(
            base.server('RESIZE', 'host1', 'resize_prep'), trouble,
            base.server('VERIFY_RESIZE', 'host3')).wait(timeout=60))
        self.assertEqual('Nova does not answer', self.seen[1])

    @ddt.data((None, 300), (0, 0), (40, 40), (400, 300))
    @ddt.unpack
    def test_nova_does_not_come_back(self, timeout, seconds):
        exc = self.assertRaises(
            exceptions.GaveUp, self.watch(
                {'status_code': 503, 'reason': 'Busy'}).wait, timeout)
        self.assertEqual('Nova does not answer: Busy (HTTP 503).', str(exc))
        self.assertEqual(seconds, polling.time.monotonic())

    def test_silence_is_counted_anew(self):
        answers = []
        for _number in range(4):
            answers += [{'status_code': 503}] * 200
            answers += [base.server('RESIZE', 'host1', 'resize_prep')]
        self.assertEqual('VERIFY_RESIZE', self.watch(
            *answers, base.server('VERIFY_RESIZE', 'host3')).wait())

    def test_no_longer_allowed(self):
        exc = self.assertRaises(exceptions.GaveUp, self.watch(
            base.error(403, 'Not for you.', 'forbidden')).wait)
        self.assertIn('The server can not be watched: Not for you.', str(exc))

    def test_cell_is_down(self):
        down = {'json': {'server': {'id': 'the-id', 'status': 'UNKNOWN'}}}
        self.assertEqual('VERIFY_RESIZE', self.watch(
            down, base.server('VERIFY_RESIZE', 'host3')).wait())

    def test_timeout(self):
        exc = self.assertRaises(exceptions.GaveUp, self.watch(
            base.server('RESIZE', 'host1', 'resize_prep')).wait, 2.5)
        self.assertEqual('After 2.5 s the server is RESIZE (resize_prep).',
                         str(exc))

    def test_requests_end_with_the_time(self):
        watched = self.watch(base.server('VERIFY_RESIZE', 'host3'))
        self.assertEqual(60, self.requests.last_request.timeout)
        watched.wait(timeout=30)
        self.assertEqual(30, self.requests.last_request.timeout)

    def hang(self, request, context):
        """Do not answer within the time that a request has."""
        polling.time.monotonic.return_value += request.timeout
        raise requests.exceptions.ReadTimeout('slow')

    def test_last_request_has_no_time(self):
        def state(request, context):
            if polling.time.monotonic() < 9:
                return base.server('RESIZE', 'host1', 'resize_prep')['json']
            self.hang(request, context)

        watched = self.watch(base.server('ACTIVE', 'host1'))
        self.requests.get(base.SERVER, json=state)
        exc = self.assertRaises(exceptions.GaveUp, watched.wait, 10.5)
        self.assertEqual(
            'The 10.5 s were over before the last request was answered (no '
            'answer in the 2 s that were left). Before it, the server was '
            'RESIZE (resize_prep).', str(exc))
        self.assertEqual(10.5, polling.time.monotonic())

    def test_nova_was_silent_before_the_time_was_over(self):
        watched = self.watch(base.server('ACTIVE', 'host1'))
        self.requests.get(base.SERVER, json=self.hang)
        exc = self.assertRaises(exceptions.GaveUp, watched.wait, 100)
        self.assertIn('Nova does not answer: ', str(exc))

    # The microversion.

    @ddt.data('2.1', base.UNTOLD)
    def test_microversion_is_lost(self, microversion):
        before = dict(base.server('ACTIVE', 'host1'),
                      headers=base.taken_at(microversion))
        self.assertRaises(exceptions.MicroversionLost, self.watch,
                          before=before)
        # No host can be ignored.
        self.watch(host=None, before=before)

    # The reason.

    def assertReason(self, reason, *events):
        self.failed('migrate', *events)
        self.assertFails(self.watch(base.server('ACTIVE', 'host1')),
                         'The server is ACTIVE on host1: %s' % reason)

    def test_reason_is_told_once(self):
        self.assertReason('host3 is full',
                          event('outer', details='host3 is full'),
                          event('inner', details='host3 is full'))

    def test_first_reason(self):
        self.assertReason('a cause',
                          event('c', 'Success', details='all is well'),
                          event('b', details='a consequence'),
                          event('a', details='a cause'))

    def test_best_reason(self):
        self.assertReason('a sentence', event('c', details='a sentence'),
                          event('b', details='ProcessExecutionError'),
                          event('a', details=None))

    def test_better_than_nothing(self):
        self.assertReason('ProcessExecutionError',
                          event('b', details='ProcessExecutionError'),
                          event('a', details=None))

    def test_no_details(self):
        self.assertReason('the event a failed', event('a', details=None))

    def test_details_are_not_shown(self):
        self.assertReason(
            'the event a failed, and its details are not shown', event('a'))

    NEUTRAL = ('Migration pre-check error: The host can not take the server; '
               'see the event coldmig_refused.')
    FULL = 'Placement has nothing on host host3. ' * 20

    def assertRefused(self, reason, *events, status='ACTIVE', host='host1',
                      expected=exceptions.Refused):
        self.failed('migrate', *events)
        exc = self.assertRaises(
            expected, self.watch(base.server(status, host)).wait)
        self.assertEqual('The server is %s on %s: %s' % (
            status, host, reason), str(exc))

    def test_refusal(self):
        self.assertRefused(
            self.FULL, event('conductor_migrate_server', details=self.NEUTRAL),
            event('coldmig_refused', details=self.FULL),
            event('cold_migrate', details=self.NEUTRAL))
        self.assertEqual(0, polling.time.monotonic())

    def test_refusal_comes_late(self):
        self.failed('migrate')
        self.requests.get(base.ACTIONS + '/req-new', [
            {'json': {'instanceAction': {'events': [
                event('cold_migrate', details=self.NEUTRAL),
                event('conductor_migrate_server', None, details=None)]}}},
            {'json': {'instanceAction': {'events': [
                event('coldmig_refused', details=self.FULL),
                event('cold_migrate', details=self.NEUTRAL),
                event('conductor_migrate_server', details=self.NEUTRAL)]}}}])
        exc = self.assertRaises(exceptions.Refused, self.watch(
            base.server('ACTIVE', 'host1')).wait)
        self.assertIn(self.FULL, str(exc))

    def test_refusal_is_not_shown(self):
        self.assertRefused(
            'Nova refused the migration. The reason is in the event '
            'coldmig_refused of the request req-new, for an administrator to '
            'read.', event('conductor_migrate_server'),
            event('coldmig_refused'))

    def test_refusal_was_not_written(self):
        self.assertReason(
            self.NEUTRAL,
            event('conductor_migrate_server', details=self.NEUTRAL))

    def test_refusal_without_words(self):
        self.assertReason(
            self.NEUTRAL,
            event('conductor_migrate_server', details=self.NEUTRAL),
            event('coldmig_refused', details=None))

    def test_older_package(self):
        self.assertReason(
            'host3 is full',
            event('conductor_migrate_server', details='host3 is full'))

    @ddt.data(('ERROR', 'host1'), ('ACTIVE', 'host2'))
    @ddt.unpack
    def test_refused_but_not_as_it_was(self, status, host):
        self.assertRefused(
            self.FULL, event('coldmig_refused', details=self.FULL),
            status=status, host=host, expected=exceptions.MigrationFailed)

    def test_event_that_never_ends(self):
        # Its nova-compute died.
        self.assertReason('a cause', event('b', None),
                          event('a', details='a cause'))
        self.assertEqual(5, polling.time.monotonic())

    def test_reason_comes_late(self):
        self.requests.get(base.ACTIONS + '/req-new', [
            {'json': {'instanceAction': {}}},
            {'status_code': 503}, {'text': '<html>'},
            {'json': {'instanceAction': {'events': [event('a', None)]}}},
            {'json': {'instanceAction': {'events': [
                event('a', details='host3 is full')]}}}])
        self.assertFails(self.watch(base.server('ACTIVE', 'host1')),
                         'The server is ACTIVE on host1: host3 is full')

    def test_fault(self):
        self.failed('migrate')
        self.assertFails(
            self.watch(base.server('ERROR', 'host3',
                                   fault={'message': 'No disk'})),
            'The server is ERROR on host3: No disk')

    def test_no_reason(self):
        self.requests.get(base.ACTIONS, json={'instanceActions': []})
        self.assertFails(
            self.watch(base.server('ACTIVE', 'host1')),
            'The server is ACTIVE on host1: Nova does not say why.')

    def test_actions_are_not_for_everybody(self):
        self.requests.get(base.ACTIONS, **base.error(
            403, 'Not for you.', 'forbidden'))
        self.assertFails(
            self.watch(base.server('ACTIVE', 'host1')),
            'The server is ACTIVE on host1: the reason could not be read: '
            'Not for you. (HTTP 403) (Request-ID: req-1)')

    def test_reason_can_not_be_read(self):
        self.requests.get(base.ACTIONS + '/req-new', status_code=503,
                          reason='Busy')
        self.assertFails(
            self.watch(base.server('ACTIVE', 'host1')),
            'The server is ACTIVE on host1: the reason could not be read: '
            'Busy (HTTP 503)')

    # Confirming.

    def test_confirm(self):
        post = self.accept()
        watched = self.watch(
            base.server('VERIFY_RESIZE', 'host3'),
            base.server('VERIFY_RESIZE', 'host3'),
            base.server('ACTIVE', 'host3'))
        self.assertEqual('ACTIVE', watched.wait(confirm=True))
        self.assertEqual({'confirmResize': None}, post.last_request.json())

    def test_confirmed_already(self):
        post = self.accept()
        self.assertEqual('ACTIVE', self.watch(
            base.server('ACTIVE', 'host3')).wait(confirm=True))
        self.assertFalse(post.called)

    def test_confirmed_by_somebody_else(self):
        self.requests.post(base.SERVER + '/action',
                           **base.error(400, 'Not resized.', 'badRequest'))
        self.assertEqual('SHUTOFF', self.watch(
            base.server('VERIFY_RESIZE', 'host3'),
            base.server('VERIFY_RESIZE', 'host3'),
            base.server('SHUTOFF', 'host3')).wait(confirm=True))

    def test_not_to_be_confirmed(self):
        self.requests.post(base.SERVER + '/action',
                           **base.error(403, 'Not for you.', 'forbidden'))
        self.assertFails(
            self.watch(base.server('VERIFY_RESIZE', 'host3')),
            'The server is VERIFY_RESIZE on host3: Not for you. (HTTP 403) '
            '(Request-ID: req-1)', confirm=True)

    def confirm(self, *answers):
        self.posted = self.requests.post(
            base.SERVER + '/action', list(answers))
        return self.watch(base.server('VERIFY_RESIZE', 'host3'))

    def confirmed(self, after):
        """Have the server confirmed some seconds after the last request."""
        def state(request, context):
            if polling.time.monotonic() >= after:
                return base.server('ACTIVE', 'host3')['json']
            return base.server('VERIFY_RESIZE', 'host3')['json']

        self.requests.get(base.SERVER, json=state)

    @ddt.data(LOST, {'status_code': 502}, {'status_code': 503},
              {'status_code': 504}, {'status_code': 200, 'text': '<html>'})
    def test_nova_is_away_when_confirming(self, trouble):
        watched = self.confirm(trouble, trouble, {'status_code': 202})
        self.confirmed(after=30)
        self.assertEqual('ACTIVE', watched.wait(confirm=True))
        self.assertEqual(3, self.posted.call_count)

    def act(self, *events, after=0):
        """Have somebody confirm the server, as is seen after some seconds."""
        def listed(request, context):
            return {'instanceActions': [
                {'action': 'confirmResize', 'request_id': 'req-confirm'}] * (
                    polling.time.monotonic() >= after)}

        self.requests.get(base.ACTIONS, json=listed)
        self.requests.get(base.ACTIONS + '/req-confirm', json={
            'instanceAction': {'events': list(events)}})

    def record(self, *records):
        """Have the migrations of the server be shown."""
        self.requests.get(base.MIGRATIONS, json={'migrations': [
            dict(zip(('created_at', 'migration_type', 'status'), record))
            for record in records]})

    def refuse_to_confirm(self):
        return self.confirm(base.error(400, 'Not resized.', 'badRequest'))

    OLD = ('2026-01-01', 'migration', 'finished')
    NEW = ('2026-01-02', 'migration', 'confirming')
    LIVE = ('2026-01-03', 'live-migration', 'error')

    @ddt.data([NEW], [OLD, NEW], [NEW, OLD], [OLD, NEW, LIVE],
              [('2026-01-02', 'resize', 'confirming')])
    def test_others_confirm_slowly(self, records):
        watched = self.refuse_to_confirm()
        self.confirmed(after=310)
        self.record(*records)
        self.assertEqual('ACTIVE', watched.wait(confirm=True))
        self.assertEqual(1, self.posted.call_count)

    @ddt.data([], [event('compute_confirm_resize', None)],
              [event('compute_confirm_resize', None),
               event('conductor_confirm_snapshot_based_resize', 'Success')])
    def test_others_confirm_slowly_seen_by_a_member(self, events):
        watched = self.refuse_to_confirm()
        self.confirmed(after=310)
        self.act(*events, after=1)
        self.assertEqual('ACTIVE', watched.wait(confirm=True))

    @ddt.data([OLD], [('2026-01-02', 'migration', 'error')],
              # What was left of an older migration.
              [('2026-01-01', 'migration', 'confirming'),
               ('2026-01-02', 'migration', 'finished')])
    def test_nobody_confirms(self, records):
        watched = self.refuse_to_confirm()
        self.record(*records)
        self.assertFails(
            watched, 'The server is VERIFY_RESIZE on host3: Not resized. '
            '(HTTP 400) (Request-ID: req-1)', confirm=True)
        self.assertEqual(5, polling.time.monotonic())

    def test_others_fail_to_confirm(self):
        watched = self.refuse_to_confirm()
        self.requests.get(base.SERVER, [
            base.server('VERIFY_RESIZE', 'host3'),
            base.server('VERIFY_RESIZE', 'host3'),
            base.server('ERROR', 'host3')])
        self.act(event('compute_confirm_resize', details='No way'), after=1)
        self.assertFails(watched, 'The server is ERROR on host3: No way',
                         confirm=True)

    def test_time_is_over_while_others_confirm(self):
        watched = self.refuse_to_confirm()
        self.record(self.NEW)
        exc = self.assertRaises(exceptions.GaveUp, watched.wait, 8,
                                confirm=True)
        self.assertEqual('After 8 s the server is VERIFY_RESIZE and being '
                         'confirmed.', str(exc))

    def test_confirmation_comes_to_nothing(self):
        # nova-compute does so if it finds the migration in another status.
        watched = self.confirm({'status_code': 204})
        self.act(event('compute_confirm_resize', 'Success'))
        self.requests.get(base.ACTIONS, [
            {'json': {'instanceActions': []}},
            {'json': {'instanceActions': [
                {'action': 'confirmResize', 'request_id': 'req-confirm'}]}}])
        self.assertFails(watched, 'The server is VERIFY_RESIZE on host3: Nova '
                         'does not say why.', confirm=True)

    def test_only_the_answer_was_lost(self):
        watched = self.confirm({'status_code': 504}, base.error(
            400, 'Not resized.', 'badRequest'))
        self.confirmed(after=310)
        self.act(event('compute_confirm_resize', None), after=1)
        self.assertEqual('ACTIVE', watched.wait(confirm=True))
        self.assertEqual(1, self.posted.call_count)

    LOST_CONFIRMATION = (
        'The server is VERIFY_RESIZE on host3. The answer of Nova to the '
        'request to confirm that was lost (Busy (HTTP 503)), so whether it is '
        'confirmed is not known.')

    def assertNotKnown(self, message, watched, **kwargs):
        exc = self.assertRaises(
            exceptions.NotKnown, watched.wait, confirm=True, **kwargs)
        self.assertEqual(message, str(exc))

    def test_nova_does_not_come_back_to_confirm(self):
        self.assertNotKnown(
            self.LOST_CONFIRMATION,
            self.confirm({'status_code': 503, 'reason': 'Busy'}))
        self.assertEqual(300, polling.time.monotonic() // 10 * 10)

    def test_no_time_to_confirm_again(self):
        self.assertNotKnown(
            self.LOST_CONFIRMATION,
            self.confirm({'status_code': 503, 'reason': 'Busy'}), timeout=60)
        self.assertEqual(60, polling.time.monotonic())

    def test_no_time_to_hear_of_the_confirmation(self):
        watched = self.confirm({'text': self.hang})
        self.assertNotKnown(
            self.LOST_CONFIRMATION.replace(
                'Busy (HTTP 503)', 'no answer in the 3 s that were left'),
            watched, timeout=3)

    def test_confirmation_has_to_wait_for_its_turn(self):
        watched = self.confirm(base.error(429, 'Too many.', 'overLimit'),
                               {'status_code': 204})
        self.confirmed(after=8)
        self.assertEqual('ACTIVE', watched.wait(confirm=True))
        self.assertEqual(2, self.posted.call_count)

    def test_reverted_meanwhile(self):
        self.requests.post(base.SERVER + '/action',
                           **base.error(409, 'It is being reverted.'))
        self.assertFails(
            self.watch(base.server('VERIFY_RESIZE', 'host3'),
                       base.server('REVERT_RESIZE', 'host3',
                                   'resize_reverting'),
                       base.server('ACTIVE', 'host1')),
            'The server is ACTIVE on host1: It is being reverted. (HTTP 409) '
            '(Request-ID: req-1)', confirm=True)

    def test_confirmation_fails(self):
        self.accept()
        self.failed('confirmResize', event('a', details='No way'))
        self.assertFails(
            self.watch(base.server('VERIFY_RESIZE', 'host3'),
                       base.server('ERROR', 'host3')),
            'The server is ERROR on host3: No way', confirm=True)

    def test_confirmation_takes_too_long(self):
        watched = self.confirm({'status_code': 204})
        self.record(self.NEW)
        exc = self.assertRaises(exceptions.GaveUp, watched.wait, timeout=400,
                                confirm=True)
        self.assertEqual('After 400 s the server is VERIFY_RESIZE and being '
                         'confirmed.', str(exc))
