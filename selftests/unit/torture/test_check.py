# SPDX-License-Identifier: GPL-2.0
"""Histories that are good, and for each invariant such as break it, and it alone."""

import re
import unittest

import check
import history
import present

# Two domains: 1 is attacked and rolled back, frozen and released, then killed; 2 is frozen by hand and ended by
# its deadline's release, then dissolved. Stamps in ms here.
GOOD = """
run seed=1 seconds=60 kernel=6.12 deadline=2000 slow=1000 t=0
channel channel=1 kind=6 narrow=0
channel channel=2 kind=1 narrow=0
channel channel=3 kind=2 narrow=0
domain t=10 domain=1 policy=torture.race fallback=2 agent=0 senses=1
process process=1 domain=1 pid=101 threads=1
process process=2 domain=1 pid=102 threads=1
domain t=10 domain=2 policy=torture.hold fallback=1 agent=0 senses=0
process process=3 domain=2 pid=103 threads=1
event seq=1 t=10 type=2 domain=1 incident=0 state=0 sensor=0 verdict=0 by=0 policy=torture.race
event seq=2 t=10 type=2 domain=2 incident=0 state=0 sensor=0 verdict=0 by=0 policy=torture.hold
sent process=1 serial=1 counter=1 channel=1 attack=0 result=1 made=20 wait=21 done=22
rcvd t=23 dry=15 channel=1 process=1 pid=101 serial=1 counter=1 attack=0
sent process=2 serial=1 counter=1 channel=2 attack=0 result=1 made=20 wait=21 done=22
rcvd t=23 dry=15 channel=2 process=2 pid=102 serial=1 counter=1 attack=0
sent process=1 serial=2 counter=2 channel=1 attack=1 result=1 made=100 wait=0 done=0
sent process=2 serial=2 counter=2 channel=2 attack=0 result=1 made=101 wait=0 done=0
event seq=3 t=102 type=3 domain=1 incident=0 state=1 sensor=0 verdict=0 by=0 policy=torture.race
event seq=4 t=103 type=5 domain=1 incident=1 state=0 sensor=1 verdict=0 by=0 policy=torture.race
evidence incident=1 pid=101 signal=11
event seq=5 t=104 type=3 domain=1 incident=0 state=2 sensor=0 verdict=0 by=0 policy=torture.race
audit t=110 u=112 domain=1 incident=1 records=2
held domain=1 incident=1 process=1 serial=2
held domain=1 incident=1 process=2 serial=2
ask what=verdict controller=0 t=199 u=205 domain=1 incident=1 verdict=2 err=0
ask what=verdict controller=1 t=198 u=206 domain=1 incident=1 verdict=1 err=-114
event seq=6 t=200 type=3 domain=1 incident=0 state=4 sensor=0 verdict=0 by=0 policy=torture.race
event seq=7 t=201 type=6 domain=1 incident=1 state=0 sensor=1 verdict=2 by=1 policy=torture.race
event seq=8 t=210 type=3 domain=1 incident=0 state=0 sensor=0 verdict=0 by=0 policy=torture.race
rcvd t=220 dry=90 channel=2 process=2 pid=102 serial=2 counter=2 attack=0
sent process=1 serial=3 counter=2 channel=1 attack=0 result=1 made=300 wait=301 done=302
rcvd t=303 dry=299 channel=1 process=1 pid=101 serial=3 counter=2 attack=0
sent process=1 serial=4 counter=3 channel=1 attack=1 result=1 made=400 wait=0 done=0
event seq=9 t=401 type=3 domain=1 incident=0 state=1 sensor=0 verdict=0 by=0 policy=torture.race
event seq=10 t=402 type=5 domain=1 incident=2 state=0 sensor=0 verdict=0 by=0 policy=torture.race
event seq=11 t=403 type=3 domain=1 incident=0 state=2 sensor=0 verdict=0 by=0 policy=torture.race
audit t=405 u=406 domain=1 incident=2 records=1
held domain=1 incident=2 process=1 serial=4
ask what=verdict controller=3 t=499 u=505 domain=1 incident=2 verdict=1 err=0
event seq=12 t=500 type=3 domain=1 incident=0 state=3 sensor=0 verdict=0 by=0 policy=torture.race
event seq=13 t=500 type=3 domain=1 incident=0 state=0 sensor=0 verdict=0 by=0 policy=torture.race
event seq=14 t=501 type=6 domain=1 incident=2 state=0 sensor=0 verdict=1 by=1 policy=torture.race
rcvd t=510 dry=402 channel=1 process=1 pid=101 serial=4 counter=3 attack=1
sent process=1 serial=5 counter=4 channel=1 attack=0 result=1 made=5000 wait=5001 done=5002
rcvd t=5003 dry=4999 channel=1 process=1 pid=101 serial=5 counter=4 attack=0
sent process=2 serial=3 counter=3 channel=2 attack=0 result=1 made=5000 wait=5001 done=5002
rcvd t=5003 dry=4999 channel=2 process=2 pid=102 serial=3 counter=3 attack=0
sent process=1 serial=6 counter=5 channel=1 attack=1 result=1 made=8000 wait=0 done=0
event seq=15 t=8001 type=3 domain=1 incident=0 state=1 sensor=0 verdict=0 by=0 policy=torture.race
event seq=16 t=8002 type=5 domain=1 incident=3 state=0 sensor=1 verdict=0 by=0 policy=torture.race
evidence incident=3 pid=101 signal=11
event seq=17 t=8003 type=3 domain=1 incident=0 state=2 sensor=0 verdict=0 by=0 policy=torture.race
audit t=8004 u=8005 domain=1 incident=3 records=1
held domain=1 incident=3 process=1 serial=6
event seq=18 t=9003 type=3 domain=1 incident=0 state=5 sensor=0 verdict=0 by=0 policy=torture.race
event seq=19 t=9004 type=6 domain=1 incident=3 state=0 sensor=1 verdict=3 by=2 policy=torture.race
event seq=20 t=9005 type=4 domain=1 incident=0 state=6 sensor=0 verdict=0 by=0 policy=torture.race
gone t=9010 process=1
gone t=9010 process=2
sent process=3 serial=1 counter=1 channel=3 attack=0 result=1 made=20 wait=21 done=22
rcvd t=23 dry=15 channel=3 process=3 pid=103 serial=1 counter=1 attack=0
event seq=21 t=10000 type=3 domain=2 incident=0 state=1 sensor=0 verdict=0 by=0 policy=torture.hold
event seq=22 t=10001 type=5 domain=2 incident=4 state=0 sensor=0 verdict=0 by=0 policy=torture.hold
event seq=23 t=10002 type=3 domain=2 incident=0 state=2 sensor=0 verdict=0 by=0 policy=torture.hold
event seq=24 t=11500 type=3 domain=2 incident=0 state=3 sensor=0 verdict=0 by=0 policy=torture.hold
event seq=25 t=11500 type=3 domain=2 incident=0 state=0 sensor=0 verdict=0 by=0 policy=torture.hold
event seq=26 t=11501 type=6 domain=2 incident=4 state=0 sensor=0 verdict=1 by=2 policy=torture.hold
sent process=3 serial=2 counter=2 channel=3 attack=0 result=1 made=12000 wait=12001 done=12002
rcvd t=12003 dry=11990 channel=3 process=3 pid=103 serial=2 counter=2 attack=0
ask what=dissolve controller=101 t=20000 u=20002 domain=2 incident=0 verdict=0 err=0
event seq=27 t=20001 type=4 domain=2 incident=0 state=6 sensor=0 verdict=0 by=0 policy=torture.hold
end t=20100 domain=2
gone t=20110 process=3
over domains=0 open=0 unload=0 left=-
"""
STAMP = re.compile(r"\b(t|u|dry|made|wait|done)=(\d+)")


def read(text):
    """Stamps become nanoseconds."""
    return history.History(STAMP.sub(lambda m: f"{m[1]}={int(m[2]) * 1000000}", text).splitlines())


def without(*starts):
    """The good history without the lines that begin so."""
    return "".join(line + "\n" for line in GOOD.splitlines() if not line.startswith(starts))


def again(start, old, new):
    """The good history, and once more its line that begins so, changed."""
    return GOOD + next(line for line in GOOD.splitlines() if line.startswith(start)).replace(old, new) + "\n"


# For each invariant: what is done to the good history, and a word of the violation.
BROKEN = {
    "history_is_whole": [
        (without("event seq=2 "), "events 2 to 2"),
        (without("over"), "no end"),
    ],
    "nothing_is_left": [
        (GOOD.replace("over domains=0", "over domains=1"), "1 domains"),
        (GOOD.replace("unload=0", "unload=-16"), "unload -16"),
        (GOOD.replace("left=-", "left=/proc/kallsyms"), "kallsyms"),
        (GOOD + "stuck t=1 domain=2 dead=0\n", "domain 2"),
    ],
    "states_are_legal": [
        (GOOD.replace("event seq=23 t=10002 type=3 domain=2 incident=0 state=2",
                      "event seq=23 t=10002 type=3 domain=2 incident=0 state=1"), "freezing to freezing"),
    ],
    "records_are_intact": [
        (GOOD + "broken t=1 channel=1\n", "nobody sent"),
        (without("sent process=3 serial=2 "), "never sent"),
        (GOOD.replace("rcvd t=23 dry=15 channel=3", "rcvd t=23 dry=15 channel=1"), "not what was sent"),
    ],
    "records_come_once": [
        (GOOD + "rcvd t=12004 dry=11990 channel=3 process=3 pid=103 serial=2 counter=2 attack=0\n", "2 times"),
    ],
    "channels_keep_order": [
        (without("rcvd t=23 dry=15 channel=3") + "rcvd t=12004 dry=11990 channel=3 process=3 pid=103 serial=1 "
         "counter=1 attack=0\n", "after record 2"),
    ],
    "frozen_is_silent": [
        (GOOD + "sent process=3 serial=3 counter=3 channel=3 attack=0 result=1 made=9999 wait=0 done=0\n"
         "rcvd t=11000 dry=10003 channel=3 process=3 pid=103 serial=3 counter=3 attack=0\n", "arrived between"),
        # A segment may have been on its way for a moment, not for half a second.
        (GOOD.replace("channel=3 kind=2", "channel=3 kind=0") +
         "sent process=3 serial=3 counter=3 channel=3 attack=0 result=1 made=9999 wait=0 done=0\n"
         "rcvd t=11400 dry=10600 channel=3 process=3 pid=103 serial=3 counter=3 attack=0\n", "arrived between"),
    ],
    "frozen_stands_still": [
        (GOOD + "sent process=3 serial=3 counter=3 channel=3 attack=0 result=-11 made=11000 wait=0 done=0\n", "made"),
        (GOOD.replace("made=12000 wait=12001 done=12002", "made=9999 wait=9999 done=10500"), "done"),
    ],
    "held_waits_for_the_verdict": [
        (GOOD.replace("rcvd t=510 dry=402", "rcvd t=404 dry=402"), "before the verdict"),
        (GOOD + "rcvd t=9500 dry=402 channel=1 process=1 pid=101 serial=6 counter=5 attack=0\n", "verdict kill"),
        (GOOD.replace("rcvd t=303", "rcvd t=302 dry=299 channel=1 process=1 pid=101 serial=2 counter=2 attack=0\nrcvd t=303"),
         "verdict rollback"),
    ],
    "attacks_stay_inside": [
        (GOOD.replace("rcvd t=303", "rcvd t=302 dry=299 channel=1 process=1 pid=101 serial=2 counter=2 attack=1\nrcvd t=303"),
         "record 2 of an attack"),
        (GOOD.replace("rcvd t=510 dry=402", "rcvd t=499 dry=402"), "record 4 of an attack"),
    ],
    "nothing_is_lost": [
        (without("rcvd t=12003"), "nothing dropped it"),
        (without("rcvd t=303"), "long before incident 3"),
    ],
    "answers_are_not_forgotten": [
        # The rollback went back behind an answer that was out, or not far enough.
        (GOOD.replace("serial=3 counter=2", "serial=3 counter=1"), "has the counter 1"),
        (GOOD.replace("serial=3 counter=2", "serial=3 counter=3"), "has the counter 3"),
    ],
    "same_process_answers": [
        (GOOD.replace("process=1 pid=101 serial=3", "process=1 pid=111 serial=3"), "answers as 111"),
    ],
    "one_verdict_counts": [
        (without("event seq=26 ") + "event seq=26 t=11501 type=7 domain=2 incident=4 state=0 sensor=0 verdict=0 by=0 "
         "policy=torture.hold\n", "resolved 0 times"),
        (again("event seq=7 ", "seq=7", "seq=28"), "resolved 2 times"),
        (GOOD.replace("verdict=1 err=-114", "verdict=1 err=0"), "all succeeded"),
        (GOOD.replace("ask what=verdict controller=0 t=199 u=205 domain=1 incident=1 verdict=2",
                      "ask what=verdict controller=0 t=199 u=205 domain=1 incident=1 verdict=1"), "asked release"),
        (GOOD.replace("controller=0 t=199 u=205", "controller=0 t=203 u=205"), "asked from"),
        (GOOD + "ask what=verdict controller=0 t=9000 u=9005 domain=1 incident=3 verdict=3 err=0\n", "by deadline"),
        (without("ask what=verdict controller=3"), "none succeeded"),
        (GOOD.replace("fallback=1", "fallback=3"), "the deadline's verdict was release"),
        (GOOD.replace("controller=1 t=198 u=206", "controller=1 t=150 u=160"), "while it was open"),
    ],
    "deadlines_are_kept": [
        (GOOD.replace("t=11500 ", "t=15500 ").replace("t=11501", "t=15501").replace("=1200", "=1600"), "incident 4"),
    ],
    "killed_are_gone": [
        (GOOD.replace("gone t=9010 process=2", "gone t=12010 process=2"), "process 2: gone at"),
        (without("gone t=9010 process=1"), "process 1: gone at None"),
        (GOOD + "sent process=2 serial=4 counter=4 channel=2 attack=0 result=-32 made=9004 wait=0 done=0\n", "ran at"),
    ],
    "who_is_let_go_answers": [
        (without("rcvd t=5003 dry=4999 channel=2", "sent process=2 serial=3"), "process 2: no answer by channel 2"),
    ],
}
# Which breaks necessarily with another one.
TOGETHER = {
    "records_are_intact": {"channels_keep_order"},
    "held_waits_for_the_verdict": {"attacks_stay_inside", "answers_are_not_forgotten", "records_are_intact",
                                   "frozen_is_silent"},
    "attacks_stay_inside": {"held_waits_for_the_verdict", "answers_are_not_forgotten", "frozen_is_silent"},
    "answers_are_not_forgotten": {"records_are_intact"},
    "one_verdict_counts": {"history_is_whole"},
    "nothing_is_lost": {"who_is_let_go_answers", "answers_are_not_forgotten"},
}


class Invariants(unittest.TestCase):
    """check.violations()."""

    def test_good(self):
        self.assertEqual({name: bad for name, bad in check.violations(read(GOOD)).items() if bad}, {})

    def test_each_is_broken_by_some_history(self):
        self.assertEqual(set(BROKEN), {invariant.__name__ for invariant in check.INVARIANTS})

    def test_broken(self):
        for name, cases in BROKEN.items():
            for number, (text, word) in enumerate(cases):
                case = f"{name}, history {number}"
                self.assertNotEqual(text, GOOD, case)
                found = {key: bad for key, bad in check.violations(read(text)).items() if bad}
                self.assertTrue(any(word in violation for violation in found.get(name, ())), f"{case}: {found}")
                self.assertLessEqual(set(found) - {name}, TOGETHER.get(name, set()), f"{case}: {found}")

    def test_empty(self):
        self.assertIn("no end of the run is recorded", check.violations(read(""))["history_is_whole"])


class Allowed(unittest.TestCase):
    """What looks like a violation and is none."""

    def judge(self, text):
        """Violations by name."""
        return {name: bad for name, bad in check.violations(read(text)).items() if bad}

    def test_bystander_keeps_its_output_in_a_rollback(self):
        """Record 2 of process 2 is held in incident 1 and comes after the rollback of process 1."""
        self.assertIn("held domain=1 incident=1 process=2 serial=2", GOOD)
        self.assertEqual(self.judge(GOOD), {})

    def test_vetted_before_the_freeze(self):
        """Its wait had begun: the rollback sends it."""
        text = GOOD.replace("made=100 wait=0 done=0", "made=100 wait=101 done=0").replace(
            "serial=2 counter=2 channel=1 attack=1", "serial=2 counter=2 channel=1 attack=0").replace(
            "serial=3 counter=2", "serial=3 counter=3").replace("serial=4 counter=3", "serial=4 counter=4").replace(
            "serial=5 counter=4", "serial=5 counter=5").replace("rcvd t=303", (
                "rcvd t=222 dry=103 channel=1 process=1 pid=101 serial=2 counter=2 attack=0\nrcvd t=303"))
        self.assertEqual(self.judge(text), {})

    def test_read_late(self):
        """It came before the freeze, and was read amid it."""
        self.assertEqual(self.judge(GOOD.replace(
            "made=12000 wait=12001 done=12002", "made=9990 wait=9991 done=9992").replace(
            "rcvd t=12003 dry=11990", "rcvd t=10900 dry=9980") +
            "sent process=3 serial=3 counter=3 channel=3 attack=0 result=1 made=12000 wait=12001 done=12002\n"
            "rcvd t=12003 dry=11990 channel=3 process=3 pid=103 serial=3 counter=3 attack=0\n"), {})

    def test_thread_was_faster_than_the_kill(self):
        """Record 6 of a thread is dropped by the kill, record 7 of the other one had come out."""
        text = GOOD.replace("pid=101 threads=1", "pid=101 threads=2").replace("rcvd t=5003 dry=4999 channel=2", (
            "sent process=1 serial=7 counter=6 channel=4 attack=0 result=1 made=8000 wait=8000 done=0\n"
            "rcvd t=8001 dry=4999 channel=4 process=1 pid=101 serial=7 counter=6 attack=0\n"
            "rcvd t=5003 dry=4999 channel=2"))
        self.assertEqual(set(self.judge(text)), {"who_is_let_go_answers"})
        self.assertIn("answers_are_not_forgotten", self.judge(text.replace("pid=101 threads=2", "pid=101 threads=1")))

    def test_no_room_before_the_kill(self):
        """Record 6 had to wait for room and is dropped by the kill, record 7 found room on another channel."""
        text = GOOD.replace("counter=5 channel=1 attack=1 result=1 made=8000", "counter=5 channel=1 attack=0 result=1 made=7000")
        text = text.replace("rcvd t=5003 dry=4999 channel=2", (
            "sent process=1 serial=7 counter=6 channel=2 attack=0 result=1 made=8000 wait=8000 done=0\n"
            "rcvd t=8001 dry=4999 channel=2 process=1 pid=101 serial=7 counter=6 attack=0\n"
            "rcvd t=5003 dry=4999 channel=2"))
        self.assertIn("answers_are_not_forgotten", self.judge(text))
        text = text.replace("channel=1 kind=6 narrow=0", "channel=1 kind=6 narrow=1")
        self.assertNotIn("answers_are_not_forgotten", self.judge(text))

    def test_one_has_died(self):
        """Then the client asks nobody of the domain any more."""
        self.assertEqual(self.judge(without("rcvd t=5003 dry=4999 channel=2", "sent process=2 serial=3").replace(
            "gone t=9010 process=2", "gone t=450 process=2")), {})

    def test_agent_answers(self):
        """Its answers are not in the history."""
        self.assertEqual(self.judge(without("ask what=verdict controller=3").replace("agent=0", "agent=1")), {})

    def test_no_way_back_by_deadline(self):
        """The default rollback is a kill then: so it is in incident 3."""
        self.assertIn("policy=torture.race fallback=2", GOOD)
        self.assertIn("verdict=3 by=2 policy=torture.race", GOOD)
        self.assertEqual(self.judge(GOOD), {})

    def test_attack_ended_before_its_fault(self):
        """No sensor has fired, so it is output like any other."""
        text = GOOD.replace("end t=20100", "end t=19000") + (
            "sent process=3 serial=3 counter=3 channel=3 attack=1 result=1 made=18999 wait=0 done=0\n"
            "rcvd t=19010 dry=18000 channel=3 process=3 pid=103 serial=3 counter=3 attack=1\n")
        self.assertEqual(self.judge(text), {})


class Table(unittest.TestCase):
    """present.table(), missing()."""

    def test_a_run_that_shows_nothing(self):
        self.assertEqual(present.missing(read(GOOD)), [])
        self.assertEqual(present.missing(read(without("audit", "held"))),
                         ["frozen domains looked into", "records held there"])

    def test_names_what_is_broken(self):
        told = read(GOOD)
        text = "\n".join(present.table(told, check.violations(told)))
        self.assertNotIn("VIOLATIONS", text)
        self.assertRegex(text, r"incidents +4\n")
        self.assertRegex(text, r"answered by several +1\n")
        told = read(without("rcvd t=12003"))
        self.assertIn("1 VIOLATIONS   nothing_is_lost", "\n".join(present.table(told, check.violations(told))))


if __name__ == "__main__":
    unittest.main()
