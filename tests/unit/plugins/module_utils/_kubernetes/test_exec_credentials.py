# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plugins as scripts, which do what plugins do."""

from __future__ import annotations

import json
import os
import signal
import time
import typing as t
from contextlib import suppress
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import credentials, exec_credentials, kubeconfig
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Plugin, User
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.credentials import Credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, without_secrets

V1, V1BETA1 = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"
TOKEN = "planted-token-of-a-plugin"


@pytest.fixture(autouse=True)
def forget() -> None:
    credentials._GIVEN.clear()
    credentials._WORKED.clear()


def answer(version: str = V1, kind: str = "ExecCredential", **status: t.Any) -> str:
    return json.dumps({"apiVersion": version, "kind": kind, "status": status})


def script(folder: Path, text: str) -> str:
    file = folder / "login"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def plugin(folder: Path, text: str, **more: t.Any) -> Plugin:
    return Plugin(script(folder, text), V1, **more)


def test_a_token(tmp_path: Path) -> None:
    one = plugin(tmp_path, f"echo '{answer(token=TOKEN)}'; echo warning >&2")
    given = exec_credentials.ask(one, 5)
    assert (given.token, given.certificate, given.expired) == (TOKEN, None, False)
    assert TOKEN not in repr(given) and TOKEN not in without_secrets(f"it was {TOKEN}")


def test_a_certificate(tmp_path: Path) -> None:
    given = exec_credentials.ask(
        plugin(tmp_path, f"echo '{answer(clientCertificateData='crt', clientKeyData='the-key')}'"), 5
    )
    assert given.certificate is not None and (given.certificate.certificate, given.certificate.key) == (
        b"crt",
        b"the-key",
    )


def test_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INHERITED", "yes")
    notes = 'echo "$KUBERNETES_EXEC_INFO" > info; echo "$INHERITED $OWN $1" > words; readlink /proc/self/fd/0 > stdin'
    text = f"{notes}; echo '{answer(token=TOKEN)}'"
    monkeypatch.chdir(tmp_path)
    cluster = {"server": "https://x", "config": {"a": 1}}
    exec_credentials.ask(plugin(tmp_path, text, arguments=("one",), environment=(("OWN", "mine"),), cluster=cluster), 5)
    info = json.loads((tmp_path / "info").read_text())
    assert info == {"apiVersion": V1, "kind": "ExecCredential", "spec": {"interactive": False, "cluster": cluster}}
    assert (tmp_path / "words").read_text() == "yes mine one\n" and (tmp_path / "stdin").read_text() == "/dev/null\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "echo first >&2; echo 'the session is over.' >&2; echo >&2; exit 7",
            "login of the kubeconfig failed with exit code 7: the session is over; run it",
        ),
        ("exit 1", "failed with exit code 1; run it by hand"),
        ("kill -9 $$", "failed with exit code -9;"),
        ("printf 'x\\033[31m\\377y' >&2; exit 1", "exit code 1: x .31m.y;"),
        ("echo hello", "wrote no ExecCredential to its standard output"),
        ("true", "wrote no ExecCredential"),
        ("echo '[1]'", "wrote no ExecCredential"),
        (f"echo '{answer(kind='Status', token=TOKEN)}'", "wrote no ExecCredential"),
        (f"echo '{answer(V1BETA1, token=TOKEN)}'", f"answered in version {V1BETA1}, but the kubeconfig says {V1}"),
        (f"echo '{answer(None, token=TOKEN)}'", "answered in version None"),  # type: ignore[arg-type]
        ('echo \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}\'', "gave no credentials"),
        (f"echo '{answer()}'", "gave neither a token nor a certificate"),
        (f"echo '{answer(token=5)}'", "gave credentials that are not text"),
        (f"echo '{answer(clientCertificateData='x')}'", "gave a certificate without its key"),
        (
            f"echo '{answer(token=TOKEN, expirationTimestamp='soon')}'",
            "an expirationTimestamp that is not a time: soon",
        ),
        ("head -c 3000000 /dev/zero", "wrote more than 1 MiB, and was killed"),
        ("while :; do echo flood >&2; done", "wrote more than 1 MiB: flood, and was killed"),
    ],
)
def test_a_plugin_that_fails(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        exec_credentials.ask(plugin(tmp_path, text), 10)
    assert TOKEN not in caught.value.msg and "\x1b" not in caught.value.msg


@pytest.mark.parametrize(
    "more",
    [
        {"environment": (("AWS_PROFILE", "prod-profile"), ("AWS_SECRET_ACCESS_KEY", "planted-given"))},
        {"arguments": ("get-token", "--client-secret=planted-given", "--profile=prod-profile")},
        {"arguments": ("get-token", "--password", "planted-given", "prod-profile")},
    ],
)
def test_a_secret_that_it_is_given_is_in_no_complaint(tmp_path: Path, more: dict[str, t.Any]) -> None:
    with pytest.raises(Failure, match="failed with exit code 1") as caught:
        exec_credentials.ask(
            plugin(tmp_path, 'echo "usage: $* $AWS_SECRET_ACCESS_KEY $AWS_PROFILE" >&2; exit 1', **more), 10
        )
    shown = without_secrets(caught.value.msg)
    assert "planted-given" not in shown and "prod-profile" in shown


def test_a_configuration_that_contains_itself(tmp_path: Path) -> None:
    endless: list[t.Any] = []
    endless.append(endless)
    with pytest.raises(Failure, match="the configuration of its cluster, which is not JSON"):
        exec_credentials.ask(plugin(tmp_path, "true", cluster={"config": endless}), 5)


def test_a_plugin_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        Failure,
        match="/nowhere/login of the kubeconfig could not be started .No such file or directory.; "
        "install it, or correct",
    ):
        exec_credentials.ask(Plugin("/nowhere/login", V1), 5)
    with pytest.raises(Failure, match="could not be started .*; get it from example.com"):
        exec_credentials.ask(Plugin("/nowhere/login", V1, install_hint="get it from example.com."), 5)
    with pytest.raises(Failure, match="could not be started"):
        exec_credentials.ask(Plugin("a\0b", V1), 5)


def test_a_plugin_that_hangs_is_killed_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    with pytest.raises(
        Failure, match=r"did not end within 0.5 s \(api_timeout\): waiting for the browser, and was killed"
    ):
        exec_credentials.ask(
            plugin(tmp_path, "echo waiting for the browser >&2; sleep 60 & echo $! > child; wait"), 0.5
        )
    assert time.monotonic() - start < 3
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 3
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline and Path(f"/proc/{child}/stat").read_text().split()[2] != "Z":
            os.kill(child, 0)
            time.sleep(0.02)
    assert time.monotonic() < deadline


def test_who_holds_its_pipes_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    assert (
        exec_credentials.ask(plugin(tmp_path, f"echo '{answer(token=TOKEN)}'; sleep 60 & echo $! > child"), 10).token
        == TOKEN
    )
    assert time.monotonic() - start < 5
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


def test_it_is_asked_once_until_its_credential_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    given = answer(token="TOKEN", expirationTimestamp=soon)
    text = f"echo x >> asked; echo '{given}' | sed s/TOKEN/planted-$(wc -l < asked)/"
    one = User(plugin=plugin(tmp_path, text))
    assert {Credentials(one, 5).headers()["Authorization"] for _each in range(3)} == {"Bearer planted-1"}
    time.sleep(2.1)
    assert Credentials(one, 5).headers()["Authorization"] == "Bearer planted-2"


def test_after_a_refusal_it_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"echo x >> asked; echo '{answer(token='TOKEN')}' | sed s/TOKEN/planted-$(wc -l < asked)/"
    mine = Credentials(User(plugin=plugin(tmp_path, text)), 5)
    before = mine.headers()
    assert mine.renew(before) and mine.headers()["Authorization"] == "Bearer planted-2"
    same = Credentials(
        User(plugin=Plugin(script(tmp_path, f"echo '{answer(token=TOKEN)}'"), V1, arguments=("same",))), 5
    )
    assert not same.renew(same.headers())


def test_one_that_worked_once_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own server may be away, as an API server may."""
    monkeypatch.chdir(tmp_path)
    mine = Credentials(User(plugin=plugin(tmp_path, f"test ! -e away || exit 1; echo '{answer(token=TOKEN)}'")), 5)
    before = mine.headers()
    (tmp_path / "away").touch()
    with pytest.raises(Unreachable, match="failed with exit code 1"):
        mine.renew(before)
    credentials._WORKED.clear()
    with pytest.raises(Failure) as caught:
        mine.headers()
    assert not isinstance(caught.value, Unreachable)


def test_a_token_or_password_comes_before_the_plugin(tmp_path: Path) -> None:
    one = plugin(tmp_path, "exit 1")
    assert Credentials(User(token="static-token", plugin=one), 5).headers()["Authorization"] == "Bearer static-token"
    assert str(Credentials(User(username="u", password="p", plugin=one), 5).headers()["Authorization"]).startswith(
        "Basic "
    )
    assert Credentials(User(token="static-token", plugin=one), 5).certificate() is None


def test_a_token_file_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "SECONDS", 0.3)
    os.mkfifo(tmp_path / "token")
    start = time.monotonic()
    with pytest.raises(Failure, match=r"The token file \S+ cannot be read \(no answer within 0.3 s\)"):
        Credentials(User(token_file=str(tmp_path / "token")), 5).headers()
    assert time.monotonic() - start < 3


def test_a_token_file_that_rotates(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first-token\n")
    mine = Credentials(User(token_file=str(file)), 5)
    first = mine.headers()
    assert first == {"Authorization": "Bearer first-token"} and not mine.renew(first)
    file.write_text("\n second-token \n")
    assert mine.renew(first) and mine.headers() == {"Authorization": "Bearer second-token"}
    assert "second-token" not in without_secrets("it is second-token")
    for content, said in (("", "is empty"), (None, "cannot be read")):
        file.unlink() if content is None else file.write_text(content)
        with pytest.raises(Failure, match=f"token.* {said}"):
            mine.headers()
    # Whoever rotates it may be between two steps: it was there before.
    file.unlink(missing_ok=True)
    with pytest.raises(Unreachable, match="cannot be read"):
        mine.headers()
    with pytest.raises(Failure, match="cannot be read") as caught:
        Credentials(User(token_file=str(file)), 5).headers()
    assert not isinstance(caught.value, Unreachable)
    # As kubectl does: the token of the kubeconfig is what there is without its file.
    assert Credentials(User(token="static-token", token_file=str(file)), 5).headers() == {
        "Authorization": "Bearer static-token"
    }
    file.write_text("third-token")
    assert Credentials(User(token="static-token", token_file=str(file)), 5).headers() == {
        "Authorization": "Bearer third-token"
    }
