# SPDX-License-Identifier: GPL-2.0
"""How the output of a guest is cut into programs, and what the runner adds to a verdict."""

import unittest

from harness import boots, discover

TESTS = [discover.Test("guest/test_a", 10), discover.Test("guest/test_b", 10)]
STREAM = b"""noise
#=# next

#=# begin guest/test_a
1..1
ok 1 a

#=# end guest/test_a status=0 seconds=0.5 module=absent

#=# next

#=# begin guest/test_b
1..2
ok 1 b
half a li"""


def follow(data, step, told=None):
    """A transcript fed in pieces, and the ends that it told; told gets what it answered."""
    ends = []
    tests = list(TESTS)
    script = boots.Transcript(lambda: tests.pop(0) if tests else None,
                              (told if told is not None else []).append, lambda *args: ends.append(args))
    for start in range(0, len(data), step):
        script.feed(data[start:start + step])
    return script, ends


class Transcript(unittest.TestCase):
    """boots.Transcript."""

    def test_any_pieces(self):
        for step in (1, 7, 4096):
            script, ends = follow(STREAM, step)
            self.assertEqual(len(ends), 1)
            name, text, fields = ends[0]
            self.assertEqual(name, "guest/test_a")
            self.assertIn("ok 1 a", text)
            self.assertEqual(fields["module"], "absent")
            self.assertFalse(script.done)

    def test_death_in_the_middle(self):
        script, _ = follow(STREAM, 100)
        name, text, _ = script.unfinished()
        self.assertEqual(name, "guest/test_b")
        self.assertIn("half a li", text)

    def test_death_before_it_began(self):
        script, _ = follow(STREAM[:STREAM.index(b"#=# begin")], 100)
        self.assertEqual(script.unfinished(), ("guest/test_a", "", 0))

    def test_nothing_unfinished(self):
        told = []
        script, ends = follow(STREAM + b"\n\n#=# end guest/test_b status=1 seconds=1 module=absent\n"
                              b"\n#=# next\n\n#=# done\n", 5, told)
        self.assertEqual(told, [b"10 guest/test_a\n", b"10 guest/test_b\n", b"done\n"])
        self.assertEqual(len(ends), 2)
        self.assertIsNone(script.unfinished())
        self.assertTrue(script.done)

    def test_data_of_a_meter(self):
        got = []
        script = boots.Transcript(lambda: None, lambda data: None, None, on_data=lambda *args: got.append(args))
        script.feed(b"\n#=# data guest/test_a AAEC/w==\n\n#=# data guest/test_b \n\n#=# data guest/test_c AAEC/\n")
        # What came damaged is nobody's data.
        self.assertEqual(got, [("guest/test_a", b"\0\1\2\xff"), ("guest/test_b", b"")])

    def test_data_that_nobody_wants(self):
        script, _ = follow(STREAM + b"\n#=# data guest/test_a AAEC/w==\n", 100)
        self.assertIsNone(script.on_data)

    def test_limit_follows_the_program(self):
        script = boots.Transcript(lambda: discover.Test("guest/test_a", 5000), lambda data: None, None)
        before = script.limit
        script.feed(b"#=# next\n")
        self.assertLess(script.limit, before + 4000)
        script.feed(b"#=# begin guest/test_a\n")
        self.assertGreater(script.limit, before + 4000)


class Runner(unittest.TestCase):
    """boots.judge: what the runner saw counts too."""

    text = "1..1\nok 1 a\n"

    def fields(self, **more):
        """Fields of an end line."""
        return {"status": "0", "seconds": "1", "module": "absent", **more}

    def test_clean(self):
        self.assertTrue(boots.judge(self.text, self.fields()).good)
        self.assertTrue(boots.judge(self.text, self.fields(module="unloaded")).good)

    def test_module_stuck(self):
        self.assertFalse(boots.judge(self.text, self.fields(module="stuck")).good)

    def test_processes_left(self):
        self.assertFalse(boots.judge(self.text, self.fields(left="sleep")).good)
        self.assertFalse(boots.judge(self.text, self.fields(undead="sleep")).good)

    def test_killed_by_signal(self):
        self.assertFalse(boots.judge(self.text, self.fields(status="139")).good)

    def test_timeout(self):
        self.assertFalse(boots.judge(self.text, self.fields(status="124")).good)
