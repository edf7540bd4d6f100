# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the cluster and the user of a task: by options, then files, then the environment, then the pod it runs in."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import kubeconfig
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access, Certificate, User
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import IDENTITIES, PLACES, Chosen, choose
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

POD = "/var/run/secrets/kubernetes.io/serviceaccount"
CURE = "set kubeconfig (or KUBECONFIG, K8S_AUTH_KUBECONFIG), or host and api_key"


def locate(params: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> Access:
    """Return the access by a task's options and the environment. Raises Failure. Sends nothing."""
    chosen = choose(params, environment)
    values = chosen.values
    if (values["username"] is None) is not (values["password"] is None):
        raise Failure("username and password log in to OpenShift together: give both or neither.")
    if values["client_key"] is not None and values["client_cert"] is None:
        raise Failure("client_key needs client_cert: give both or neither.")
    identified = any(values[name] is not None for name in IDENTITIES)
    if values["host"] and identified and not (values["kubeconfig"] or values["context"]):
        access = Access("")
    else:
        access = _from_files(values, environment, with_user=not identified) or _without_files(chosen, environment)
    return replace(_overlaid(access, chosen), ignored=chosen.ignored)


def _from_files(values: dict[str, t.Any], environment: t.Mapping[str, str], *, with_user: bool) -> Access | None:
    """Return the access by the kubeconfig files; None when there are none and none was named."""
    named = values["kubeconfig"] or environment.get("KUBECONFIG") or ""
    paths = [os.path.expanduser(path) for path in str(named).split(os.pathsep) if path]
    if named and not paths:
        raise Failure(
            f"No cluster to connect to: kubeconfig {printable(str(named), 300)} names no file; correct it, or {CURE}."
        )
    found = kubeconfig.load(paths or [os.path.expanduser("~/.kube/config")])
    context = values["context"]
    if found is None and (paths or context):
        what = f"kubeconfig {printable(str(named), 300) or '~/.kube/config'} does not exist"
        raise Failure(f"No cluster to connect to: {what}; correct it, or {CURE}.")
    if found is None or (
        not paths and not context and not found.current and (values["host"] or not found.lists["contexts"])
    ):
        return None
    return found.access(context, with_user=with_user)


def _without_files(chosen: Chosen, environment: t.Mapping[str, str]) -> Access:
    values = chosen.values
    if values["host"]:
        return Access("")
    if any(values[name] is not None for name in (*PLACES, *IDENTITIES)):
        raise Failure(f"No cluster to connect to: there is a credential but no server for it; {CURE}.")
    address, port = (environment.get(f"KUBERNETES_SERVICE_{what}", "") for what in ("HOST", "PORT"))
    token = os.path.join(POD, "token")
    if not (address and port and os.path.isfile(token)):
        raise Failure(
            f"No cluster to connect to: kubeconfig ~/.kube/config does not exist, and this is not a pod; {CURE}."
        )
    ca = kubeconfig.read(os.path.join(POD, "ca.crt"), "The pod's certificate authority").decode("latin-1")
    host = kubeconfig.server_url(
        f"https://{f'[{address}]' if ':' in address else address}:{port}", "KUBERNETES_SERVICE_HOST"
    )
    return Access(host, "this pod's own", User("the pod's service account", token_file=token), ca=ca)


def _overlaid(access: Access, chosen: Chosen) -> Access:
    """Return the access changed by options and environment.

    A credential of theirs replaces the whole user of a file.
    """
    values, named_by = chosen.values, chosen.named_by
    changes: dict[str, t.Any] = {}
    if values["host"]:
        origin = f"{named_by['host']}, the rest by {access.origin}" if access.origin else named_by["host"]
        # tls-server-name of a kubeconfig is for its own server.
        changes |= {"host": kubeconfig.server_url(values["host"], "host"), "origin": origin, "tls_name": ""}
    if values["ca_cert"]:
        # Like kubectl: a CA is verified, whatever the kubeconfig says.
        changes |= {"ca": kubeconfig.read(values["ca_cert"], "ca_cert").decode("latin-1"), "verify": True}
    if values["validate_certs"] is not None:
        changes["verify"] = values["validate_certs"]
    if values["proxy"]:
        changes["proxy"] = values["proxy"]
    user = _user(chosen)
    if user is not None:
        changes["user"] = user
    return replace(access, **changes)


def _user(chosen: Chosen) -> User | None:
    values, named_by = chosen.values, chosen.named_by
    certificate = _certificate(values) if values["client_cert"] else None
    if values["api_key"]:
        return User(
            f"the user of the token in {named_by['api_key']}", token=str(values["api_key"]), certificate=certificate
        )
    if values["username"]:
        name = f"user {values['username']} (by a login to OpenShift)"
        return User(name, username=values["username"], password=values["password"], logs_in=True)
    if certificate is not None:
        return User(f"the user of the certificate {values['client_cert']}", certificate=certificate)
    return None


def _certificate(values: dict[str, t.Any]) -> Certificate:
    paths = values["client_cert"], values["client_key"] or values["client_cert"]
    pair = (kubeconfig.read(path, name) for path, name in zip(paths, ("client_cert", "client_key"), strict=True))
    return Certificate(*pair)
