# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS to an API server, with client certificates that never get a file name on disk."""

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
    """Return the SSL context for connections to an API server. Raises Failure."""
    # Without the text around the certificates, which need not be ASCII.
    authorities = None if access.ca is None else "\n".join(CERTIFICATE.findall(access.ca))
    try:
        if authorities == "":
            raise ValueError
        made = ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError, TypeError):
        raise Failure(
            f"The certificate authority for {access.host} is not PEM. "
            "Correct ca_cert, or certificate-authority in the kubeconfig."
        ) from None
    # Like kubectl: accept an intermediate CA, and a CA without the identifiers that Python 3.13 requires.
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
                    f"The client certificate for {access.host} cannot be used with its key. "
                    "Both must be PEM and belong together, and the key must not be encrypted."
                ) from None
    return made


@contextmanager
def as_file(data: bytes) -> t.Iterator[str]:
    """Give a path from which the data can be read during the block, for libraries that only read files.

    On Linux the file is in memory, so that nothing is left however the process ends.
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
    """Return the Failure for a certificate of the API server that is not trusted. Waiting would not help."""
    reason = " ".join(str(error.verify_message or error.reason).split())[:200].rstrip(".")
    cure = _CURES.get(error.verify_code, "name its CA (ca_cert, or certificate-authority in the kubeconfig)")
    return Failure(f"The certificate of the API server {host} is not trusted ({reason}); {cure}.")


def refuses_ours(error: BaseException | None) -> bool:
    """Return whether a TLS alert says that the server refuses the client certificate, or requires one."""
    if not isinstance(error, ssl.SSLError):
        return False
    reason = error.reason or ""
    return "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason)
