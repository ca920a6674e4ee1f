# SPDX-License-Identifier: GPL-2.0
"""The table of the escape tests: one row for each way out of a domain, from the lines

    # ROW name channel="..." held=WORD frozen=WORD release=WORD kill=WORD race=WORD note="..."

of any programs. A row may be told in parts, by several lines or programs: the name joins them.
"""

import json
import shlex

COLUMNS = ("channel", "held", "frozen", "race", "release", "kill", "note")
# Without one of these words a row is not decided.
DECIDED = ("channel", "held", "frozen", "release")
_PREFIX = "# ROW "


def rows(texts):
    """({name: {column: word}}, problems) of what programs printed."""
    table = {}
    problems = []
    for text in texts:
        for line in text.splitlines():
            if not line.startswith(_PREFIX):
                continue
            try:
                name, *fields = shlex.split(line[len(_PREFIX):])
                pairs = dict(field.split("=", 1) for field in fields)
            except ValueError:
                problems.append(f"cannot be read: {line}")
                continue
            row = table.setdefault(name, {})
            for column, word in pairs.items():
                if column not in COLUMNS:
                    problems.append(f"{name}: no such column: {column}")
                elif column in row and row[column] != word:
                    problems.append(f"{name}: {column} is {row[column]} and {word}")
                else:
                    row[column] = word
    for name, row in table.items():
        missing = [column for column in DECIDED if not row.get(column)]
        if missing:
            problems.append(f"{name} is undecided: {', '.join(missing)} missing")
        # What is held is taken from memory, by a descriptor: somebody has to flip them.
        if row.get("held") == "held" and not row.get("race"):
            problems.append(f"{name} is held, and no race covers it")
    return table, problems


def lines(table):
    """The table for people, ordered by channel in the order of first appearance."""
    channels = list(dict.fromkeys(row.get("channel", "?") for row in table.values()))
    names = sorted(table, key=lambda name: channels.index(table[name].get("channel", "?")))
    shown = [("channel", "row", "held", "frozen", "race", "after release", "after kill", "note")]
    for name in names:
        row = table[name]
        shown.append((row.get("channel", "?"), name, *(row.get(column) or "-" for column in
                                                      ("held", "frozen", "race", "release", "kill")),
                      row.get("note", "")))
    widths = [max(len(line[i]) for line in shown) for i in range(len(shown[0]) - 1)] + [0]
    return ["  ".join(f"{word:{width}}" for word, width in zip(line, widths)).rstrip() for line in shown]


def closing(table):
    """One line that counts."""
    escaped = sum("ESCAPED" in row.values() for row in table.values())
    failed = sum("FAILED" in row.values() and "ESCAPED" not in row.values() for row in table.values())
    held = [row.get("held", "") for row in table.values()]
    words = {"held": held.count("held"),
             "denied": sum(word.startswith("denied") for word in held),
             "refused at enrolment": sum(word.startswith("refused") for word in held),
             "parked": held.count("parked"),
             "passed, with a reason": held.count("passed"),
             "absent from this kernel": held.count("skipped")}
    told = ", ".join(f"{count} {word}" for word, count in words.items() if count)
    return f"{len(table)} rows: {told}; {escaped} escaped, {failed} failed"


def report(kernel, texts, path):
    """Prints the table of one kernel and writes it to path; returns the problems."""
    table, problems = rows(texts)
    if not table:
        return problems
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    print(f"\nescape tests, {kernel}")
    print("\n".join("  " + line for line in lines(table)))
    print("  " + closing(table), flush=True)
    return problems
