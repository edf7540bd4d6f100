# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in the lines of a file. Pure.

It goes by names and known forms (_redact.py). A secret without either can't be told from other words. References and
placeholders are none: templates, variables, what Ansible Vault or SOPS has encrypted, names of other things.
"""

from __future__ import annotations

import math
import re
import typing as t
from collections import Counter

from ansible_collections.mcp.server.plugins.module_utils import _redact

KINDS = {
    "private_key": "a private key",
    "known_token": "a token of a known form",
    "url_password": "a password in a URL",
    "bearer_token": "a bearer token",
    "named_value": "a value with the name of a secret",
    "command_option": "a password of a command",
    "kubernetes_secret": "a value in the manifest of a Secret",
}
MARK, MARK_NEXT = "pragma: allowlist secret", "pragma: allowlist nextline secret"  # as of detect-secrets
ENCRYPTED = "$ANSIBLE_VAULT"  # what a file begins with
# Files that are settings as a whole, so that a word is a value, too. In others, a value has to look like a secret.
SETTINGS = (".yml", ".yaml", ".ini", ".cfg", ".conf", ".env", ".properties", ".toml", ".json", ".tfvars", "")
MAX_LINES = 20_000
MAX_LINE = 4096  # characters of a line that are looked at
MIN_LENGTH = 8
MIN_BITS = 2.8  # of a character of what looks like a secret

_REFERENCE = re.compile(
    r"\{\{|\}\}|\{%|\$\{|\$\(|%\(|%s|\{\w*\}|<[^<>]*>|\.\.\.|…|\*{3}|!vault|!unsafe|ENC\[|lookup\(|getenv|environ|\w\(|"
    r"^[$%&/(\[{\\]|^~/|^\.{1,2}/|^[|>][-+]?$|^f[\"']|^[\w.]+\[|"
    r"^(?:op|vault|awssm|gcpsm|file|env|secret|ref)(?:\+[a-z]+)?:|^[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?:[x*#._-]+|your[-_ ].*|my[-_ ].*|.*(?:example|placeholder|changeme|change[-_ ]me|redacted|dummy|sample|insert|"
    r"replace|todo|fixme|s3cret).*|none|null|nil|true|false|yes|no|on|off|password|passwd|secret|token|string|str|bool|"
    r"int|dict|list|path|float|raw|\d{1,6}(?:\.\d+)?[smhd]?|sha256:.*|v?\d+(?:\.\d+)+)",
    re.IGNORECASE,
)
# Names of other things: DATABASE_URL, params.token, mcp-server-secrets.
_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{2,}")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*(?:[.-][A-Za-z_]\w*)*")
_BLOCK = re.compile(r"[|>][-+]?")  # a value in the lines that follow
_KEY = re.compile(r"\s*(?:- |export )?\{?\s?[\"']?[\w.-]*")  # the beginning of a line up to the name in its key
_OF_SECRET = re.compile(r"^(?P<indent>\s*(?:- )?)kind:\s*[\"']?Secret[\"']?\s*(?:#.*)?$")
_DATA = re.compile(r"^(?P<indent>\s*(?:- )?)(?:data|stringData):\s*(?:#.*)?$")
_ENTRY = re.compile(r"^(?P<indent>\s+)(?:[\"']?[\w.-]+[\"']?):\s*(?P<value>.*?)\s*$")


class Finding(t.NamedTuple):
    """What must not be there. It has no value. line: from 1."""

    line: int
    kind: str


def findings(text: str, suffix: str) -> list[Finding]:
    """Return what is found in the text of a file, once for each line and kind. suffix: of its name, such as .yml."""
    if text.startswith(ENCRYPTED):
        return []
    lines = text.splitlines()[:MAX_LINES]
    is_settings = suffix in SETTINGS
    found = [*_in_lines(lines, is_settings), *(_in_manifests(lines) if suffix in (".yml", ".yaml") else ())]
    return sorted({one for one in found if not _is_allowed(lines, one.line)})


def _is_allowed(lines: t.Sequence[str], number: int) -> bool:
    return MARK in lines[number - 1] or (number > 1 and MARK_NEXT in lines[number - 2])


def _in_lines(lines: t.Sequence[str], is_settings: bool) -> t.Iterator[Finding]:
    for number, whole in enumerate(lines, 1):
        line = whole[:MAX_LINE]
        for kind, name, value in _redact.secrets_in(line):
            if is_secret(kind, name, value, is_settings and _is_setting(line, kind, name)):
                yield Finding(number, kind)


def _is_setting(line: str, kind: str, name: str) -> bool:
    """Return whether a value is that of a setting, and no part of a sentence or a comment."""
    if line.lstrip().startswith(("#", ";", "//")):
        return False
    return kind == "url_password" or bool(name) and _KEY.fullmatch(line.partition(name)[0]) is not None


def is_secret(kind: str, name: str, value: str, is_setting: bool) -> bool:
    """Return whether a value is a secret, and no reference to one. is_setting: a word may be one."""
    value = value.strip().rstrip(",;").strip("\"'`")
    if kind == "private_key":
        return True
    if not value or _REFERENCE.search(value) or _PLACEHOLDER.fullmatch(value):
        return False
    if kind == "known_token":
        return len(set(value)) > MIN_LENGTH
    if _CONSTANT.fullmatch(value) or value.casefold() == name.casefold():
        return False
    if is_setting:
        return len(value) >= 3 and " " not in value
    return looks_like_one(value)


def looks_like_one(value: str) -> bool:
    """Return whether a value looks made by chance or by the rules for passwords: not short, no word, no name."""
    if len(value) < MIN_LENGTH or " " in value:
        return False
    has_digit, has_letter = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    if not has_digit or not has_letter or _IDENTIFIER.fullmatch(value) and not re.search(r"\d.*\d.*\d", value):
        return False
    return bits(value) >= MIN_BITS


def bits(value: str) -> float:
    """Return Shannon's entropy of a value, for each of its characters."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def _in_manifests(lines: t.Sequence[str]) -> t.Iterator[Finding]:
    """Yield the values in manifests of Secrets. A document ends with a line of three dashes."""
    begin = 0
    for end in [number for number, line in enumerate(lines) if line.startswith("---")] + [len(lines)]:
        yield from _in_document(lines, begin, end)
        begin = end + 1


def _in_document(lines: t.Sequence[str], begin: int, end: int) -> t.Iterator[Finding]:
    indents = {len(found["indent"]) for line in lines[begin:end] if (found := _OF_SECRET.match(line))}
    if not indents:
        return
    inside: int | None = None
    for number in range(begin, end):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        if inside is not None and indent <= inside:
            inside = None
        if inside is not None and (entry := _ENTRY.match(line)):
            value = entry["value"].strip("\"'")
            is_reference = not value or _REFERENCE.search(value) or _PLACEHOLDER.fullmatch(value)
            if not is_reference or _BLOCK.fullmatch(value):
                yield Finding(number + 1, "kubernetes_secret")
        elif (data := _DATA.match(line)) and len(data["indent"]) in indents:
            inside = indent
