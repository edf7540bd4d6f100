# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image references, and what an image registry knows of them (OCI distribution API, /v2)."""

from __future__ import annotations

import hashlib
import json
import re
import traceback
import typing as t
import urllib.parse
from dataclasses import dataclass

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._versions import DIGEST

try:
    import requests

    REQUESTS_ERROR = None
except ImportError:
    REQUESTS_ERROR = traceback.format_exc()

OPTIONS: dict[str, t.Any] = {
    "registry": {"type": "str"},
    "registry_username": {"type": "str"},
    "registry_password": {"type": "str", "no_log": True},
    "registry_ca_cert": {"type": "path"},
    "registry_validate_certs": {"type": "bool", "default": True},
    "registry_timeout": {"type": "float", "default": 10.0},
}

MANIFEST_TYPES = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_REFERENCE = re.compile(
    r"(?:(?P<host>localhost(?::\d+)?|[\w-]+(?:\.[\w-]+)*:\d+|[\w-]+(?:\.[\w-]+)+|\[[0-9a-fA-F:]+\](?::\d+)?)/)?"
    r"(?P<repository>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    rf"(?:@(?P<digest>{DIGEST.pattern}))?",
    re.ASCII,
)
DOCKER_HUB = "docker.io"


@dataclass(frozen=True)
class Image:
    """C(ghcr.io/org/mcp-server:v1.2.0@sha256:...) in its parts; an absent tag or digest is empty."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Image:
        """Reads a reference as container runtimes do (a name without a host is Docker Hub's). Raises Failure."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise Failure(f"{text!r} is not an image reference; write it as ghcr.io/org/mcp-server:v1.2.0.")
        host, repository = match["host"] or DOCKER_HUB, match["repository"]
        if host == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        return cls(host, repository, match["tag"] or "", match["digest"] or "")

    @property
    def version(self) -> str:
        """Return what it is called by: the tag, or a digest without one."""
        return self.tag or self.digest

    @property
    def reference(self) -> str:
        """What a manifest is asked for by: the digest when there is one, as it can't move."""
        return self.digest or self.tag or "latest"

    def __str__(self) -> str:
        return (
            f"{self.host}/{self.repository}"
            + (f":{self.tag}" if self.tag else "")
            + (f"@{self.digest}" if self.digest else "")
        )


def tagged(image: str, version: str) -> Image:
    """The image of a version, which is its tag or digest. Raises Failure when either has not that form."""
    if found := _versions.problem(version):
        raise Failure(found)
    name = Image.parse(image)
    if name.tag or name.digest:
        raise Failure(f"image {image} has a tag or digest: give it without, because version {version} is the tag.")
    return Image.parse(_versions.reference(image, version))


def digest_of(image_id: str) -> str:
    """The digest in a pod's C(imageID) (C(ghcr.io/org/x@sha256:...), C(docker-pullable://...), C(sha256:...)), or nothing."""
    digest = image_id.rpartition("@")[2].rpartition("//")[2]
    return digest if DIGEST.fullmatch(digest) else ""


def registry_for(image: Image, params: dict[str, t.Any]) -> Registry:
    """The registry that the options name, or else the image's own host by HTTPS. Nothing is sent yet."""
    if REQUESTS_ERROR is not None:
        raise Failure(missing_required_lib("requests"), exception=REQUESTS_ERROR)
    own = f"https://{'registry-1.docker.io' if image.host == DOCKER_HUB else image.host}"
    url = (params["registry"] or own).rstrip("/")
    try:
        parts = urllib.parse.urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        known = False
    if not known:
        raise Failure(
            "registry is not a URL such as https://ghcr.io or http://127.0.0.1:5000; give one, without user and password."
        )
    credentials = (params["registry_username"], params["registry_password"]) if params["registry_username"] else None
    verify = params["registry_validate_certs"] and (params["registry_ca_cert"] or True)
    return Registry(url, credentials, verify, params["registry_timeout"])


class Registry:
    """Reads manifests from one registry, anonymously or with a user's name and password."""

    def __init__(self, url: str, credentials: tuple[str, str] | None, verify: bool | str, timeout: float) -> None:
        self.url = url
        self._credentials = credentials
        self._verify = verify
        self._timeout = timeout
        self._session = requests.Session()
        self._authorization: t.Any = None

    def digest(self, image: Image) -> str | None:
        """The digest that the tag points at, or None when the registry has no such image. Raises Failure.

        Asks by HEAD, which Docker Hub doesn't count as a pull.
        """
        response = self._manifest("HEAD", image)
        if response.status_code == 404:
            return None
        digest = response.headers.get("Docker-Content-Digest", "")
        if DIGEST.fullmatch(digest):
            return digest
        body = self._manifest("GET", image)
        self._document(body, "a manifest")
        return f"sha256:{hashlib.sha256(body.content).hexdigest()}"

    def aliases(self, image: Image) -> set[str]:
        """The other digests by which a node may know the image: an index's manifests, a manifest's configuration."""
        manifest = self._document(self._manifest("GET", image), "a manifest")
        listed = manifest.get("manifests")
        parts = [*(listed if isinstance(listed, list) else ()), manifest.get("config")]
        return {str(part["digest"]) for part in parts if isinstance(part, dict) and "digest" in part}

    def _manifest(self, method: str, image: Image) -> t.Any:
        url = f"{self.url}/v2/{image.repository}/manifests/{image.reference}"
        response = self._send(method, url, self._authorization)
        if response.status_code == 401 and self._authorization is None:
            self._authorization = self._answer_to(response.headers.get("WWW-Authenticate", ""), image)
            if self._authorization is not None:
                response = self._send(method, url, self._authorization)
        if response.status_code in (401, 403):
            raise self._refusal(image, response.status_code)
        if response.status_code not in (200, 404):
            raise Failure(
                f"The registry {self.url} answered {response.status_code} when asked for {image}; see its logs."
            )
        if "html" in response.headers.get("Content-Type", ""):
            raise Failure(
                f"{self.url} answers with a web page when asked for {image}: it is not an image registry; check its address."
            )
        return response

    def _answer_to(self, challenge: str, image: Image) -> t.Any:
        """What to authorise the next request with, as the registry's challenge asks; None when we have nothing for it."""
        scheme, _space, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return self._credentials
        asked = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if scheme.lower() != "bearer" or not asked.get("realm", "").startswith(("https://", "http://")):
            return None
        if self._credentials and self.url.startswith("https:") and asked["realm"].startswith("http:"):
            raise Failure(
                f"The registry {self.url} asks us to send the password unencrypted to {asked['realm']}; it was not sent."
            )
        query = {
            "service": asked.get("service", ""),
            "scope": asked.get("scope") or f"repository:{image.repository}:pull",
        }
        answer = self._send("GET", f"{asked['realm']}?{urllib.parse.urlencode(query)}", self._credentials)
        if answer.status_code in (401, 403):
            raise self._refusal(image, answer.status_code)
        said = self._document(answer, "a token")
        token = said.get("token") or said.get("access_token")
        return token and _bearer(token)

    def _send(self, method: str, url: str, authorization: t.Any) -> t.Any:
        try:
            return self._session.request(
                method,
                url,
                headers={"Accept": MANIFEST_TYPES if "/manifests/" in url else "application/json"},
                # Without any, requests would take one from ~/.netrc and overwrite ours
                auth=authorization or (lambda request: request),
                timeout=self._timeout,
                verify=self._verify,
                allow_redirects=True,
            )
        except (requests.RequestException, OSError) as error:
            raise Failure(
                f"The registry {self.url} does not answer ({reason_of(error)}); check address, network and CA."
            ) from None

    def _document(self, response: t.Any, what: str) -> dict[str, t.Any]:
        try:
            document = json.loads(response.content) if response.status_code == 200 else None
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Failure(
                f"The registry {self.url} answered {response.status_code} and not {what}; check its address and its logs."
            )
        return document

    def _refusal(self, image: Image, status: int) -> Failure:
        who = f"user {self._credentials[0]}" if self._credentials else "anonymous readers"
        return Failure(
            f"The registry {self.url} refuses {image} to {who} ({status}): the image does not exist or may not be read; "
            "check its name, and registry_username and registry_password."
        )


def _bearer(token: str) -> t.Callable[[t.Any], t.Any]:
    def authorize(request: t.Any) -> t.Any:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize


def reason_of(error: BaseException) -> str:
    """The innermost reason of an error of requests, without the objects that surround it."""
    while True:
        inner = getattr(error, "reason", None) or next(
            (arg for arg in error.args if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = re.sub(r"^(<.*?>|\w+\(.*?\)): ", "", str(error).strip())
    return (text.splitlines() or [type(error).__name__])[0]
