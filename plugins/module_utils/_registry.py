# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of image registries: reads manifests (OCI distribution API, /v2)."""

from __future__ import annotations

import hashlib
import re
import typing as t
import urllib.parse

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http import client, credentials
from ansible_collections.mcp.server.plugins.module_utils._image import DOCKER_HUB, Image
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._versions import DIGEST

# Documented in doc_fragments/registry.py
OPTIONS: dict[str, t.Any] = {
    "check_registry": {"type": "bool", "default": True},
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


def registry_for(image: Image, params: dict[str, t.Any]) -> Registry:
    """Return the registry that the options name, or the image's own host by HTTPS. Sends nothing. Raises Failure."""
    host = "registry-1.docker.io" if image.host == DOCKER_HUB else image.host
    url = (params["registry"] or f"https://{host}").rstrip("/")
    if not client.is_url(url) or "@" in client.netloc_of(url):
        raise Failure(
            "registry is not a URL such as https://ghcr.io or http://127.0.0.1:5000. "
            "Set one, without user and password."
        )
    user = params["registry_username"]
    login = (user, params["registry_password"] or "") if user else None
    verify = params["registry_validate_certs"] and (params["registry_ca_cert"] or True)
    return Registry(url, login, verify, params["registry_timeout"])


class Registry:
    """Reads manifests from one registry, anonymously or with a user's name and password.

    url: without a slash at its end. login: user name and password. timeout: seconds for each request.
    """

    def __init__(self, url: str, login: tuple[str, str] | None, verify: bool | str, timeout: float) -> None:
        self.url = url
        self._login = login
        self._timeout = timeout
        # By which the registry was satisfied, for the next request.
        self._authorization = ""
        self._client = client.Client(verify)

    @property
    def _name(self) -> str:
        return f"The registry {self.url}"

    def digest(self, image: Image) -> str | None:
        """Return the digest that the tag points at, None when the registry has no such image. Raises Failure.

        Asks by HEAD, which Docker Hub does not count as a pull.
        """
        answer = self._manifest("HEAD", image)
        if answer.status == 404:
            return None
        digest = answer.headers.get("Docker-Content-Digest", "")
        if DIGEST.fullmatch(digest):
            return digest
        answer = self._manifest("GET", image)
        self._document(answer, "a manifest")
        return f"sha256:{hashlib.sha256(answer.body).hexdigest()}"

    def aliases(self, image: Image) -> set[str]:
        """Return the other digests by which a node may know the image. Raises Failure.

        These are an index's manifests, and a manifest's configuration.
        """
        manifest = self._document(self._manifest("GET", image), "a manifest")
        manifests = manifest.get("manifests")
        parts = [*(manifests if isinstance(manifests, list) else ()), manifest.get("config")]
        return {str(part["digest"]) for part in parts if isinstance(part, dict) and "digest" in part}

    def _manifest(self, method: str, image: Image) -> client.Answer:
        """Return the answer with the image's manifest (status 200), or that there is none (404). Raises Failure."""
        url = f"{self.url}/v2/{image.repository}/manifests/{image.reference}"
        answer = self._request(method, url, MANIFEST_TYPES, self._authorization)
        if answer.status == 401 and not self._authorization:
            self._authorization = self._authorize(answer.headers.get("WWW-Authenticate", ""), image)
            if self._authorization:
                answer = self._request(method, url, MANIFEST_TYPES, self._authorization)
        if answer.status in (401, 403):
            raise self._refusal(image, answer)
        if answer.status not in (200, 404):
            raise Failure(f"{self._name} answered {answer.status} to a request for {image}. Check the registry's logs.")
        if "html" in answer.headers.get("Content-Type", ""):
            raise Failure(
                f"{self._name} answered a request for {image} with a web page, so it is not an image registry. "
                "Check its address."
            )
        return answer

    def _authorize(self, challenge: str, image: Image) -> str:
        """Return the Authorization that a challenge (WWW-Authenticate) asks for, empty when there is none to give."""
        scheme, _space, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return self._basic
        parameters = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        realm = parameters.get("realm", "")
        if scheme.lower() != "bearer" or not realm.startswith(("https://", "http://")):
            return ""
        if self._login and self.url.startswith("https:") and realm.startswith("http:"):
            raise Failure(
                f"{self._name} asks for the password to be sent unencrypted, to {realm}. "
                "It was not sent. Check the registry's configuration."
            )
        query = {
            "service": parameters.get("service", ""),
            "scope": parameters.get("scope") or f"repository:{image.repository}:pull",
        }
        answer = self._request("GET", f"{realm}?{urllib.parse.urlencode(query)}", "application/json", self._basic)
        if answer.status in (401, 403):
            raise self._refusal(image, answer)
        document = self._document(answer, "a token")
        token = document.get("token") or document.get("access_token")
        return credentials.bearer(str(token)) if token else ""

    @property
    def _basic(self) -> str:
        return credentials.basic(*self._login) if self._login else ""

    def _request(self, method: str, url: str, accept: str, authorization: str) -> client.Answer:
        try:
            return self._client.request(
                method, url, self._timeout, headers={"Accept": accept}, authorization=authorization, follow=True
            )
        except client.Untrusted as fault:
            raise Failure(f"{self._name} {fault.msg}. Set registry_ca_cert.") from None
        except client.TooLarge as fault:
            raise Failure(f"{self._name} {fault.msg}, which no manifest and no token has. Check its address.") from None
        except Fault as fault:
            raise Failure(f"{self._name} {fault.msg}. Check its address, the network and the CA.") from None

    def _document(self, answer: client.Answer, what: str) -> dict[str, t.Any]:
        """Return an answer's JSON object. what: it should be, for the message. Raises Failure."""
        try:
            document = answer.json() if answer.status == 200 else None
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Failure(
                f"{self._name} answered {answer.status}, and not with {what}. Check its address and its logs."
            )
        return document

    def _refusal(self, image: Image, answer: client.Answer) -> Failure:
        user = f"user {self._login[0]}" if self._login else "anonymous users"
        redirect = (
            f" after a redirect to {answer.redirected_to}, where no credentials are sent"
            if answer.redirected_to
            else ""
        )
        return Failure(
            f"{self._name} refused {image} to {user} ({answer.status}){redirect}: "
            "it does not exist or may not be read. Check its name, registry_username and registry_password."
        )
