"""An MJPEG stream over HTTP, as IP cameras and telephones give it: a film in a loop."""
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def pictures(film):
    """The JPEG pictures of a file of one behind the other."""
    data = film.read_bytes()
    starts, at = [], data.find(b"\xff\xd8\xff")
    while at >= 0:
        starts.append(at)
        end = data.find(b"\xff\xd9", at)
        at = data.find(b"\xff\xd8\xff", end)
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)])]


class Stream:
    """Serves the film on the loopback address; can be stopped and started again at the same address. A context manager."""

    def __init__(self, film, frames_a_second):
        self.pictures = pictures(film)
        self.pause = 1 / frames_a_second
        self.port = 0
        self.server = None
        self.start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}/film"

    def start(self):
        stream = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    while server.alive:
                        for picture in stream.pictures:
                            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                            self.wfile.write(head.encode() + picture + b"\r\n")
                            time.sleep(stream.pause)
                            if not server.alive:
                                return
                except OSError:
                    return  # nobody looks any more

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        server.alive = True
        self.server = server
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.alive = False
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
