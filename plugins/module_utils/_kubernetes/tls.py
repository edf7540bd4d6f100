# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS to an API server, and client certificates that never get a name on disk."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
import typing as t
from contextlib import contextmanager, suppress

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Access, Certificate
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def context(access: Access, certificate: Certificate | None) -> ssl.SSLContext:
    """Return what to make connections with. Raises Failure."""
    # Without what stands around the certificates, which may be in any language.
    authorities = None if access.ca is None else "\n".join(CERTIFICATE.findall(access.ca))
    try:
        if authorities == "":
            raise ValueError
        made = ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError, TypeError):
        raise Failure(
            f"The certificate authority for {access.host} is not PEM; correct ca_cert, or certificate-authority in the kubeconfig."
        ) from None
    # As kubectl verifies: a CA may be an intermediate one, and many clusters have one without the identifiers that Python 3.13 demands.
    made.verify_flags = (made.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    if not access.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        with as_file(certificate.certificate + b"\n" + certificate.key) as path:
            try:
                # The empty password keeps an encrypted key from asking for one on the terminal.
                made.load_cert_chain(path, password="")
            except (OSError, ValueError):
                raise Failure(
                    f"The client certificate for {access.host} cannot be used with its key; both have to be PEM, belong together, and the key not encrypted."
                ) from None
    return made


@contextmanager
def as_file(data: bytes) -> t.Iterator[str]:
    """Give a path from which the data can be read while the block lasts, for what takes nothing but files.

    In memory where the system has that (Linux), so that nothing is left however the process ends.
    """
    try:
        descriptor = os.memfd_create("mcp-server")
        path = f"/proc/self/fd/{descriptor}"
        if not os.path.exists(path):
            os.close(descriptor)
            raise OSError
    except (AttributeError, OSError):
        descriptor, path = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(data)
        yield path
    finally:
        os.close(descriptor)
        if not path.startswith("/proc/self/fd/"):
            with suppress(OSError):
                os.unlink(path)


# OpenSSL's X509_V_ERR codes.
_EXPIRED, _NOT_YET_VALID, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64
_CURES = {
    _EXPIRED: "renew it on the server",
    _NOT_YET_VALID: "compare the clocks of the server and of this host",
    _OTHER_NAME: "correct the server's name (host), or set tls-server-name in the kubeconfig",
    _OTHER_ADDRESS: "correct the server's address (host), or set tls-server-name in the kubeconfig",
}


def distrust(host: str, error: ssl.SSLCertVerificationError) -> Failure:
    """Return what to raise for a certificate of the API server that is not trusted. It does not mend while we wait."""
    reason = " ".join(str(error.verify_message or error.reason).split())[:200].rstrip(".")
    cure = _CURES.get(error.verify_code, "name its CA (ca_cert, or certificate-authority in the kubeconfig)")
    return Failure(f"The certificate of the API server {host} is not trusted ({reason}); {cure}.")


def refuses_ours(error: BaseException | None) -> bool:
    """Whether the server says in TLS that it does not take our client certificate, or wants one."""
    if not isinstance(error, ssl.SSLError):
        return False
    reason = error.reason or ""
    return "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason)
