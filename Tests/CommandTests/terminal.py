# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a terminal of its own and types at its prompts, as a person would.

    python3 terminal.py PROMPT TEXT [PROMPT TEXT …] -- COMMAND [ARGUMENT …]

Each TEXT is typed once its PROMPT has been seen; \\n, \\x03 and the like are understood, and {group} is
the group of the recovery kit that was asked for. Prints what the terminal showed, and ends with the command's exit code.
"""

import os
import pty
import re
import sys

split = sys.argv.index("--")
steps = [sys.argv[i:i + 2] for i in range(1, split, 2)]
process, terminal = pty.fork()
if process == 0:
    os.execvp(sys.argv[split + 1], sys.argv[split + 1:])

shown = b""
waiting = 0
while True:
    try:
        more = os.read(terminal, 4096)
    except OSError:  # the other end is closed
        break
    if not more:
        break
    shown += more
    while steps and steps[0][0].encode() in shown[waiting:]:
        prompt, text = steps[0]
        if "{group}" in text:
            asked = re.search(rb"type group (\d)[^\n]*: ", shown[waiting:])
            if not asked:  # its number is still to come
                break
            code = re.search(rb"(?:[0-9A-Z]{4}-){8}[0-9A-Z]{4}", shown)[0].split(b"-")
            text = text.replace("{group}", code[int(asked[1]) - 1].decode())
        steps.pop(0)
        waiting = shown.index(prompt.encode(), waiting) + len(prompt.encode())
        os.write(terminal, text.encode().decode("unicode_escape").encode("latin-1"))

sys.stdout.buffer.write(shown.replace(b"\r", b""))
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
