# SPDX-License-Identifier: GPL-2.0
"""How the demo tells its story: acts, facts that are checked before they are
printed, commands with their output, and the table at the end."""

import os
import subprocess
import time

WIDTH = 78


class Story:
    def __init__(self):
        self.colour = "NO_COLOR" not in os.environ
        self.wrong = 0
        self.rows = []
        self.started = time.monotonic()

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def act(self, title):
        print("\n" + self.paint("1;36", f"── {title} ".ljust(WIDTH, "─")), flush=True)

    def say(self, text):
        print("  " + text, flush=True)

    def fact(self, holds, text):
        """A measured statement; the demo fails when it does not hold."""
        mark = self.paint("1;32", "✓") if holds else self.paint("1;31", "✗ NOT TRUE:")
        print(f"  {mark} {text}", flush=True)
        self.wrong += not holds

    def bad(self, text):
        """What an attacker got."""
        print("  " + self.paint("1;31", text), flush=True)

    def command(self, *words, omit=()):
        """Run a command and show it with what it prints, but for the blocks
        (indented lines after "name:", or "name" and a value) named in omit."""
        print("  " + self.paint("1", "# " + " ".join(words)), flush=True)
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        keep = True
        for line in (done.stdout + done.stderr).rstrip().splitlines():
            if not line.startswith(" "):
                keep = not line.replace(":", " ").startswith(tuple(f"{o} " for o in omit))
            if keep:
                print("    " + self.paint("2", line))
        if omit:
            print("    " + self.paint("2", f"({', '.join(omit)}: not shown here)"))
        if done.returncode:
            self.fact(False, f"exit status {done.returncode}")

    def row(self, what, produced, left, wanted, end):
        """A row of the table: bytes that the attacked server wrote since the
        attack, bytes that reached somebody outside, bytes that should have."""
        self.rows.append((what, produced, left, left == wanted, end))

    def table(self):
        self.act("What left the machine after the attack began")
        head = ("", "written", "left", "")
        widths = (38, 9, 9)
        print("  " + self.paint("1", f"{head[0]:<{widths[0]}}{head[1]:>{widths[1]}}"
                                     f"{head[2]:>{widths[2]}}  in the end"))
        for what, produced, left, good, end in self.rows:
            line = f"{what:<{widths[0]}}{produced:>7} B{left:>7} B  {end}"
            print("  " + self.paint("32" if good and not left else
                                    "33" if good else "1;31", line))
            self.wrong += not good

    def end(self):
        seconds = time.monotonic() - self.started
        if self.wrong:
            print("\n" + self.paint("1;31", f"The story does not hold: {self.wrong} of its "
                                            f"statements are not true ({seconds:.0f} s)."))
            return 1
        print("\n" + self.paint("1;32", f"Every figure above was measured in this run "
                                        f"({seconds:.0f} s)."))
        return 0
