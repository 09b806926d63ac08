"""Unpacks the named members of a wheel (zip) or an npm package (tar.gz), or a whole npm package.

Standard input: {"archive": file, "members": [[member, target], ...]}, or "folder" instead of "members". Standard output: the
bytes written so far, one number per line. Members are written to their targets and nowhere else; the caller checks and renames
them.
"""

import json
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

job = json.load(sys.stdin)
written = 0


def copy(source, target):
    global written
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with open(target, "wb") as out:
        while chunk := source.read(4 << 20):
            out.write(chunk)
            written += len(chunk)
            print(written, flush=True)


try:
    if folder := job.get("folder"):
        shutil.rmtree(folder, ignore_errors=True)
        root = Path(folder).resolve()
        with tarfile.open(job["archive"], "r:gz") as archive:
            for entry in archive:
                target = (root / entry.name).resolve()
                if entry.isfile() and target.is_relative_to(root):
                    copy(archive.extractfile(entry), target)
    elif zipfile.is_zipfile(job["archive"]):
        with zipfile.ZipFile(job["archive"]) as archive:
            for member, target in job["members"]:
                with archive.open(member) as source:
                    copy(source, target)
    else:
        targets = dict(job["members"])
        with tarfile.open(job["archive"], "r:gz") as archive:
            for entry in archive:
                if entry.isfile() and entry.name in targets:
                    copy(archive.extractfile(entry), targets.pop(entry.name))
        if targets:
            raise KeyError(next(iter(targets)))
except KeyError as missing:
    sys.exit(f"expected a member {missing} in {job['archive']}, found none")
