# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import os
import threading
import time
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import kubeconfig
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access, User
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

SERVER = "https://api.example:6443"
V1, V1BETA1 = kubeconfig.API_VERSIONS


def config(
    cluster: t.Any = None,
    user: t.Any = None,
    name: str = "prod",
    **more: t.Any,
) -> dict[str, t.Any]:
    """A kubeconfig with one context, whose cluster and user have its name."""
    return {
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": SERVER} if cluster is None else cluster}],
        "users": [{"name": name, "user": {} if user is None else user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        **more,
    }


def merged(*contents: dict[str, t.Any]) -> kubeconfig.Kubeconfig:
    return kubeconfig.merge([(Path(f"/etc/{'abc'[index]}/config"), content) for index, content in enumerate(contents)])


def access(cluster: t.Any = None, user: t.Any = None, **more: t.Any) -> Access:
    return merged(config(cluster, user, **more)).access()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_the_first_file_wins() -> None:
    first = config({"server": "https://first"}, {"token": "first"}, "a")
    second = config({"server": "https://second"}, {"token": "second"}, "a", **{"current-context": "b"})
    third = config({"server": "https://third"}, {"token": "third"}, "b")
    both = merged(first, second, third)
    assert (both.access().host, both.access().user.token) == ("https://first", "first")
    assert (both.access("b").host, both.access("b").user.token) == ("https://third", "third")
    assert merged({"current-context": ""}, third).access().host == "https://third"
    assert both.access().origin == "context a of /etc/a/config:/etc/b/config:/etc/c/config"


def test_paths_are_relative_to_their_own_file(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for name in ("ca", "crt", "key", "token"):
            (tmp_path / folder / name).write_text(f"{name} of {folder}")
    cluster = {"server": SERVER, "certificate-authority": "ca"}
    user = {"client-certificate": "crt", "client-key": "./key", "tokenFile": "token"}
    plugin = {"exec": {"apiVersion": V1BETA1, "command": "./bin/login"}}
    files = {"a": config(cluster, user, "a"), "b": config(cluster, {**user, **plugin}, "b")}
    for folder, content in files.items():
        (tmp_path / folder / "config").write_text(yaml.safe_dump(content))
    found = kubeconfig.load(
        [str(tmp_path / "a/config"), str(tmp_path / "gone"), os.path.relpath(tmp_path / "b/config")]
    )
    assert found is not None
    for folder in files:
        one = found.access(folder)
        assert one.ca == f"ca of {folder}" and one.user.certificate is not None
        assert (one.user.certificate.certificate, one.user.certificate.key) == (
            f"crt of {folder}".encode(),
            f"key of {folder}".encode(),
        )
        assert Path(one.user.token_file).read_text() == f"token of {folder}"
    assert found.access("b").user.plugin is not None
    assert os.path.normpath(found.access("b").user.plugin.command) == str(tmp_path / "b/bin/login")  # type: ignore[union-attr]


def test_no_file_is_no_kubeconfig(tmp_path: Path) -> None:
    assert kubeconfig.load([str(tmp_path / "gone")]) is None
    assert kubeconfig.load([]) is None
    (tmp_path / "dangling").symlink_to("gone")
    assert kubeconfig.load([str(tmp_path / "dangling")]) is None
    with pytest.raises(Failure, match="cannot be read .Too many levels"):
        (tmp_path / "loop").symlink_to("loop")
        kubeconfig.load([str(tmp_path / "loop")])


def test_data_beats_files() -> None:
    cluster = {"server": SERVER, "certificate-authority-data": encoded("ca"), "certificate-authority": "/nowhere"}
    pair = {"client-certificate-data": encoded("crt"), "client-key-data": encoded("key")}
    one = access(cluster, {**pair, "client-certificate": "/nowhere", "client-key": "/nowhere"})
    assert one.ca == "ca" and one.user.certificate is not None and one.user.certificate.certificate == b"crt"


@pytest.mark.parametrize(
    ("user", "headers"),
    [
        ({"as": "ann"}, {"Impersonate-User": ("ann",)}),
        (
            {"as": "ann", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": {"Some/Key": ["x", "y"]}},
            {
                "Impersonate-User": ("ann",),
                "Impersonate-Uid": ("7",),
                "Impersonate-Group": ("a", "b"),
                "Impersonate-Extra-some%2Fkey": ("x", "y"),
            },
        ),
        ({"as": "ann", "as-user-extra": {7: ["x"]}}, {"Impersonate-User": ("ann",), "Impersonate-Extra-7": ("x",)}),
        ({"as": "", "as-groups": []}, {}),
        ({"as": None, "as-groups": None, "as-user-extra": None}, {}),
    ],
)
def test_whom_we_act_as(user: dict[str, t.Any], headers: dict[str, t.Any]) -> None:
    assert dict(access(None, {"token": "x", **user}).user.impersonation) == headers


def test_the_rest_of_a_cluster() -> None:
    one = access(
        {
            "server": f"{SERVER}/k8s/c-1/?a=b#c",
            "tls-server-name": "kube",
            "proxy-url": "socks5://p",
            "disable-compression": True,
        }
    )
    assert (one.host, one.tls_name, one.proxy, one.verify) == (f"{SERVER}/k8s/c-1", "kube", "socks5://p", True)
    assert access({"server": SERVER, "insecure-skip-tls-verify": True}).verify is False
    assert access({"server": "api.example:8080"}).host == "http://api.example:8080"
    assert access({"server": "https://[::1]:6443"}).host == "https://[::1]:6443"


def test_a_plugin() -> None:
    plugin = {
        "apiVersion": V1,
        "command": "login",
        "args": ["-v"],
        "env": [{"name": "A", "value": "1"}, {"name": "B"}],
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": True,
        "installHint": "brew install login",
    }
    extension = {"name": kubeconfig.EXTENSION, "extension": {"audience": "x"}}
    cluster = {
        "server": SERVER,
        "certificate-authority-data": encoded("ca"),
        "tls-server-name": "kube",
        "extensions": [extension, "odd"],
    }
    found = access(cluster, {"exec": plugin}).user.plugin
    assert found is not None and (found.command, found.arguments, found.environment) == (
        "login",
        ("-v",),
        (("A", "1"), ("B", "")),
    )
    told = {
        "server": SERVER,
        "certificate-authority-data": encoded("ca"),
        "tls-server-name": "kube",
        "config": {"audience": "x"},
    }
    assert found.cluster == told and found.install_hint == "brew install login"
    untold = access(cluster, {"exec": {"apiVersion": V1BETA1, "command": "login"}}).user.plugin
    assert untold is not None and untold.cluster is None


def plugin(**changes: t.Any) -> dict[str, t.Any]:
    return {"exec": {"apiVersion": V1, "command": "login", "interactiveMode": "Never", **changes}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "has no current-context. Name a context"),
        (config(**{"current-context": "gone"}), "has no context gone; it has prod"),
        (
            config(contexts=[{"name": "prod", "context": {"cluster": "x", "user": "prod"}}]),
            "context prod: kubeconfig .* has no cluster x; it has prod",
        ),
        (
            config(contexts=[{"name": "prod", "context": {"cluster": "prod", "user": "x"}}]),
            "has no user x; it has prod",
        ),
        (config(contexts=[{"name": "prod", "context": {"cluster": "prod"}}]), "context prod: it names no user"),
        (config(contexts=[{"name": "prod"}]), "context prod: it names no cluster"),
        (config(contexts=[{"name": "prod", "context": None}]), "context prod: it names no cluster"),
        (config(contexts="prod"), "contexts is not a list"),
        (config(contexts=["prod"]), "contexts has an element that is not a mapping"),
        (config(clusters={"prod": {}}), "clusters is not a list"),
        (config(users=[{"name": "prod", "user": "x"}]), "user prod: user is not a mapping"),
        (config(users=2 * [{"name": "prod", "user": {}}]), "user prod occurs twice"),
        (config(**{"current-context": 1}), "current-context is not a string"),
        (config({}), "cluster prod: it names no server"),
        (config({"server": 8080}), "server is not a string"),
        (config({"server": "ftp://x"}), "its server is not a URL"),
        (config({"server": "https://x:port"}), "its server is not a URL"),
        (config({"server": "https://[::1"}), "its server is not a URL"),
        (config({"server": "https://x y"}), "its server is not a URL"),
        (config({"server": "https://joe:hunter2@x"}), "must not carry credentials"),
        (
            config({"server": SERVER, "insecure-skip-tls-verify": "false"}),
            "insecure-skip-tls-verify is neither true nor false",
        ),
        (
            config({"server": SERVER, "insecure-skip-tls-verify": True, "certificate-authority-data": "YQ=="}),
            "has both a certificate authority and",
        ),
        (config({"server": SERVER, "certificate-authority-data": "!"}), "certificate-authority-data is not base64"),
        (
            config({"server": SERVER, "certificate-authority": "/nowhere"}),
            "certificate-authority /nowhere cannot be read .No such file",
        ),
        (config(user={"token": 12345}), "token is not a string; put it into quotes"),
        (config(user={"as": 1}), "as is not a string"),
        (config(user={"as": "a", "as-groups": "g"}), "as-groups is not a list of strings"),
        (config(user={"as": "a", "as-groups": [1]}), "as-groups is not a list of strings"),
        (config(user={"as": "a", "as-user-extra": ["g"]}), "as-user-extra is not a mapping"),
        (config(user={"as-groups": ["g"]}), "need a user to act as"),
        (config(user={"as-uid": "1"}), "need a user to act as"),
        (config(user={"token": "a-secret-token", "username": "u"}), "has both a token and a password"),
        (config(user={"client-certificate-data": "YQ=="}), "a client certificate without its key"),
        (config(user={"client-key-data": "YQ=="}), "a client certificate without its key"),
        (config(user={"auth-provider": {"name": "oidc"}}), "auth-provider is not supported. Use an exec plugin"),
        (
            config(user=plugin(apiVersion="client.authentication.k8s.io/v1alpha1")),
            "apiVersion is client.authentication.k8s.io/v1alpha1, not client",
        ),
        (config(user=plugin(apiVersion=None)), "apiVersion is missing"),
        (config(user=plugin(command="")), "names no command"),
        (config(user=plugin(args="-v")), "args is not a list of strings"),
        (config(user=plugin(env=[{"value": "a-secret"}])), "env has an element without a usable name"),
        (config(user=plugin(env={"A": "a-secret"})), "env is not a list of mappings"),
        (config(user=plugin(interactiveMode="Always")), "needs a terminal"),
        (config(user=plugin(interactiveMode=None)), "interactiveMode is missing"),
        (config(user=plugin(interactiveMode="Now")), "interactiveMode is Now"),
    ],
)
def test_what_cannot_be_used_is_an_error(content: dict[str, t.Any], said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        merged(content).access()
    assert not any(secret in caught.value.msg for secret in ("hunter2", "a-secret"))


def test_a_known_user_is_not_looked_at() -> None:
    content = config(
        user={"auth-provider": {"name": "oidc"}}, contexts=[{"name": "prod", "context": {"cluster": "prod"}}]
    )
    assert merged(content).access(with_user=False).host == SERVER


def bomb(form: str) -> bytes:
    lines = [
        "a0: &a0 {x: 1, y: 2}",
        *(f"a{each}: &a{each} {form % ','.join(9 * [f'*a{each - 1}'])}" for each in range(1, 12)),
    ]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"- a", "is not a mapping"),
        (b"a: [", "is not YAML .line"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"!!python/object/apply:os.system ['true']", "is not YAML"),
        (b"a: *b", "is not YAML"),
        (b"a: &a [*a]", "has too many values, or is nested too deeply"),
        (bomb("[%s]"), "has too many values, or is nested too deeply"),
        (bomb("{<<: [%s]}"), "has too many values, or is nested too deeply"),
        (100000 * b"[", "has too many values, or is nested too deeply"),
        (b"a: 2026-13-45", "is not YAML"),
        (b"x" * (kubeconfig.MAX_BYTES + 1), "has more than 8 MiB"),
        (None, "cannot be read .Is a directory"),
    ],
)
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, data: bytes | None, said: str) -> None:
    if data is None:
        (tmp_path / "config").mkdir()
    else:
        (tmp_path / "config").write_bytes(data)
    with pytest.raises(Failure, match=said):
        kubeconfig.load([str(tmp_path / "config")])


def test_a_file_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "SECONDS", 0.3)
    os.mkfifo(tmp_path / "config")
    start = time.monotonic()
    with pytest.raises(Failure, match=r"cannot be read \(no answer within 0.3 s\)"):
        kubeconfig.load([str(tmp_path / "config")])
    assert time.monotonic() - start < 3
    with pytest.raises(Failure, match="has more than 8 MiB"):
        kubeconfig.load(["/dev/zero"])


def test_a_file_that_is_a_pipe(tmp_path: Path) -> None:
    """As a shell's <(command) is one."""
    os.mkfifo(tmp_path / "config")
    threading.Thread(target=(tmp_path / "config").write_text, args=(json.dumps(config()),), daemon=True).start()
    found = kubeconfig.load([str(tmp_path / "config")])
    assert found is not None and found.access().host == SERVER


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(config()).encode(),
        yaml.safe_dump_all([config(), {"x": 1}]).encode(),
        json.dumps(config(), indent=1).encode("utf-8-sig"),
        json.dumps(config()).encode("utf-16"),  # as PowerShell writes it
        yaml.safe_dump(config(apiVersion="v1", kind="Config", preferences={"colors": True}, unknown=[1])).encode(),
        f"x: &x {{server: '{SERVER}'}}\n".encode()
        + yaml.safe_dump(config()).replace(f"server: {SERVER}", "<<: *x").encode(),
    ],
    ids=["JSON", "several documents", "UTF-8 with a mark", "UTF-16", "unknown fields", "merge key"],
)
def test_a_file_that_kubectl_reads(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "config").write_bytes(data)
    found = kubeconfig.load([str(tmp_path / "config")])
    assert found is not None and found.access().host == SERVER


def test_nothing_secret_goes_out_without_tls() -> None:
    """As kubectl does it: whom to act as is all that is sent."""
    for secret in (
        {"token": "x"},
        {"username": "u", "password": "p"},
        {"tokenFile": "/nowhere"},
        {"exec": {"command": "x"}},
    ):
        one = access({"server": "http://127.0.0.1:8001"}, {**secret, "as": "ann"})
        assert one.user == User(impersonation=(("Impersonate-User", ("ann",)),))
        assert (
            one.sentence() == "cluster http://127.0.0.1:8001 (context prod of /etc/a/config), "
            "as an anonymous user, without TLS, impersonating ann"
        )
    # Of `kubectl proxy`, which needs no user.
    proxy = config(
        {"server": "127.0.0.1:8001"}, users=None, contexts=[{"name": "prod", "context": {"cluster": "prod"}}]
    )
    assert merged(proxy).access().user == User()


def test_no_secret_in_a_repr() -> None:
    pair = {"client-certificate-data": encoded("crt"), "client-key-data": encoded("the-private-key")}
    shown = repr(access(None, {"token": "the-token", **pair})) + repr(
        access(None, {"username": "u", "password": "the-password"})
    )
    assert not any(secret in shown for secret in ("the-token", "the-private-key", "the-password"))
