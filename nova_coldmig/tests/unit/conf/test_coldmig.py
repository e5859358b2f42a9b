# SPDX-License-Identifier: Apache-2.0

import io

from nova import test
from oslo_config import cfg
from oslo_config import generator

import nova_coldmig.conf

CONF = nova_coldmig.conf.CONF


class ConfTest(test.NoDBTestCase):

    def test_defaults(self):
        self.assertTrue(CONF.coldmig.relax_traits)
        self.assertEqual(10, CONF.coldmig.max_claim_attempts)
        self.assertEqual(24, CONF.coldmig.max_waiting_claims)
        self.assertEqual(30, CONF.coldmig.claim_turn_timeout)
        self.assertEqual('disable', CONF.coldmig.on_unknown_tree)
        self.assertFalse(CONF.coldmig.allow_untested_tree)

    def test_at_least_one_attempt(self):
        self.assertRaises(ValueError, CONF.set_override,
                          'max_claim_attempts', 0, group='coldmig')

    def test_waits_bounded(self):
        self.assertRaises(ValueError, CONF.set_override,
                          'max_waiting_claims', -1, group='coldmig')
        self.assertRaises(ValueError, CONF.set_override,
                          'claim_turn_timeout', 0, group='coldmig')

    def test_choices(self):
        self.assertRaises(ValueError, CONF.set_override,
                          'on_unknown_tree', 'ignore', group='coldmig')

    def test_sample(self):
        conf = cfg.ConfigOpts()
        generator.register_cli_opts(conf)
        conf(['--namespace', 'nova_coldmig'])
        output = io.StringIO()
        generator.generate(conf, output)
        for line in ('[coldmig]', '#relax_traits = true',
                     '#max_claim_attempts = 10',
                     '#max_waiting_claims = 24',
                     '#claim_turn_timeout = 30',
                     '#on_unknown_tree = disable',
                     '#allow_untested_tree = false'):
            self.assertIn(line, output.getvalue())
