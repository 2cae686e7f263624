"""Packs a binary, host.json and the functions into proofpoint-sentinel-<version>.zip, and into
proofpoint-sentinel-queue-<version>.zip for queue mode, where files in queue/ take the place of others.

A host.json that names an extension bundle stops the whole app where the bundle can't be fetched. So only
the second package names one.

Azure mounts the zip read-only, so the modes in it are final: 0755 for the binary, 0644 for the
rest, marked as made on Unix. Times are fixed, so that the same input gives the same bytes.
"""

import argparse
import pathlib
import shutil
import struct
import sys
import zipfile

try:
    import tomllib
except ImportError:
    sys.exit("Python 3.11 or newer is needed")

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAME = "proofpoint-sentinel"
MADE_ON_UNIX = 3
REGULAR_FILE = 0o100000

ELF_64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
ELF_X86_64 = 62
SEGMENT_INTERPRETER = 3

# Each file with its mode, by its path in the package.
Members = dict[str, tuple[pathlib.Path, int]]


class NotPackable(Exception):
    """The binary would not run on Azure."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path, help="a static x86_64 Linux binary")
    parser.add_argument("--dist", type=pathlib.Path, default=ROOT / "dist", help="where to write")
    arguments = parser.parse_args()
    try:
        require_static(arguments.binary.read_bytes())
    except (NotPackable, OSError) as error:
        sys.exit(f"{arguments.binary} can't be packed: {error}")
    inline = {NAME: (arguments.binary, 0o755)} | files_of_app(ROOT)
    queue = inline | files_of_app(ROOT / "queue")
    make(inline, arguments.dist, "")
    make(queue, arguments.dist, "-queue")


def files_of_app(folder: pathlib.Path) -> Members:
    """host.json and each function, by their paths in the package."""
    files = [folder / "host.json", *sorted(folder.glob("*/function.json"))]
    return {file.relative_to(folder).as_posix(): (file, 0o644) for file in files}


def make(members: Members, dist: pathlib.Path, suffix: str) -> None:
    unpacked(members, dist / f"app{suffix}")
    package = dist / f"{NAME}{suffix}-{version()}.zip"
    pack(members, package)
    print(f"{package}: {package.stat().st_size:,} bytes, {len(members)} files")


def version() -> str:
    return tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]


def require_static(binary: bytes) -> None:
    """The base image's C library may be older than the build machine's: the binary may ask for
    none, and so for no dynamic loader."""
    if not binary.startswith(ELF_64_LITTLE_ENDIAN):
        raise NotPackable("it is not a 64-bit Linux binary")
    try:
        (machine,) = struct.unpack_from("<H", binary, 18)
        (table,) = struct.unpack_from("<Q", binary, 32)
        size, count = struct.unpack_from("<HH", binary, 54)
        segments = [struct.unpack_from("<I", binary, table + i * size)[0] for i in range(count)]
    except struct.error:
        raise NotPackable("its headers are cut off") from None
    if machine != ELF_X86_64:
        raise NotPackable("it is not made for x86_64, which Azure Functions runs on")
    if SEGMENT_INTERPRETER in segments:
        raise NotPackable("it is not static: it asks for a dynamic loader")


def unpacked(members: Members, app: pathlib.Path) -> None:
    shutil.rmtree(app, ignore_errors=True)
    for name, (source, mode) in members.items():
        copy = app / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        copy.chmod(mode)


def pack(members: Members, package: pathlib.Path) -> None:
    with zipfile.ZipFile(package, "w") as archive:
        for name, (source, mode) in members.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = MADE_ON_UNIX
            entry.external_attr = (REGULAR_FILE | mode) << 16
            archive.writestr(entry, source.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    main()
