# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfig files, by the rules of kubectl.

The Python library has other rules: the last current-context of several files wins, impersonation is ignored, a plugin
that fails leaves no credentials, and keys stay on disk.
"""

from __future__ import annotations

import base64
import os
import typing as t
import urllib.parse
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import yaml_document
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access, Certificate, Plugin, User
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, bounded
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_BYTES = 8 * 1024 * 1024  # of a file
SECONDS = 10.0  # for a file, which may be on a network disk or a pipe
API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
EXTENSION = "client.authentication.k8s.io/exec"

_Lists = dict[str, dict[str, "Entry"]]


@dataclass(frozen=True)
class Entry:
    """A cluster, user or context, and the folder that its paths are relative to. label: how errors name it."""

    label: str
    body: dict[str, t.Any]
    folder: Path

    def text(self, key: str) -> str:
        """Return a string, empty when it is not there. Raises Failure for anything else."""
        value = self.body.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Failure(f"{self.label}: {key} is not a string; put it into quotes.")
        return value

    def flag(self, key: str) -> bool:
        value = self.body.get(key)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise Failure(f"{self.label}: {key} is neither true nor false.")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.body.get(key)
        if value is None:
            return ()
        if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise Failure(f"{self.label}: {key} is not a list of strings.")
        return tuple(value)

    def part(self, key: str) -> Entry | None:
        """Return a mapping that is part of this one."""
        value = self.body.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Failure(f"{self.label}: {key} is not a mapping.")
        return Entry(f"{self.label}: {key}", value, self.folder)

    def path(self, key: str) -> str:
        """Return a path, made absolute."""
        text = self.text(key)
        return str(self.folder / text) if text else ""

    def pem(self, key: str) -> bytes:
        """Return the content of KEY-data, or else of the file KEY."""
        data = self.text(f"{key}-data")
        if data:
            try:
                return base64.b64decode("".join(data.split()), validate=True)
            except ValueError:
                raise Failure(f"{self.label}: {key}-data is not base64.") from None
        path = self.path(key)
        return read(path, f"{self.label}: {key}") if path else b""


def read(path: str, what: str) -> bytes:
    """Return the contents of a small file. Raises Failure."""

    def contents() -> bytes:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)

    try:
        data = bounded(contents, SECONDS)
    except (OSError, ValueError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else None
        raise Failure(f"{what} {printable(path, 300)} cannot be read ({reason or type(error).__name__}).") from None
    if len(data) > MAX_BYTES:
        raise Failure(f"{what} {printable(path, 300)} has more than {MAX_BYTES >> 20} MiB.")
    return data


@dataclass(frozen=True)
class Kubeconfig:
    """Several files, merged. name: for people."""

    name: str
    current: str
    lists: _Lists

    def access(self, context: str | None = None, *, with_user: bool = True) -> Access:
        """Return the access of a context, by default the current one. with_user: whether to read its user.

        Raises Failure.
        """
        name = context or self.current
        if not name:
            raise Failure(
                f"kubeconfig {self.name} has no current-context. "
                "Name a context (option context), or select one (kubectl config use-context)."
            )
        chosen = self._find("contexts", name, "")
        cluster = self._find("clusters", chosen.text("cluster"), f"{chosen.label}: ")
        access = _access(cluster, User(), f"context {name} of {self.name}")
        if not with_user:
            return access
        encrypted = access.host.startswith("https://")
        if not (encrypted or chosen.text("user") in self.lists["users"]):
            return access
        entry = self._find("users", chosen.text("user"), f"{chosen.label}: ")
        # Like kubectl, send no secrets without TLS.
        user = _user(entry, cluster, chosen.text("user")) if encrypted else User(impersonation=_impersonation(entry))
        return replace(access, user=user)

    def _find(self, kind: str, name: str, whose: str) -> Entry:
        if not name:
            raise Failure(f"{whose}it names no {kind[:-1]}.")
        found = self.lists[kind].get(name)
        if found is None:
            known = ", ".join(printable(one, 60) for one in sorted(self.lists[kind])[:10]) or "none"
            raise Failure(f"{whose}kubeconfig {self.name} has no {kind[:-1]} {printable(name, 100)}; it has {known}.")
        return found


def load(paths: t.Sequence[str]) -> Kubeconfig | None:
    """Merge the files that exist: the first of each name counts, and the first current-context.

    Return None when no file exists. Raises Failure for a file that cannot be read.
    """
    there = [path for path in paths if _is_there(path)]
    if not there:
        return None
    return merge([(Path(path).absolute(), _parse(path)) for path in there])


def _is_there(path: str) -> bool:
    """Return whether the file exists, also when it cannot be read, which is an error."""
    try:
        bounded(lambda: os.stat(path), SECONDS)
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return True


def merge(files: t.Sequence[tuple[Path, dict[str, t.Any]]]) -> Kubeconfig:
    """Merge parsed files. Raises Failure."""
    lists: _Lists = {"clusters": {}, "users": {}, "contexts": {}}
    current = ""
    for path, content in files:
        shown = printable(_short(path), 200)
        whole = Entry(f"kubeconfig {shown}", content, path.parent)
        current = current or whole.text("current-context")
        for kind, merged in lists.items():
            for name, entry in _named(whole, kind).items():
                merged.setdefault(name, entry)
    return Kubeconfig(printable(os.pathsep.join(_short(path) for path, _content in files), 300), current, lists)


def _named(whole: Entry, kind: str) -> dict[str, Entry]:
    """Return the entries of one list of one file, by their names."""
    rows, found = whole.body.get(kind), {}
    if rows is None:
        return {}
    if not isinstance(rows, list):
        raise Failure(f"{whole.label}: {kind} is not a list.")
    for row in rows:
        if not isinstance(row, dict):
            raise Failure(f"{whole.label}: {kind} has an element that is not a mapping.")
        name = Entry(f"{whole.label}: {kind}", row, whole.folder).text("name")
        label = f"{whole.label}: {kind[:-1]} {printable(name, 100)}"
        if name in found:
            raise Failure(f"{label} occurs twice.")
        body = Entry(label, row, whole.folder).part(kind[:-1])
        found[name] = Entry(label, body.body if body else {}, whole.folder)
    return found


def _parse(path: str) -> dict[str, t.Any]:
    what = f"kubeconfig {printable(_short(Path(path).absolute()), 300)}"
    data = read(path, "kubeconfig")
    try:
        content = yaml_document.load(data)
    except Failure:
        raise
    except yaml_document.TooMuch:
        raise Failure(f"{what} has too many values, or is nested too deeply.") from None
    except Exception as error:  # of the YAML library
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f" (line {line + 1})" if isinstance(line, int) else ""
        raise Failure(f"{what} is not YAML{where}.") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Failure(f"{what} is not a mapping.")
    return content


def _short(path: Path) -> str:
    home = os.path.expanduser("~")
    text = str(path)
    return f"~{text[len(home) :]}" if home != "/" and text.startswith(home + os.sep) else text


def _access(cluster: Entry, user: User, origin: str) -> Access:
    host = server_url(cluster.text("server"), cluster.label)
    verify = not cluster.flag("insecure-skip-tls-verify")
    ca = cluster.pem("certificate-authority")
    if ca and not verify:
        raise Failure(f"{cluster.label}: it has both a certificate authority and insecure-skip-tls-verify; remove one.")
    return Access(
        host=host,
        origin=origin,
        user=user,
        ca=ca.decode("latin-1") or None,
        verify=verify,
        tls_name=cluster.text("tls-server-name"),
        proxy=cluster.text("proxy-url") or None,
    )


def server_url(text: str, what: str) -> str:
    """Return the URL of an API server without query and fragment. Raises Failure."""
    if not text:
        raise Failure(f"{what}: it names no server.")
    if "://" not in text:
        text = f"http://{text}"
    try:
        url = urllib.parse.urlsplit(text)
        usable = url.scheme in ("http", "https") and url.hostname and (url.port or True)
    except ValueError:
        usable = False
    if not usable or not text.isascii() or not text.isprintable() or " " in text:
        raise Failure(f"{what}: its server is not a URL, such as https://api.example.com:6443.")
    if "@" in url.netloc:
        raise Failure(f"{what}: the URL of its server must not carry credentials; give them to the user.")
    return urllib.parse.urlunsplit((url.scheme, url.netloc, url.path.rstrip("/"), "", ""))


def _user(entry: Entry, cluster: Entry, name: str) -> User:
    if entry.body.get("auth-provider") is not None:
        raise Failure(
            f"{entry.label}: auth-provider is not supported. "
            "Use an exec plugin (kubelogin, gke-gcloud-auth-plugin), or a token."
        )
    token, username, password = (entry.text(key) for key in ("token", "username", "password"))
    if token and (username or password):
        raise Failure(f"{entry.label}: it has both a token and a password; remove one.")
    certificate, key = entry.pem("client-certificate"), entry.pem("client-key")
    if bool(certificate) is not bool(key):
        raise Failure(f"{entry.label}: it has a client certificate without its key, or a key without its certificate.")
    plugin = entry.part("exec")
    return User(
        name=f"user {name}",
        token=token,
        token_file=entry.path("tokenFile"),
        username=username,
        password=password,
        certificate=Certificate(certificate, key) if certificate else None,
        plugin=_plugin(plugin, cluster) if plugin else None,
        impersonation=_impersonation(entry),
    )


def _impersonation(entry: Entry) -> tuple[tuple[str, tuple[str, ...]], ...]:
    name, uid, groups = entry.text("as"), entry.text("as-uid"), entry.texts("as-groups")
    extra = entry.part("as-user-extra") or Entry(entry.label, {}, entry.folder)
    if not name:
        if uid or groups or extra.body:
            raise Failure(f"{entry.label}: as-uid, as-groups and as-user-extra need a user to act as (as).")
        return ()
    headers: list[tuple[str, tuple[str, ...]]] = [("Impersonate-User", (name,))]
    if uid:
        headers.append(("Impersonate-Uid", (uid,)))
    if groups:
        headers.append(("Impersonate-Group", groups))
    extra = replace(extra, body={str(key): value for key, value in extra.body.items()})
    for key in sorted(extra.body):
        # A key is a part of a header's name, so kubectl escapes other characters.
        escaped = urllib.parse.quote(key.lower(), safe="!#$&'*+^`|")
        headers.append((f"Impersonate-Extra-{escaped}", extra.texts(key)))
    return tuple(headers)


def _plugin(entry: Entry, cluster: Entry) -> Plugin:
    command, version = entry.text("command"), entry.text("apiVersion")
    if not command:
        raise Failure(f"{entry.label}: it names no command.")
    if version not in API_VERSIONS:
        raise Failure(
            f"{entry.label}: its apiVersion is {printable(version, 100) or 'missing'}, "
            f"not {' or '.join(API_VERSIONS)}; update the plugin."
        )
    mode = entry.text("interactiveMode")
    if mode not in ("Never", "IfAvailable", "Always") and (mode or version == API_VERSIONS[0]):
        raise Failure(
            f"{entry.label}: its interactiveMode is {printable(mode, 40) or 'missing'}; set Never or IfAvailable."
        )
    if mode == "Always":
        raise Failure(
            f"{entry.label}: the plugin needs a terminal (interactiveMode: Always), and there is none. "
            "Use a token, or another plugin."
        )
    if os.sep in command:
        command = str(entry.folder / command)
    info = _cluster_info(cluster) if entry.flag("provideClusterInfo") else None
    return Plugin(command, version, entry.texts("args"), _environment(entry), entry.text("installHint"), info)


def _environment(entry: Entry) -> tuple[tuple[str, str], ...]:
    rows = entry.body.get("env")
    if rows is None:
        return ()
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise Failure(f"{entry.label}: env is not a list of mappings.")
    pairs = []
    for row in rows:
        one = Entry(f"{entry.label}: env", row, entry.folder)
        name, value = one.text("name"), one.text("value")
        if not name or "=" in name or "\0" in name + value:
            raise Failure(f"{entry.label}: env has an element without a usable name.")
        pairs.append((name, value))
    return tuple(pairs)


def _cluster_info(cluster: Entry) -> dict[str, t.Any]:
    """Return what a plugin with provideClusterInfo gets (ExecCredential.spec.cluster)."""
    info: dict[str, t.Any] = {"server": cluster.text("server")}
    ca = cluster.pem("certificate-authority")
    if ca:
        info["certificate-authority-data"] = base64.b64encode(ca).decode()
    for key in ("tls-server-name", "proxy-url"):
        if cluster.text(key):
            info[key] = cluster.text(key)
    for key in ("insecure-skip-tls-verify", "disable-compression"):
        if cluster.flag(key):
            info[key] = True
    extensions = cluster.body.get("extensions")
    for row in extensions if isinstance(extensions, list) else ():
        if isinstance(row, dict) and row.get("name") == EXTENSION:
            info["config"] = row.get("extension")
    return info
