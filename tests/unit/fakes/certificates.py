# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates for servers and clients of a test."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Pair(t.NamedTuple):
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


class Authority:
    """It has no key identifiers, as the CAs of many clusters have none."""

    def __init__(self, name: str = "ca") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self.pem = _pem(
            self._signed(self._name, self._key.public_key(), (-1, 1), x509.BasicConstraints(ca=True, path_length=None))
        )

    def pair(self, name: str, days: tuple[float, float] = (-1, 1)) -> Pair:
        """Return a certificate for a host name, an address or a client; days: from when until when, from now on."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            alternative: x509.GeneralName = x509.IPAddress(ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        certificate = self._signed(_name(name), key.public_key(), days, x509.SubjectAlternativeName([alternative]))
        form = serialization.PrivateFormat.PKCS8
        return Pair(
            _pem(certificate),
            key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode(),
        )

    def _signed(
        self, subject: x509.Name, key: t.Any, days: tuple[float, float], extension: x509.ExtensionType
    ) -> x509.Certificate:
        begin, end = (datetime.now(UTC) + timedelta(days=each) for each in days)
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number(), begin, end)
        return builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints)).sign(
            self._key, hashes.SHA256()
        )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
