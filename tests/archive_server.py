"""A web server with one file, for the tests of archives."""

import contextlib
import http.server
import threading
from collections.abc import Iterator


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        data = self.server.content
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(self.server.length or len(data or b"")))
        self.end_headers()
        if data:
            self.wfile.write(data)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def archive_server() -> Iterator[http.server.ThreadingHTTPServer]:
    """Answers any path with `content` (404 while it is None), claims `length` bytes if given, counts `requests`."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.content, server.length, server.requests = None, None, 0
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
