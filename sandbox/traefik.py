# SPDX-License-Identifier: GPL-3.0-or-later
"""Traefik, for the test of its kind of route: python -m sandbox.traefik builds it, once, and prints where it is.

It is built for that test only: its 1700 packages take as long as the cluster's own.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .images import BINARIES
from .machine import run, say
from .paths import CACHE, key

MODULE = "github.com/traefik/traefik/v3@v3.7.13"
# The fork that its go.mod names is not served by the module proxy; this older one of the same has the same functions.
AUTHENTICATION = ("v0.4.1-0.20260804094822-b975dcaa8c48", "v0.4.1-0.20200324110947-a37a7636d23e")
# What its module lacks: the files that a page is made of, and an empty module beside it.
MISSING = {
    "webui/static/index.html": "left out\n",
    "pkg/config/dynamic/ext/go.mod": "module github.com/traefik/traefik/dynamic/ext\n\ngo 1.24\n",
    "pkg/config/dynamic/ext/ext.go": "package ext\n\ntype HTTP struct{}\n\ntype Router struct{}\n",
}
# Certificates by way of 200 DNS services would be most of the build.
DNS = "github.com/go-acme/lego/v5/providers/dns"
NO_DNS = """package dns

import "errors"
import "github.com/go-acme/lego/v5/challenge"

func NewDNSChallengeProviderByName(string) (challenge.Provider, error) { return nil, errors.New("left out") }
"""


def binary() -> Path:
    """Traefik's executable. Raises SandboxError."""
    place = CACHE / f"traefik-{key(Path(__file__), run(['go', 'version']))}"
    if (place / "traefik").exists():
        return place / "traefik"
    source = place.with_suffix(".partial")
    shutil.rmtree(source, ignore_errors=True)
    say(f"traefik: fetching {MODULE}")
    module = Path(
        run(["go", "mod", "download", "-json", MODULE], cwd=BINARIES, timeout=300)
        .partition('"Dir": "')[2]
        .partition('"')[0]
    )
    shutil.copytree(module, source, copy_function=shutil.copyfile)
    for folder, _folders, _files in os.walk(source):
        os.chmod(folder, 0o755)
    for name, text in {**MISSING, "pkg/provider/acme/dns/dns.go": NO_DNS}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    _replace(source / "go.mod", *AUTHENTICATION)
    _replace(source / "pkg/provider/acme/provider.go", DNS, "github.com/traefik/traefik/v3/pkg/provider/acme/dns")
    say("traefik: building, at most 20 minutes")
    environment = {"GOGC": "off", "GOMEMLIMIT": "3GiB"}
    command = [
        "nice",
        "go",
        "build",
        "-mod=mod",
        "-p",
        "2",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags=-s -w",
        "-o",
        "traefik",
        "./cmd/traefik",
    ]
    run(command, cwd=source, env=environment, timeout=1200)
    place.mkdir(parents=True, exist_ok=True)
    (source / "traefik").rename(place / "traefik")
    shutil.rmtree(source)
    return place / "traefik"


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    if old not in text:
        raise ValueError(f"{file} has no {old} any more")
    file.write_text(text.replace(old, new))


if __name__ == "__main__":
    print(binary())
