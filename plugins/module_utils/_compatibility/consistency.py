# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare what names the version of a server: which agree, and which do not. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils import _results, _versions
from ansible_collections.mcp.server.plugins.module_utils._compatibility import libraries
from ansible_collections.mcp.server.plugins.module_utils._results import CANNOT_MEASURE, FAILED, PASSED, SKIPPED, Result
from ansible_collections.mcp.server.plugins.module_utils._text import printable

TAG, GIT, LABEL, REVISION, HEALTH, SERVER_INFO = "tag", "git", "label", "revision", "health", "server_info"
DIGEST, RECORD, CONTRACT = "digest", "record", "contract"

# Each source, as it stands in a sentence.
TITLES = {
    TAG: "the image's tag",
    GIT: "git describe of mcp_source",
    LABEL: "the image's label org.opencontainers.image.version",
    REVISION: "the image's label org.opencontainers.image.revision",
    HEALTH: "the health document",
    SERVER_INFO: "serverInfo",
    DIGEST: "the digest of the pods' image",
    RECORD: "the release record",
    CONTRACT: "the contract",
}
# The names of the results.
NAMES = {
    TAG: "version: image tag",
    GIT: "version: git describe",
    LABEL: "version: image label",
    REVISION: "version: commit of the image",
    HEALTH: "version: health document",
    SERVER_INFO: "version: serverInfo",
    DIGEST: "version: image digest",
    RECORD: "version: release record",
    CONTRACT: "version: contract",
}
# What to do about a version that disagrees.
CURES = {
    GIT: "check out the tag of this version there, or release what was built from that commit",
    LABEL: "set the label when the image is built; one of a base image is inherited otherwise",
    HEALTH: "build the version into the server, or leave health out of compare_version (mcp_compare_version)",
    SERVER_INFO: "build the version into the server, or leave server_info out of compare_version (mcp_compare_version)",
}
MAX_VERSION = 128
_COMMIT = re.compile(r"(?:sha-|git-)?([0-9a-f]{7,40})")


@dataclass(frozen=True)
class Source:
    """What one source says. version: empty when it says none, of which missing is the sentence.

    required: whether the play fails when it disagrees. broken: whether missing is a fault, and not just nothing to
    compare.
    """

    id: str
    version: str = ""
    missing: str = ""
    required: bool = True
    broken: bool = False
    # Of serverInfo: the server's name in it, and whether the server has the modern era.
    name: str = ""
    is_modern: bool = False


@dataclass(frozen=True)
class Identity:
    """A comparison of digests or hashes that was made already. problem: a sentence when they disagree.

    missing: a sentence when there is nothing to compare.
    """

    id: str
    agrees: str = ""  # for the sentence of what agrees
    problem: str = ""
    missing: str = ""
    required: bool = True
    broken: bool = False


def judge(sources: t.Sequence[Source], identities: t.Sequence[Identity], commit: str = "") -> list[Result]:
    """Return a result for all that agrees, and one for each source that disagrees or is missing.

    sources: the first with a version that can be compared is what the others are compared with. commit: that is
    checked out in mcp_source; empty without one.
    """
    known = [one for one in sources if one.version]
    reference = next((one for one in known if _versions.is_comparable(one.version)), known[0] if known else None)
    agreeing: list[str] = []
    found: list[Result] = []
    for one in sources:
        if one is reference:
            agreeing.append(TITLES[one.id])
        elif not one.version:
            verdict = CANNOT_MEASURE if one.broken else SKIPPED
            found.append(_made(one.id, verdict, one.missing or f"{_begun(one.id)} has no version.", one.required))
        elif reference is None or agree(
            one.version, reference.version, commit if GIT in (one.id, reference.id) else ""
        ):
            agreeing.append(TITLES[one.id])
        else:
            # A version that the health document has, too, is the server's own.
            is_own = any(agree(one.version, another.version) for another in known if another is not one)
            found.append(_other(one, reference, is_own=is_own))
    for same in identities:
        if same.problem:
            found.append(_made(same.id, FAILED, same.problem, same.required))
        elif same.missing:
            verdict = CANNOT_MEASURE if same.broken else SKIPPED
            found.append(_made(same.id, verdict, same.missing, same.required))
        else:
            agreeing.append(same.agrees)
    return [_agreement(reference, agreeing), *found]


def agree(one: str, other: str, commit: str = "") -> bool:
    """Return whether two names mean the same version. 1.2 stands for any 1.2.x, and a commit for its beginning.

    commit: that one of them names by git describe; empty when neither does.
    """
    if _versions.is_reported(one, other) or _versions.is_reported(other, one):
        return True
    hashes = [found[1] for text in (one, other) if (found := _COMMIT.fullmatch(text))]
    if len(hashes) == 2:
        return hashes[0].startswith(hashes[1]) or hashes[1].startswith(hashes[0])
    return bool(hashes and commit.startswith(hashes[0]))


def revision(label: str, commit: str) -> Identity:
    """Return whether the commit in the image's label is the one that is checked out."""
    if not commit:
        return Identity(REVISION, missing="There is no mcp_source to compare the image's label of its commit with.")
    if not label:
        return Identity(REVISION, missing=f"The image has no label {_label(REVISION)}.")
    shown = printable(label, 50)
    if _COMMIT.fullmatch(label) and (commit.startswith(label) or label.startswith(commit)):
        return Identity(REVISION, agrees=f"{TITLES[REVISION]} ({shown})")
    return Identity(
        REVISION,
        problem=f"{_begun(REVISION)} is {shown}, and mcp_source has {printable(commit, 50)} checked out: check out "
        "what the image was built from.",
    )


def digest(image_ref: str, running: t.Collection[str], registered: t.Collection[str]) -> Identity:
    """Return whether the pods run what the registry has as their image.

    running: digests of the ready pods. registered: by which a node may know the image, empty without the image.
    """
    image = printable(image_ref, 200)
    if not running:
        return Identity(DIGEST, missing=f"No ready pod of {image} tells its digest.")
    if not registered:
        return Identity(
            DIGEST, problem=f"The registry has no {image}, which the pods run: push it, or release another version."
        )
    if unknown := sorted(one for one in running if one not in registered):
        return Identity(
            DIGEST,
            problem=f"Pods run {printable(unknown[0], 80)}, and the registry has "
            f"{printable(sorted(registered)[0], 80)} as {image}: the tag was moved, or a node has an old copy. "
            "Release a fixed tag or the digest.",
        )
    return Identity(DIGEST, agrees=f"{TITLES[DIGEST]} ({printable(sorted(running)[0], 19)})")


def of_record(problems: t.Sequence[str], *, has_record: bool) -> Identity:
    """Return whether the live pool runs what the newest release left there. problems: see drift.from_record."""
    if problems:
        cure = "Release the version that is meant, or roll back."
        return Identity(RECORD, problem=f"{' '.join(problems)} {cure}")
    if not has_record:
        return Identity(RECORD, missing="There is no release record that has ended well, so none is compared.")
    return Identity(RECORD, agrees=TITLES[RECORD])


def contract(recorded: str, read: t.Collection[str]) -> Identity:
    """Return whether the server offers what it did at its release. recorded, read: hashes of the contract's structure.

    read: in each way that a release may have read it.
    """
    if not recorded:
        return Identity(CONTRACT, missing="The release record has no contract of what is live, so none is compared.")
    if recorded in read:
        return Identity(CONTRACT, agrees=f"{TITLES[CONTRACT]} ({printable(recorded, 12)})")
    now = printable(sorted(read)[0], 12) if read else "none"
    return Identity(
        CONTRACT,
        problem=f"The server offers another contract ({now}) than at its release "
        f"({printable(recorded, 12)}): its tools, prompts or resources have changed since, by configuration or by what "
        "it reads them from. Compare with mcp_contract, and release again what is meant.",
    )


def _other(one: Source, reference: Source, *, is_own: bool) -> Result:
    """Return the result of a source with another version than the reference. is_own: it can't be a library's."""
    shown, expected = printable(one.version, MAX_VERSION), printable(reference.version, MAX_VERSION)
    named = f"{_begun(one.id)} says {shown}, and {TITLES[reference.id]} is {expected}"
    library = "" if is_own else libraries.recognised(one.name, one.version, is_modern=one.is_modern)
    if one.id == SERVER_INFO and library:
        if one.required:
            return _made(one.id, FAILED, f"{named}; it is {library}. {_sentence(CURES[one.id])}")
        return _made(one.id, SKIPPED, f"{_begun(one.id)} says {shown}, which is {library}, so it is not compared.")
    if not (_versions.is_comparable(one.version) and _versions.is_comparable(reference.version)):
        return _made(one.id, SKIPPED, f"{named}: not both are numbers such as v1.2.0, so they are not compared.")
    return _made(one.id, FAILED, f"{named}: {CURES[one.id]}.", one.required)


def _agreement(reference: Source | None, agreeing: t.Sequence[str]) -> Result:
    name = "version: what agrees"
    if not agreeing:
        return _results.result("version_agrees", name, SKIPPED, "Nothing names a version of the server.")
    version = printable(reference.version, MAX_VERSION) if reference else "What runs"
    return _results.result("version_agrees", name, PASSED, f"{version}: {', '.join(agreeing)}.")


def _made(source: str, verdict: str, message: str, required: bool = True) -> Result:
    return _results.result(f"version_{source}", NAMES[source], verdict, message, required=required)


def _begun(source: str) -> str:
    """Return the source's title at the beginning of a sentence."""
    title = TITLES[source]
    return title if source in (GIT, SERVER_INFO) else f"{title[0].upper()}{title[1:]}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _label(source: str) -> str:
    return TITLES[source].rpartition(" ")[2]
