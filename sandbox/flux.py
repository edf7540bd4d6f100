# SPDX-License-Identifier: GPL-3.0-or-later
"""Flux's kustomize-controller, for the test beside it: python -m sandbox.flux builds it, once, and prints where it is.

It is built for that test only. source-controller is not: the test serves the archives itself, and writes where they are
into the GitRepository's status, which is all that kustomize-controller reads of it.
"""

from __future__ import annotations

from pathlib import Path

from .addons import module_folder
from .images import go_tools
from .machine import run
from .paths import SOURCE, key

KUSTOMIZE_CONTROLLER = SOURCE / "kustomize-controller"
# The CRDs that it waits for at its start, by Go module; source-controller's version is the one that its go.mod names.
CRDS = {
    "github.com/fluxcd/kustomize-controller@v1.9.6": ["kustomize.toolkit.fluxcd.io_kustomizations"],
    "github.com/fluxcd/source-controller@v1.9.0": [
        "source.toolkit.fluxcd.io_buckets",
        "source.toolkit.fluxcd.io_gitrepositories",
        "source.toolkit.fluxcd.io_ocirepositories",
    ],
}
DEFINITIONS = "crds.yaml"


def binary() -> Path:
    """Return the controller's executable; its CRDs are beside it. Raises SandboxError."""
    made_from = key(KUSTOMIZE_CONTROLLER, Path(__file__), run(["go", "version"]))
    place = go_tools("kustomize-controller", KUSTOMIZE_CONTROLLER, made_from, "")
    if not (place / DEFINITIONS).exists():
        files = [
            module_folder(module) / f"config/crd/bases/{name}.yaml" for module, names in CRDS.items() for name in names
        ]
        partial = place / f"{DEFINITIONS}.partial"
        partial.write_text("\n---\n".join(file.read_text() for file in files))
        partial.rename(place / DEFINITIONS)
    return place / "kustomize-controller"


if __name__ == "__main__":
    print(binary())
