# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of image registries: reads manifests (OCI distribution API, /v2)."""

from __future__ import annotations

import email.utils
import hashlib
import time
import typing as t
from dataclasses import replace
from urllib.parse import urljoin

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http import client, credentials
from ansible_collections.mcp.server.plugins.module_utils._image import DOCKER_HUB, Image
from ansible_collections.mcp.server.plugins.module_utils._registry import challenges, login
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._versions import DIGEST

# Documented in doc_fragments/registry.py
OPTIONS: dict[str, t.Any] = {
    "check_registry": {"type": "bool", "default": True},
    "registry": {"type": "str"},
    "registry_username": {"type": "str"},
    "registry_password": {"type": "str", "no_log": True},
    "registry_auth": login.OPTION,
    "registry_ca_cert": {"type": "path"},
    "registry_validate_certs": {"type": "bool", "default": True},
    "registry_allow_http": credentials.ALLOW_HTTP,
    "registry_timeout": {"type": "float", "default": 20.0},
}

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = ", ".join(
    (
        *INDEX_TYPES,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
MAX_INDEXES = 10  # manifests that are read of one image
MAX_LEVELS = 3  # indexes within each other, on the way to a configuration
MAX_ATTEMPTS = 4  # of one request
FIRST_PAUSE = 0.5  # seconds before the second attempt; each further pause is twice as long
MAX_CHALLENGES = 4  # that one request answers
ELSEWHERE = ", or set check_registry (mcp_check_registry) to false where it cannot be reached."
TEMPORARY = (408, 429, 500, 502, 503, 504)


def registry_for(image: Image, params: dict[str, t.Any]) -> Registry:
    """Return the registry that the options name, or the image's own host by HTTPS. Asks it nothing. Raises Failure."""
    host = "registry-1.docker.io" if image.host == DOCKER_HUB else image.host
    url = (params["registry"] or f"https://{host}").rstrip("/")
    if not client.is_url(url) or "@" in client.netloc_of(url):
        raise Failure(
            "registry is not a URL such as https://ghcr.io or http://127.0.0.1:5000. "
            "Set one, without user and password."
        )
    host = client.host_of(url) if params["registry"] else image.host
    found = login.find(params, host, image.repository)
    verify = params["registry_validate_certs"] and (params["registry_ca_cert"] or True)
    return Registry(url, found, verify, params["registry_timeout"], bool(params.get("registry_allow_http")))


class Registry:
    """Reads manifests from one registry, anonymously or with a user's name and password.

    url: without a slash at its end. login: user name and password. timeout: seconds for each question, with its
    redirects, tokens and further attempts. allow_http: whether credentials may be sent by plain HTTP.
    """

    def __init__(
        self, url: str, login: tuple[str, str] | None, verify: bool | str, timeout: float, allow_http: bool = False
    ) -> None:
        self.url = url
        self._login = login
        self._timeout = timeout
        self._bound = Deadline(timeout)
        self._allow_http = allow_http
        # By which the registry was satisfied, for the next request.
        self._authorization = ""
        self._client = client.Client(verify)

    @property
    def _name(self) -> str:
        return f"The registry {self.url}"

    def digest(self, image: Image) -> str | None:
        """Return the digest that the tag points at, None when the registry has no such image. Raises Failure.

        Asks by HEAD, which Docker Hub does not count as a pull, and by GET where a registry refuses HEAD.
        """
        self._bound = Deadline(self._timeout)
        answer = self._manifest("HEAD", image)
        digest = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == 200 and (image.digest or DIGEST.fullmatch(digest)):
            return image.digest or digest
        answer = self._checked(self._manifest("GET", image), image)
        if answer.status == 404:
            return None
        self._document(answer, "a manifest")
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        return image.digest or digest

    def aliases(self, image: Image) -> set[str]:
        """Return the other digests by which a node may know the image. Raises Failure.

        These are an index's manifests, also of indexes within it, and a manifest's configuration.
        """
        self._bound = Deadline(self._timeout)
        found: set[str] = set()
        left, read = [image], 0
        while left and read < MAX_INDEXES:
            one, read = left.pop(0), read + 1
            manifest = self._document(self._checked(self._manifest("GET", one), one), "a manifest")
            manifests = manifest.get("manifests")
            parts = [*(manifests if isinstance(manifests, list) else ()), manifest.get("config")]
            known = [part for part in parts if isinstance(part, dict) and _is_digest(part.get("digest"))]
            left += [
                replace(image, tag="", digest=part["digest"])
                for part in known
                if part.get("mediaType") in INDEX_TYPES and part["digest"] not in found
            ]
            found |= {part["digest"] for part in known}
        return found

    def config(self, image: Image) -> dict[str, t.Any]:
        """Return the image's configuration, of an index that of its first platform. Raises Failure.

        It is empty when the registry has no such image, or one of a form without a configuration.
        """
        self._bound = Deadline(self._timeout)
        one = image
        for _level in range(MAX_LEVELS):
            answer = self._checked(self._manifest("GET", one), one)
            if answer.status == 404:
                return {}
            manifest = self._document(answer, "a manifest")
            config, platform = manifest.get("config"), _first_platform(manifest)
            if isinstance(config, dict) and _is_digest(config.get("digest")):
                return self._config(image, config["digest"])
            if not platform:
                return {}
            one = replace(image, tag="", digest=platform)
        return {}

    def _config(self, image: Image, digest: str) -> dict[str, t.Any]:
        answer = self._checked(self._answered("GET", f"blobs/{digest}", "*/*", image), image)
        if digest.startswith("sha256:") and answer.status == 200:
            found = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
            if found != digest:
                raise Failure(
                    f"{self._name} answered the configuration of {image} with other contents than its digest says. "
                    "Check the registry, and the proxies before it."
                )
        return self._document(answer, "an image's configuration")

    def platforms(self, image: Image) -> set[str]:
        """Return the platforms that the image is for, such as linux/amd64; none where it names none. Raises Failure."""
        self._bound = Deadline(self._timeout)
        manifest = self._document(self._checked(self._manifest("GET", image), image), "a manifest")
        manifests = manifest.get("manifests")
        if isinstance(manifests, list):
            return {name for one in manifests if isinstance(one, dict) if (name := _platform(one.get("platform")))}
        config = manifest.get("config")
        digest = config.get("digest") if isinstance(config, dict) else None
        if not _is_digest(digest):
            return set()
        name = _platform(self._config(image, t.cast(str, digest)))
        return {name} if name else set()

    def _manifest(self, method: str, image: Image) -> client.Answer:
        """Return the answer to a request for the image's manifest. Raises Failure."""
        return self._answered(method, f"manifests/{image.reference}", MANIFEST_TYPES, image)

    def _answered(self, method: str, what: str, accept: str, image: Image) -> client.Answer:
        """Return the answer to a request for a part of the image, with whatever the registry asks for. Raises Failure.

        Each challenge is answered once: a registry may offer one that does not let us in, and then another.
        """
        url = f"{self.url}/v2/{image.repository}/{what}"
        answer, answered = self._request(method, url, accept, self._authorization), set[str]()
        for _challenge in range(MAX_CHALLENGES):
            if answer.status != 401:
                break
            authorization = self._authorize(answer.headers.get("WWW-Authenticate", ""), image, answered)
            if not authorization:
                break
            answer = self._request(method, url, accept, authorization)
            self._authorization = authorization
        if answer.status == 401:
            raise self._refusal(image, answer)
        return answer

    def _checked(self, answer: client.Answer, image: Image) -> client.Answer:
        """Return an answer with a manifest (status 200), or that there is none (404). Raises Failure."""
        if answer.status == 403:
            raise self._refusal(image, answer)
        if answer.status == 429:
            after = printable(answer.headers.get("Retry-After", ""), 40)
            raise Failure(
                f"{self._name} has had too many requests (429){f', retry after {after}' if after else ''}. "
                "Wait, or log in (registry_auth), which most registries allow more to."
            )
        if answer.status not in (200, 404):
            raise Failure(f"{self._name} answered {answer.status} to a request for {image}. Check the registry's logs.")
        if "html" in answer.headers.get("Content-Type", ""):
            raise Failure(
                f"{self._name} answered a request for {image} with a web page, so it is not an image registry. "
                "Check its address."
            )
        return answer

    def _authorize(self, header: str, image: Image, answered: set[str]) -> str:
        """Return the Authorization for the next challenge of the header WWW-Authenticate; empty when there is none.

        answered: the challenges that were answered before, which this one is added to. Tokens come first: they are
        all that an anonymous user has.
        """
        offered = sorted(challenges.parse(header), key=lambda one: one.scheme != "bearer")
        for challenge in offered:
            key = f"{challenge.scheme} {sorted(challenge.parameters.items())}"
            if key in answered:
                continue
            answered.add(key)
            realm = urljoin(f"{self.url}/", challenge.parameters.get("realm", ""))
            if challenge.scheme == "basic" and self._login:
                return self._basic()
            is_bearer = challenge.scheme == "bearer" and client.is_url(realm)
            if is_bearer and (token := self._token(realm, challenge.parameters, image)):
                return token
        return ""

    def _token(self, realm: str, parameters: dict[str, str], image: Image) -> str:
        """Return the Authorization by a token of the realm, empty when it has none for us. Raises Failure."""
        scope = parameters.get("scope") or f"repository:{image.repository}:pull"
        query = {name: value for name, value in (("service", parameters.get("service")), ("scope", scope)) if value}
        answer = self._request("GET", realm, "application/json", self._basic(), query)
        if answer.status in (401, 403):
            raise self._refusal(image, answer)
        document = self._document(answer, "a token")
        token = document.get("token") or document.get("access_token")
        return credentials.bearer(token) if isinstance(token, str) and token.isascii() and token.isprintable() else ""

    def _basic(self) -> str:
        """Return the Authorization by user name and password; empty without any."""
        return credentials.basic(*self._login) if self._login else ""

    def _request(
        self, method: str, url: str, accept: str, authorization: str, query: dict[str, str] | None = None
    ) -> client.Answer:
        """Return the answer to a request. What may pass is tried again, as long as there is time. Raises Failure."""
        answer = self._attempt(method, url, accept, authorization, query)
        for number in range(MAX_ATTEMPTS - 1):
            if answer.status not in TEMPORARY:
                break
            pause = _retry_after(answer.headers.get("Retry-After", "")) or FIRST_PAUSE * 2**number
            if pause >= self._bound.left or not self._bound.pause(pause):
                break
            answer = self._attempt(method, url, accept, authorization, query)
        return answer

    def _attempt(
        self, method: str, url: str, accept: str, authorization: str, query: dict[str, str] | None
    ) -> client.Answer:
        # A token for anonymous users is no secret.
        exposed = [one for one in (url, self.url) if credentials.is_exposed(one)]
        if authorization and self._login and exposed and not self._allow_http:
            raise Failure(
                f"{self._name} asks for the password to be sent unencrypted, to {printable(exposed[0], 200)}. "
                "It was not sent. Use HTTPS, or set registry_allow_http (mcp_registry_allow_http) "
                "where the network is trusted."
            )
        try:
            return self._client.request(
                method,
                url,
                max(self._bound.left, 0.001),
                query=query,
                headers={"Accept": accept},
                authorization=authorization,
                follow=True,
            )
        except client.TimedOut:
            raise Failure(
                f"{self._name} does not answer within {self._timeout:g} s. Check its address and the network{ELSEWHERE}"
            ) from None
        except client.Untrusted as fault:
            raise Failure(f"{self._name} {fault.msg}. Set registry_ca_cert.") from None
        except client.TooLarge as fault:
            raise Failure(f"{self._name} {fault.msg}, which no manifest and no token has. Check its address.") from None
        except Fault as fault:
            raise Failure(f"{self._name} {fault.msg}. Check its address, the network and the CA{ELSEWHERE}") from None

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
            "it does not exist or may not be read. Check its name, and the credentials (registry_auth; "
            "helpers and identity tokens of docker login are not read)."
        )


def _first_platform(manifest: dict[str, t.Any]) -> str:
    """Return the digest of an index's first manifest that is a platform's; empty when it has none."""
    manifests = manifest.get("manifests")
    for part in manifests if isinstance(manifests, list) else ():
        if isinstance(part, dict) and _is_digest(part.get("digest")):
            platform = part.get("platform")
            # Attestations have the platform unknown/unknown.
            if not (isinstance(platform, dict) and platform.get("os") == "unknown"):
                return str(part["digest"])
    return ""


def _is_digest(value: t.Any) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _platform(found: t.Any) -> str:
    """Return os/architecture; empty where it is not known, as of the attestations in an index."""
    if not isinstance(found, dict):
        return ""
    system, architecture = found.get("os"), found.get("architecture")
    known = isinstance(system, str) and isinstance(architecture, str) and "unknown" not in (system, architecture)
    return f"{system}/{architecture}" if known else ""


def _retry_after(value: str) -> float:
    """Return the seconds of the header Retry-After, which are a number or a date; 0 without a valid one."""
    if value.strip().isdecimal():
        return float(value[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
