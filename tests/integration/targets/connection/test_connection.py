# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs as kubectl reads them: kubectl's answer (config view --raw, auth whoami) beside ours, case by case."""

from __future__ import annotations

import base64
import contextlib
import copy
import http.client
import json
import os
import re
import secrets
import socket
import subprocess
import threading
import typing as t
from pathlib import Path

import pytest
import yaml
from playing import CONFIG, kubectl, kubectl_command, play

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Cluster, connect
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.locate import locate
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.paths import SUBJECT_REVIEWS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

pytestmark = pytest.mark.skipif(not CONFIG["admin_kubeconfig"], reason="takes an administrator's kubeconfig")

NAMESPACE = CONFIG["test_namespace"]
V1, V1BETA1 = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"
Change = t.Callable[[dict[str, t.Any], dict[str, t.Any]], t.Any]  # of a kubeconfig's cluster and user
REFUSED = "refused"
WORDS = {key: value for key, value in os.environ.items() if not re.match("K8S_AUTH_|KUBE|.*_(PROXY|proxy)$", key)}


class Case(t.NamedTuple):
    """change: what is done to a kubeconfig of the administrator. both: what kubectl and we come to, REFUSED or a user's
    name.
    """

    change: Change
    both: str


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Here:
    """What the cases are made of: an administrator's kubeconfig, two ServiceAccounts with tokens, a proxy, and a
    folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        content = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        self.cluster, self.user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        self.accounts = [f"connection-{secrets.token_hex(3)}" for _each in range(2)]
        for account in self.accounts:
            kubectl("create", "serviceaccount", account, "-n", NAMESPACE)
        self.tokens = [
            kubectl("create", "token", account, "-n", NAMESPACE, "--duration=1h").strip() for account in self.accounts
        ]
        self.names = [f"system:serviceaccount:{NAMESPACE}:{account}" for account in self.accounts]
        self.proxy = Proxy("joe", "pass word@1")
        self.gives = self.script("gives", f"cat <<'E'\n{answered(token=self.tokens[0])}\nE")
        self.fails = self.script("fails", "echo first >&2; echo the session is over >&2; exit 3")
        self.hangs = self.script("hangs", "echo opening the browser >&2; sleep 30")

    def close(self) -> None:
        for account in self.accounts:
            kubectl("delete", "serviceaccount", account, "-n", NAMESPACE, "--ignore-not-found", "--wait=false")

    def config(
        self, name: str, change: Change = lambda cluster, user: None, entry: str = "prod", **more: t.Any
    ) -> Path:
        """Write a kubeconfig of the administrator, changed."""
        cluster, user = copy.deepcopy(self.cluster), copy.deepcopy(self.user)
        change(cluster, user)
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": entry,
            "clusters": [{"name": entry, "cluster": cluster}],
            "users": [{"name": entry, "user": user}],
            "contexts": [{"name": entry, "context": {"cluster": entry, "user": entry}}],
            **more,
        }
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content))  # YAML, and no dialect of it
        return file

    def script(self, name: str, text: str) -> str:
        file = self.folder / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return str(file)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Here]:
    made = Here(tmp_path_factory.mktemp("connection"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No environment, and a home without a kubeconfig."""
    for name in set(os.environ) - set(WORDS):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    credentials._GIVEN.clear()
    credentials._WORKED.clear()


class Proxy:
    """An HTTP proxy on loopback that wants user and password. asked: how many tunnels it made."""

    def __init__(self, user: str, password: str) -> None:
        self._login = f"Proxy-Authorization: Basic {encoded(f'{user}:{password}')}"
        self.asked = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            sock, _address = self._listener.accept()
            threading.Thread(target=self._connect, args=(sock,), daemon=True).start()

    def _connect(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            head = b""
            while b"\r\n\r\n" not in head:
                head += sock.recv(65536)
            if self._login not in head.decode().splitlines():
                sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            self.asked += 1
            host, _colon, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as there:
                sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=pump, args=(there, sock), daemon=True)
                back.start()
                pump(sock, there)
                back.join(60)


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def kubectl_says(*words: str, seconds: float = 20, **environment: str) -> tuple[dict[str, t.Any] | None, str]:
    """Return what kubectl answers, None when it refuses, and what it said."""
    try:
        done = subprocess.run(
            [kubectl_command()[0], *words, "-o", "json"],
            env={**WORDS, "HOME": os.environ["HOME"], **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"hangs for more than {seconds} s"
    return (None if done.returncode else json.loads(done.stdout)), " ".join(done.stderr.split())


def cluster(file: str | None, seconds: float = 10.0, **options: t.Any) -> Cluster:
    return connect(
        {**dict.fromkeys(OPTIONS), "kubeconfig": file, "api_timeout": seconds, "api_retry_timeout": 0.0, **options}
    )


def known(one: Cluster) -> dict[str, t.Any]:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    return one.create(SUBJECT_REVIEWS, review)["status"]["userInfo"]


def beside(name: str, file: Path | str, context: str | None = None, seconds: float = 10.0) -> tuple[str, str]:
    """Return whom kubectl and we are, and show both."""
    where = ["--kubeconfig", str(file)] if os.pathsep not in str(file) else []
    which = ["--context", context] if context else []
    theirs, complaint = kubectl_says(
        "auth", "whoami", *where, *which, seconds=seconds + 5, **({} if where else {"KUBECONFIG": str(file)})
    )
    try:
        mine: dict[str, t.Any] | None = known(cluster(str(file), seconds, context=context))
        said = ""
    except Failure as failure:
        mine, said = None, failure.msg
    their_info = theirs["status"]["userInfo"] if theirs else None
    print(f"{name}\n  kubectl: {their_info or complaint[:300]}\n  ours:    {mine or said}")
    if their_info and mine:
        assert their_info == mine
    return (their_info or {}).get("username", REFUSED), (mine or {}).get("username", REFUSED)


def replaces(**new: t.Any) -> Change:
    def change(_cluster: dict[str, t.Any], user: dict[str, t.Any]) -> None:
        user.clear()
        user.update({name.replace("_", "-"): value for name, value in new.items()})

    return change


def adds(**new: t.Any) -> Change:
    return lambda _cluster, user: user.update({name.replace("_", "-"): value for name, value in new.items()})


def to_cluster(**new: t.Any) -> Change:
    return lambda cluster, _user: cluster.update({name.replace("_", "-"): value for name, value in new.items()})


def answered(version: str = V1, **status: t.Any) -> str:
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})


def plugin(command: str, version: str = V1, **more: t.Any) -> Change:
    return replaces(exec={"apiVersion": version, "command": command, "interactiveMode": "IfAvailable", **more})


def without_ca(*changes: Change) -> Change:
    def change(cluster: dict[str, t.Any], user: dict[str, t.Any]) -> None:
        cluster.pop("certificate-authority-data")
        for one in changes:
            one(cluster, user)

    return change


def cases(here: Here) -> dict[str, Case]:
    admin = kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    one, token = here.names[0], here.tokens[0]
    (here.folder / "token").write_text(f"{token}\n")
    (here.folder / "empty").write_text("")
    for name, key in (
        ("ca", here.cluster["certificate-authority-data"]),
        ("crt", here.user["client-certificate-data"]),
        ("key", here.user["client-key-data"]),
    ):
        (here.folder / name).write_bytes(base64.b64decode(key))
    beta = here.script("beta", f"cat <<'E'\n{answered(V1BETA1, token=token)}\nE")
    pair = {
        "clientCertificateData": (here.folder / "crt").read_text(),
        "clientKeyData": (here.folder / "key").read_text(),
    }
    told = here.script(
        "told", f"case $KUBERNETES_EXEC_INFO in *'\"server\":\"'*) cat <<'E'\n{answered(token=token)}\nE\nesac"
    )
    proxy = f"127.0.0.1:{here.proxy.port}"
    # kubectl uses no proxy for loopback but one that a kubeconfig names.
    return {
        "client certificate as data": Case(lambda cluster, user: None, admin),
        "client certificate and CA as files, relative": Case(
            without_ca(to_cluster(certificate_authority="ca"), replaces(client_certificate="crt", client_key="key")),
            admin,
        ),
        "certificate without its key": Case(replaces(client_certificate="crt"), REFUSED),
        "certificate of a file that is not there": Case(replaces(client_certificate="gone", client_key="key"), REFUSED),
        "token": Case(replaces(token=token), one),
        "token beside a certificate": Case(adds(token=token), admin),
        "token that is wrong": Case(replaces(token="nonsense"), REFUSED),
        "token that is a number": Case(replaces(token=12345), REFUSED),
        "token file that ends in a newline": Case(replaces(tokenFile="token"), one),
        "token file beats token": Case(replaces(tokenFile="token", token="nonsense"), one),
        "token instead of a file that is not there": Case(replaces(tokenFile="gone", token=token), one),
        "token file that is not there": Case(replaces(tokenFile="gone"), REFUSED),
        "token file that is empty": Case(replaces(tokenFile="empty"), REFUSED),
        "password, which the API server does not know": Case(replaces(username="joe", password="x"), REFUSED),
        "token and password": Case(replaces(token=token, username="joe", password="x"), REFUSED),
        "as": Case(adds(**{"as": "ann"}), "ann"),
        "as, with groups, uid and extra": Case(
            adds(
                **{
                    "as": "ann",
                    "as-uid": "77",
                    "as-groups": ["b", "a b", "a"],
                    "as-user-extra": {"Some/Key": ["x", "y"], "z": ["%"]},
                }
            ),
            "ann",
        ),
        "as another ServiceAccount": Case(adds(**{"as": here.names[1]}), here.names[1]),
        "as somebody, without the right": Case(replaces(token=token, **{"as": "ann"}), REFUSED),
        "as-groups without as": Case(adds(as_groups=["a"]), REFUSED),
        "as that is a number": Case(adds(**{"as": 1}), REFUSED),
        "plugin, v1": Case(plugin(here.gives), one),
        "plugin, v1beta1": Case(plugin(beta, V1BETA1), one),
        "plugin by a path relative to the kubeconfig": Case(plugin("./gives"), one),
        "plugin that gives a certificate": Case(
            plugin(here.script("pair", f"cat <<'E'\n{answered(**pair)}\nE")), admin
        ),
        "plugin with arguments and environment": Case(
            plugin(
                here.script("words", f'test "$1$OWN" = "a bc" && ./gives || {here.gives}'),
                args=["a b"],
                env=[{"name": "OWN", "value": "c"}],
            ),
            one,
        ),
        "plugin that is told of the cluster": Case(plugin(told, provideClusterInfo=True), one),
        "plugin that is not told of the cluster": Case(plugin(told), REFUSED),
        "plugin, v1alpha1": Case(plugin(here.gives, "client.authentication.k8s.io/v1alpha1"), REFUSED),
        "plugin that answers in another version": Case(plugin(beta), REFUSED),
        "plugin without interactiveMode": Case(plugin(here.gives, interactiveMode=None), REFUSED),
        "plugin without interactiveMode, v1beta1": Case(plugin(beta, V1BETA1, interactiveMode=None), one),
        "plugin that needs a terminal": Case(plugin(here.gives, interactiveMode="Always"), REFUSED),
        "plugin that fails": Case(plugin(here.fails), REFUSED),
        "plugin that gives nothing": Case(plugin(here.script("nothing", f"echo '{answered()}'")), REFUSED),
        "plugin that is not there": Case(plugin("/nowhere/login"), REFUSED),
        "plugin that hangs": Case(plugin(here.hangs), REFUSED),
        "plugin beside a token": Case(
            replaces(token=token, exec={"apiVersion": V1, "command": "/nowhere", "interactiveMode": "Never"}), one
        ),
        "oidc without an issuer": Case(replaces(auth_provider={"name": "oidc", "config": {}}), REFUSED),
        "tls-server-name": Case(to_cluster(tls_server_name="kubernetes"), admin),
        "tls-server-name of somebody else": Case(to_cluster(tls_server_name="other.example"), REFUSED),
        "no CA": Case(without_ca(), REFUSED),
        "another CA": Case(to_cluster(certificate_authority_data=here.user["client-certificate-data"]), REFUSED),
        "CA and insecure-skip-tls-verify": Case(to_cluster(insecure_skip_tls_verify=True), REFUSED),
        "insecure-skip-tls-verify": Case(without_ca(to_cluster(insecure_skip_tls_verify=True)), admin),
        "insecure-skip-tls-verify as text": Case(without_ca(to_cluster(insecure_skip_tls_verify="true")), REFUSED),
        "proxy with user and password": Case(to_cluster(proxy_url=f"http://joe:pass%20word%401@{proxy}"), admin),
        "proxy with a wrong password": Case(to_cluster(proxy_url=f"http://joe:wrong@{proxy}"), REFUSED),
        "proxy without a password": Case(to_cluster(proxy_url=f"http://{proxy}"), REFUSED),
        "proxy that is none": Case(to_cluster(proxy_url="ftp://x"), REFUSED),
        "server without a scheme": Case(
            lambda cluster, user: cluster.update(server=cluster["server"].removeprefix("https://")), REFUSED
        ),
        "server where nobody is": Case(to_cluster(server="https://127.0.0.1:9"), REFUSED),
        "server with a path": Case(
            lambda cluster, user: cluster.update(server=f"{cluster['server']}/nowhere"), REFUSED
        ),
    }


def test_whom_kubectl_and_we_are(here: Here) -> None:
    wrong = []
    for index, (name, case) in enumerate(cases(here).items()):
        credentials._GIVEN.clear()
        both = beside(name, here.config(f"case-{index}", case.change), seconds=2.0 if "hangs" in name else 10.0)
        if both != (case.both, case.both):
            wrong.append((name, case.both, both))
    assert not wrong


def test_the_message_of_a_plugin(here: Here) -> None:
    for command, said in {
        here.fails: "fails of the kubeconfig failed with exit code 3: the session is over; run it by hand",
        here.hangs: r"hangs of the kubeconfig did not end within 1 s \(api_timeout\): opening the browser, and was "
        r"killed",
    }.items():
        with pytest.raises(Failure, match=said):
            known(cluster(str(here.config("plugin", plugin(command))), 1.0))


def test_several_files(here: Here) -> None:
    a, b = here.names
    first = here.config("a/config", replaces(token=here.tokens[0]), "a")
    second = here.config("b/config", replaces(tokenFile="token"), "b")
    (here.folder / "b/token").write_text(here.tokens[1])
    third = here.config(
        "c/config", lambda cluster, user: cluster.update(server="https://127.0.0.1:9"), "a", **{"current-context": "b"}
    )
    gone, none = here.folder / "gone", here.folder / "none"
    none.write_text("")
    no_current = here.config("d/config", replaces(token=here.tokens[0]), "d", **{"current-context": ""})
    for files, context, whom in (
        ((first, second), None, a),
        ((second, first), None, b),
        ((first, second), "b", b),
        ((gone, first, second), None, a),
        ((none, no_current, second), None, b),
        # Of each name the first counts.
        ((first, third, second), None, a),
        ((third, first, second), None, b),
        ((third, first, second), "a", REFUSED),
        ((first, second), "c", REFUSED),
        ((no_current,), "d", a),
    ):
        where = os.pathsep.join(map(str, files))
        assert beside(f"{where} {context or ''}", where, context) == (whom, whom)


def test_what_is_merged_looks_as_kubectl_shows_it(here: Here) -> None:
    def change(cluster: dict[str, t.Any], user: dict[str, t.Any]) -> None:
        cluster.update({"tls-server-name": "kube", "proxy-url": "http://joe:x@proxy:3128"})
        user.update({"as": "ann", "as-groups": ["x", "y"], "as-uid": "7", "as-user-extra": {"k": ["v"]}})

    files = os.pathsep.join(
        map(str, (here.config("v1", change, "a"), here.config("v2", replaces(token="t", tokenFile="rel/token"), "b")))
    )
    for context in ("a", "b"):
        view, _complaint = kubectl_says("config", "view", "--raw", "--minify", "--context", context, KUBECONFIG=files)
        assert view is not None
        place, user = view["clusters"][0]["cluster"], view["users"][0]["user"]
        ours = locate({"context": context}, {"KUBECONFIG": files})
        assert (ours.host, ours.tls_name, ours.proxy or "") == (
            place["server"],
            place.get("tls-server-name", ""),
            place.get("proxy-url", ""),
        )
        assert ours.ca == base64.b64decode(place["certificate-authority-data"]).decode()
        relative = user.get("tokenFile", "")  # shown as it is written
        assert (ours.user.token, ours.user.token_file) == (
            user.get("token", ""),
            str(here.folder / relative) if relative else "",
        )
        headers = dict(ours.user.impersonation)
        assert headers.get("Impersonate-Group", ()) == tuple(user.get("as-groups", ()))
        assert (ours.user.impersonated, headers.get("Impersonate-Uid", ("",))[0]) == (
            user.get("as", ""),
            user.get("as-uid", ""),
        )


def test_a_token_that_rotates_while_we_run(here: Here) -> None:
    file = here.folder / "rotating"
    file.write_text(here.tokens[0])
    one = cluster(str(here.config("rotates", replaces(tokenFile=str(file)))))
    assert known(one)["username"] == here.names[0]
    file.write_text(f"{here.tokens[1]}\n")
    assert known(one)["username"] == here.names[1]


def test_a_plugin_is_asked_again_when_its_token_is_refused(here: Here) -> None:
    count = here.folder / "count"
    count.write_text("")
    text = (
        f"echo x >> {count}; test $(wc -l < {count}) -gt 1 && exec {here.gives}; echo "
        f"'{answered(token='worn-out-token')}'"
    )
    one = cluster(str(here.config("again", plugin(here.script("again.sh", text)))))
    assert known(one)["username"] == here.names[0]
    assert count.read_text() == "x\nx\n"


@pytest.mark.parametrize("how", ["a certificate", "a token, by a proxy and another name", "somebody else's name"])
def test_a_port_forward_is_made_by_the_same_user(here: Here, how: str) -> None:
    pods = json.loads(kubectl("get", "pods", "-n", NAMESPACE, "-l", "app=mcp-server,pool=blue", "-o", "json"))["items"]
    pod, port = pods[0]["metadata"]["name"], pods[0]["spec"]["containers"][0]["ports"][0]["containerPort"]
    before = here.proxy.asked

    def change(place: dict[str, t.Any], user: dict[str, t.Any]) -> None:
        if how == "a certificate":
            return
        if how == "somebody else's name":
            user["as"] = here.names[0]  # who may do nothing
            return
        place.update(
            {"proxy-url": f"http://joe:pass%20word%401@127.0.0.1:{here.proxy.port}", "tls-server-name": "kubernetes"}
        )
        releaser = yaml.safe_load(Path(CONFIG["kubeconfig"]).read_text())
        user.clear()
        user.update(releaser["users"][0]["user"])

    one = cluster(str(here.config("forward", change)))
    if how == "somebody else's name":
        with pytest.raises(Failure, match=f'Cannot forward a port .*User "{here.names[0]}" cannot'):
            one.port_forward(NAMESPACE, pod, port)
        return
    forwarded = http.client.HTTPConnection("localhost")
    forwarded.sock = one.port_forward(NAMESPACE, pod, port)
    forwarded.request("GET", "/health")
    assert forwarded.getresponse().status == 200
    assert (here.proxy.asked > before) is ("proxy" in how)


def test_the_first_line_of_a_run(here: Here) -> None:
    code, output = play("playbooks/preflight.yml")
    assert code == 0, output
    lines = re.findall(r"^ *\[\S+\] (cluster https://.*)$", output, re.MULTILINE)
    assert len(lines) == 1 and re.fullmatch(r"cluster https://\S+ \(context \S+ of \S+\), as user \S+", lines[0]), (
        output
    )
    assert re.search(r"The API server \S+ answers, Kubernetes \S+, and knows the user as \S+\.", output), output
    assert output.index(lines[0]) < output.index("The API server")


def test_the_environment_does_not_lead_elsewhere(here: Here) -> None:
    elsewhere = {"K8S_AUTH_HOST": "https://127.0.0.1:9", "K8S_AUTH_API_KEY": "planted-token-of-the-environment"}
    code, output = play("playbooks/preflight.yml", "-e", f"mcp_kubeconfig={CONFIG['kubeconfig']}", **elsewhere)
    assert code == 0, output
    assert "; ignored because the task names its cluster: K8S_AUTH_HOST, K8S_AUTH_API_KEY" in output
    code, output = play("playbooks/preflight.yml", "-e", "mcp_kubeconfig=", **elsewhere)
    assert (
        code and "cluster https://127.0.0.1:9 (K8S_AUTH_HOST), as the user of the token in K8S_AUTH_API_KEY" in output
    )
    assert "planted-token" not in output
