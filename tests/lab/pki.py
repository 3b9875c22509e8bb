# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: a lab CA with an intermediate, a corporate (inspection) CA, a vendor's, and leaves for every fault.

Made with the openssl command, ECDSA P-256, and kept in a cache folder that is renewed each month, so that only the
first lab of a month pays for it. Keys never leave this machine and protect nothing.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from .addresses import PROXY_NAME, WEB
from .netns import CACHE, tool

VERSION = "v4"

WEB_NAMES: tuple[str, ...] = tuple(service.name for service in WEB)
ALL_NAMES: tuple[str, ...] = (*WEB_NAMES, PROXY_NAME)

_CNF = """
[ca]
default_ca = d
[d]
new_certs_dir = {folder}/db
database = {folder}/db/index.txt
serial = {folder}/db/serial
default_md = sha256
policy = p
unique_subject = no
copy_extensions = none
[p]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
[req]
distinguished_name = dn
prompt = no
[dn]
"""


@dataclass(frozen=True)
class Pair:
    """Paths of a certificate chain (leaf first, as a server sends it) and its key."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class Pki:
    folder: Path

    def pair(self, name: str) -> Pair:
        return Pair(self.folder / f"{name}.chain.pem", self.folder / f"{name}.key")

    @property
    def ca(self) -> Path:
        """The public root: what a healthy host trusts."""
        return self.folder / "root.pem"

    @property
    def corporate(self) -> Path:
        """The root of the firm's TLS inspection: trusted only where the firm rolled it out."""
        return self.folder / "corporate.pem"

    @property
    def vendor(self) -> Path:
        """A firewall vendor's factory root (O=Fortinet): trusted by nobody."""
        return self.folder / "vendor.pem"

    @property
    def other(self) -> Path:
        """A root that signs nothing here: what is left in a trust store that lacks ours."""
        return self.folder / "other.pem"


def ensure() -> Pki:
    """The month's certificates; made when missing (about a second), shared by all labs on this machine."""
    month = dt.datetime.now(dt.UTC).strftime("%Y%m")
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / f"pki-{VERSION}-{month}"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder)
            (folder / "complete").touch()
    return Pki(folder)


def leaf_for(pki: Pki, ca: str, name: str, folder: Path) -> Pair:
    """A forged leaf for ``name``, as an inspecting firewall makes it on the fly; kept in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{ca}-{name}"
    pair = Pair(target.with_name(target.name + ".chain.pem"), target.with_name(target.name + ".key"))
    with (pki.folder / "db" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Looked at with the lock held: two first connections at once must not make it twice, one key over the other.
        if not pair.chain.exists():
            _issue(pki.folder, target, f"/CN={name}", signer=ca, sans=(name,))
    return pair


def _make(folder: Path) -> None:
    (folder / "db").mkdir(parents=True)
    os.chmod(folder, 0o755)
    (folder / "db" / "index.txt").touch()
    (folder / "db" / "serial").write_text("1000\n")
    (folder / "ca.cnf").write_text(_CNF.format(folder=folder))

    year = 365
    _issue(folder, folder / "root", "/C=TR/O=Lab Kok/CN=Lab Root CA", signer=None, ca=True, days=(-400, 10 * year))
    _issue(folder, folder / "intermediate", "/C=TR/O=Lab Kok/CN=Lab Issuing CA 1", signer="root", ca=True,
           days=(-300, 5 * year))  # fmt: skip
    _issue(folder, folder / "corporate", "/C=TR/O=Ornek Holding/CN=Ornek Holding TLS Inspection CA", signer=None,
           ca=True, days=(-200, 5 * year))  # fmt: skip
    _issue(folder, folder / "vendor", "/C=US/O=Fortinet/OU=Certificate Authority/CN=FG100F0000000000", signer=None,
           ca=True, days=(-200, 5 * year))  # fmt: skip
    _issue(folder, folder / "other", "/C=TR/O=Baska Kok/CN=Other Root CA", signer=None, ca=True, days=(-200, 5 * year))
    _issue(folder, folder / "unknown", "/C=XX/O=Nobody/CN=Unknown Root", signer=None, ca=True, days=(-200, year))

    for name in ALL_NAMES:
        _issue(folder, folder / name, f"/C=TR/CN={name}", signer="intermediate", sans=(name,))
    first = WEB_NAMES[0]
    some = WEB_NAMES
    _issue(folder, folder / "expired", f"/CN={first}", signer="intermediate", sans=some, days=(-120, -3))
    _issue(folder, folder / "not_yet_valid", f"/CN={first}", signer="intermediate", sans=some, days=(3, 200))
    _issue(folder, folder / "self_signed", f"/CN={first}", signer=None, sans=some)
    _issue(folder, folder / "wrong_name", "/CN=other.host.example", signer="intermediate", sans=("other.host.example",))
    _issue(folder, folder / "unknown_issuer", f"/CN={first}", signer="unknown", sans=some)
    _issue(folder, folder / "block_page", f"/CN={first}", signer="vendor", sans=some)
    _issue(folder, folder / "foreign", "/CN=parked.example", signer="intermediate", sans=("parked.example",))
    _issue(folder, folder / "weak", f"/CN={first}", signer="intermediate", sans=some, rsa=1024)
    # The genuine leaf without its intermediate, all names on it.
    _issue(folder, folder / "incomplete", f"/CN={first}", signer="intermediate", sans=some, send_chain=False)
    # The genuine chain with every name: for servers that misbehave at another layer.
    _issue(folder, folder / "genuine", f"/CN={first}", signer="intermediate", sans=some)


def _issue(
    folder: Path,
    target: Path,
    subject: str,
    *,
    signer: str | None,
    sans: tuple[str, ...] = (),
    ca: bool = False,
    days: tuple[int, int] = (-30, 90),
    rsa: int = 0,
    send_chain: bool = True,
) -> None:
    """One key and certificate. ``signer`` None signs itself. Writes ``target``.key, .pem and .chain.pem."""
    key, csr = Path(f"{target}.key"), Path(f"{target}.csr")
    pem, chain = Path(f"{target}.pem"), Path(f"{target}.chain.pem")
    extensions = Path(f"{target}.ext")
    kind = (
        ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{rsa}"]
        if rsa
        else ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    )
    tool(["openssl", "genpkey", *kind, "-out", str(key)])
    tool(
        [
            "openssl",
            "req",
            "-new",
            "-key",
            str(key),
            "-subj",
            subject,
            "-out",
            str(csr),
            "-config",
            str(folder / "ca.cnf"),
        ]
    )
    lines = ["subjectKeyIdentifier = hash"]
    if ca:
        lines += ["basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign, cRLSign"]
    else:
        lines += ["basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature",
                  "extendedKeyUsage = serverAuth"]  # fmt: skip
    if sans:
        lines.append("subjectAltName = " + ", ".join(f"DNS:{name}" for name in sans))
    if signer is not None:
        lines.append("authorityKeyIdentifier = keyid:always")
    extensions.write_text("[e]\n" + "\n".join(lines) + "\n")
    now = dt.datetime.now(dt.UTC)
    begin, end = ((now + dt.timedelta(days=day)).strftime("%Y%m%d%H%M%SZ") for day in days)
    by = (
        ["-selfsign", "-keyfile", str(key)]
        if signer is None
        else ["-cert", str(folder / f"{signer}.pem"), "-keyfile", str(folder / f"{signer}.key")]
    )
    tool(["openssl", "ca", "-batch", "-notext", "-config", str(folder / "ca.cnf"), *by, "-in", str(csr), "-out",
          str(pem), "-startdate", begin, "-enddate", end, "-extfile", str(extensions), "-extensions", "e"])  # fmt: skip
    parts = [pem.read_text()]
    if signer == "intermediate" and send_chain:
        parts.append((folder / "intermediate.pem").read_text())
    chain.write_text("".join(parts))
    for spare in (csr, extensions):
        spare.unlink()
