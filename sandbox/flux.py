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
# Their CRDs: Go module, and what they are called. source-controller's is of the version that the controller's go.mod names.
CRDS = {
    "kustomizations.kustomize.toolkit.fluxcd.io": "github.com/fluxcd/kustomize-controller@v1.9.6",
    "gitrepositories.source.toolkit.fluxcd.io": "github.com/fluxcd/source-controller@v1.9.0",
}
DEFINITIONS = "crds.yaml"


def binary() -> Path:
    """Return the controller's executable; its CRDs are beside it. Raises SandboxError."""
    made_from = key(KUSTOMIZE_CONTROLLER, run(["go", "version"]))
    place = go_tools("kustomize-controller", KUSTOMIZE_CONTROLLER, made_from, "")
    if not (place / DEFINITIONS).exists():
        partial = place / f"{DEFINITIONS}.partial"
        partial.write_text("\n---\n".join(_definition(name, module) for name, module in CRDS.items()))
        partial.rename(place / DEFINITIONS)
    return place / "kustomize-controller"


def _definition(name: str, module: str) -> str:
    plural, _dot, group = name.partition(".")
    return (module_folder(module) / f"config/crd/bases/{group}_{plural}.yaml").read_text()


if __name__ == "__main__":
    print(binary())
