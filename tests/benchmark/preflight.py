# SPDX-License-Identifier: GPL-3.0-or-later
"""preflight.yml of the sandbox's server, beside an empty playbook: from the keystroke to the end.

In turn, several rounds of both. Checks in pods (mcp_dependencies) are shown apart, as they wait for a pod.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
ROUNDS = int(sys.argv[1]) if sys.argv[1:] else 5
AIM = 6.0  # seconds without checks in pods
SLOWEST = 5  # checks that are listed
IN_PODS = ("dependency_",)


def measure(folder: Path, playbook: str, *words: str) -> tuple[float, list[dict[str, t.Any]]]:
    """Return the seconds that a playbook takes, and the results of its checks, if it makes any."""
    output = folder / "results.json"
    output.unlink(missing_ok=True)
    began = time.monotonic()
    done = subprocess.run(
        [PLAYBOOK, playbook, "-i", str(ROOT / "inventory" / "sandbox"), "-e", f"mcp_output={output}", *words],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"{playbook} failed: {done.stdout}{done.stderr}")
    return seconds, json.loads(output.read_text())["servers"][0]["checks"] if output.exists() else []


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty = folder / "empty.yml"
        empty.write_text("- hosts: all\n  gather_facts: false\n")
        nothing, whole, pods, found = [], [], [], []
        for _round in range(ROUNDS):
            nothing.append(measure(folder, str(empty))[0])
            seconds, found = measure(folder, "playbooks/preflight.yml", "-e", "version=v1.2.0")
            pods.append(sum(one["seconds"] or 0.0 for one in found if one["id"].startswith(IN_PODS)))
            whole.append(seconds - pods[-1])
    print(f"empty playbook: {statistics.median(nothing):.2f} s (median of {ROUNDS})")
    print(f"preflight.yml, {len(found)} checks: {statistics.median(whole):.2f} s; the aim is {AIM:g} s")
    print(f"checks in pods beside that: {statistics.median(pods):.2f} s")
    for one in sorted(found, key=lambda one: -(one["seconds"] or 0.0))[:SLOWEST]:
        print(f"  {one['seconds']:.2f} s  {one['name']}")


if __name__ == "__main__":
    main()
