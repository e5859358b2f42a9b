# SPDX-License-Identifier: Apache-2.0

import re

from nova import test

from nova_coldmig.recovery import disks


class TellTest(test.NoDBTestCase):

    def tell(self, answer, destination='host2'):
        return disks.tell('uuid', 'host1', destination, answer)

    def test_without_an_answer(self):
        """Nothing that renames or removes anything, and how to find out."""
        text = self.tell(None)
        self.assertNotRegex(text, r'\b(mv|rm|reboot|evacuate)\b')
        for word in ('host1', 'host2', '--disks', 'instances_path'):
            self.assertIn(word, text)

    def test_nothing_is_removed(self):
        for answer in disks.ANSWERS:
            self.assertNotRegex(self.tell(answer), r'\brm\b')

    def test_local(self):
        """The whole disk comes back; the part is set aside, where it is."""
        text = self.tell(disks.LOCAL)
        self.assertEqual(
            [('uuid_resize', 'uuid'), ('uuid', 'uuid.part')],
            re.findall(r'mv (\S+) ([^\s,]+?)[.,]? ', text))
        self.assertLess(text.index('On host1'), text.index('On host2'))

    def test_shared(self):
        """The part goes out of the way before the whole comes back."""
        text = self.tell(disks.SHARED)
        self.assertEqual(
            [('uuid', 'uuid.part'), ('uuid_resize', 'uuid')],
            re.findall(r'mv (\S+) ([^\s,]+?)[.,]? ', text))
        self.assertNotIn('On host2', text)

    def test_remote(self):
        """Nothing in the directory is a disk."""
        text = self.tell(disks.REMOTE)
        self.assertNotIn('.part', text)
        self.assertNotIn('On host2', text)

    def test_unknown_destination(self):
        self.assertIn('the destination', self.tell(disks.LOCAL, None))
