#!/usr/bin/env python3
"""Puts a browser for checks into .tools/browser: a headless Chromium with its libraries and fonts, and axe-core.

    browser.py NODE     NODE is a Node.js, whose brotli unpacks the browser; prints the folder

Nothing is installed on the system. In the folder: chromium, lib (LD_LIBRARY_PATH), fonts.conf (FONTCONFIG_FILE), axe.js.
"""

import shutil
import subprocess
import sys
import tarfile

import wheel

FOLDER = wheel.TOOLS / "browser"
UNPACK = "const {readFileSync, writeFileSync} = require('fs'), [from, to] = process.argv.slice(1);" \
    "writeFileSync(to, require('zlib').brotliDecompressSync(readFileSync(from)))"
FONTS = """<?xml version="1.0"?>
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
"""


def install(node):
    """The folder with the browser, made where it is missing."""
    if FOLDER.exists():
        return
    wheel.require_platform("Run the check of the page on such a machine.")
    with wheel.lock():
        if FOLDER.exists():  # whoever held the lock has done it
            return
        new = wheel.TOOLS / "browser.tmp"
        shutil.rmtree(new, ignore_errors=True)
        for name, members in [("@sparticuz/chromium", ["chromium.br", "swiftshader.tar.br", "al2023.tar.br", "fonts.tar.br"]), ("axe-core", ["axe.js"])]:
            archive = wheel.fetch(name)
            with tarfile.open(archive) as package:
                for member in package:
                    if member.isfile() and member.name.rpartition("/")[2] in members:
                        member.name = member.name.rpartition("/")[2]
                        package.extract(member, new)
            archive.unlink()
        for packed in new.glob("*.br"):
            subprocess.run([node, "-e", UNPACK, packed, packed.with_suffix("")], check=True)
            packed.unlink()
        for packed in new.glob("*.tar"):
            with tarfile.open(packed) as libraries:
                libraries.extractall(new)
            packed.unlink()
        (new / "chromium").chmod(0o755)
        (new / "fonts.conf").write_text(FONTS)
        new.replace(FOLDER)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    install(sys.argv[1])
    print(FOLDER)


if __name__ == "__main__":
    wheel.run(main)
