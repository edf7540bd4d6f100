# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.server.plugins.module_utils._redact import (
    MAX_GROWTH,
    MAX_LINE,
    Redactor,
    is_secret_name,
    redact,
    redacted_tail,
)
from ansible_collections.mcp.server.plugins.module_utils._text import STARS

settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")

SECRET = "hunter2-of-the-shop"
HEX = "0123456789abcdef" * 4
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
KEY = [
    "-----BEGIN RSA PRIVATE KEY-----",
    "Proc-Type: 4,ENCRYPTED",
    "",
    "MIIEow" * 10,
    "abc=",
    "-----END RSA PRIVATE KEY-----",
]
# Made here so that no scanner of repositories takes them for real.
TOKENS = [
    "ghp_" + "aB3" * 12,
    "github_pat_" + "aB3_" * 10,
    "glpat-" + "aB3-x" * 4,
    "xoxb-" + "123456789012-aBc",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "sk-" + "proj-aB3" * 6,
    "sk-ant-" + "api03-aB3" * 6,
    "sk_live_" + "aB3" * 8,
    "AIza" + "aB3-_" * 7,
    "npm_" + "aB3" * 12,
    "hf_" + "aB3" * 10,
    "hvs." + "aB3_" * 10,
    "sha256~" + "aB3-" * 10,
    JWT,
    JWT[:40],
]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Authorization: Bearer §", "Authorization: Bearer *"),
        ("authorization: Basic §", "authorization: Basic *"),
        ("> Authorization: §", "> Authorization: *"),
        (
            '{"authorization": "Bearer §", "accept": "text/html"}',
            '{"authorization": "Bearer *", "accept": "text/html"}',
        ),
        ('{"authorization":["Bearer §"]}', '{"authorization":["Bearer *"]}'),
        (
            "headers=[(b'host', b'x'), (b'authorization', b'Bearer §')]",
            "headers=[(b'host', b'x'), (b'authorization', b'Bearer *')]",
        ),
        ("map[Authorization:[Bearer §] Host:[x]]", "map[Authorization:[Bearer * Host:[x]]"),
        ('Authorization: Digest username="kim", response="§"', "Authorization: Digest *"),
        ("sent with bearer §1", "sent with bearer *"),
        ("x-api-key: §", "x-api-key: *"),
        ("X-Api-Key=§ next", "X-Api-Key=* next"),
        ("apikey: §", "apikey: *"),
        ("token=§", "token=*"),
        ("access_token=§&expires=3600", "access_token=*"),
        ("GET /mcp?access_token=§&limit=5 200", "GET /mcp?access_token=*&limit=5 200"),
        ("GET /mcp?limit=5&sig=§ 200", "GET /mcp?limit=5&sig=* 200"),
        ("refreshToken: '§', user: 'kim'", "refreshToken: '*', user: 'kim'"),
        ("DB_PASSWORD=§", "DB_PASSWORD=*"),
        ("password = §", "password = *"),
        ('{"password": "§", "user": "kim"}', '{"password": "*", "user": "kim"}'),
        (
            r'{"msg": "got {\"password\": \"§\", \"user\": \"kim\"}"}',
            r'{"msg": "got {\"password\": \"*\", \"user\": \"kim\"}"}',
        ),
        ('{"password": "a\\"§"}', '{"password": "*"}'),
        ('{"name":"DB_PASSWORD","value":"§"}', '{"name":"DB_PASSWORD","value":"*"}'),
        ("pwd: §", "pwd: *"),
        ("mysqldump --password § shop", "mysqldump --password * shop"),
        ('args: ["--token", "§"]', 'args: ["--token", "*"]'),
        ("<password>§</password>", "<password>*</password>"),
        ("Server=db;User=kim;Password=§;Encrypt=true", "Server=db;User=kim;Password=*;Encrypt=true"),
        ("postgres://kim:§@db:5432/shop", "postgres://kim:*@db:5432/shop"),
        ("redis://:§@cache:6379/0", "redis://:*@cache:6379/0"),
        ("mongodb+srv://kim:p@§/x@db/shop", "mongodb+srv://kim:*@db/shop"),
        ("https://§@sentry.io/1", "https://*@sentry.io/1"),
        ("kim:§@tcp(db:3306)/shop", "kim:*@tcp(db:3306)/shop"),
        ("Cookie: a=§; b=§", "Cookie: *"),
        ("set-cookie: sid=§; Path=/; HttpOnly", "set-cookie: *"),
        ('{"cookie": "a=§", "host": "x"}', '{"cookie": "*", "host": "x"}'),
        ("client_secret=§", "client_secret=*"),
        ("AccountKey=§", "AccountKey=*"),
        ("password%3D§", "password%3D*"),
        ("login with password '§1' failed", "login with password '*' failed"),
        ("the token is §1, and", "the token is *, and"),
        ("curl -u kim:§ https://x", "curl -u kim:* https://x"),
        ("dsn kim:§@db:5432/shop", "dsn kim:*@db:5432/shop"),
        ('secret = """§"""', 'secret = """*"""'),
        ("password='a''§'", "password='*'"),
        ('Authorization: Token token="§"', "Authorization: Token *"),
        ("mysql -h db -u root -p§ shop", "mysql -h db -u root -p* shop"),
        ("mariadb-dump -p'§' shop", "mariadb-dump -p'*' shop"),
        ("sshpass -p § ssh db", "sshpass -p * ssh db"),
        ("docker login -u kim -p § ghcr.io", "docker login -u kim -p * ghcr.io"),
        ("redis-cli -h db -a § ping", "redis-cli -h db -a * ping"),
        ("requirepass §", "requirepass *"),
        ("CREATE USER kim IDENTIFIED BY '§'", "CREATE USER kim IDENTIFIED BY '*'"),
        ("jdbc:oracle:thin:kim/§@//db:1521/shop", "jdbc:oracle:thin:kim/*@//db:1521/shop"),
        ("refused: sig=§2 of kim", "refused: sig=* of kim"),
        ('"signature": "§2"', '"signature": "*"'),
        ("pw=§", "pw=*"),
        ('<input name="password" value="§">', '<input name="password" value=*>'),
        ("<input value='§' type=password>", "<input value=* type=password>"),
    ],
)
def test_the_value_of_a_secrets_name_is_hidden(line: str, shown: str) -> None:
    redacted = redact(line.replace("§", SECRET))
    assert redacted == shown.replace("*", STARS)
    assert SECRET not in redacted


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"Mcp-Session-Id: {HEX}", f"Mcp-Session-Id: 012345{STARS}"),
        (f'"mcp-session-id": "green-{HEX}"', f'"mcp-session-id": "green-012345{STARS}"'),
        (f"session not found: {HEX}", f"session not found: {HEX}"),  # as any other hexadecimal number
        ("session_id=blue-0123456789abcdef", f"session_id=blue-{STARS}"),
        ("session_id=blue-01234567", f"session_id=blue-{STARS}"),
        ("Created session 3f2b8c1e-6a1d-4b0e-9c57-0d1f2a3b4c5d", f"Created session 3f2b8c{STARS}"),
    ],
)
def test_of_a_session_the_pool_and_a_few_characters_stay(line: str, shown: str) -> None:
    assert redact(line) == shown


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("line", ["{}", "got {} from it", '{{"a": "{}"}}', "x={},y=1", "https://api/v1/{}/x", "({})"])
def test_tokens_of_known_forms_are_hidden_without_a_name(line: str, token: str) -> None:
    assert redact(line.format(token)) == line.format(STARS)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "2026-11-27T03:12:45.123456789Z stderr F starting",
        'INFO:     10.42.0.17:51234 - "POST /mcp HTTP/1.1" 200 OK',
        "pulled ghcr.io/org/mcp-server-example@sha256:" + HEX,
        "pod mcp-server-example-green-7d9c5f6b8d-x2k4q was OOMKilled, exit code 137",
        "request 3f2b8c1e-6a1d-4b0e-9c57-0d1f2a3b4c5d took 12.5 ms",
        "commit 9d07a97c8b1d3a5b7f0e2c4d6a8b0c1d2e3f4a5b",
        '{"level":"info","ts":1764212345.1,"caller":"server/main.go:42","msg":"listening","addr":":8000"}',
        "Traceback (most recent call last):",
        '  File "/app/server.py", line 12, in <module>',
        "KeyError: 'tools/list'",
        'connection to postgres://db:5432/shop failed: FATAL: password authentication failed for user "kim"',
        "SyntaxError: Unexpected token < in JSON at position 0",
        "json: Unexpected token: expected a value",
        "invalid token: signature expired",
        "max_tokens=4096 total_tokens: 512 tokens 12",
        'MountVolume.SetUp failed for volume "config" : secret "mcp-config" not found',
        "couldn't find key API_KEY in Secret shop/mcp-config",
        "secretName: mcp-config, imagePullSecrets: []",
        "DB_PASSWORD_FILE=/run/secrets/db",
        "password: null, token: none",
        'WWW-Authenticate: Bearer error="invalid_token", resource_metadata="https://x/.well-known"',
        "Bearer authentication is required; basic authentication is off",
        "421 Misdirected Request: Host shop.example is not allowed",
        "session not found",
        "Session terminated, too many sessions (100)",
        "dial tcp 10.43.0.10:53: i/o timeout",
        "see https://example.com:8443/docs?page=2&limit=10#top and http://[::1]:8080/x@y",
        "git clone ssh://git@example.com/org/repo",
        "mail to kim@example.com about compass=north, bypass=gates",
        "cookie: missing",
        "disk-pressure-monitor task-runner-1234567890 risk-analysis",
        "E1127 03:12:45.123456       1 leaderelection.go:332] error retrieving resource lock kube-system/x",
        'level=error msg="failed" err="context deadline exceeded" key=tools',
        "/oauth/callback?state=ok&code=404",
        "ssh -p22 db; psql -p5432; tar -pxf backup2024.tar; mkdir -p x/y1",
        "signature: missing, signature=verification-failed, sig=SIGTERM",
        "image signature: sha256:" + HEX,
        '<input name="tokens" value="12"> <input type="text" value="passwords">',
    ],
)
def test_lines_of_real_servers_stay_as_they_are(line: str) -> None:
    assert redact(line) == line


def test_a_private_key_is_hidden_in_one_line_and_over_several() -> None:
    lines = ["before", *KEY, "after"]
    redacted = redact("\n".join(lines))
    assert redacted.startswith("before\n") and redacted.endswith("\nafter")
    assert "MIIE" not in redacted and "abc=" not in redacted and "Proc-Type" not in redacted
    assert redact(json.dumps({"pem": "\n".join(KEY), "a": 1})) == json.dumps({"pem": STARS, "a": 1})
    stamped = [f"2026-11-27T03:12:45Z {line}" for line in lines]
    redactor = Redactor()
    shown = [redactor.line(line) for line in stamped]
    assert shown[0] == stamped[0] and shown[-1] == stamped[-1] and "MIIE" not in "".join(shown)


def test_the_end_of_a_key_whose_beginning_is_cut_off_hides_what_came_before() -> None:
    lines = ["2026-11-27T03:12:45Z " + line for line in [*KEY[3:], "after"]]
    assert redacted_tail(lines) == [STARS, STARS, STARS, lines[-1]]
    assert redacted_tail(["listening on :8000", *KEY[3:], "after"]) == [
        "listening on :8000",
        STARS,
        STARS,
        STARS,
        "after",
    ]
    assert redacted_tail(["one", *KEY, "two"]) == ["one", *redact("\n".join(KEY)).split("\n"), "two"]


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [("DB_PASSWORD", True), ("apiKey", True), ("GITHUB_TOKEN", True), ("TOKEN_URL", False), ("MAX_TOKENS", False)],
)
def test_names_of_secrets(name: str, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret


def test_a_key_that_never_ends_hides_no_more_than_the_longest_one() -> None:
    redactor = Redactor()
    redactor.line(KEY[0])
    shown = [redactor.line(f"line {number}") for number in range(400)]
    assert shown[100] == STARS and shown[-1] == "line 399"


WORDS = st.sampled_from(
    ["password", "token", "Authorization", "Bearer", "cookie", "secret", "session", "Mcp-Session-Id", "api_key", "sig"]
    + ["mysql -p", "sshpass ", " -p ", "<input ", " value=", " name=password", "requirepass ", "IDENTIFIED BY '"]
    + ["=", ":", ": ", " ", '"', "'", '\\"', "\\", ",", ";", "&", "?", "://", "@", "<", ">", "[", "(", "--", "\n", "\t"]
    + ["null", "expected", "value", "blue-", HEX, SECRET, JWT, STARS, *KEY, *TOKENS[:4], "`", "b'", "%3D", "tcp("]
)
TEXTS = st.lists(WORDS | st.text(max_size=4), max_size=14).map("".join)


@settings(max_examples=1500)
@given(TEXTS)
def test_what_is_redacted_stays_and_is_bounded(text: str) -> None:
    redacted = redact(text)
    assert redact(redacted) == redacted
    assert len(redacted) <= max(MAX_GROWTH * len(text), len(STARS))
    assert redacted.count("\n") == text.count("\n")


@given(
    st.sampled_from(
        ["password=", '"token": "', "Authorization: Bearer ", "--api-key ", "x://kim:", "client_secret: '"]
    ),
    st.text(
        st.characters(min_codepoint=0x30, max_codepoint=0x7A, exclude_characters="<>;`\\"), min_size=6, max_size=40
    ),
    TEXTS,
)
def test_no_value_of_a_secrets_name_survives(head: str, value: str, rest: str) -> None:
    value = f"Zq9{value}Zq9"
    redacted = redact(f"a {head}{value}{'@h' if '://' in head else chr(34) if chr(34) in head else chr(39)} {rest}")
    assert value not in redacted


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from([*KEY, "other"]) | st.text(max_size=5).map(lambda text: text.replace("\n", "")), max_size=20
    )
)
def test_a_stream_is_redacted_as_its_text(lines: list[str]) -> None:
    redactor = Redactor()
    assert "\n".join(redactor.line(line) for line in lines) == redact("\n".join(lines))


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "://a:",
        "://",
        "password",
        "password=",
        '"password": "',
        'token="\\',
        '\\"',
        "session ",
        "Bearer ",
        "eyJ",
        "-",
    ]
    + [
        "-----BEGIN PRIVATE KEY-----",
        "x-api-key: ",
        "--",
        "<password ",
        "?sig=",
        "cookie:",
        "a:b",
        "ghp_",
        "sk-",
        "=:",
        " ",
        "mysql -p",
        "docker login -p ",
        "<input value=",
        "signature=",
        "jdbc:oracle:thin:a/",
    ],
)
@pytest.mark.parametrize("end", ["", "@"])
def test_a_long_hostile_line_takes_linear_time(piece: str, end: str) -> None:
    took = []
    # A line that is much too long costs no more than the longest one that is looked at.
    for size in (MAX_LINE // 4, MAX_LINE - 1, 1 << 20):
        line = piece * (size // len(piece)) + end
        started = time.process_time()
        redact(line)
        took.append(time.process_time() - started)
    assert took[1] < max(0.5, 8 * took[0]) and took[2] < max(0.5, 4 * took[1]), took


@pytest.mark.parametrize("before", [0, 1, 10, 300, 5000])
@pytest.mark.parametrize(("head", "after"), [("://kim:", "@db"), ("token=", ""), ("", " sent with it")])
def test_of_a_line_that_is_too_long_no_half_secret_is_shown(before: int, head: str, after: str) -> None:
    secret = SECRET if head else JWT
    line = f"{'GET / 200 ' * MAX_LINE}"[: MAX_LINE - before] + f" {head}{secret}{after} " + "x y" * 3000
    shown = redact(line)
    assert not any(secret[:length] in shown for length in (8, len(secret)))
    assert shown.startswith("GET / 200 ") and shown.endswith(STARS) and len(shown) <= MAX_LINE + len(STARS)
