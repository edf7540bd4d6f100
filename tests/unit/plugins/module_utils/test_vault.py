# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils import _vault
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_vault_check
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._vault import Trouble

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
URL = "https://vault.example.com:8200"
VALUE = "planted-vault-value"
V2 = {
    "data": {
        "data": {"key": VALUE, "empty": " ", "zero": 0},
        "metadata": {"version": 3, "created_time": "2026-11-01T08:00:00.123456789Z"},
    }
}
MOUNT = {"data": {"type": "kv", "options": {"version": "2"}}}


class Fake:
    """Answers by plugin and term; an exception is raised. asked: all questions, with their options."""

    def __init__(self, **answers):
        self.answers = {
            "auth/token/lookup-self": {"data": {}},
            "sys/internal/ui/mounts/secret/app": MOUNT,
            "secret/data/app": V2,
            "vault_login": {"auth": {"client_token": "hvs.planted-token"}},
            "auth/token/revoke-self": None,
            **answers,
        }
        self.asked = []

    def __call__(self, plugin, term, options):
        self.asked.append((plugin, term, options))
        answer = self.answers.get(term or plugin, Trouble(_vault.ABSENT))
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


def params(**given):
    secrets = given.pop("secrets", [{"path": "app", "keys": ["key"]}])
    checked = ArgumentSpecValidator(mcp_vault_check.SPEC.options).validate(
        {"vault": {"url": URL, "secrets": secrets, **given}}
    )
    assert not checked.error_messages
    return checked.validated_parameters["vault"]


def rows(fake, **given):
    found = _vault.check(params(**given), fake, NOW)
    assert "planted" not in json.dumps(found)
    return {one["id"]: (one["verdict"], one["message"]) for one in found}


def test_good():
    found = rows(Fake())
    assert found == {
        "vault": ("passed", "Vault vault.example.com:8200 answers, and the token is valid."),
        "vault:secret/app": (
            "passed",
            "Vault vault.example.com:8200: secret/app (version 3) has a value for key.",
        ),
    }


@pytest.mark.parametrize(
    ("secret", "answers", "verdict", "words"),
    [
        ({"keys": ["zero"]}, {}, "passed", "has a value for zero"),
        ({"keys": []}, {}, "passed", "can be read, and has 3 keys"),
        ({"keys": ["empty", "gone"]}, {}, "failed", "has no value for empty, gone: add it."),
        ({"kv_version": 2}, {"sys/internal/ui/mounts/secret/app": Trouble(_vault.DENIED)}, "passed", "has a value"),
        ({}, {"sys/internal/ui/mounts/secret/app": Trouble(_vault.DENIED)}, "failed", "or set kv_version"),
        ({}, {"secret/data/app": Trouble(_vault.ABSENT)}, "failed", "or its newest version is deleted: put it there"),
        (
            {},
            {"secret/data/app": Trouble(_vault.DENIED)},
            "failed",
            'path "secret/data/app" { capabilities = ["read"] }',
        ),
        ({}, {"secret/data/app": Trouble(_vault.DOWN)}, "cannot_measure", "is sealed"),
        ({}, {"secret/data/app": Trouble(_vault.TLS)}, "cannot_measure", "set mcp_vault.ca_cert"),
        ({}, {"secret/data/app": Trouble(_vault.OTHER)}, "cannot_measure", "answers in an unexpected way"),
        ({}, {"secret/data/app": None}, "failed", "has no value for key"),
        ({}, {"secret/data/app": {"data": ["x"]}}, "failed", "has no value for key"),
        ({}, {"sys/internal/ui/mounts/secret/app": {"data": {"type": "pki"}}}, "failed", "is of type pki"),
        ({"path": "../sys/raw"}, {}, "failed", "names no path of a secret"),
        ({"path": "a\nb"}, {}, "failed", "names no path of a secret"),
        ({"path": "/app/"}, {}, "passed", "secret/app"),
        ({"kv_version": 1}, {"secret/app": {"data": {"key": VALUE}}}, "passed", "secret/app has a value for key."),
    ],
)
def test_a_path(secret, answers, verdict, words):
    found = list(rows(Fake(**answers), secrets=[{"path": "app", "keys": ["key"], **secret}]).values())
    assert found[1][0] == verdict and words in found[1][1], found


@pytest.mark.parametrize(
    ("days", "created", "verdict", "words"),
    [
        (27, "2026-11-01T08:00:00Z", "passed", "was last changed 27 days ago."),
        (
            26,
            "2026-11-01T08:00:00.123456789Z",
            "failed",
            "was last changed 27 days ago, and may be 26 days old: put new",
        ),
        (1, "2027-01-01T08:00:00Z", "passed", "was last changed 0 days ago."),
        (1, "nonsense", "skipped", "has no time"),
        (1, None, "skipped", "has no time"),
    ],
)
def test_an_age_is_only_warned_of(days, created, verdict, words):
    answer = {"data": {"data": {"key": VALUE}, "metadata": {"created_time": created}}}
    found = _vault.check(
        params(secrets=[{"path": "app", "max_age_days": days}]), Fake(**{"secret/data/app": answer}), NOW
    )
    (age,) = [one for one in found if one["id"] == "vault_age:secret/app"]
    assert (age["verdict"], age["required"]) == (verdict, False) and words in age["message"]


@pytest.mark.parametrize(
    ("trouble", "verdict", "words"),
    [
        (Trouble(_vault.INVALID), "failed", "refuses the login by approle: correct the credentials"),
        (Trouble(_vault.DENIED), "failed", "denies the login by approle"),
        (Trouble(_vault.UNREACHABLE), "cannot_measure", "does not answer: correct mcp_vault.url"),
        (Trouble(_vault.MISSING, "no hvac"), "cannot_measure", "(no hvac): install it where the playbook runs"),
        ({"auth": None}, "cannot_measure", "without a token"),
        ("not a mapping", "cannot_measure", "without a token"),
    ],
)
def test_a_login_that_fails(trouble, verdict, words):
    found = rows(Fake(vault_login=trouble), auth_method="approle", role_id="r")
    assert found["vault"][0] == verdict and words in found["vault"][1]
    assert found["vault:secret/app"][0] == "skipped"


def test_a_login_is_used_and_its_token_revoked(monkeypatch):
    monkeypatch.setenv("SECRET_ID", "planted-secret-id")
    fake = Fake()
    rows(fake, auth_method="approle", role_id="r", secret_id_env="SECRET_ID", namespace="team")
    plugin, _term, options = fake.asked[0]
    assert plugin == "vault_login" and options["secret_id"] == "planted-secret-id" and options["namespace"] == "team"
    assert [one[:2] for one in fake.asked[1:]] == [
        ("vault_read", "sys/internal/ui/mounts/secret/app"),
        ("vault_read", "secret/data/app"),
        ("vault_write", "auth/token/revoke-self"),
    ]
    for _plugin, _term, later in fake.asked[1:]:
        assert (later["auth_method"], later["token"], later["namespace"]) == ("token", "hvs.planted-token", "team")
        assert "secret_id" not in later


def test_a_token_that_was_given_is_not_revoked(monkeypatch):
    monkeypatch.setenv("TOKEN", "hvs.planted-given")
    fake = Fake(**{"auth/token/lookup-self": Trouble(_vault.DENIED)})
    found = rows(fake, token_env="TOKEN")
    assert found["vault"] == (
        "passed",
        "Vault vault.example.com:8200 answers, and does not report whether the token is valid.",
    )
    assert found["vault:secret/app"][0] == "passed"
    assert "vault_write" not in [one[0] for one in fake.asked]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "vault"}, "mcp_vault.url is no URL"),
        ({"url": "http://vault.example.com"}, "is reached by plain HTTP"),
        ({"token_env": "NOWHERE"}, "No token in environment variable NOWHERE"),
        ({"token_file": "/nowhere"}, "mcp_vault.token_file /nowhere cannot be read"),
        ({"url": "https://jane:planted@vault.example.com"}, "Vault vault.example.com answers"),
    ],
)
def test_options(given, words):
    assert words in rows(Fake(), **given)["vault"][1]


def test_a_slow_vault_is_not_waited_for():
    fake = Fake(**{"auth/token/lookup-self": lambda: time.sleep(5)})
    begun = time.monotonic()
    found = rows(fake, timeout=-0.9)  # and the second that a question may take longer
    assert time.monotonic() - begun < 2
    assert found["vault"][0] == "cannot_measure" and "does not answer within" in found["vault"][1]


def test_too_many_paths():
    found = rows(Fake(), secrets=[{"path": "app", "kv_version": 2}] * 101)
    assert found["vault:more"] == ("failed", "101 paths are too many: name at most 100.")


def test_the_module_fails_with_all_that_is_wrong_and_shows_no_value():
    fake = Fake(**{"secret/data/app": Trouble(_vault.ABSENT)})
    shown = []
    given = {"vault": params(secrets=[{"path": "app"}, {"path": "other", "kv_version": 2}])}
    with pytest.raises(Failure) as failed:
        mcp_vault_check.run(Task(given, progress=shown.append), fake)
    assert "no secret secret/app" in str(failed.value) and "no secret secret/other" in str(failed.value)
    assert [line.split(":")[0] for line in shown] == ["passed", "failed", "failed"]


def test_another_process_has_no_lookups():
    with pytest.raises(Failure, match="only in the controller's process"):
        mcp_vault_check.run(Task({"vault": params()}))


@pytest.mark.parametrize(
    ("names", "text", "kind"),
    [
        (["AnsibleError", "Forbidden", "VaultError"], "", _vault.DENIED),
        (["AnsibleError"], "The path 'x' doesn't seem to exist.", _vault.ABSENT),
        (["VaultDown"], "", _vault.DOWN),
        (["ConnectionError", "MaxRetryError", "NewConnectionError", "TimeoutError"], "", _vault.UNREACHABLE),
        (["ConnectionError", "ConnectionRefusedError"], "", _vault.UNREACHABLE),
        (["ReadTimeout", "Timeout"], "", _vault.LATE),
        (["SSLError", "ConnectionError"], "", _vault.TLS),
        (["AnsibleError", "HashiVaultHVACError", "ModuleNotFoundError"], "", _vault.MISSING),
        (["KeyError"], "", _vault.OTHER),
    ],
)
def test_what_an_exception_means(names, text, kind):
    assert _vault.kind_of(names, text) == kind
