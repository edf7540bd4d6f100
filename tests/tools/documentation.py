# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make docs: a site of all pages and of the collection's reference, as static files: documentation.py [FOLDER].

Sphinx reads the folder `source`, a copy of the pages in which links lead to pages of the site, and what antsibull-docs
makes of the documentation of modules, roles, filters and lookups. It builds again only what has changed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import typing as t
from datetime import date
from pathlib import Path, PurePosixPath

import yaml

ROOT = Path(__file__).resolve().parents[2]
# Ansible finds no role in a folder ansible_collections that is within another one.
INSTALLED = ROOT.parts[-3:] == ("ansible_collections", "mcp", "server")
COLLECTIONS = ROOT.parents[2] if INSTALLED else ROOT / "playbooks" / "collections"
sys.path.insert(0, str(COLLECTIONS))

SITE = ROOT / "tests" / "site"
# The menu. Pages of docs/ that are in no part of it are in the part "More", in the README's order.
MENU = {
    "Start": ("tour", "quickstart", "examples/README", "playbooks", "variables", "glossary", "comparison"),
    "The guide": ("guide/README",),
    "Before a release": (
        "before",
        "preflight",
        "compatibility",
        "dependencies",
        "secrets",
        "rights",
        "connection",
        "staging",
        "load",
        "adopt",
    ),
    "Release": (
        "release",
        "gates",
        "checks",
        "routes",
        "sessions",
        "mcp",
        "validate",
        "guard",
        "announcing",
        "gitops",
    ),
    "See what is": ("status", "diagnose", "debug", "alerts", "replay"),
    "In an outage": ("rollback", "break-glass", "worst-days", "override", "drill"),
}
MORE = "More"
KINDS = {"module": "Modules", "role": "Roles", "filter": "Filters", "lookup": "Lookups"}
PROJECT = ("CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.rst")
# What the reference is made of, beside the versions of the tools.
DOCUMENTED = ("galaxy.yml", "meta/*.yml", "plugins/**/*.py", "roles/*/meta/*.yml")

LINK = re.compile(
    r"^(?P<fence> *```).*?^(?P=fence) *$"  # code has no links
    r"|`[^`\n]*`"
    r"|(?P<before>\]\(|<img[^>]* src=\")(?P<target>[^()\s\"]+)",
    re.MULTILINE | re.DOTALL,
)


class BuildError(Exception):
    """One sentence for the person at the keyboard."""


def pages() -> list[str]:
    """Return the pages of the site, as paths in the repository."""
    below_docs = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
    return ["README.md", *PROJECT, *below_docs]


def relinked(page: str, text: str, known: t.Collection[str], tree: str) -> tuple[str, set[str]]:
    """Return a page with its links as they are in the site, and the other files that it leads to.

    The README is the site's start page. A folder has no page: a link to one leads to the repository, whose `tree` is
    given.
    """
    files = set()

    def target(match: re.Match[str]) -> str:
        path, hash_, anchor = (match["target"] or "").partition("#")
        if not path or re.match(r"[a-z]+:", path):
            return match[0]
        there = os.path.normpath(PurePosixPath(page).parent / path)
        if there == "README.md":
            path = os.path.relpath("index.md", PurePosixPath(page).parent)
        elif (ROOT / there).is_dir():
            path = f"{tree}/{there}"
        elif there not in known:
            files.add(there)
        return f"{match['before']}{path}{hash_}{anchor}"

    return LINK.sub(target, text), files


def menu(known: t.Sequence[str], readme: str) -> dict[str, list[str]]:
    """Return the parts of the menu, each with its pages of docs/, by their names there."""
    order = [*dict.fromkeys(re.findall(r"\]\(docs/([\w/-]+)\.md", readme))]
    there = [page.removeprefix("docs/").removesuffix(".md") for page in known if page.startswith("docs/")]
    parts = {caption: [name for name in names if name in there] for caption, names in MENU.items()}
    guide = (ROOT / "docs" / "guide" / "README.md").read_text() if "guide/README" in there else ""
    chapters = [name for name in there if name.startswith("guide/") and name != "guide/README"]
    parts["The guide"] += sorted(chapters, key=lambda name: guide.rfind(f"]({name.removeprefix('guide/')}.md"))
    placed = {name for names in parts.values() for name in names}
    rest = [name for name in there if name not in placed]
    parts[MORE] = sorted(rest, key=lambda name: order.index(name) if name in order else len(order))
    return {caption: names for caption, names in parts.items() if names}


def toctree(caption: str, entries: t.Iterable[str]) -> str:
    lines = "\n".join(entries)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n"


def start_page(readme: str, known: t.Sequence[str]) -> str:
    """Return the README with the menu, whose entries have the short names that the README's table gives to pages."""
    _before, _heading, table = readme.partition("\n## Documentation\n")
    names = {page: text for text, page in re.findall(r"\[([^][]+)\]\(docs/([\w/-]+)\.md\)", table.split("\n## ")[0])}

    def entry(name: str) -> str:
        given = names.get(name)
        return f"{given[0].upper()}{given[1:]} <docs/{name}>" if given else f"docs/{name}"

    parts = [toctree(caption, map(entry, found)) for caption, found in menu(known, readme).items()]
    parts.append(toctree("Reference", (f"{kind}s" for kind in KINDS)))
    parts.append(toctree("Project", (name.partition(".")[0] for name in PROJECT)))
    return readme + "".join(parts)


def reference_page(kind: str, titles: t.Mapping[str, str]) -> str:
    """Return the page that lists all modules, roles, filters or lookups. titles: what each is for, by its name."""
    rows = [f"| [{name}](reference/{name}_{kind}.rst) | {title} |\n" for name, title in titles.items()]
    entries = "\n".join(f"{name} <reference/{name}_{kind}>" for name in titles)
    table = f"| {kind} | does |\n| --- | --- |\n{''.join(rows)}"
    return f"# {KINDS[kind]}\n\n{table}\n```{{toctree}}\n:hidden:\n\n{entries}\n```\n"


def write(file: Path, content: bytes) -> None:
    """Write it if it is another one: Sphinx reads again what is newer than its last run."""
    if not file.is_file() or file.read_bytes() != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def copy_pages(source: Path) -> None:
    """Make `source` have all pages and the files that they lead to, and no others but the reference."""
    known = pages()
    tree = f"{yaml.safe_load((ROOT / 'galaxy.yml').read_text())['repository']}/tree/main"
    contents, files = {}, set()
    for page in known:
        text = (ROOT / page).read_text()
        if page.endswith(".md"):
            text, found = relinked(page, text, known, tree)
            files |= found
        contents[page] = text
    contents["index.md"] = start_page(contents.pop("README.md"), known)
    wanted = {name: text.encode() for name, text in contents.items()}
    # Sphinx names the page and the line of a link to a file that there isn't.
    wanted |= {name: (ROOT / name).read_bytes() for name in files if (ROOT / name).is_file()}
    for kind in KINDS:
        wanted[f"{kind}s.md"] = reference_page(kind, documented(source / "reference", kind)).encode()
    for name, content in wanted.items():
        write(source / name, content)
    for file in [one for one in source.rglob("*") if one.is_file()]:
        name = str(file.relative_to(source))
        if name not in wanted and not name.startswith("reference/"):
            file.unlink()


def documented(reference: Path, kind: str) -> dict[str, str]:
    """Return what each module, role, filter or lookup is for, by its name."""
    title = re.compile(rf"^mcp\.server\.(\w+) {kind} -- (.+)$", re.MULTILINE)
    texts = [file.read_text() for file in sorted(reference.glob(f"*_{kind}.rst"))]
    found = dict(match.groups() for text in texts if (match := title.search(text)))
    if not found:
        raise BuildError(f"antsibull-docs wrote no page of a {kind}: try make docs in another folder")
    return found


def digest(*patterns: str) -> str:
    """Return a digest of the files of the repository that these patterns match."""
    files = sorted({file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()})
    contents = [(str(file.relative_to(ROOT)), file.read_bytes()) for file in files]
    return hashlib.sha256(repr(contents).encode()).hexdigest()


def run(*words: str | Path) -> None:
    """Run a program of this Python's environment. Raises BuildError, with what it said on the screen."""
    tools = Path(sys.executable).parent
    # Whoever runs it may have a configuration of Ansible; the collection is the one of this checkout.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")} | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        [tools / words[0], *words[1:]],
        cwd=SITE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        raise BuildError(f"{words[0]} failed, see above: correct the files that it names")


def make_reference(folder: Path) -> None:
    """Run antsibull-docs, unless nothing that it reads has changed."""
    reference, stamp = folder / "source" / "reference", folder / "reference.stamp"
    key = digest(*DOCUMENTED, "tests/tools/requirements/*.txt")
    if stamp.is_file() and stamp.read_text() == key:
        return
    stamp.unlink(missing_ok=True)
    reference.mkdir(parents=True, exist_ok=True)
    reference.chmod(0o755)  # it refuses a folder that others may write to
    run(
        "antsibull-docs",
        "collection",
        "--use-current",
        "--squash-hierarchy",
        "--fail-on-error",
        "--cleanup=everything",
        f"--dest-dir={reference}",
        "mcp.server",
    )
    stamp.write_text(key)


def make_site(folder: Path) -> None:
    """Run Sphinx. Unless the last run ended well, and with these settings, everything is built anew: what Sphinx has
    read before gives no second warning.
    """
    stamp = folder / "site.stamp"
    key = digest("tests/site/conf.py", "tests/site/static/*", "tests/tools/requirements/*.txt")
    if not stamp.is_file() or stamp.read_text() != key:
        for name in ("doctrees", "html"):
            shutil.rmtree(folder / name, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    words = ["-q", "-W", "--keep-going", "-b", "html", "-c", SITE, "-d", folder / "doctrees"]
    run("sphinx-build", *words, folder / "source", folder / "html")
    stamp.write_text(key)


def review_warning() -> str:
    """Return a sentence when a review of the guide is due, or nothing."""
    from ansible_collections.mcp.server.plugins.module_utils._guide import document, review

    return review.review_warning(document.REVIEWED, date.today())


def build(folder: Path) -> Path:
    """Build the site below a folder; return its start page. Raises BuildError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_reference(folder)
        copy_pages(folder / "source")
        make_site(folder)
    return folder / "html" / "index.html"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "docs")
    try:
        start = build(parser.parse_args().folder.resolve())
    except BuildError as error:
        sys.exit(f"documentation: {error}.")
    print(start)
    if warning := review_warning():
        print(f"WARNING: {warning}", file=sys.stderr)


if __name__ == "__main__":
    main()
