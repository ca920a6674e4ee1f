# SPDX-License-Identifier: GPL-2.0
"""Several guests at once: lanes (processes) that work off the queues of all kernels.

A lane boots a guest for the queue with the most work left for each lane on it, and takes
program after program from there, the longest first, so that all lanes end together. Work
on the host (builds, static checks, the harness's self-test) are queues of one item.
"""

import dataclasses
import functools
import multiprocessing
import time

from . import boots, cache, ktap
from .cache import HarnessError

# Joining a queue costs a boot: not for less work than this, in seconds, if others are at it.
WORTH_A_BOOT = 20
UNKNOWN_SECONDS = 30
# A program of an extra queue that has begun may end, for so long.
EXTRA_GRACE = 600
NOT_READY, READY, BROKEN = range(3)


@dataclasses.dataclass
class Queue:
    """Programs of one kernel, or one function on the host."""
    label: str
    tests: list = dataclasses.field(default_factory=list)
    icount: bool = False
    mem: int = 1536
    smp: int = 2
    slow: float = 1
    # Runs after everything else, and as far as the time allows.
    extra: bool = False
    # On the host: call() returns an outcome, seconds is what it takes.
    call: object = None
    seconds: float = 0
    # The queue of the host that makes this one's kernel; a failure there is told there.
    after: "Queue" = None
    # Around each program, as boots.Suite has them.
    meter: str = None
    on_data: object = None

    def cost(self, test):
        """Seconds that a program will take, roughly."""
        return durations().get(test.name, UNKNOWN_SECONDS) * max(1, self.slow / 2)

    def left(self, taken):
        """Seconds of work that nobody has begun."""
        if self.call:
            return 0 if taken else self.seconds
        return sum(self.cost(test) for test in self.tests[taken:])

    def __len__(self):
        return 1 if self.call else len(self.tests)


@functools.lru_cache(maxsize=None)
def durations():
    """What programs took on stock kernels, from the file `durations`: only their order counts."""
    known = {}
    for line in (cache.tree() / "selftests/vm/durations").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, seconds = line.split()
            known[name] = float(seconds)
    return known


class Board:
    """Who does what; shared by the lanes."""

    def __init__(self, context, queues, end):
        self.queues = queues
        self.end = end
        self.lock = context.Lock()
        self.taken = context.Array("i", len(queues), lock=False)
        self.lanes = context.Array("i", len(queues), lock=False)
        self.ready = context.Array("i", [READY if q.after is None else NOT_READY for q in queues], lock=False)

    def _score(self, number):
        """How much a further lane would help a queue; None: it may not join."""
        queue = self.queues[number]
        left = queue.left(self.taken[number])
        lanes = self.lanes[number]
        if self.taken[number] >= len(queue) or self.ready[number] != READY:
            return None
        if lanes and (queue.call or left < WORTH_A_BOOT or lanes >= len(queue) - self.taken[number]):
            return None
        return left / (lanes + 1)

    def join(self):
        """The number of a queue to work on, or None when nothing is left for this lane."""
        while True:
            with self.lock:
                scores = [(not self.queues[number].extra, score, number)
                          for number in range(len(self.queues))
                          if (score := self._score(number)) is not None]
                if scores and time.monotonic() < self.end:
                    number = max(scores)[2]
                    self.lanes[number] += 1
                    return number
                if not any(ready == NOT_READY for ready in self.ready) or time.monotonic() >= self.end:
                    return None
            time.sleep(0.5)

    def leave(self, number, good):
        """The lane is done with a queue; not good: nobody else need try."""
        with self.lock:
            self.lanes[number] -= 1
            if not good:
                self.ready[number] = BROKEN
            for other, queue in enumerate(self.queues):
                if queue.after is self.queues[number]:
                    self.ready[other] = READY if good else BROKEN

    def take(self, number):
        """The next item of a queue, or None; what cannot end in time is not begun."""
        queue = self.queues[number]
        with self.lock:
            taken = self.taken[number]
            left = self.end - time.monotonic()
            if taken >= len(queue) or left <= 0:
                return None
            if queue.extra and left < queue.cost(queue.tests[taken]):
                return None
            self.taken[number] += 1
            return queue.call or queue.tests[taken]

    def more(self, number):
        """Is there something that nobody has taken?"""
        return self.taken[number] < len(self.queues[number])


def _items(board, number, lane, logs, report):
    """What a lane does at one queue; returns (outcomes, whether the queue can go on)."""
    queue = board.queues[number]
    if queue.call:
        call = board.take(number)
        outcome = call() if call else None
        return [outcome] if outcome else [], bool(outcome and outcome.verdict.good)
    suite = boots.Suite(
        queue.label, logs=logs, mem=queue.mem, smp=queue.smp, icount=queue.icount,
        end=board.end + (EXTRA_GRACE if queue.extra else 0), slow=queue.slow, report=report,
        take=lambda: board.take(number), more=lambda: board.more(number), tag=str(lane),
        meter=queue.meter, on_data=queue.on_data)
    return suite.run(), not suite.dead


def _work(connection, board, lane, logs, report):
    outcomes = []
    try:
        while (number := board.join()) is not None:
            good = False
            try:
                more, good = _items(board, number, lane, logs, report)
                outcomes += more
            finally:
                board.leave(number, good)
        connection.send(outcomes)
    except HarnessError as error:
        connection.send(str(error))


def run(queues, count, end, logs, report):
    """Work off the queues with count lanes; returns (outcomes, [(queue, test) left out])."""
    context = multiprocessing.get_context("fork")
    board = Board(context, queues, end)
    lanes = []
    outcomes = []
    try:
        for lane in range(count):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(theirs, board, lane, logs, report))
            process.start()
            theirs.close()
            lanes.append((process, ours))
        for process, ours in lanes:
            try:
                result = ours.recv()
            except EOFError:
                result = "a lane ended without a result"
            if isinstance(result, str):
                raise HarnessError(result)
            outcomes += result
            process.join()
    finally:
        for process, _ in lanes:
            process.terminate()
            process.join()
    seen = {(outcome.kernel, outcome.name) for outcome in outcomes}
    missing = [(queue, test) for queue in queues for test in queue.tests
               if (queue.label, test.name) not in seen]
    for queue, test in missing:
        if not queue.extra:
            verdict = ktap.Verdict()
            verdict.problem("not begun: the time for all tests was over, or the guest does not come up")
            outcomes.append(boots.Outcome(queue.label, test.name, verdict))
            report(outcomes[-1])
    return outcomes, [(queue, test) for queue, test in missing if queue.extra]
