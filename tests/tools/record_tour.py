# SPDX-License-Identifier: GPL-3.0-or-later
"""Record the tour of the README on the sandbox: record_tour.py [--draw]

It runs a reader's commands on the first server of a sandbox that was just made, under a small load, and writes
docs/tour.cast (asciicast 2, which `asciinema play` shows), docs/tour.md and docs/images/tour.svg. --draw writes the
last two out of the recording that is there.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import typing as t
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from record_terminal import COLUMNS, cleaned  # noqa: E402

DOCS = ROOT / "docs"
CAST, PAGE, PICTURE = DOCS / "tour.cast", DOCS / "tour.md", DOCS / "images" / "tour.svg"
TITLE = "mcp.server: a release, and one that goes wrong"

ROWS = 30
CHARACTER, LINE, MARGIN, BAR = 6.6, 15.5, 14, 26  # pixels at a font size of 11
SECONDS = 120.0  # that the tour may take
READ = 6.0  # of them, at its end, to read the last screen
LEAST = 0.12  # between two lines, so that an eye can follow
MINUTES = 8.0  # for all its commands

VERSION, BAD_VERSION = "v1.2.0", "v1.2.1-errors-late"
# As a team would have them, in a minute.
STEPS = [{"weight": 10, "seconds": 20}, {"weight": 50, "seconds": 45}, {"weight": 100, "seconds": 5}]


@dataclass(frozen=True)
class Scene:
    """told: what a reader is told before the command. code: how it ends."""

    told: str
    command: str
    code: int = 0


SCENES = (
    Scene("Could a release begin?", f"ansible-playbook mcp.server.preflight -i inventory.yml -e version={VERSION}"),
    Scene(
        "Release it: 10 %, 50 %, 100 %, each judged by its metrics.",
        f"ansible-playbook mcp.server.bluegreen -i inventory.yml -e version={VERSION}",
    ),
    Scene("How is the server now?", "ansible-playbook mcp.server.status -i inventory.yml"),
    Scene(
        "The next version begins to fail a minute after its start.",
        f"ansible-playbook mcp.server.bluegreen -i inventory.yml -e version={BAD_VERSION}",
        2,
    ),
    Scene("Who has the traffic?", "ansible-playbook mcp.server.status -i inventory.yml"),
)


class Line(t.NamedTuple):
    """at: seconds from the start of the recording."""

    at: float
    text: str


def timed(raw: t.Sequence[Line], shown: t.Sequence[str]) -> list[Line]:
    """Return the shown lines, each at the time of the first raw line from there on that begins like it. Pure."""
    found, place, at = [], 0, raw[0].at if raw else 0.0
    for text in shown:
        start = text.strip()[:40]
        for here in range(place, len(raw)):
            if start and raw[here].text.strip().startswith(start):
                place, at = here + 1, raw[here].at
                break
        found.append(Line(at, text))
    return found


def cast(lines: t.Sequence[Line], recorded: int) -> str:
    """Return a recording as asciicast 2. recorded: when, in seconds since 1970. Pure."""
    limit = idle_limit([line.at for line in lines])
    header = {"version": 2, "width": COLUMNS, "height": ROWS, "timestamp": recorded, "idle_time_limit": limit}
    events = [[round(line.at, 2), "o", f"{line.text}\r\n"] for line in lines]
    rows = [{**header, "title": TITLE}, *events]
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def read_cast(text: str) -> tuple[dict[str, t.Any], list[Line]]:
    header, *events = map(json.loads, text.splitlines())
    return header, [Line(at, out.removesuffix("\r\n")) for at, _kind, out in events]


def idle_limit(times: t.Sequence[float]) -> float:
    """Return the longest pause, in tenths of a second, with which it all takes SECONDS at most. Pure."""
    for tenths in range(100, 0, -1):
        if played(times, tenths / 10)[-1] <= SECONDS - READ:
            return tenths / 10
    return 0.1


def played(times: t.Sequence[float], limit: float) -> list[float]:
    """Return the times at which lines are shown, with no pause longer than this, or shorter than LEAST. Pure."""
    found, now, before = [], 0.5, times[0]
    for at in times:
        now += max(min(at - before, limit), LEAST)
        before = at
        found.append(round(now, 2))
    return found


def scenes(lines: t.Sequence[Line]) -> list[tuple[str, list[Line]]]:
    """Return the lines of each command, from its own on, with what is told before it. Pure."""
    found: list[tuple[str, list[Line]]] = []
    for line in lines:
        if line.text.startswith("# "):
            found.append((line.text.removeprefix("# "), []))
        elif found:
            found[-1][1].append(line)
    return found


def page(text: str) -> str:
    """Return docs/tour.md of a recording. Pure."""
    header, lines = read_cast(text)
    day = time.strftime("%Y-%m-%d", time.gmtime(header["timestamp"]))
    about = (
        f"Recorded on {day} on the sandbox (`make sandbox`), under a small load of clients. Tasks that say nothing are "
        f"left out, and in the picture no pause is longer than {header['idle_time_limit']} s. "
        "`asciinema play docs/tour.cast` shows the same in a terminal. The inventory is the "
        "[README's](../README.md#start), with steps of "
        f"{', '.join(str(step['seconds']) for step in STEPS[:-1])} and {STEPS[-1]['seconds']} seconds."
    )
    parts = [
        "# A tour in two minutes\n",
        "<!-- Written by tests/tools/record_tour.py. -->\n",
        '<img alt="A terminal: pre-flight checks pass, v1.2.0 is released in three steps, and a version that begins to '
        'fail under traffic is taken back by itself. The text follows below." src="images/tour.svg" width="780">\n',
        textwrap.fill(about, COLUMNS, break_long_words=False, break_on_hyphens=False) + "\n",
    ]
    for told, its in scenes(lines):
        took = its[-1].at - its[0].at
        block = "\n".join(line.text for line in its).strip()
        parts.append(f"## {told}\n\n```console\n{block}\n```\n\nIt took {took:.0f} s.\n")
    return "\n".join(parts)


# The first that matches colours the line.
COLOURS = (
    ("told", re.compile(r"# ")),
    ("typed", re.compile(r"\$ ")),
    ("bad", re.compile(r"fatal: |\[ERROR|.*\b(FAILED|breached|rolled back|rolling back)\b")),
    ("good", re.compile(r".*(is live on|\bpassed\b)")),
    ("task", re.compile(r"(TASK|PLAY)\b")),
)


def colour(text: str) -> str:
    return next((name for name, pattern in COLOURS if pattern.match(text)), "")


def picture(text: str) -> str:
    """Return the recording as an SVG that scrolls line by line, again and again. Pure."""
    header, lines = read_cast(text)
    times = played([line.at for line in lines], header["idle_time_limit"])
    whole = times[-1] + READ
    width, height = round(COLUMNS * CHARACTER + 2 * MARGIN), round(BAR + ROWS * LINE + MARGIN)
    rows, steps = [], ["0%{transform:translateY(0)}"]
    for number, line in enumerate(lines, 1):
        if line.text:
            kind = colour(line.text)
            attribute = f' class="{kind}"' if kind else ""
            rows.append(f'<text y="{number * LINE:g}"{attribute}>{escape(line.text[:COLUMNS], quote=False)}</text>')
        steps.append(f"{100 * times[number - 1] / whole:.2f}%{{transform:translateY({-number * LINE:g}px)}}")
    end = -len(lines) * LINE
    steps.append(f"100%{{transform:translateY({end:g}px)}}")
    style = (
        "text{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d8dee9;white-space:pre}"
        ".told{fill:#ffffff;font-weight:bold}.typed{fill:#88c0d0}.bad{fill:#f0868f}.good{fill:#a3d38c}.task{fill:#9aa5b8}"
        f".tour{{animation:tour {whole:.1f}s step-end infinite}}"
        f"@keyframes tour{{{''.join(steps)}}}"
        f"@media(prefers-reduced-motion:reduce){{.tour{{animation:none;transform:translateY({end:g}px)}}}}"
    )
    top = BAR + ROWS * LINE - LINE / 4
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'aria-labelledby="title description">',
            f'<title id="title">{escape(TITLE)}</title>',
            '<desc id="description">Written by tests/tools/record_tour.py. The same as text: docs/tour.md.</desc>',
            f"<style>{style}</style>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#1f2430"/>',
            f'<text x="{width / 2:g}" y="17" text-anchor="middle" class="task">{escape(TITLE)}</text>',
            f'<clipPath id="screen"><rect x="0" y="{BAR}" width="{width}" height="{ROWS * LINE:g}"/></clipPath>',
            f'<g clip-path="url(#screen)"><g transform="translate({MARGIN} {top:g})"><g class="tour">',
            *rows,
            "</g></g></g>",
            "</svg>\n",
        ]
    )


def draw(text: str) -> None:
    PAGE.write_text(page(text))
    PICTURE.write_text(picture(text))


INVENTORY = """mcp:
  hosts:
    mcp-server:
      mcp_namespace: {namespace}
      mcp_kubeconfig: {kubeconfig}
      mcp_image: {image}
      mcp_registry: {registry_url}
      mcp_endpoint: {{url: {public_url}, host: {host}}}
      mcp_health_path: /health
      mcp_health_checks: ["status == 'HEALTHY'"]
      mcp_compare_version: [health]
      mcp_prometheus: {{url: {prometheus_url}, source: [envoy, app, kubelet]}}
      mcp_gates: {{latency_rise: {{enabled: false}}}}
      mcp_warm_seconds: 5
      mcp_steps: {steps}
"""


def run(scene: Scene, folder: Path, environment: dict[str, str], begun: float) -> list[Line]:
    """Run a command, and return what it shows. Exits when it does not end as it should."""
    start = time.monotonic() - begun
    words = scene.command.split()
    deadline = begun + 60 * MINUTES - time.monotonic()
    raw = []
    process = subprocess.Popen(
        ["timeout", f"{deadline:.0f}", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        raw.append(Line(time.monotonic() - begun, line.rstrip("\n")))
        print(f"{raw[-1].at:6.1f} {raw[-1].text}", flush=True)
    if process.wait() != scene.code:
        sys.exit(f"{scene.command} ended with {process.returncode}, not {scene.code}.")
    shown = cleaned("\n".join(line.text for line in raw), longest=COLUMNS).rstrip("\n").splitlines()
    end = time.monotonic() - begun
    return [Line(start, f"# {scene.told}"), Line(start, f"$ {scene.command}"), *timed(raw, shown), Line(end, "")]


def record() -> str:
    """Run all scenes on the sandbox, and return the recording."""
    from sandbox import demo  # which reads the environment when it is imported

    info = json.loads(Path("/var/lib/mcp-sandbox/sandbox.json").read_text())
    server = info["servers"][0]
    demo.start_over()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inventory.yml").write_text(INVENTORY.format(**{**info, **server}, steps=json.dumps(STEPS)))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(demo.COLLECTIONS),
            "ANSIBLE_NOCOLOR": "1",
            "COLUMNS": "90",
            "PYTHONUNBUFFERED": "1",
        }
        words = (sys.executable, "-m", "sandbox.load", info["public_url"], server["host"], str(folder / "load.json"))
        load = subprocess.Popen([*words, "--rate", "40"], cwd=ROOT)
        try:
            begun = time.monotonic()
            lines = [line for scene in SCENES for line in run(scene, folder, environment, begun)]
        finally:
            load.send_signal(signal.SIGTERM)
            load.wait(30)
    return cast(lines, int(time.time()))


def main() -> None:
    if sys.argv[1:] not in ([], ["--draw"]):
        sys.exit(__doc__)
    if not sys.argv[1:]:
        CAST.write_text(record())
    draw(CAST.read_text())


if __name__ == "__main__":
    main()
