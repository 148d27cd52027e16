"""Who made a picture: a signed manifest inside the file, and an invisible mark that outlives it.

Every site signs with its own authority, made on first use. No timestamp service, no network.
"""

import contextlib
import datetime as dt
import fcntl
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from atelier_engine.watermark import ID_BITS, decode, embed

__all__ = ["ID_BITS", "Credential", "SiteKey", "decode", "embed", "read"]

# Its classes carry no types.
c2pa: Any = import_module("c2pa")

State = Literal["trusted", "valid", "invalid"]

_FACTS = "org.atelier.generation"
_GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_YEARS = 10
_FORMATS = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))


class UnsignableError(ValueError):
    """The file is of a kind that cannot carry a manifest, or is broken."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a file says about its making, and whether that can be believed."""

    state: State
    generator: str | None
    issuer: str | None
    facts: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether this site signed it and nothing changed since."""
        return self.state == "trusted"


class SiteKey:
    """The site's signing authority: a folder with its keys, made on first use."""

    def __init__(self, folder: Path, *, site: str = "Atelier") -> None:
        self._folder = folder
        self._site = site
        _ensure(folder, site)
        self._chain = (folder / "chain.pem").read_bytes()
        self._key = (folder / "signing-key.pem").read_bytes()
        self._authority = (folder / "authority.pem").read_text(encoding="ascii")

    @property
    def watermark_key(self) -> bytes:
        """Secret of this site's invisible marks."""
        return (self._folder / "watermark.key").read_bytes()

    def sign(self, data: bytes, facts: Mapping[str, Any], *, title: str = "") -> bytes:
        """The file with a signed manifest that says a generator drew it, with these facts.

        Facts are opaque ids and settings; nothing about a person belongs in them.
        """
        manifest = {
            "claim_generator_info": [{"name": self._site, "version": "1"}],
            "title": title or "Generated picture",
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {
                        "actions": [
                            {
                                "action": "c2pa.created",
                                "digitalSourceType": _GENERATED,
                                "softwareAgent": {"name": self._site},
                            }
                        ]
                    },
                },
                {"label": _FACTS, "data": dict(facts)},
            ],
        }
        out = io.BytesIO()
        try:
            with self._context() as context, self._signer() as signer:
                builder = c2pa.Builder(manifest, context)
                builder.sign(signer, _kind(data), io.BytesIO(data), out)
        except c2pa.C2paError as error:
            raise UnsignableError(f"The file cannot be signed: {error}") from error
        return out.getvalue()

    def read(self, data: bytes) -> Credential | None:
        """The manifest of a file, trusted where this site signed it; None where there is none."""
        return _read(data, self._settings())

    def _settings(self) -> dict[str, Any]:
        return {
            "trust": {"user_anchors": self._authority},
            "verify": {"verify_trust": True, "remote_manifest_fetch": False},
            "builder": {"thumbnail": {"enabled": False}},
        }

    @contextlib.contextmanager
    def _context(self) -> Iterator[Any]:
        with c2pa.Context(c2pa.Settings.from_dict(self._settings())) as context:
            yield context

    @contextlib.contextmanager
    def _signer(self) -> Iterator[Any]:
        info = c2pa.C2paSignerInfo(b"es256", self._chain, self._key, None)
        with c2pa.Signer.from_info(info) as signer:
            yield signer


def read(data: bytes) -> Credential | None:
    """The manifest of a file without trust in anybody; None where there is none."""
    settings = {"verify": {"verify_trust": False, "remote_manifest_fetch": False}}
    return _read(data, settings)


def _read(data: bytes, settings: dict[str, Any]) -> Credential | None:
    try:
        kind = _kind(data)
        with (
            c2pa.Context(c2pa.Settings.from_dict(settings)) as context,
            c2pa.Reader(kind, io.BytesIO(data), context=context) as reader,
        ):
            report: dict[str, Any] = json.loads(reader.json())
    except UnsignableError:
        return None
    except c2pa.C2paError as error:
        if "ManifestNotFound" in type(error).__name__ or "no JUMBF" in str(error):
            return None
        return Credential("invalid", None, None, problems=(str(error)[:300],))
    return _credential(report)


def _credential(report: dict[str, Any]) -> Credential:
    active = report.get("manifests", {}).get(report.get("active_manifest"), {})
    failures = tuple(
        str(status.get("code"))
        for status in report.get("validation_status", [])
        if status.get("code") != "signingCredential.untrusted"
    )
    state = str(report.get("validation_state", "Invalid")).lower()
    facts = next(
        (
            dict(assertion["data"])
            for assertion in active.get("assertions", [])
            if assertion.get("label") == _FACTS and isinstance(assertion.get("data"), dict)
        ),
        {},
    )
    generators = active.get("claim_generator_info") or [{}]
    known: State = "trusted" if state == "trusted" else "valid" if state == "valid" else "invalid"
    return Credential(
        state=known,
        generator=generators[0].get("name"),
        issuer=active.get("signature_info", {}).get("issuer"),
        facts=facts,
        problems=failures,
    )


def _kind(data: bytes) -> str:
    for magic, kind in _FORMATS:
        if data.startswith(magic):
            return kind
    raise UnsignableError("Only PNG, JPEG and WebP files carry a manifest.")


def _ensure(folder: Path, site: str) -> None:
    """Make the keys whole or not at all, also when two processes start at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "chain.pem").exists():
            return
        fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            _make_keys(fresh, site)
            if folder.exists():
                folder.rmdir()
            fresh.rename(folder)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise


def _make_keys(folder: Path, site: str) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    signing_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(f"{site} authority", authority_key, None, authority_key)
    leaf = _certificate(f"{site} pictures", signing_key, authority, authority_key)
    pem = serialization.Encoding.PEM
    chain = leaf.public_bytes(pem) + authority.public_bytes(pem)
    _write(folder / "authority.pem", authority.public_bytes(pem))
    _write(folder / "authority-key.pem", _private(authority_key))
    _write(folder / "signing-key.pem", _private(signing_key))
    _write(folder / "watermark.key", os.urandom(32))
    _write(folder / "chain.pem", chain)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Atelier"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)  # noqa: TID251 - no Django in the engine
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(_usage(authority=issuer is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if issuer is not None:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
