"""A server on loopback for tests of downloads: it remembers what it was asked, and misbehaves on request."""
import hashlib
import http.server
import os
import threading
import time

# Loopback is reached without a proxy, and what a person has set for the real servers does not count here.
os.environ["no_proxy"] = "*"
for name in ("URSA_DATA_URL", "URSA_KAGGLE_URL", "KAGGLE_CONFIG_DIR"):
    os.environ.pop(name, None)


class Request:
    """What came in: method, path with query, headers, body."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    def __repr__(self):
        return f"{self.method} {self.path}"


class Answer:
    """What goes out. `cut`: the connection ends after so many bytes of the body; `pause`: seconds between pieces."""

    def __init__(self, status=200, body=b"", headers=None, cut=None, pause=0):
        self.status, self.body, self.headers, self.cut, self.pause = status, body, headers or {}, cut, pause


def file_answer(request, content, etag=None, ranges=True, **kw):
    """A file as a good server hands it out: with an ETag, and in part when asked so (RFC 9110)."""
    etag = etag or '"' + hashlib.md5(content).hexdigest() + '"'
    headers = {"ETag": etag}
    wanted = request.headers.get("Range")
    condition = request.headers.get("If-Range")
    if not wanted or not ranges or condition not in (None, etag):
        return Answer(200, content, headers, **kw)
    first = int(wanted.removeprefix("bytes=").rstrip("-"))
    if first >= len(content):
        return Answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
    return Answer(206, content[first:], headers, **kw)


class Server:
    """with Server(answer) as server: … `answer` makes an Answer from a Request; server.requests has all that came."""

    def __init__(self, answer):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(self.command, self.path, self.headers, self.rfile.read(length))
                outer.requests.append(request)
                self.send(answer(request))

            do_GET = do_POST = do_PUT = do_HEAD = handle_one

            def send(self, reply):
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                body = reply.body if reply.cut is None else reply.body[:reply.cut]
                for begin in range(0, len(body), 1 << 16):
                    self.wfile.write(body[begin:begin + (1 << 16)])
                    time.sleep(reply.pause)
                if reply.cut is not None:
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.shutdown(2)

            def log_message(self, *arguments):
                pass

            def handle(self):
                try:
                    super().handle()
                except (ConnectionError, BrokenPipeError):
                    pass  # the client went away

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.http.shutdown()
        self.http.server_close()
