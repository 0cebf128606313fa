"""The secrets of a project's probes, from where the manifest says that they are; they are never told."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from govern.config import find_secret
from govern.errors import ConfigurationError

if TYPE_CHECKING:
    from govern.source.manifest.probes import Probes, Secret

_PATIENCE_SECONDS = 20.0


def read_secrets(probes: Probes, folder: Path) -> dict[str, str]:
    """By name. Commands are started in ``folder``. Raises ConfigurationError, which names variable or program."""
    return {name: _read(name, secret, folder) for name, secret in probes.secrets.items()}


def _read(name: str, secret: Secret, folder: Path) -> str:
    if secret.env is not None:
        value = find_secret(secret.env)
        if value is None:
            raise ConfigurationError(
                f"the environment variable {secret.env} is not set",
                why=f"probes.secrets of the manifest names it: it has the secret {name!r}",
                next=f"export {secret.env}=…",
            )
        return value
    return _run(name, secret.command or (), folder)


def _run(name: str, command: tuple[str, ...], folder: Path) -> str:
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may say what nobody should read
            text=True,
            cwd=folder,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refusal(name, command, f"it took longer than {_PATIENCE_SECONDS:.0f} s") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "what it printed is no UTF-8"
        raise _refusal(name, command, why or type(error).__name__) from None
    value = done.stdout.partition("\n")[0].strip()
    if done.returncode or not value:
        raise _refusal(
            name, command, f"it ended with {done.returncode}" if done.returncode else "it printed nothing"
        )
    return value


def _refusal(name: str, command: tuple[str, ...], why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the command of the secret {name!r} gave none: {command[0]}",
        why=why,
        next="run it by hand, in the project's root; probes.secrets of the manifest names it",
    )
