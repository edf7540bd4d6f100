# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(./health-check --database --external-services), to be run inside the container: a line per check, exit code 1 if one failed."""

from __future__ import annotations

import argparse
import re
import socket
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import psycopg

from .faults import first_database_url
from .settings import SettingsError, load

TIMEOUT = 3  # seconds, for each thing checked


class CheckError(Exception):
    """One sentence that says what was not reached, and why."""


def check_database(url: str) -> str:
    if not url:
        raise CheckError("Database connection: DATABASE_URL is not set")
    try:
        with psycopg.connect(url, connect_timeout=TIMEOUT, options=f"-c statement_timeout={TIMEOUT}s") as connection:
            connection.execute("SELECT 1")
    except psycopg.ProgrammingError:
        # libpq quotes the piece it stumbled over, which may be of the password.
        raise CheckError("Database connection: DATABASE_URL is not a PostgreSQL connection string") from None
    except psycopg.Error as error:
        raise CheckError(f"Database connection: failed ({' '.join(str(error).split())})") from None
    return "Database connection: OK"


def check_service(address: str) -> str | None:
    """Why an URL or host:port does not answer, or None. An HTTP server that refuses (4xx) does answer."""
    try:
        if "://" in address:
            urllib.request.urlopen(address, timeout=TIMEOUT).close()
        else:
            host, _colon, port = address.rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), TIMEOUT).close()
    except urllib.error.HTTPError as error:
        return None if error.code < 500 else f"{address} answers {error.code}"
    except ValueError:
        return f"{address} is neither an URL nor host:port"
    except OSError as error:
        return f"{address}: {getattr(error, 'reason', error)}"
    return None


def check_services(addresses: list[str]) -> str:
    with ThreadPoolExecutor(max_workers=8) as workers:
        failures = [reason for reason in workers.map(check_service, addresses) if reason]
    if failures:
        raise CheckError(f"External services not reachable: {'; '.join(failures)}")
    return (
        "All external services reachable"
        if addresses
        else "All external services reachable (EXTERNAL_SERVICES names none)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="health-check", description="Check what this server depends on.")
    parser.add_argument("--database", action="store_true", help="connect to DATABASE_URL and query it")
    parser.add_argument(
        "--external-services", action="store_true", help="reach every URL and host:port in EXTERNAL_SERVICES"
    )
    arguments = parser.parse_args()
    if not (arguments.database or arguments.external_services):
        parser.error("nothing to check: give --database, --external-services or both")
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(f"health-check: {error}")
    failed = False
    checks = [
        (arguments.database, lambda: check_database(first_database_url(settings))),
        (
            arguments.external_services,
            lambda: check_services([a for a in re.split(r"[\s,]+", settings.external_services) if a]),
        ),
    ]
    for wanted, check in checks:
        if wanted:
            try:
                print(check())
            except CheckError as error:
                print(error)
                failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
