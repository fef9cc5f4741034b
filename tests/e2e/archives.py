"""Makes archives, good ones and bad."""
import io
import os
import tarfile
import zipfile

KINDS = {"file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE, "link": tarfile.LNKTYPE,
         "pipe": tarfile.FIFOTYPE, "device": tarfile.CHRTYPE}


def tar(entries, mode="w:gz"):
    """entries: (name, kind, content or target of a link)"""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, kind, what in entries:
            entry = tarfile.TarInfo(name)
            entry.type = KINDS[kind]
            if kind == "file":
                entry.size = len(what)
                archive.addfile(entry, io.BytesIO(what))
            else:
                entry.linkname = what or ""
                archive.addfile(entry)
    return out.getvalue()


def zipped(files):
    """files: from name to content"""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tree(folder):
    """All files under a folder, sorted."""
    return sorted(os.path.relpath(os.path.join(top, name), folder) for top, folders, files in os.walk(folder)
                  for name in files)
