"""Tests of wheel.py against a package index on this machine: `python3 -m unittest discover -s tools`."""

import base64
import contextlib
import hashlib
import http.server
import io
import json
import os
import random
import tempfile
import threading
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import wheel

FILE = "thing-1.0-py3-none-any.whl"


def archive():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("thing-1.0.data/scripts/thing", random.Random(1).getrandbits(24_000_000).to_bytes(3_000_000, "big"))
        file.writestr("thing/__init__.py", "")
        file.writestr("thing/data/bin/thing", "#!/bin/sh\n")
        file.writestr("thing/data/share/table", "1")
    return content.getvalue()


class Index(http.server.BaseHTTPRequestHandler):
    """One wheel, served as the server's attributes say; remembers the ranges it was asked for."""

    def do_GET(self):
        index = self.server
        if index.password and self.headers.get("Authorization") != index.password:
            return self.send_error(401)
        if self.path == "/simple/thing/":
            return self.reply(200, index.page.encode(), index.kind)
        index.ranges.append(self.headers.get("Range"))
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if index.resumes else 0
        body = index.content[start:]
        self.reply(206 if start else 200, body, "application/zip", index.cuts.pop() if index.cuts else len(body))

    def reply(self, status, body, kind, sent=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:sent])

    def log_message(self, *_):
        pass


class Fetch(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.index = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
        stack.callback(self.index.server_close)
        stack.callback(self.index.shutdown)
        threading.Thread(target=self.index.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.index.content = archive()
        self.index.page = json.dumps({"files": [{"filename": FILE, "url": f"../../files/{FILE}"}]})
        self.index.kind = "application/vnd.pypi.simple.v1+json"
        self.index.resumes, self.index.password, self.index.cuts, self.index.ranges = True, None, [], []
        self.host = f"127.0.0.1:{self.index.server_port}"

        self.tools = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        content = self.index.content
        self.pin = {"file": FILE, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for patch in (
            mock.patch.dict(os.environ, {"PIP_INDEX_URL": f"http://{self.host}/simple/", "no_proxy": "*"}),
            mock.patch.dict(wheel.PINS, {"thing": self.pin}),
            mock.patch.multiple(wheel, TOOLS=self.tools, DOWNLOADS=self.tools / "downloads", say=lambda _: None),
            mock.patch("time.sleep"),
        ):
            stack.enter_context(patch)
        self.part = self.tools / "downloads" / (FILE + ".part")

    def keep(self, content):
        self.part.parent.mkdir(exist_ok=True)
        self.part.write_bytes(content)

    def test_whole(self):
        self.assertEqual(wheel.fetch("thing").read_bytes(), self.index.content)
        self.assertFalse(self.part.exists())

    def test_goes_on_after_an_interrupted_run(self):
        self.keep(self.index.content[:1000])
        self.assertEqual(wheel.fetch("thing").read_bytes(), self.index.content)
        self.assertEqual(self.index.ranges, ["bytes=1000-"])

    def test_goes_on_after_a_broken_connection(self):
        self.index.cuts = [2000, 1000]
        self.assertEqual(wheel.fetch("thing").read_bytes(), self.index.content)
        self.assertEqual(self.index.ranges, [None, "bytes=1000-", "bytes=3000-"])

    def test_starts_over_where_the_server_knows_no_ranges(self):
        self.index.resumes = False
        self.keep(b"x" * 1000)
        self.assertEqual(wheel.fetch("thing").read_bytes(), self.index.content)

    def test_gives_up_without_progress_and_keeps_what_came(self):
        self.index.cuts = [0] * wheel.TRIES + [1000]
        with self.assertRaises(wheel.Unreachable):
            wheel.fetch("thing")
        self.assertEqual(self.part.stat().st_size, 1000)

    def test_refuses_other_content(self):
        self.keep(b"x" * 1000)
        with self.assertRaisesRegex(wheel.SetupError, "SHA-256"):
            wheel.fetch("thing")
        self.assertEqual(list(self.part.parent.iterdir()), [])

    def test_reads_html_indexes(self):
        self.index.kind = "text/html"
        self.index.page = f'<a href="/files/{FILE}#sha256=0">{FILE}</a>'
        self.assertEqual(wheel.fetch("thing").read_bytes(), self.index.content)

    def test_gives_the_password_of_the_index(self):
        self.index.password = "Basic " + base64.b64encode(b"user:p@ss").decode()
        with mock.patch.dict(os.environ, {"PIP_INDEX_URL": f"http://user:p%40ss@{self.host}/simple"}):
            self.assertEqual(wheel.fetch("thing").read_bytes(), self.index.content)

    def test_says_when_the_index_lacks_the_file(self):
        self.index.page = '{"files": []}'
        with self.assertRaisesRegex(wheel.SetupError, f"does not list {FILE}"):
            wheel.fetch("thing")

    def test_says_when_there_is_no_network(self):
        with mock.patch.dict(os.environ, {"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}):
            with self.assertRaisesRegex(wheel.Unreachable, "cannot reach 127.0.0.1:9"):
                wheel.fetch("thing")

    def test_says_how_much_room_is_missing(self):
        self.pin["size"] = 10**18
        with self.assertRaisesRegex(wheel.SetupError, "are needed"):
            wheel.fetch("thing")

    def test_installs_a_program_and_clears_up(self):
        target = self.tools / "bin/thing"
        with mock.patch.object(wheel, "require_platform"):
            wheel.program("thing", "thing", target)
        self.assertTrue(os.access(target, os.X_OK))
        self.assertEqual(sorted(p.name for p in self.tools.iterdir()), ["bin", "downloads", "lock"])
        self.assertEqual(list((self.tools / "downloads").iterdir()), [])

    def test_installs_a_folder_and_clears_up(self):
        target = self.tools / "thing-1.0"
        with mock.patch.object(wheel, "require_platform"):
            wheel.folder("thing", "thing/data", target)
        self.assertTrue(os.access(target / "bin/thing", os.X_OK))
        self.assertEqual((target / "share/table").read_text(), "1")
        self.assertEqual(sorted(p.name for p in self.tools.iterdir()), ["downloads", "lock", "thing-1.0"])


if __name__ == "__main__":
    unittest.main()
