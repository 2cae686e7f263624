"""Packs the binary named on the command line, host.json and the functions into dist/.

Azure mounts the zip read-only, so the modes in it are final: 0755 for the binary, 0644 for the
rest, marked as made on Unix. Times are fixed, so that the same input gives the same bytes.
"""

import pathlib
import shutil
import subprocess
import sys
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAME = "proofpoint-sentinel"
MADE_ON_UNIX = 3


def main() -> None:
    binary = pathlib.Path(sys.argv[1])
    require_static(binary)
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    members = {NAME: (binary, 0o755), "host.json": (ROOT / "host.json", 0o644)}
    for function in sorted(ROOT.glob("*/function.json")):
        members[function.relative_to(ROOT).as_posix()] = (function, 0o644)

    dist = ROOT / "dist"
    app = dist / "app"
    shutil.rmtree(app, ignore_errors=True)
    package = dist / f"{NAME}-{version}.zip"
    dist.mkdir(exist_ok=True)
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, (source, mode) in members.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = MADE_ON_UNIX
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, source.read_bytes())
            copy = app / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            copy.chmod(mode)
    print(f"{package.relative_to(ROOT)}: {package.stat().st_size:,} bytes, {len(members)} files")


def require_static(binary: pathlib.Path) -> None:
    """The base image's C library is older than the build machine's: nothing may be linked to it."""
    if binary.read_bytes()[:4] != b"\x7fELF":
        sys.exit(f"{binary} is not a Linux binary")
    loader = subprocess.run(["readelf", "-l", str(binary)], capture_output=True, text=True)
    if loader.returncode == 0 and "Requesting program interpreter" in loader.stdout:
        sys.exit(f"{binary} is not static: it asks for a dynamic loader")


main()
