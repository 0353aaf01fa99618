"""Images with a C2PA manifest, signed by an authority that nobody knows."""

from __future__ import annotations

import datetime
import importlib
import io
import json
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bot.domain.images import MADE

GENERATOR = {"name": "a model", "version": "1.5"}
SIGNER = "Makers of Tests"


def signed(image: bytes, mime_type: str) -> bytes:
    """The file with a manifest that says how it was made."""
    c2pa: Any = importlib.import_module("c2pa")
    action = {"action": "c2pa.created", "digitalSourceType": MADE}
    manifest = {
        "claim_generator_info": [GENERATOR],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
    }
    chain, key = _chain_and_key()
    out = io.BytesIO()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None))
    with c2pa.Builder(json.dumps(manifest)) as builder:
        builder.sign(signer, mime_type, io.BytesIO(image), out)
    return out.getvalue()


@cache
def _chain_and_key() -> tuple[bytes, bytes]:
    """A certificate with its authority's, and its private key, as PEM."""
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = [_certificate(key, authority, ca=False), _certificate(authority, authority, ca=True)]
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b"".join(each.public_bytes(pem) for each in chain), private


def _certificate(
    key: ec.EllipticCurvePrivateKey, authority: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    others = "content_commitment key_encipherment data_encipherment key_agreement"
    others += " encipher_only decipher_only"
    usage = dict.fromkeys(others.split(), False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name("authority" if ca else "signer"))
        .issuer_name(_name("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), False
        )
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=ca, crl_sign=ca, **usage), True
        )
    )
    if not ca:
        email = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(email, critical=False)
    return builder.sign(authority, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, SIGNER),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
