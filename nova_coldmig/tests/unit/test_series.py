# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
from unittest import mock

from nova.api.openstack import api_version_request
from nova import test

from nova_coldmig import series


class SeriesTest(test.NoDBTestCase):

    def test_microversion_is_the_maximum_plus_one(self):
        self.assertEqual('2.97', series.SERIES[0].microversion)
        self.assertEqual(
            '2.101', series.Series('x', 1, '2.100').microversion)
        self.assertEqual('2.100', series.Series('x', 1, '2.99').microversion)

    def test_rows_are_in_order_and_unique(self):
        majors = [row.major for row in series.SERIES]
        self.assertEqual(sorted(set(majors)), majors)
        names = [row.name for row in series.SERIES]
        self.assertEqual(sorted(set(names)), names)
        self.assertIs(series.NEWEST, series.SERIES[-1])

    def test_installed_tree_is_as_its_row_says(self):
        row = series.detect()
        self.assertTrue(
            series.installed().startswith('%d.' % row.major), row)
        self.assertEqual(
            api_version_request._MAX_API_VERSION, row.max_microversion)
        self.assertEqual(
            row.maximum_in_defaults,
            bool(api_version_request.is_supported.__defaults__))

    @mock.patch.object(series.metadata, 'version', autospec=True)
    def test_point_and_development_releases_are_of_their_series(self, version):
        for text, name in (('29.2.1', '2024.1'), ('34.0.0.0rc1', '2026.2'),
                           ('34.1.0.dev17', '2026.2')):
            version.return_value = text
            self.assertEqual(name, series.detect().name)

    @mock.patch.object(series.metadata, 'version', autospec=True)
    def test_unknown_series_is_refused(self, version):
        for text in ('28.3.0', '35.0.0', '3.4.0', '290.0.0'):
            version.return_value = text
            exc = self.assertRaises(series.UnsupportedNova, series.detect)
            self.assertIn('this is Nova %s' % text, str(exc))
            self.assertIn('2024.1 (29.x) to 2026.2 (34.x)', str(exc))

    @mock.patch.object(series.metadata, 'version', autospec=True)
    def test_no_nova_is_refused(self, version):
        version.side_effect = series.metadata.PackageNotFoundError
        with mock.patch.object(series.util, 'find_spec', autospec=True,
                               return_value=None):
            exc = self.assertRaises(series.UnsupportedNova, series.detect)
        self.assertIn('no Nova', str(exc))

    @mock.patch.object(series.metadata, 'version', autospec=True)
    def test_nova_without_a_version_is_refused(self, version):
        for absent in (series.metadata.PackageNotFoundError, [None, None]):
            version.side_effect = absent
            exc = self.assertRaises(series.UnsupportedNova, series.detect)
            self.assertIn('does not tell its version', str(exc))
            self.assertEqual('of unknown version', series.describe())

    @mock.patch.object(series.metadata, 'version', autospec=True,
                       side_effect=UnicodeDecodeError('utf-8', b'', 0, 1, ''))
    def test_metadata_that_can_not_be_read(self, version):
        self.assertEqual('of unknown version', series.describe())

    def test_development_versions_are_told_apart(self):
        for version in ('33.0.3.dev9', '34.0.0.0rc1.dev12', '35.0.0.dev1'):
            self.assertTrue(series.is_development(version), version)
        for version in ('33.0.3', '34.0.0.0rc1', '33.0.2.post1',
                        '33.0.2+devel'):
            self.assertFalse(series.is_development(version), version)

    def test_tested_is_what_the_tests_run_with(self):
        constraints = Path(__file__).parents[3] / 'constraints'
        for row in series.SERIES:
            self.assertIn(
                'nova==%s\n' % row.tested,
                (constraints / (row.name + '.txt')).read_text())
