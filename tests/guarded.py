"""A Mosquitto that wants a password, and speaks TLS where there are certificates."""

import subprocess
from pathlib import Path

from citynerve.mqtt import MqttConfig
from tests.servers import Mosquitto

USER = "node"
PASSWORD = "correct horse"  # noqa: S105 - of a broker that lives as long as its test


class GuardedMosquitto(Mosquitto):
    """One that wants a password, and speaks TLS when there is a certificate in its folder.

    ``server.pem`` and ``server.key``, vouched for by ``ca.pem``; with ``client.pem`` and
    ``client.key`` it also wants a certificate of who connects.
    """

    def _command(self) -> list[str]:
        command = super()._command()
        words = self.folder / "passwords"
        subprocess.run(
            ["mosquitto_passwd", "-b", "-c", str(words), USER, PASSWORD],
            check=True,
            capture_output=True,
        )
        path = Path(command[-1])
        text = path.read_text().replace("allow_anonymous true", "allow_anonymous false")
        lines = [text, f"password_file {words}"]
        if (self.folder / "server.pem").exists():
            names = {"cafile": "ca.pem", "certfile": "server.pem", "keyfile": "server.key"}
            lines += [f"{key} {self.folder / name}" for key, name in names.items()]
        if (self.folder / "client.pem").exists():
            lines.append("require_certificate true")
        path.write_text("\n".join(lines) + "\n")
        return command

    @property
    def config(self) -> MqttConfig:
        if not (self.folder / "server.pem").exists():
            return MqttConfig(url=f"mqtt://127.0.0.1:{self.port}", username=USER, password=PASSWORD)
        own = (self.folder / "client.pem").exists()
        return MqttConfig(
            url=f"mqtts://127.0.0.1:{self.port}",
            username=USER,
            password=PASSWORD,
            ca=str(self.folder / "ca.pem"),
            cert=str(self.folder / "client.pem") if own else None,
            key=str(self.folder / "client.key") if own else None,
        )


def certify(folder: Path, *, mutual: bool = False) -> None:
    """Put an authority, and what it vouches for, into a folder that is made for them."""
    folder.mkdir()
    _certificate(folder, "ca", issuer=None, extension="keyUsage=keyCertSign")
    _certificate(folder, "server", issuer="ca", extension="subjectAltName=IP:127.0.0.1")
    if mutual:
        _certificate(folder, "client", issuer="ca", extension="extendedKeyUsage=clientAuth")


def _certificate(folder: Path, name: str, *, issuer: str | None, extension: str) -> None:
    """``name``.pem and ``name``.key, signed by ``issuer`` or by itself."""
    signer = [] if issuer is None else ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"]
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = ["-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2"]
    subprocess.run(
        [*make, *files, "-subj", f"/CN={name}", "-addext", extension, *signer],
        cwd=folder,
        check=True,
        capture_output=True,
    )
