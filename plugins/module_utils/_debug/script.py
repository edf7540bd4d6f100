# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What probes do in the cluster: one script for the shell of any image, with the tools that it finds there.

Nothing is put into the script: what is probed comes as its arguments, and answers leave it encoded. Each command that
it runs becomes one line of JSON (read()).
"""

from __future__ import annotations

import base64
import binascii
import json
import typing as t

WORDS = 3  # of each probe, after the script's own arguments
MAX_OUTPUT = 32768  # bytes of an answer
MAX_ERRORS = 1000  # bytes of a tool's complaint
AT_ONCE = 8  # probes
END = "done"  # the last line
MISSING = 127  # the exit code that a shell has for a command which is not there

# The arguments: seconds for each command, seconds to stay afterwards, what a modern and a legacy client ask an MCP
# server first and the revision of the former, and the three words of each probe.
SCRIPT = r"""
limit=$1 stay=$2 discover=$3 revision=$4 initialize=$5
shift 5
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
has() { command -v "$1" >/dev/null 2>&1; }
now() { read -r up rest </proc/uptime; printf '%s' "$up"; }
encode() {
    if has base64; then base64 | tr -d '\n'; else od -An -v -tx1 | tr -d ' \n'; fi
}
has base64 && coding=base64 || coding=hex
bounded() { if has timeout; then timeout "$limit" "$@"; else "$@"; fi; }
# step tool command...: run it, and write its line
run() {
    step=$1 tool=$2
    shift 2
    begun=$(now)
    { "$@" 2>"$here.errors" </dev/null; echo $? >"$here.code"; } | head -c MAX_OUTPUT >"$here.output"
    ended=$(now)
    printf '{"probe": %s, "step": "%s", "tool": "%s", "code": %s, "begun": %s, "ended": %s, "coding": "%s", ' \
        "$index" "$step" "$tool" "$(cat "$here.code")" "$begun" "$ended" "$coding"
    printf '"output": "%s", "errors": "%s"}\n' \
        "$(encode <"$here.output")" "$(head -c MAX_ERRORS "$here.errors" | encode)"
}
missing() { run "$1" "" sh -c 'exit 127'; }
# step url host options...
fetch() {
    step=$1 url=$2 host=$3
    shift 3
    if [ -n "$host" ]; then set -- "$@" -H "Host: $host"; fi
    run "$step" curl curl -q -sS -i -g -k --proto '=http,https' -m "$limit" "$@" -- "$url"
}
# url host: end the session that an answer has opened, perhaps
end_session() {
    session=$(tr -d '\r' <"$here.output" | sed -n 's/^[Mm][Cc][Pp]-[Ss][Ee][Ss][Ss][Ii][Oo][Nn]-[Ii][Dd]: *//p' |
        head -n 1 | tr -cd '[:graph:]' | head -c 200)
    if [ -n "$session" ]; then fetch DELETE "$1" "$2" -X DELETE -H "Mcp-Session-Id: $session"; fi
}
ask() {
    case $1 in
    dns)
        if has getent; then
            run resolve getent bounded getent ahosts "$2"
            case $(cat "$here.code") in 0 | 124 | 143) return ;; esac
        fi
        # It tells why, unlike the other one.
        if has nslookup; then run resolve nslookup bounded nslookup "$2"
        elif ! has getent; then missing resolve; fi
        ;;
    tcp)
        if has bash; then run connect bash bounded bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$2" "$3"
        elif has nc; then
            run connect nc bounded nc -z -v -w "$limit" "$2" "$3"
            # That of BusyBox mostly has no -z.
            case $(cat "$here.errors") in
            *"nvalid option"* | *"nrecognized option"*) run connect nc bounded nc -w "$limit" "$2" "$3" -e true ;;
            esac
        # It keeps a connection until its time is over.
        elif has curl; then
            run connect curl curl -q -s -g -m "$limit" -w '%{num_connects}' -- "telnet://$2:$3"
        else missing connect; fi
        ;;
    http)
        if has curl; then fetch GET "$2" "$3"
        elif has wget; then
            if [ -n "$3" ]; then run GET wget bounded wget -S -O - --header "Host: $3" -- "$2"
            else run GET wget bounded wget -S -O - -- "$2"; fi
        else missing GET; fi
        ;;
    mcp)
        if has curl; then
            for step in server/discover initialize; do
                set -- "$1" "$2" "$3"
                if [ "$step" = initialize ]; then body=$initialize
                else
                    body=$discover
                    set -- "$@" -H "MCP-Protocol-Version: $revision" -H "Mcp-Method: $step"
                fi
                url=$2 host=$3 kind=$1
                shift 3
                fetch "$step" "$url" "$host" "$@" -H 'Content-Type: application/json' \
                    -H 'Accept: application/json, text/event-stream' --data-binary "$body"
                end_session "$url" "$host"
                set -- "$kind" "$url" "$host"
            done
        else missing initialize; fi
        ;;
    esac
}
index=0 first=0
flush() {
    wait
    while [ "$first" -lt "$index" ]; do
        cat "$work/$first.lines"
        first=$((first + 1))
    done
}
while [ $# -ge 3 ]; do
    here=$work/$index
    ask "$1" "$2" "$3" >"$here.lines" 2>/dev/null &
    index=$((index + 1))
    shift 3
    if [ $((index % AT_ONCE)) -eq 0 ]; then flush; fi
done
flush
echo done
# In the background, so that a signal ends it at once.
if [ "$stay" -gt 0 ]; then sleep "$stay" & wait; fi
exit 0
"""
for _name, _value in {"MAX_OUTPUT": MAX_OUTPUT, "MAX_ERRORS": MAX_ERRORS, "AT_ONCE": AT_ONCE}.items():
    SCRIPT = SCRIPT.replace(_name, str(_value))


class Step(t.NamedTuple):
    """One command that the script ran. probe: the index of the probe. seconds: what it took, in hundredths."""

    probe: int
    name: str
    tool: str
    code: int
    seconds: float
    output: str
    errors: str


def literal(word: str) -> str:
    """Return a word of a container's command in which Kubernetes replaces nothing: $(NAME) means a variable there."""
    return word.replace("$", "$$")


def read(lines: t.Iterable[str]) -> tuple[list[Step], bool]:
    """Return the steps in the script's output, and whether it came to its end. What is no line of it is left out."""
    steps: list[Step] = []
    for line in lines:
        if line.strip() == END:
            return steps, True
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and (step := _step(found)):
            steps.append(step)
    return steps, False


def _step(found: dict[str, t.Any]) -> Step | None:
    try:
        return Step(
            int(found["probe"]),
            str(found["step"]),
            str(found["tool"]),
            int(found["code"]),
            max(0.0, round(float(found["ended"]) - float(found["begun"]), 2)),
            _decoded(found["output"], found["coding"]),
            _decoded(found["errors"], found["coding"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _decoded(text: str, coding: str) -> str:
    data = base64.b64decode(text) if coding == "base64" else binascii.unhexlify(text)
    return data[: 2 * MAX_OUTPUT].decode("utf-8", errors="replace")
