# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._image import Image
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._preflight.dependencies import _of_another_host
from ansible_collections.mcp.server.plugins.module_utils._registry import login
from ansible_collections.mcp.server.plugins.module_utils._registry import registry as registries
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def auth(text):
    return {"auth": base64.b64encode(text.encode()).decode()}


def config(**auths):
    return json.dumps({"auths": auths})


ME, OTHER = ("me", "s3cret-me"), ("other", "s3cret-other")
MINE, THEIRS = auth("me:s3cret-me"), auth("other:s3cret-other")


@pytest.mark.parametrize(
    ("auths", "host", "found"),
    [
        ({"ghcr.io": MINE}, "ghcr.io", ME),
        ({"ghcr.io": {"username": "me", "password": "s3cret-me"}}, "ghcr.io", ME),
        ({"https://ghcr.io": MINE}, "ghcr.io", ME),
        ({"https://GHCR.io/v2/": MINE}, "ghcr.io", ME),
        ({"http://127.0.0.1:5000/v1/": MINE}, "127.0.0.1:5000", ME),
        # Docker Hub's names
        ({"https://index.docker.io/v1/": MINE}, "docker.io", ME),
        ({"docker.io": MINE}, "docker.io", ME),
        ({"registry-1.docker.io": MINE}, "docker.io", ME),
        # The most specific folder
        ({"ghcr.io": THEIRS, "ghcr.io/org": MINE}, "ghcr.io", ME),
        ({"ghcr.io/org": THEIRS, "ghcr.io/org/mcp-server": MINE}, "ghcr.io", ME),
        ({"ghcr.io/other": THEIRS, "ghcr.io/org/": MINE}, "ghcr.io", ME),
        ({"ghcr.io/other": THEIRS, "ghcr.io": MINE}, "ghcr.io", ME),
        # Another host's, port's or folder's
        ({"https://index.docker.io/v1/": MINE}, "quay.io", None),
        ({"ghcr.io": MINE}, "ghcr.io:5000", None),
        ({"ghcr.io": MINE}, "evil-ghcr.io", None),
        ({"ghcr.io": MINE}, "ghcr.io.evil.example", None),
        ({"ghcr.io/org/mcp": MINE}, "ghcr.io", None),
        ({"ghcr.io/or": MINE}, "ghcr.io", None),
        # In a helper, or a token
        ({"ghcr.io": {}}, "ghcr.io", None),
        ({"ghcr.io": {}, "https://ghcr.io/v2/": MINE}, "ghcr.io", ME),
        ({"https://ghcr.io": MINE, "ghcr.io": {}}, "ghcr.io", ME),
        ({"ghcr.io": None}, "ghcr.io", None),
        ({"ghcr.io": {"identitytoken": "t", **auth("0000:")}}, "ghcr.io", None),
        ({"ghcr.io": auth("me:s3cret:with:colons")}, "ghcr.io", ("me", "s3cret:with:colons")),
        ({"ghcr.io": auth("me:s3cret-me\0\0")}, "ghcr.io", ME),
        ({"ghcr.io": auth("m\u00e9:\u30d1")}, "ghcr.io", ("m\u00e9", "\u30d1")),
        ({}, "ghcr.io", None),
    ],
)
def test_in_config(auths, host, found):
    assert login.in_config(config(**auths), host, "org/mcp-server") == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"auths": []}', "its auths are not an object"),
        (config(**{"ghcr.io": "s3cret"}), "its entry is not an object"),
        (config(**{"ghcr.io": {"auth": "s3cret!"}}), "its auth is not base64"),
        (config(**{"ghcr.io": {"auth": 7}}), "its auth is not base64"),
        (config(**{"ghcr.io": auth("s3cret")}), "no colon"),
    ],
)
def test_malformed(text, why):
    with pytest.raises(login.Malformed, match=why) as error:
        login.in_config(text, "ghcr.io", "org/mcp-server")
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"auths": null}', '{"credHelpers": {"ghcr.io": "x"}}'])
def test_a_file_without_credentials(text):
    assert login.in_config(text, "ghcr.io", "x") is None


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(config(**{"ghcr.io": THEIRS}))
    return tmp_path


def find(option=None, host="ghcr.io", **params):
    return login.find({"registry_auth": option, **params}, host, "org/mcp-server")


def test_the_users_own_files(home, monkeypatch):
    assert find() == OTHER and find(host="quay.io") is None
    (home / "auth.json").write_text(config(**{"ghcr.io": MINE}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "auth.json"))
    assert find() == ME
    (home / "auth.json").write_text(config(**{"quay.io": MINE}))
    assert find() == OTHER
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "nowhere"))
    monkeypatch.setenv("DOCKER_CONFIG", str(home))
    (home / "config.json").write_text(config(**{"ghcr.io": MINE}))
    assert find() == ME
    (home / "config.json").write_text("{")
    with pytest.raises(
        Failure, match=r"^The credentials for ghcr.io in .*/config.json cannot be used: it is not JSON.$"
    ):
        find()


def test_what_the_inventory_names_wins(home, monkeypatch):
    (home / "password").write_text("s3cret-me\n")
    (home / "mine.json").write_text(config(**{"ghcr.io": MINE}))
    monkeypatch.setenv("PASSWORD", "s3cret-me")
    monkeypatch.setenv("CONFIG", config(**{"ghcr.io": MINE}))
    assert find({"username": "me", "password_file": str(home / "password")}) == ME
    assert find({"username": "me", "password_env": "PASSWORD"}) == ME
    assert find({"config_file": str(home / "mine.json")}) == ME
    assert find({"config_env": "CONFIG"}) == ME
    # Not another file then
    assert find({"config_env": "CONFIG"}, host="quay.io") is None
    assert find(registry_username="me", registry_password="s3cret-me") == ME


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"username": "me", "password_env": "NO_SUCH"}, "in environment variable NO_SUCH: it is empty or missing"),
        ({"username": "me", "password_file": "/no/such"}, "registry_auth.password_file /no/such cannot be read"),
        ({"config_file": "/no/such"}, "registry_auth.config_file /no/such cannot be read .No such file"),
        ({"config_file": "/dev/zero"}, "is too large"),
        ({"config_env": "NO_SUCH"}, "in environment variable NO_SUCH cannot be used: it is not JSON"),
        ({"config_secret": {"name": "pull", "key": "x"}}, "needs the option namespace"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(home, option, says):
    with pytest.raises(Failure, match=says) as failure:
        find(option)
    assert failure.value.msg.endswith(".")


def test_a_secret(home, monkeypatch):
    data = {".dockerconfigjson": base64.b64encode(config(**{"ghcr.io": MINE}).encode()).decode()}

    class Cluster:
        def get(self, path):
            assert path == "/api/v1/namespaces/prod/secrets/pull"
            return {"data": data}

    monkeypatch.setattr(connection, "connect", lambda _params: Cluster())
    option = {"config_secret": {"name": "pull", "key": ".dockerconfigjson"}}
    assert find(option, namespace="prod") == ME
    data.clear()
    with pytest.raises(Failure, match="key .dockerconfigjson of Secret pull cannot be used: it is not JSON"):
        find(option, namespace="prod")


def test_credentials_belong_to_the_host_that_is_asked(home):
    params = {name: option.get("default") for name, option in registries.OPTIONS.items()}
    image = Image.parse("ghcr.io/org/mcp-server:v1")
    assert registries.registry_for(image, params)._login == OTHER
    # A mirror in its place is another host
    assert registries.registry_for(image, {**params, "registry": "https://mirror.example"})._login is None


@pytest.mark.parametrize(
    ("auth_option", "expected"),
    [
        ({"username": "me", "password_env": "X"}, None),
        ({"config_env": "X"}, {"config_env": "X"}),
        (None, None),
    ],
)
def test_the_guards_image_on_another_host_gets_no_password(auth_option, expected):
    params = {"registry": "http://mirror", "registry_username": "me", "registry_auth": auth_option}
    found = _of_another_host(params)
    assert (found["registry"], found["registry_username"], found["registry_auth"]) == (None, None, expected)
