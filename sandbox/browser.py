# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's Chromium and its driver, in which tests look at pages: python3 -m sandbox.browser."""

from __future__ import annotations

from . import machine

if __name__ == "__main__":
    try:
        machine.install_packages(("chromium", "chromium-driver"))
    except machine.SandboxError as error:
        machine.fail(error)
