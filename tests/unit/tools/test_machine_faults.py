# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import machine_faults
import pytest
from machine_faults import LEAST_FREE, Seen, sentence

WELL = Seen(0o666, {"/tmp": LEAST_FREE})


@pytest.mark.parametrize(
    ("seen", "log", "words"),
    [
        (Seen(0, {}), "", "/dev/null is no device: make it again with rm -f /dev/null; mknod"),
        (Seen(0o600, {}), "", "/dev/null is not writable for everybody (mode 600): run chmod 666 /dev/null."),
        (Seen(0o666, {"/tmp": 2**28}), "", "only 0.2 GiB are free for /tmp, 2 are needed"),
        (WELL, "OSError: [Errno 28] No space left on device: '/tmp/x'", "the disk is full (/tmp/x): free some space."),
        (WELL, "cp: error writing: No space left on device", "the disk is full: free some space."),
        (
            WELL,
            "sh: 1: cannot create /dev/null: Permission denied",
            "/dev/null can't be written: run chmod 666 /dev/null.",
        ),
        (
            WELL,
            "listen tcp 127.0.0.1:9090: bind: address already in use",
            "port 127.0.0.1:9090 is in use by another program: stop it.",
        ),
        (
            WELL,
            "sandbox: Port 127.0.0.1:5000 is taken by another program: stop it",
            "port 127.0.0.1:5000 is in use by another program: stop it.",
        ),
        (WELL, "OSError: [Errno 98] Address already in use", "a port that is needed is in use"),
        (WELL, "go: fork/exec /usr/bin/link: Cannot allocate memory", "there is not enough memory"),
        (WELL, "OSError: [Errno 24] Too many open files", "too many files are open"),
        (WELL, "E: Temporary failure resolving 'deb.example'", "a name can't be resolved (deb.example)"),
        (WELL, "AssertionError: 2 failed", None),
        (WELL, "", None),
    ],
)
def test_the_sentence(seen, log, words):
    found = sentence(seen, log)
    assert found == words if words is None else found.startswith(words) and found.endswith(".") and "{" not in found


def test_what_this_machine_has():
    assert machine_faults.look().null_mode and all(free > 0 for free in machine_faults.look().free.values())
