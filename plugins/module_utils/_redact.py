# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log lines of others, without the secrets in them. Pure.

What is hidden: values that have the name of a secret (in headers, JSON, URLs, options of commands and exports of
environments), passwords in URLs, private keys, JWTs, and tokens of known forms. Digests, UUIDs, names of pods and times
stay, as they are what a line is read for.

Where it is unclear where a secret ends, too much is hidden. A secret without a name and without a known form can't be
told from other words: it stays.

No library does this: the known ones look for secrets in files (detect-secrets, trufflehog), or for personal data, and
need much more than a controller has.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._text import STARS

# A text is never longer afterwards than this many times its length: the shortest secret is a character with its name.
MAX_GROWTH = 3
MAX_KEY_LINES = 256  # of a private key; one of 16384 bits has 200
ROUNDS = 4  # at most; a second one is needed where one secret hid the name of the next
MAX_LINE = 32 * 1024  # characters of a line that are looked at; the rest of a longer one is hidden
LONGEST_WORD = 1024  # characters before that end, among which the last word is left out: it may be half a secret

# What a name ends with whose value is secret. DB_PASSWORD and accessToken are such names; tokens and secretName aren't.
_NAMES = (
    r"passw(?:or)?d|passphrase|passcode|(?<![a-z])(?:pwd|pass|psw|pw|userpass)|secret|token|api[-_ ]?key|credentials?|"
    r"(?:access|account|auth|client|encryption|master|private|secret|shared|signing|subscription)[-_]?key(?:[-_]?id)?|"
    r"proxy-authorization|authorization|jwt|(?<![a-z])otp|(?<=_)auth|(?<=[\"'])auth(?=[\"'])|"
    r"x-amz-(?:credential|signature)|x-goog-(?:credential|signature)|connection[-_]?string|sharedaccesssignature"
)
# In a URL's query these, too, when the value is long.
_SHORT_NAMES = r"code|key|sig|signature|sid|session|auth|assertion|access|hash|state|ticket"
# Words that follow a name in a sentence ("Unexpected token: expected a value"), and values that are none.
_WORDS = (
    r"(?:an?|the|is|was|were|has|had|have|no|not|none|null|nil|true|false|undefined|empty|must|cannot|could|can|does|"
    r"did|expected|unexpected|expired|invalid|missing|required|malformed|unknown|unauthorized|forbidden|failed|"
    r"rejected|refused|denied|error|signature|authentication|verification|validation)(?![^\s.,;:!)\]}\"'])"
)
_SCHEME = r"(?:bearer|basic|token|apikey|digest|negotiate|dpop|aws4-hmac-sha256)"
# Between a name and its value: of assignments, headers, JSON (escaped in JSON, too), lists of pairs, and the two
# members by which Kubernetes has an environment. A value may stand in a list.
_BETWEEN = (
    r"(?P<between>\\*[\"'`]?\s{0,4}(?::=|=>|=|:|%3[ad])\s{0,4}[\[(]?\s?|"
    r"\\*[\"']\s{0,4},\s{0,4}\\*[\"']value\\*[\"']\s{0,4}:\s{0,4}|"
    r"\\*[\"']\s{0,4},\s{0,4}(?=[bur]?\\*[\"']))"
)
# A quoted value ends at the quote of its kind that is not escaped, or with the line.
_QUOTED = (
    r"(?P<open>[bur]?(?P<quote>\"{3}|'{3}|[\"'`]))(?P<scheme>"
    + _SCHEME
    + r"\s+)?(?P<quoted>(?:\\.|(?!(?P=quote))[^\\]|(?P=quote){2})+)|"
    r"(?P<open2>[bur]?(?P<quote2>\\+[\"']))(?P<scheme2>" + _SCHEME + r"\s+)?(?P<quoted2>.+?)(?=(?<!\\)(?P=quote2)|$)"
)
_NAMED = re.compile(
    rf"(?P<name>{_NAMES}){_BETWEEN}(?:{_QUOTED}|(?!{_WORDS}|\*{{8}}[&#])(?P<scheme3>{_SCHEME}\s+)?"
    rf"(?P<plain>[^\s;\"'`<>]+(?:(?<==)[\"'][^\"']*[\"']?)?))",
    re.IGNORECASE,
)
# In a sentence, a value with a digit: "token is 4c1e6f0b", "with password 'a1b2c3d4'".
_SPOKEN = re.compile(
    r"(?P<head>(?:passw(?:or)?d|passphrase|passcode|token|(?:api|access)[-_ ]?key|jwt)\s{1,4}(?:(?:is|was|of)\s{1,4})?"
    r"[\"'`]?)(?=[^\s\"'`*]{0,200}\d)(?=[^\s\"'`*]{0,200}[A-Za-z])(?P<plain>[^\s\"'`,;<>*()\[\]]{8,})",
    re.IGNORECASE,
)
_IN_QUERY = re.compile(rf"(?P<head>[?&;][\w.-]{{0,40}}(?:{_NAMES})=)(?P<plain>[^\s&#;\"'`<>]+)", re.IGNORECASE)
_SHORT_IN_QUERY = re.compile(rf"(?P<head>[?&](?:{_SHORT_NAMES})=)(?P<plain>[^\s&#;\"'`<>]{{12,}})", re.IGNORECASE)
_OPTION = re.compile(
    rf"(?P<head>(?<![^\s\"'\[,])--?[\w-]{{0,40}}(?:{_NAMES})(?:[\"'],)?\s{{1,4}}[\"']?)(?![-\s])(?P<plain>[^\s\"']+)",
    re.IGNORECASE,
)
_ELEMENT = re.compile(rf"(?P<head><[\w:.-]{{0,40}}(?:{_NAMES})(?:\s[^<>]{{0,100}})?>)(?P<plain>[^<]+)", re.IGNORECASE)
# Their parameters have quotes of their own.
_DIGEST = re.compile(
    r"(?P<head>(?:authorization\\*[\"']?\s{0,4}[:=]\s{0,4}\\*[\"']?(?:digest|aws4-hmac-sha256))\s)(?P<plain>.+)",
    re.IGNORECASE,
)
_COOKIE = re.compile(
    r"(?P<head>(?<![a-z])(?:set-)?cookie(?:\\*[\"'])?\s{0,4}[:=,]\s{0,4}[\[(]?\s?(?:[bur]?\\*[\"'])?)"
    rf"(?!{_WORDS})(?P<plain>[^\s\"'\\][^\"'\\]*)",
    re.IGNORECASE,
)
_BEARER = re.compile(
    r"(?P<head>\b(?:bearer|[Bb]asic):?\s{1,4})(?![a-z_]{1,40}=[\"'])(?=[a-z_-]{0,200}[A-Z0-9.~+/=])"
    r"(?P<plain>[\w.~+/=-]{8,})",
)
_BEARER_UPPER = re.compile(_BEARER.pattern.replace("bearer|[Bb]asic", "Bearer|BEARER|BASIC"))
# A session lets its holder act as the client. Its pool and its first characters stay, to tell lines of one from others.
_SESSION = re.compile(
    r"(?P<head>(?<![a-z])(?:mcp[-_])?session(?:[-_ ]?id)?(?:\\*[\"'])?\s{0,4}[:=,]?\s{0,4}(?:[bur]?\\*[\"'])?\(?)"
    r"(?P<id>(?:blue-|green-)?(?=[a-z_-]{0,200}\d)[\w.~+/=-]{16,})",
    re.IGNORECASE,
)
_SESSION_ID = re.compile(
    r"(?P<head>(?<![a-z])(?:mcp[-_])?session[-_ ]?id(?:\\*[\"'])?\s{0,4}[:=,]\s{0,4}(?:[bur]?\\*[\"'])?)"
    r"(?P<id>(?=[a-z_-]{0,200}\d)[\w.~+/=-]{8,})(?![\w.~+/=*-])",
    re.IGNORECASE,
)
_USER = re.compile(r"(?P<head>(?<![^\s\"'])(?:-u|--user)[\s=][\"']?[^\s:\"']{1,64}:)(?P<plain>[^\s\"']+)")
# Commands whose option for a password is one letter, and statements of databases.
_COMMAND = re.compile(
    r"(?P<head>\b(?:mysql|mariadb)[\w-]{0,20}\s(?:[^|;]{0,200}?\s)?-p[\"']?)(?P<plain>[^\s\"']+)|"
    r"(?P<head2>\b(?:sshpass|(?:docker|podman|buildah|skopeo|helm|oras|az|oc)\s[^|;]{0,40}?login)\s"
    r"(?:[^|;]{0,200}?\s)?-p\s{0,4}[\"']?)(?P<plain2>[^\s\"']+)|"
    r"(?P<head3>\bredis-cli\s(?:[^|;]{0,200}?\s)?-a\s{1,4}[\"']?|\brequirepass\s{1,4}[\"']?|"
    r"\bidentified\s{1,4}by\s{1,4}(?:password\s{1,4})?\\*[\"']|"
    r"\bjdbc:oracle:\w{1,10}:[^\s/@]{1,64}/(?=[^\s@]{1,256}@))(?P<plain3>[^\s\"'@\\]+)",
    re.IGNORECASE,
)
# A signature lets its holder act as well; a word after it, such as that it is valid, is none.
_SIGNATURE = re.compile(
    r"(?P<head>(?<![a-z])sig(?:nature)?(?:\\*[\"'])?\s{0,4}[:=]\s{0,4}(?:\\*[\"'])?)"
    r"(?!sha\d{1,3}:)(?=[a-z_-]{0,200}[A-Z0-9%+/=])(?P<plain>[\w.%+/=-]{12,})",
)
_INPUT = re.compile(r"<input\s[^<>]{0,1000}>?", re.IGNORECASE)
_IS_SECRET_INPUT = re.compile(
    rf"\s(?:type|name|id)\s{{0,4}}=\s{{0,4}}\\*[\"']?[\w.-]{{0,40}}(?:{_NAMES})(?![a-z])", re.IGNORECASE
)
_VALUE_OF_INPUT = re.compile(
    r"(?P<head>\svalue\s{0,4}=\s{0,4})(?P<plain>\\*\"[^\"]*\"?|\\*'[^']*'?|[^\s\"'>]+)", re.IGNORECASE
)
_SHOWN_OF_SESSION = 6
# scheme://user:password@host, up to the last @; a colon before a port and a path is none. With a password the user
# stays. Go's drivers for MySQL have no scheme.
_URL = re.compile(
    r"(?P<head>://[^\s/@:\"'<>?#\[]{0,128}:)(?!\d{1,5}(?:[/?#\s]|$))(?P<plain>[^\s\"'<>]{1,300})(?=@)|"
    r"(?P<head2>://)(?P<plain2>[^\s/@:\"'<>?#\[]{16,512})(?=@)|"
    r"(?P<head3>(?<![\w./-])[\w.-]{1,64}:)(?P<plain3>[^\s\"'@/]{1,256})"
    r"(?=@(?:(?:tcp|unix)\(|(?!sha\d)[\w.-]{1,100}(?::\d|/)))"
)
_FORMS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"eyJ[\w-]{10,}(?:\.[\w-]*){0,4}|"  # JWT, also encrypted or cut short
    r"gh[opsur]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|"
    r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-[\w.-]{16,}|"
    r"xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])|"
    r"sk-(?=[a-z_-]{0,40}[A-Z0-9])[\w-]{16,}|[rs]k_(?:live|test)_\w{10,}|whsec_\w{16,}|"
    r"AIza[\w-]{30,}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{16,}|"
    r"npm_[A-Za-z0-9]{30,}|pypi-AgE[\w-]{16,}|hf_[A-Za-z0-9]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|"
    r"do[opr]_v1_[a-f0-9]{40,}|hv[sbr]\.[\w-]{20,}|dckr_[a-z]{2,4}_[\w-]{20,}|sha256~[\w-]{20,}|"
    r"AGE-SECRET-KEY-1[A-Z0-9]{40,}|\d{8,10}:AA[\w-]{33}|"
    r"(?<=hooks\.slack\.com/)services/[\w/]{16,}"
    r")"
)
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----")
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----")


_KEY_LINE = re.compile(r"(?:[A-Za-z0-9+/]{16,}={0,2}|^[A-Za-z0-9+/]+={0,2})[\"']?$|(?:Proc-Type|DEK-Info): ")
_IS_NAME = re.compile(rf"(?:{_NAMES})$", re.IGNORECASE)


class Redactor:
    """The lines of one stream, in their order: a private key goes over several of them."""

    def __init__(self) -> None:
        self._key_lines = 0

    @property
    def in_key(self) -> bool:
        """Return whether a private key has begun and not ended."""
        return self._key_lines > 0

    def line(self, line: str) -> str:
        """Return a line without the secrets in it."""
        whole = self._without_keys(line)
        if len(whole) <= MAX_LINE:
            return _redacted(whole)
        # Nobody reads so long a line, and a hostile one would take seconds.
        end = whole.rfind(" ", MAX_LINE - LONGEST_WORD, MAX_LINE) + 1 or MAX_LINE - LONGEST_WORD
        return _redacted(whole[:end]) + STARS

    def _without_keys(self, line: str) -> str:
        parts, at = [], 0
        if self._key_lines:
            end = _KEY_ENDS.search(line)
            if end is None:
                self._key_lines -= 1
                return STARS if line.strip() else line
            self._key_lines, at = 0, end.end()
            parts.append(STARS)
        while begin := _KEY_BEGINS.search(line, at):
            parts += [line[at : begin.start()], STARS]
            end = _KEY_ENDS.search(line, begin.end())
            if end is None:
                self._key_lines = MAX_KEY_LINES
                return "".join(parts)
            at = end.end()
        return "".join([*parts, line[at:]])


def is_secret_name(name: str) -> bool:
    """Return whether a name is one whose value is secret, such as that of an environment variable."""
    return _IS_NAME.search(name) is not None


# What a file must not have, by kind. Sessions, cookies and words of sentences are left out: in a file, they are
# examples.
_IN_FILES: t.Sequence[tuple[str, tuple[re.Pattern[str], ...]]] = (
    ("private_key", (_KEY_BEGINS,)),
    ("known_token", (_FORMS,)),
    ("url_password", (_URL,)),
    ("bearer_token", (_BEARER, _BEARER_UPPER)),
    ("named_value", (_NAMED,)),
    ("command_option", (_OPTION, _USER, _COMMAND)),
)


def secrets_in(line: str) -> t.Iterator[tuple[str, str, str]]:
    """Yield what may be a secret in a line of a file: its kind, its name where it has one, and its value. Pure."""
    for kind, patterns in _IN_FILES:
        for pattern in patterns:
            if pattern is _URL and "@" not in line:
                continue
            for found in pattern.finditer(line[:MAX_LINE]):
                part = {key: value or "" for key, value in found.groupdict().items()}
                values = (part.get(key, "") for key in ("quoted", "quoted2", "plain", "plain2", "plain3"))
                yield kind, part.get("name", ""), next(filter(None, values), found[0])


def redacted_tail(lines: t.Sequence[str]) -> list[str]:
    """Return the last lines of a stream without the secrets in them: they may begin within a private key."""
    shown: list[str] = []
    redactor = Redactor()
    for number, line in enumerate(lines):
        end = _KEY_ENDS.search(line)
        if end is not None and _KEY_BEGINS.search(line, 0, end.start()) is None and not redactor.in_key:
            since = max(0, number - MAX_KEY_LINES)
            shown[since:] = [STARS if _KEY_LINE.search(one) else one for one in shown[since:]]
            shown[-1:] = [STARS] if shown else []  # the last line of a key may be short
            line = STARS + line[end.end() :]
        shown.append(redactor.line(line))
    return shown


def redact(text: str) -> str:
    """Return a text of one or more lines without the secrets in it. What is redacted stays as it is."""
    redactor = Redactor()
    return "\n".join(redactor.line(line) for line in text.split("\n"))


def _redacted(line: str) -> str:
    for _round in range(ROUNDS):
        before = line
        for pattern, replacement in _RULES:
            if pattern is not _URL or "@" in line:  # it is the slow one
                line = pattern.sub(replacement, line)
        if line == before:
            break
    return line


def _stars(found: re.Match[str]) -> str:
    parts = found.groupdict()
    return (parts["head"] or parts.get("head2") or parts.get("head3") or "") + STARS


def _input(found: re.Match[str]) -> str:
    """Return the same field of a form, without its value where that is secret."""
    tag = found[0]
    return _VALUE_OF_INPUT.sub(_stars, tag) if _IS_SECRET_INPUT.search(tag) else tag


def _value(found: re.Match[str]) -> str:
    """Return the same name, with stars for its value. The scheme of a header stays."""
    part = found.groupdict(default="")
    scheme = part["scheme"] or part["scheme2"] or part["scheme3"]
    return f"{part['name']}{part['between']}{part['open'] or part['open2']}{scheme}{STARS}"


def _session(found: re.Match[str]) -> str:
    mark, name = "", found["id"]
    for pool in ("blue-", "green-"):
        if name.startswith(pool):
            mark, name = pool, name[len(pool) :]
    return found["head"] + mark + (name[:_SHOWN_OF_SESSION] if len(name) >= 20 else "") + STARS


_RULES: t.Sequence[tuple[re.Pattern[str], t.Callable[[re.Match[str]], str]]] = (
    (_URL, _stars),
    (_DIGEST, _stars),
    (_COOKIE, _stars),
    (_IN_QUERY, _stars),
    (_SHORT_IN_QUERY, _stars),
    (_OPTION, _stars),
    (_ELEMENT, _stars),
    (_INPUT, _input),
    (_NAMED, _value),
    (_SPOKEN, _stars),
    (_USER, _stars),
    (_COMMAND, _stars),
    (_SIGNATURE, _stars),
    (_SESSION, _session),
    (_SESSION_ID, _session),
    (_BEARER, _stars),
    (_BEARER_UPPER, _stars),
    (_FORMS, lambda found: STARS),
)
