# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that stand in for load tools: they take the same words, and write the same documents.

What the real vegeta does is in the target mcp_load_test; k6 is nowhere in the tests, as it is AGPL and the user's own.
"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

# Sends each request at once, one after the other, and tells of them as if they were sent at the rate. What else it
# does is in the environment.
_VEGETA = """#!{python}
import base64, http.client, json, os, sys, time, urllib.parse
mode = os.environ.get("STAND_IN", "")
if sys.argv[1] == "encode":
    sys.stdout.writelines(sys.stdin)
    sys.exit(0)
given = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[2:])
with open(os.environ["STAND_IN_LOG"], "a") as log:
    log.write(json.dumps(sys.argv) + "\\n")
targets = [json.loads(line) for line in sys.stdin]
is_real = len(targets) > 1 or "127.0.0.1" in targets[0]["url"] and targets[0]["url"].endswith("/mcp")
if mode == "fails" and is_real or mode == "fails early":
    sys.exit("cannot go on: " + targets[0]["header"].get("Authorization", ["x"])[0])
if mode == "hangs" and is_real:
    time.sleep(60)
rate = int(given["rate"].partition("/")[0])
count = rate * int(given["duration"].rstrip("s"))
if mode == "slow" or mode == "starved" and is_real:
    count //= 10
connection, begun = None, time.time()
for number in range(count):
    target = targets[number % len(targets)]
    parts = urllib.parse.urlsplit(target["url"])
    body, code, error, start = b"", 0, "", time.time()
    try:
        connection = connection or http.client.HTTPConnection(parts.netloc, timeout=5)
        headers = {{name: values[0] for name, values in target["header"].items()}}
        connection.request("POST", parts.path, base64.b64decode(target["body"]), headers)
        answer = connection.getresponse()
        body, code = answer.read(), answer.status
    except Exception as failure:
        error, connection = f'Post "{{target["url"]}}": dial tcp: {{failure}}', None
    print(json.dumps({{
        "code": code,
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(begun + number / rate))
        + f"{{(begun + number / rate) % 1:.9f}}"[1:] + "Z",
        "latency": int((time.time() - start) * 1e9),
        "error": error,
        "body": base64.b64encode(body[:int(given["max-body"])]).decode(),
    }}))
last = {{"code": 0, "timestamp": "2026-11-28T00:00:00Z", "latency": 1, "error": "no targets to attack", "body": None}}
print(json.dumps(last))
"""

_K6 = """#!{python}
import json, os, sys
file = sys.argv[sys.argv.index("--summary-export") + 1]
with open(os.environ["STAND_IN_LOG"], "a") as log:
    log.write(json.dumps({{"argv": sys.argv, "threshold": os.environ.get("K6_NO_THRESHOLDS")}}) + "\\n")
if "STAND_IN_SUMMARY" in os.environ:
    with open(file, "w") as out:
        out.write(os.environ["STAND_IN_SUMMARY"])
sys.stderr.write("the script says something")
sys.exit(int(os.environ.get("STAND_IN_CODE", "0")))
"""

# The form of --summary-export, as k6 documents it: a threshold is true when it was crossed.
SUMMARY: dict[str, t.Any] = {
    "metrics": {
        "http_reqs": {"count": 500, "rate": 50.1},
        "http_req_failed": {"passes": 2, "fails": 498, "value": 0.004, "thresholds": {"rate<0.02": False}},
        "http_req_duration": {
            "count": 500,
            "avg": 20.1,
            "min": 3.2,
            "med": 17.0,
            "max": 180.5,
            "p(90)": 40.0,
            "p(95)": 61.5,
            "thresholds": {"p(95)<200": False},
        },
        "vus": {"value": 10, "min": 1, "max": 10},
    },
    "root_group": {"name": "", "path": "", "groups": {}, "checks": {}},
}


def vegeta(folder: Path) -> str:
    """Write the program that stands in for vegeta, and return its path."""
    return _written(folder / "vegeta", _VEGETA)


def k6(folder: Path) -> str:
    """Write the program that stands in for k6, and return its path."""
    return _written(folder / "k6", _K6)


def _written(file: Path, text: str) -> str:
    file.write_text(text.format(python=sys.executable))
    file.chmod(0o755)
    return str(file)


def calls(log: Path) -> list[t.Any]:
    """Return what the programs were called with."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
