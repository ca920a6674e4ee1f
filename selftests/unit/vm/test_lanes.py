# SPDX-License-Identifier: GPL-2.0
"""Who takes what: the board of the lanes."""

import multiprocessing
import time
import unittest

from harness import discover, lanes


def queue(label, count, **more):
    """A queue of programs that nothing is known about."""
    return lanes.Queue(label, [discover.Test(f"guest/test_none_{n}", 10) for n in range(count)], **more)


def board(*queues, seconds=1000):
    """A board for this process alone."""
    return lanes.Board(multiprocessing.get_context("fork"), queues, time.monotonic() + seconds)


class Board(unittest.TestCase):
    """lanes.Board."""

    def test_each_program_once(self):
        some = board(queue("a", 3))
        number = some.join()
        names = [some.take(number).name for _ in range(3)]
        self.assertEqual(len(set(names)), 3)
        self.assertIsNone(some.take(number))
        self.assertFalse(some.more(number))
        some.leave(number, True)
        self.assertIsNone(some.join())

    def test_most_work_for_each_lane_first(self):
        some = board(queue("small", 2), queue("large", 7))
        self.assertEqual([some.join() for _ in range(4)], [1, 1, 1, 0])

    def test_no_boot_for_nothing(self):
        some = board(queue("a", 1))
        self.assertEqual(some.join(), 0)
        self.assertIsNone(some.join())

    def test_extra_comes_last(self):
        some = board(queue("extra", 9, extra=True), queue("a", 1))
        self.assertEqual([some.join() for _ in range(2)], [1, 0])

    def test_extra_is_not_begun_late(self):
        some = board(queue("extra", 2, extra=True), queue("a", 2), seconds=10)
        self.assertIsNone(some.take(0))
        self.assertIsNotNone(some.take(1))

    def test_nothing_is_begun_when_the_time_is_over(self):
        some = board(queue("a", 1), seconds=0)
        self.assertIsNone(some.join())
        self.assertIsNone(some.take(0))

    def test_kernel_is_built_first(self):
        for good in (True, False):
            build = lanes.Queue("build", call=lambda: None, seconds=5)
            some = board(queue("a", 5, extra=True, after=build), build)
            number = some.join()
            self.assertEqual(number, 1)
            some.take(number)
            some.leave(number, good)
            self.assertEqual(some.join(), 0 if good else None)

    def test_broken_queue_is_left_alone(self):
        some = board(queue("a", 5))
        some.leave(some.join(), False)
        self.assertIsNone(some.join())


class Run(unittest.TestCase):
    """lanes.run with work on the host alone."""

    def test_outcomes_and_what_was_left_out(self):
        reported = []

        def call():
            time.sleep(0.1)
            return lanes.boots.Outcome("host", "x", lanes.ktap.judge("1..1\nok 1\n", 0))
        queues = [lanes.Queue("host", call=call, seconds=1), queue("a", 1), queue("b", 1, extra=True)]
        queues[1].after = queues[2].after = lanes.Queue("never")
        outcomes, left = lanes.run(queues, 2, time.monotonic() + 1, None, reported.append)
        self.assertEqual([(o.kernel, o.verdict.total_failed) for o in outcomes], [("host", 0), ("a", 1)])
        self.assertEqual([(q.label, t.name) for q, t in left], [("b", "guest/test_none_0")])
        self.assertEqual(len(reported), 1)
