# SPDX-License-Identifier: GPL-3.0-or-later
"""python3 -m sandbox up | down | status | kill (kill leaves everything but the processes, to test recovery)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading

from . import addons, images, kubernetes, machine
from .machine import SandboxError, say
from .paths import INFO, SOURCE, key


def up() -> None:
    machine.requirements()
    made_from = key(SOURCE)
    if INFO.exists() and json.loads(INFO.read_text())["made_from"] == made_from and kubernetes.answers():
        images.execution_environment()  # made of the collection, which is no part of that key
        say("the sandbox is up")
        return
    if not kubernetes_alive():
        machine.tear_down()
        machine.refuse_taken_ports()
    machine.install_packages()
    # The compiler keeps both cores busy; what the network and Debian give comes beside it.
    failures: list[SandboxError] = []

    def fetch() -> None:
        try:
            images.root_file_system("base", images.BASE)
            images.root_file_system("postgresql", images.POSTGRESQL)
            images.root_file_system("alertmanager", images.ALERTMANAGER)
            images.site_packages("mcp-server", images.SERVER / "requirements.txt")
            images.wheels("execution environment", images.EXECUTION_ENVIRONMENT / "requirements.txt")
            images.site_packages("pip", images.PYTHON / "requirements.txt")
            images.builder()
            images.envoy()
        except SandboxError as error:
            failures.append(error)

    beside = threading.Thread(target=fetch, daemon=True)
    beside.start()
    images.binaries()
    images.prometheus()
    images.metrics_server()
    beside.join()
    if failures:
        raise failures[0]
    machine.make_cgroups()
    images.push_all()
    if not kubernetes_alive():
        kubernetes.up()
    addons.up(made_from)
    say("the sandbox is up")


def kubernetes_alive() -> bool:
    return bool(machine.our_processes()) and kubernetes.answers()


def down() -> None:
    machine.requirements()
    machine.tear_down()
    left = machine.leftovers()
    if left:
        raise SandboxError(f"Left behind: {'; '.join(left[:5])}")
    say("the sandbox is gone; its cache stays")


def status() -> None:
    state = "up" if INFO.exists() and kubernetes.answers() else "not up"
    print(
        json.dumps(
            {
                "state": state,
                "leftovers": machine.leftovers(),
                **(json.loads(INFO.read_text()) if INFO.exists() else {}),
            },
            indent=1,
        )
    )


def kill() -> None:
    while pids := machine.our_processes():
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status", "kill"])
    try:
        globals()[parser.parse_args().command]()
    except SandboxError as error:
        machine.fail(error)


main()
