"""A root file system with the unpacked package in it, and what a test adds: no shell, no libraries,
no /etc, /proc, /dev or /tmp, and nothing that the package's handler may write to.
"""

import functools
import pathlib
import shutil
import subprocess

from functions_host import Handler, unpack

# Where the platform puts an app.
APP = "home/site/wwwroot"
READ_ONLY = 0o555


@functools.cache
def way_in() -> tuple[str, ...]:
    """The command that starts a program in another root: as nobody, in a user namespace of its own,
    or as root where such namespaces are switched off. Empty where neither is allowed."""
    unshare = shutil.which("unshare")
    ways = [(unshare, "--user"), (unshare,)] if unshare else []
    for way in ways:
        tried = subprocess.run([*way, "--root=/", "true"], capture_output=True)
        if tried.returncode == 0:
            return way
    return ()


class BareRoot:
    """In an empty `folder`. What a test adds it adds before it starts the handler."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.app = folder / APP
        self.app.mkdir(parents=True)
        unpack(self.app)

    def add(self, path: str, source: pathlib.Path) -> None:
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def add_writable(self, path: str) -> pathlib.Path:
        folder = self.folder / path.lstrip("/")
        folder.mkdir()
        return folder

    def files(self) -> dict[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {self.seen(path): path.read_bytes() for path in files}

    def start(self, settings: dict[str, str], log: pathlib.Path) -> Handler:
        for folder in [self.folder, self.app, *self.app.parents, *self.app.glob("Proofpoint*")]:
            if folder.is_relative_to(self.folder):
                folder.chmod(READ_ONLY)
        enter = [*way_in(), f"--root={self.folder}", f"--wd={self.seen(self.app)}"]
        return Handler(self.app, settings, log, enter, self.seen)

    def seen(self, path: pathlib.Path) -> str:
        """The path that leads there from within."""
        return f"/{path.relative_to(self.folder)}"
