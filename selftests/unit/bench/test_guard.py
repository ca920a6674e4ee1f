# SPDX-License-Identifier: GPL-2.0
"""The guard of figures that must not grow."""

import contextlib
import io
import unittest
from unittest import mock

import guest


class Guard(unittest.TestCase):
    """guest.guard against kept figures."""

    def failures(self, figures, noise=None):
        """How many results fail, and what is told."""
        told = io.StringIO()
        with mock.patch.object(guest, "kept_figures", lambda: {"pipe held": 1000, "point": 100000}), \
                contextlib.redirect_stdout(told):
            report = guest.Report(len(figures))
            guest.guard(report, figures, noise or {})
        return report.failed, told.getvalue()

    def test_within(self):
        self.assertEqual(self.failures({"pipe held": 1030, "point": 90000})[0], 0)

    def test_grown(self):
        failed, told = self.failures({"pipe held": 1000, "point": 103100})
        self.assertEqual(failed, 1)
        self.assertIn("+3.1%", told)

    def test_noise_is_allowed_for(self):
        self.assertEqual(self.failures({"pipe held": 1035}, {"pipe held": 10})[0], 0)

    def test_unknown_figure(self):
        failed, told = self.failures({"new": 1})
        self.assertEqual(failed, 1)
        self.assertIn(guest.UPDATE, told)


if __name__ == "__main__":
    unittest.main()
