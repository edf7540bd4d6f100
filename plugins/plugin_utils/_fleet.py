# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet of a play: its waves, and how each of its servers is.

Both live in the memory of the play's process. Its workers are forks, so that they see the plan, and share the anonymous
mapping in which each server has a slot that only its own tasks write. No file can be left behind, guessed or replaced.
"""

from __future__ import annotations

import functools
import json
import mmap
import struct
import time
import typing as t
import zlib
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._fleet import state, waves
from ansible_collections.mcp.server.plugins.module_utils._task import FleetStopped
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.plugin_utils import _variables

SLOTS = 2000  # servers in one fleet
SLOT = 1024  # bytes: the row as JSON, behind its checksum and length
MAX_NAME = 200  # characters of a host's name: its row without any text fits into a slot
HEAD = struct.Struct("<IH")
SHOWN = struct.Struct("<dI")  # when the table was shown last, by the clock that all processes share; its checksum
TABLE = SHOWN.size  # where a byte for each server begins: whether it counts as failed
ROWS = TABLE + SLOTS
TRIES = 20  # to read a slot that is being written
SHOW_EVERY = 5.0  # seconds between two tables at least
SHOW_AGAIN = 60.0  # seconds after which the same one is shown again
LOOK_EVERY = 1.0  # seconds between two looks at whether to show it

# Pages that nobody writes take no memory.
_MEMORY = mmap.mmap(-1, ROWS + SLOTS * SLOT)


@dataclass(frozen=True)
class Plan:
    """waves: names of hosts. The rest is as the variables of the first server say."""

    waves: tuple[tuple[str, ...], ...]
    max_failed: int
    on_failure: str

    @functools.cached_property
    def places(self) -> dict[str, int]:
        """Return the place of each host among all, in the order of the waves."""
        return {host: at for at, host in enumerate(host for wave in self.waves for host in wave)}

    @property
    def hosts(self) -> list[str]:
        return list(self.places)


plan: Plan | None = None


def divide(servers: t.Sequence[str], hostvars: t.Any) -> None:
    """Begin a fleet, in the play's process, unless there is one server at most, or all are released at once.

    hostvars: the variables of each server. Raises ValueError with a sentence.
    """
    global plan
    plan = None  # of another playbook that this process ran
    if len(servers) < 2:
        return

    def read(name: str) -> t.Any:
        return _variables.value(name, hostvars[servers[0]].get(name))

    sizes, by = read("mcp_waves"), read("mcp_waves_by")
    if sizes is not None and not sizes:
        return
    labels = {one: str(hostvars[one][by]).strip() for one in servers if by in hostvars[one]}
    found = waves.waves(servers, [str(one).strip() for one in sizes or ()], labels, by)
    begin(Plan(tuple(map(tuple, found)), read("mcp_waves_max_failed"), read("mcp_fleet_on_failure")))


def has(host: str) -> bool:
    return plan is not None and host in plan.places


def begin(found: Plan) -> None:
    """Begin a fleet, in the play's process. Raises waves.Refused."""
    global plan
    if len(found.hosts) > SLOTS:
        raise waves.Refused(f"A fleet may have at most {SLOTS} servers, not {len(found.hosts)}: release it in parts.")
    if long := next((host for host in found.hosts if len(host) > MAX_NAME), ""):
        raise waves.Refused(f"The host {long[:40]}... has a name of more than {MAX_NAME} characters: shorten it.")
    plan = found
    _MEMORY[TABLE:ROWS] = bytes(SLOTS)
    SHOWN.pack_into(_MEMORY, 0, 0.0, 0)
    for number, wave in enumerate(found.waves, 1):
        for host in wave:
            Member(found, host).write(state.Row(host, number))


def member(host: str, show: t.Callable[[str], None]) -> Member | None:
    """Return what a task of this host knows of its fleet; None where it is in none."""
    return Member(plan, host, show) if plan is not None and has(host) else None


def rows() -> list[state.Row]:
    return [_read(at, host) for at, host in enumerate(plan.hosts)] if plan else []


def bad() -> list[str]:
    return state.bad([row for row in rows() if row.state != state.WAITING])


def to_roll_back() -> list[str]:
    return state.to_roll_back(rows(), plan.max_failed, plan.on_failure) if plan else []


def stopped() -> bool:
    return plan is not None and _failed() > plan.max_failed


def _failed() -> int:
    return _MEMORY[TABLE:ROWS].count(1)


def _read(at: int, host: str) -> state.Row:
    place = ROWS + at * SLOT
    for _try in range(TRIES):
        checksum, length = HEAD.unpack_from(_MEMORY, place)
        data = _MEMORY[place + HEAD.size : place + HEAD.size + length]
        if zlib.crc32(data) == checksum and data:
            return state.Row(**json.loads(data))
        time.sleep(0.001)
    return state.Row(host, 0, text="unknown")  # its task was killed while it wrote


class Member:
    """One server of the fleet, a Fleet of module_utils/_task.py."""

    def __init__(self, found: Plan, host: str, show: t.Callable[[str], None] = lambda line: None) -> None:
        self.host, self.on_failure, self.max_failed = host, found.on_failure, found.max_failed
        self._at, self._show, self._looked = found.places[host], show, time.monotonic()

    def note(self, now: str, text: str = "", *, weight: int | None = None, failed: bool = False) -> None:
        before = _read(self._at, self.host)
        self.write(
            replace(
                before,
                state=now,
                text=printable(text, state.MAX_TEXT),
                weight=before.weight if weight is None else weight,
                failed=failed or before.failed,
            )
        )
        self._show_table()

    def write(self, row: state.Row) -> None:
        data = json.dumps(row.document(), ensure_ascii=False).encode()
        if len(data) > SLOT - HEAD.size:  # a cut one would be no JSON
            self.write(replace(row, text=row.text[: len(row.text) // 2]))
            return
        place = ROWS + self._at * SLOT
        _MEMORY[place + HEAD.size : place + HEAD.size + len(data)] = data
        HEAD.pack_into(_MEMORY, place, zlib.crc32(data), len(data))
        _MEMORY[TABLE + self._at] = int(row.failed)

    def rows(self) -> list[state.Row]:
        return rows()

    def refuse_stopped(self) -> None:
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._looked = time.monotonic()
            self._show_table()
        if not _MEMORY[TABLE + self._at] and stopped():
            reason = state.stop_reason(rows(), self.max_failed)
            raise FleetStopped(f"The fleet stopped: {reason}.")

    def show(self, lines: t.Iterable[str]) -> None:
        for line in lines:
            self._show(line)

    def _show_table(self) -> None:
        """Show the table if it is new, unless another task of the fleet did so a moment ago."""
        shown, before = SHOWN.unpack_from(_MEMORY, 0)
        now = time.monotonic()
        if now - shown < SHOW_EVERY:
            return
        lines = state.lines(rows())
        checksum = zlib.crc32("\n".join(lines).encode())
        if checksum != before or now - shown >= SHOW_AGAIN:
            SHOWN.pack_into(_MEMORY, 0, now, checksum)
            self.show(lines)
