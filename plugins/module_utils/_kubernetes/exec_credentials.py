# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials from a command (client.authentication.k8s.io), as kubectl gets them."""

from __future__ import annotations

import itertools
import json
import os
import re
import selectors
import signal
import subprocess
import time
import typing as t
from contextlib import suppress
from dataclasses import dataclass, field

from ansible.module_utils.common.text.converters import to_text

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Certificate, Plugin
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, conceal
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_BYTES = 1024 * 1024  # of its output
SECRET = re.compile("secret|token|passw", re.IGNORECASE)
POLL = 0.02  # seconds


@dataclass(frozen=True)
class Credential:
    """The credential of a plugin. until: when it expires, in seconds since 1970."""

    token: str = field(default="", repr=False)
    certificate: Certificate | None = None
    until: float | None = None

    @property
    def expired(self) -> bool:
        return self.until is not None and time.time() >= self.until


def ask(plugin: Plugin, seconds: float) -> Credential:
    """Run the plugin, for at most so many seconds, and return its credential. Raises Failure."""
    spec: dict[str, t.Any] = {"interactive": False}
    if plugin.cluster is not None:
        spec["cluster"] = plugin.cluster
    question = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    environment = {**os.environ, **dict(plugin.environment), "KUBERNETES_EXEC_INFO": _json(plugin, question)}
    conceal(*_given(plugin))
    status, output, stderr = _run(plugin, environment, seconds)
    if status:
        raise Failure(f"{_name(plugin)} failed with exit code {status}{_because(stderr)}; run it by hand to see why.")
    return parse(plugin, output)


def _json(plugin: Plugin, question: dict[str, t.Any]) -> str:
    try:
        return json.dumps(question, default=str, separators=(",", ":"))
    except (ValueError, RecursionError):  # a configuration that contains itself, by YAML's references
        raise Failure(
            f"Cannot give {_name(plugin, start=False)} the configuration of its cluster, which is not JSON; "
            "correct the kubeconfig."
        ) from None


def _given(plugin: Plugin) -> list[str]:
    """Return the secrets that the kubeconfig gives a plugin, which may repeat them in its standard error."""
    pairs = list(plugin.environment)
    for word, following in itertools.zip_longest(plugin.arguments, plugin.arguments[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if name.startswith("-"):
            pairs.append((name, value if equals else following))
    return [value for name, value in pairs if SECRET.search(name)]


def parse(plugin: Plugin, output: bytes) -> Credential:
    """Return the credential in a plugin's output. Raises Failure, which never shows the output."""
    try:
        answer = json.loads(output)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
        raise Failure(f"{_name(plugin)} wrote no ExecCredential to its standard output.")
    if answer.get("apiVersion") != plugin.api_version:
        raise Failure(
            f"{_name(plugin)} answered in version {printable(str(answer.get('apiVersion')), 80)}, "
            f"but the kubeconfig says {plugin.api_version}."
        )
    status = answer.get("status")
    if not isinstance(status, dict):
        raise Failure(f"{_name(plugin)} gave no credentials (no status).")
    token, certificate, key = (status.get(name) or "" for name in ("token", "clientCertificateData", "clientKeyData"))
    if not all(isinstance(one, str) for one in (token, certificate, key)):
        raise Failure(f"{_name(plugin)} gave credentials that are not text.")
    if not (token or certificate or key):
        raise Failure(f"{_name(plugin)} gave neither a token nor a certificate.")
    if bool(certificate) is not bool(key):
        raise Failure(f"{_name(plugin)} gave a certificate without its key, or a key without its certificate.")
    conceal(token, key)
    pair = Certificate(certificate.encode(), key.encode()) if certificate else None
    return Credential(token.strip(), pair, _until(plugin, status.get("expirationTimestamp")))


def _until(plugin: Plugin, text: t.Any) -> float | None:
    if text is None:
        return None
    at = _times.parse(text)
    if at is None:
        raise Failure(f"{_name(plugin)} gave an expirationTimestamp that is not a time: {printable(str(text), 60)}.")
    return at.timestamp()


def _run(plugin: Plugin, environment: dict[str, str], seconds: float) -> tuple[int, bytes, bytes]:
    """Return exit code, standard output and standard error. Raises Failure.

    The plugin runs in a new session, so that its children are killed with it.
    """
    try:
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            [plugin.command, *plugin.arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        hint = printable(plugin.install_hint, 300).rstrip(".") or "install it, or correct the kubeconfig"
        raise Failure(
            f"{_name(plugin)} could not be started ({reason or 'its arguments are unusable'}); {hint}."
        ) from None
    try:
        output, stderr = _written(process, Deadline(seconds))
        return process.wait(), output, stderr
    except _Stopped as stopped:
        reason = stopped.reason + _because(stopped.stderr)
        raise Failure(f"{_name(plugin)} {reason}, and was killed; run it by hand to see why.") from None
    finally:
        if process.poll() is None:
            _kill(process)
        for pipe in (process.stdout, process.stderr):
            t.cast(t.IO[bytes], pipe).close()


class _Stopped(Exception):
    """The plugin has to be killed. stderr: its standard error so far."""

    def __init__(self, reason: str, stderr: bytes) -> None:
        super().__init__(reason)
        self.reason, self.stderr = reason, stderr


def _written(process: subprocess.Popen[bytes], bound: Deadline) -> tuple[bytes, bytes]:
    """Return standard output and standard error once it has ended, even if another process still holds its pipes."""
    output, stderr = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(t.cast(t.IO[bytes], process.stdout), selectors.EVENT_READ, output)
        selector.register(t.cast(t.IO[bytes], process.stderr), selectors.EVENT_READ, stderr)
        while True:
            ended = process.poll() is not None
            ready = selector.select(0 if ended else min(POLL, bound.left))
            for key, _events in ready:
                data = os.read(key.fd, 65536)
                key.data.extend(data)
                if not data:
                    selector.unregister(key.fileobj)
            if max(len(output), len(stderr)) > MAX_BYTES:
                raise _Stopped(f"wrote more than {MAX_BYTES >> 20} MiB", bytes(stderr))
            if ended and not ready:
                return bytes(output), bytes(stderr)
            if not bound.left:
                raise _Stopped(f"did not end within {bound.seconds:g} s (api_timeout)", bytes(stderr))
            if not (ended or selector.get_map()):
                time.sleep(POLL)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _because(stderr: bytes) -> str:
    lines = [line for line in to_text(stderr, errors="replace").splitlines() if line.strip()]
    return f": {printable(lines[-1], 300).rstrip('.')}" if lines else ""


def _name(plugin: Plugin, *, start: bool = True) -> str:
    """Return what messages call a plugin, by default at the start of a sentence. Its arguments may be secret."""
    return f"{'The' if start else 'the'} credential plugin {printable(plugin.command, 200)} of the kubeconfig"
