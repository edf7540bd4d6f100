# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.mcp.server.plugins.module_utils._secret_scan import lines

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0"

MANIFEST = """\
apiVersion: v1
kind: Secret
metadata:
  name: a
  labels: {password: no}
stringData:
  # a comment
  url: postgres.internal
  from_template: "{{ value }}"
  block: |
    several
data:
  key: cGxhbnRlZA==
---
kind: ConfigMap
data:
  key: value
"""


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("db_password: hunter2", "named_value"),
        ("  password: correcthorse", "named_value"),
        ("- api_token: 'abc'", "named_value"),
        ('{"client_secret": "abcd"}', "named_value"),
        ("export DB_PASSWORD=letmein", "named_value"),
        ("url: https://jane:letmein@example.com/", "url_password"),
        ("dsn: postgresql://mcp:sandbox-only@db:5432/mcp", "url_password"),
        (f"anything: {TOKEN}", "known_token"),
        (KEY, "private_key"),
        ("header: Bearer abCD1234efGH5678", "bearer_token"),
    ],
)
def test_a_secret_in_settings(line, kind):
    assert kind in [one.kind for one in lines.findings(f"---\n{line}\n", ".yml")]
    assert {one.line for one in lines.findings(f"---\n{line}\n", ".yml")} == {2}


@pytest.mark.parametrize(
    "line",
    [
        "db_password: '{{ vault_db_password }}'",
        "db_password: \"{{ lookup('env', 'DB_PASSWORD') }}\"",
        "db_password: !vault |",
        "db_password: ENC[AES256_GCM,data:abcd,iv:efgh,type:str]",
        "db_password: ${DB_PASSWORD}",
        "db_password: $DB_PASSWORD",
        "db_password: <password>",
        "db_password: changeme",
        "db_password: your-password",
        "db_password: xxxxxxxx",
        "db_password: '********'",
        "db_password: null",
        "db_password:",
        "db_password: DB_PASSWORD",
        "token_env: MCP_TOKEN",
        "token_file: /run/secrets/token",
        "token: /run/secrets/token",
        "authorization: {credentials_file: /var/run/token}",
        "secretName: mcp-server-secrets",
        "# password: hunter2",
        "description: the token is expired, and password must be set",
        "url: https://example.com:8443/path",
        "url: https://jane:{{ password }}@example.com/",
        "image: ghcr.io/org/mcp-server@sha256:" + "0a" * 32,
        "token_max_age: 30s",
    ],
)
def test_no_secret_in_settings(line):
    assert lines.findings(f"{line}\n", ".yml") == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("Set `password: hunter2` there.", False),
        ("password = params['password']", False),
        ("token = self.tokens[0]", False),
        ("token: str = field(repr=False)", False),
        ("api_key = 'q8Zr41-xkT90vB'", True),
        ("curl -H 'Authorization: Bearer abCD1234efGH5678' https://example.com", True),
        ("mysql -u root -pS3cr8t0Horse9 mcp", True),
        (f"git clone https://x:{TOKEN}@github.com/org/repo", True),
        ("postgresql://mcp_user:sandbox-only@db/mcp", False),
        (KEY, True),
    ],
)
def test_in_other_files_a_value_has_to_look_like_one(line, is_found):
    assert bool(lines.findings(f"{line}\n", ".md")) is is_found


def test_manifests_of_secrets():
    found = [one.line for one in lines.findings(MANIFEST, ".yaml") if one.kind == "kubernetes_secret"]
    assert found == [8, 10, 13]
    assert lines.findings(MANIFEST.replace("kind: Secret", "kind: SealedSecret"), ".yaml") == []


def test_a_secret_in_a_list_of_objects():
    text = "kind: List\nitems:\n- kind: Secret\n  data:\n    key: cGxhbnRlZA==\n- kind: ConfigMap\n  data:\n    a: b\n"
    assert 5 in [one.line for one in lines.findings(text, ".yml") if one.kind == "kubernetes_secret"]


@pytest.mark.parametrize(
    "text",
    [
        "$ANSIBLE_VAULT;1.1;AES256\n6162\npassword: hunter2\n",
        "password: hunter2 # pragma: allowlist secret\n",
        "# pragma: allowlist nextline secret\npassword: hunter2\n",
        "",
    ],
)
def test_what_is_encrypted_or_marked(text):
    assert lines.findings(text, ".yml") == []


def test_a_line_is_found_once_for_each_kind():
    assert lines.findings("password: hunter2, token: hunter3\n", ".ini") == [(1, "named_value")]


def test_a_finding_has_no_value():
    assert "hunter2" not in repr(lines.findings("password: hunter2\n", ".yml"))


@pytest.mark.parametrize(
    "line", ["password: " + "a1" * 500_000, "://" * 100_000 + "@", "token=" * 100_000, "'" * 500_000]
)
def test_a_hostile_line_takes_no_time(line):
    begun = time.process_time()
    lines.findings(line, ".yml")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(("value", "is_one"), [("aaaaaaaa1111", False), ("q8Zr41-xkT90vB", True), ("hunter2", False)])
def test_what_looks_like_a_secret(value, is_one):
    assert lines.looks_like_one(value) is is_one
