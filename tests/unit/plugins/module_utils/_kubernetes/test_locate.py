# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of options, files, environment and pod decides: a table."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import locate as module
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.locate import locate
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import ENVIRONMENT, OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

from .test_kubeconfig import config, encoded

POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
AWX = {
    "K8S_AUTH_HOST": "https://ambient",
    "K8S_AUTH_API_KEY": "ambient-token",
    "K8S_AUTH_VERIFY_SSL": "no",
    "K8S_AUTH_PROXY": "http://ambient:1",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a kubeconfig, and two kubeconfigs elsewhere."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "POD", str(tmp_path / "pod"))
    (tmp_path / "pod").mkdir()
    (tmp_path / "pod/token").write_text("token-of-the-pod\n")
    (tmp_path / "pod/ca.crt").write_text("ca of the pod")
    cluster = {
        "server": "https://file",
        "certificate-authority-data": encoded("ca of the file"),
        "tls-server-name": "kube",
    }
    user = {"token": "token-of-the-file", "as": "ann"}
    one, two = config(cluster, user, "one"), config({"server": "https://two"}, {"token": "token-two"}, "two")
    (tmp_path / "one").write_text(yaml.safe_dump(one))
    (tmp_path / "two").write_text(yaml.safe_dump(two))
    (tmp_path / "empty").write_text("")
    return tmp_path


def found(params: dict[str, t.Any], **environment: str) -> Access:
    return locate({**dict.fromkeys(OPTIONS), **params}, environment)


FILE = ("https://file", "token-of-the-file", True)
TWO = ("https://two", "token-two", True)


@pytest.mark.parametrize(
    ("params", "environment", "expected"),
    [
        # host, token, whether certificates are verified
        ({"kubeconfig": "one"}, {}, FILE),
        ({}, {"KUBECONFIG": "one"}, FILE),
        ({}, {"K8S_AUTH_KUBECONFIG": "one", "KUBECONFIG": "two"}, FILE),
        ({}, {"KUBECONFIG": "gone:two:one"}, TWO),
        ({"kubeconfig": "gone:two:one"}, {}, TWO),
        ({"context": "one"}, {"KUBECONFIG": "two:one"}, FILE),
        ({}, {"K8S_AUTH_KUBECONFIG": "~/gone:~/one"}, FILE),
        ({"kubeconfig": "~/gone:~/two"}, {}, TWO),
        ({"context": "one"}, {"K8S_AUTH_KUBECONFIG": "two:one"}, FILE),
        # What a task names is not led elsewhere by the environment.
        ({"kubeconfig": "one"}, {**AWX, "KUBECONFIG": "two", "K8S_AUTH_CONTEXT": "two"}, FILE),
        ({"context": "one"}, {**AWX, "KUBECONFIG": "two:one"}, FILE),
        (
            {"host": "https://mine", "api_key": "my-token"},
            {**AWX, "KUBECONFIG": "one"},
            ("https://mine", "my-token", True),
        ),
        ({"host": "https://mine"}, AWX, ("https://mine", "", True)),
        # Nor is who it is.
        ({"api_key": "my-token"}, AWX, ("https://ambient", "my-token", False)),
        (
            {"api_key": "my-token"},
            {**AWX, "K8S_AUTH_USERNAME": "eva", "K8S_AUTH_CERT_FILE": "gone"},
            ("https://ambient", "my-token", False),
        ),
        # All of it is in the environment, as AWX does it.
        ({}, {**AWX, "KUBECONFIG": "one"}, ("https://ambient", "ambient-token", False)),
        ({"validate_certs": True}, AWX, ("https://ambient", "ambient-token", True)),
        ({}, {"K8S_AUTH_API_KEY": "ambient-token", "KUBECONFIG": "one"}, ("https://file", "ambient-token", True)),
        ({}, {"K8S_AUTH_CONTEXT": "one", "KUBECONFIG": "two:one"}, FILE),
        # Options beat files.
        ({"kubeconfig": "one", "host": "https://mine"}, {}, ("https://mine", "token-of-the-file", True)),
        ({"kubeconfig": "one", "api_key": "my-token"}, {}, ("https://file", "my-token", True)),
        ({"kubeconfig": "one", "host": "https://mine", "api_key": "my-token"}, {}, ("https://mine", "my-token", True)),
        ({"kubeconfig": "one", "validate_certs": False}, {}, ("https://file", "token-of-the-file", False)),
        # The pod, when nobody names anything.
        ({}, POD, ("https://10.96.0.1:443", "", True)),
        (
            {"kubeconfig": "", "context": "", "host": "", "api_key": ""},
            {**POD, "KUBECONFIG": ""},
            ("https://10.96.0.1:443", "", True),
        ),
        ({}, {**POD, "KUBERNETES_SERVICE_HOST": "fd00::1"}, ("https://[fd00::1]:443", "", True)),
        ({}, {**POD, "KUBECONFIG": "one"}, FILE),
        ({}, {**POD, **AWX}, ("https://ambient", "ambient-token", False)),
        ({"host": "https://mine"}, POD, ("https://mine", "", True)),
    ],
)
def test_who_decides(params: dict[str, t.Any], environment: dict[str, str], expected: tuple[str, str, bool]) -> None:
    access = found(params, **environment)
    assert (access.host, access.user.token, access.verify) == expected


@pytest.mark.parametrize(
    ("params", "environment", "said"),
    [
        ({}, {}, "kubeconfig ~/.kube/config does not exist, and this is not a pod"),
        ({}, {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, "this is not a pod"),
        # What is named and can't be loaded is never silently another cluster.
        ({"kubeconfig": "gone"}, POD, "kubeconfig gone does not exist"),
        ({}, {**POD, "KUBECONFIG": "gone:gone-too"}, "kubeconfig gone:gone-too does not exist"),
        ({}, {**POD, "K8S_AUTH_KUBECONFIG": "gone"}, "kubeconfig gone does not exist"),
        ({"kubeconfig": ":"}, POD, "kubeconfig : names no file"),
        ({}, {**POD, "KUBECONFIG": ":"}, "kubeconfig : names no file"),
        ({"context": "one"}, POD, "kubeconfig ~/.kube/config does not exist"),
        ({}, {**POD, "K8S_AUTH_CONTEXT": "one"}, "kubeconfig ~/.kube/config does not exist"),
        ({"context": "three"}, {**POD, "KUBECONFIG": "one:two"}, "has no context three; it has one, two"),
        ({"kubeconfig": "empty"}, POD, "has no current-context"),
        ({"api_key": "my-token"}, POD, "there is a credential but no server for it"),
        ({}, {**POD, "K8S_AUTH_API_KEY": "my-token"}, "there is a credential but no server for it"),
        ({"host": "https://x", "username": "eva"}, {}, "give both or neither"),
        ({"host": "https://x", "client_key": "one"}, {}, "client_key needs client_cert"),
        ({"host": "nonsense://x"}, {}, "host: its server is not a URL"),
        ({"host": "https://x", "ca_cert": "gone"}, {}, "ca_cert gone cannot be read"),
        ({}, {**AWX, "K8S_AUTH_VERIFY_SSL": "perhaps"}, "K8S_AUTH_VERIFY_SSL is neither true nor false"),
    ],
)
def test_no_cluster(params: dict[str, t.Any], environment: dict[str, str], said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        found(params, **environment)
    assert "my-token" not in caught.value.msg


def test_the_default_kubeconfig(home: Path) -> None:
    (home / ".kube").mkdir()
    default = home / ".kube/config"
    default.write_bytes((home / "one").read_bytes())
    assert found({}, **POD).host == "https://file"
    assert found({"host": "https://mine"}).user.token == "token-of-the-file"
    default.write_text("")  # as kubectl does: as if it were not there
    assert found({}, **POD).host == "https://10.96.0.1:443"
    default.write_text("current-context: gone")
    with pytest.raises(Failure, match="has no context gone"):
        found({}, **POD)


def test_a_credential_replaces_the_whole_user_of_a_file() -> None:
    assert found({"kubeconfig": "one"}).user.impersonated == "ann"
    user = found({"kubeconfig": "one", "api_key": "my-token"}).user
    assert not user.impersonation and not user.certificate and not user.plugin


def test_another_host_keeps_the_ca_and_not_the_tls_name() -> None:
    access = found({"kubeconfig": "one", "host": "https://mine"})
    assert (access.ca, access.tls_name) == ("ca of the file", "")
    assert found({"kubeconfig": "one"}).tls_name == "kube"


def test_who_names_a_ca_has_it_verified(home: Path) -> None:
    """As kubectl --certificate-authority does, though the kubeconfig says otherwise."""
    (home / "insecure").write_text(
        yaml.safe_dump(config({"server": "https://x", "insecure-skip-tls-verify": True}, {"token": "t"}))
    )
    (home / "mine").write_text("my ca")
    assert found({"kubeconfig": "insecure"}).verify is False
    access = found({"kubeconfig": "insecure", "ca_cert": "mine"})
    assert (access.verify, access.ca) == (True, "my ca")
    assert found({"kubeconfig": "insecure", "ca_cert": "mine", "validate_certs": False}).verify is False


def test_the_pods_own(home: Path) -> None:
    access = found({}, **POD)
    assert (access.ca, access.user.token_file) == ("ca of the pod", str(home / "pod/token"))


def test_every_variable_is_one_of_an_option() -> None:
    assert set(ENVIRONMENT) == {name for name in OPTIONS if not name.startswith("api_") or name == "api_key"}


@pytest.mark.parametrize(
    ("params", "environment", "sentence"),
    [
        ({"kubeconfig": "one"}, {}, "cluster https://file (context one of ~/one), as user one, impersonating ann"),
        ({}, POD, "cluster https://10.96.0.1:443 (this pod's own), as the pod's service account"),
        ({"host": "https://mine"}, {}, "cluster https://mine (option host), as an anonymous user"),
        (
            {"host": "https://mine", "api_key": "my-token"},
            {},
            "cluster https://mine (option host), as the user of the token in option api_key",
        ),
        (
            {"host": "https://mine", "kubeconfig": "two"},
            {},
            "cluster https://mine (option host, the rest by context two of ~/two), as user two",
        ),
        (
            {},
            AWX,
            "cluster https://ambient (K8S_AUTH_HOST), its certificate not verified, as the user of the token in "
            "K8S_AUTH_API_KEY",
        ),
        (
            {"kubeconfig": "two"},
            AWX,
            "cluster https://two (context two of ~/two), as user two; ignored because the task names its cluster: "
            "K8S_AUTH_HOST, K8S_AUTH_API_KEY, K8S_AUTH_VERIFY_SSL, K8S_AUTH_PROXY",
        ),
        (
            {"host": "https://mine", "username": "eva", "password": "hunter2"},
            {},
            "cluster https://mine (option host), as user eva (by a login to OpenShift)",
        ),
    ],
)
def test_the_first_line_of_a_run(params: dict[str, t.Any], environment: dict[str, str], sentence: str) -> None:
    assert found(params, **environment).sentence() == sentence


def test_the_line_is_one_line(home: Path) -> None:
    name = "x\x1b[31m\nforged"
    (home / "odd").write_text(yaml.safe_dump(config({"server": "https://x"}, {"as": name}, name)))
    assert found({"kubeconfig": "odd"}).sentence().isprintable()
