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

MAX_BYTES = 1024 * 1024  # of what it writes
SECRET = re.compile("secret|token|passw", re.IGNORECASE)
LOOK = 0.02  # seconds between two looks whether it has ended


@dataclass(frozen=True)
class Credential:
    """What a plugin gave. until: when it is over, in seconds since 1970."""

    token: str = field(default="", repr=False)
    certificate: Certificate | None = None
    until: float | None = None

    @property
    def over(self) -> bool:
        return self.until is not None and time.time() >= self.until


def ask(plugin: Plugin, seconds: float) -> Credential:
    """Run the plugin, for at most so many seconds, and return its credential. Raises Failure."""
    spec: dict[str, t.Any] = {"interactive": False}
    if plugin.cluster is not None:
        spec["cluster"] = plugin.cluster
    question = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    environment = {**os.environ, **dict(plugin.environment), "KUBERNETES_EXEC_INFO": _json(plugin, question)}
    conceal(*_given(plugin))
    status, output, complaint = _run(plugin, environment, seconds)
    if status:
        raise Failure(
            f"{_name(plugin)} failed with exit code {status}{_because(complaint)}; run it by hand to see why."
        )
    return parse(plugin, output)


def _json(plugin: Plugin, question: dict[str, t.Any]) -> str:
    try:
        return json.dumps(question, default=str, separators=(",", ":"))
    except (ValueError, RecursionError):  # a configuration that contains itself, by YAML's references
        raise Failure(
            f"{_name(plugin)} cannot be told of its cluster: the configuration there is no JSON; correct the kubeconfig."
        ) from None


def _given(plugin: Plugin) -> list[str]:
    """Return what the kubeconfig gives a plugin under the name of a secret, which it may repeat in a complaint."""
    pairs = list(plugin.environment)
    for word, following in itertools.zip_longest(plugin.arguments, plugin.arguments[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if name.startswith("-"):
            pairs.append((name, value if equals else following))
    return [value for name, value in pairs if SECRET.search(name)]


def parse(plugin: Plugin, output: bytes) -> Credential:
    """Return the credential that a plugin wrote. Raises Failure, which never quotes it."""
    try:
        answer = json.loads(output)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
        raise Failure(f"{_name(plugin)} wrote no ExecCredential to its standard output.")
    if answer.get("apiVersion") != plugin.api_version:
        raise Failure(
            f"{_name(plugin)} answered in version {printable(str(answer.get('apiVersion')), 80)}, the kubeconfig says {plugin.api_version}."
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
        raise Failure(f"{_name(plugin)} gave an expirationTimestamp that is no time: {printable(str(text), 60)}.")
    return at.timestamp()


def _run(plugin: Plugin, environment: dict[str, str], seconds: float) -> tuple[int, bytes, bytes]:
    """Return exit code, standard output and standard error. In a session of its own: what is killed is it and its children."""
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
        raise Failure(f"{_name(plugin)} could not be started ({reason or 'its words are unusable'}); {hint}.") from None
    try:
        output, complaint = _written(process, Deadline(seconds))
        return process.wait(), output, complaint
    except _Stopped as stopped:
        reason = stopped.reason + _because(stopped.complaint)
        raise Failure(f"{_name(plugin)} {reason}, and was killed; run it by hand to see why.") from None
    finally:
        if process.poll() is None:
            _kill(process)
        for pipe in (process.stdout, process.stderr):
            t.cast(t.IO[bytes], pipe).close()


class _Stopped(Exception):
    """It has to be killed. complaint: its standard error so far."""

    def __init__(self, reason: str, complaint: bytes) -> None:
        super().__init__(reason)
        self.reason, self.complaint = reason, complaint


def _written(process: subprocess.Popen[bytes], bound: Deadline) -> tuple[bytes, bytes]:
    """Return standard output and standard error when it has ended. Whoever else holds its pipes then is not waited for."""
    output, complaint = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(t.cast(t.IO[bytes], process.stdout), selectors.EVENT_READ, output)
        selector.register(t.cast(t.IO[bytes], process.stderr), selectors.EVENT_READ, complaint)
        while True:
            ended = process.poll() is not None
            ready = selector.select(0 if ended else min(LOOK, bound.left))
            for key, _events in ready:
                data = os.read(key.fd, 65536)
                key.data.extend(data)
                if not data:
                    selector.unregister(key.fileobj)
            if max(len(output), len(complaint)) > MAX_BYTES:
                raise _Stopped(f"wrote more than {MAX_BYTES >> 20} MiB", bytes(complaint))
            if ended and not ready:
                return bytes(output), bytes(complaint)
            if not bound.left:
                raise _Stopped(f"did not end within {bound.seconds:g} s (api_timeout)", bytes(complaint))
            if not (ended or selector.get_map()):
                time.sleep(LOOK)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _because(complaint: bytes) -> str:
    lines = [line for line in to_text(complaint, errors="replace").splitlines() if line.strip()]
    return f": {printable(lines[-1], 300).rstrip('.')}" if lines else ""


def _name(plugin: Plugin) -> str:
    """Return the beginning of a sentence. Without the arguments: they may hold a secret."""
    return f"The credential plugin {printable(plugin.command, 200)} of the kubeconfig"
