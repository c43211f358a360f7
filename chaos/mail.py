"""A mail server that accepts every e-mail; while it is silenced it accepts connections and does not answer."""

import socketserver
import threading
from contextlib import suppress


class Mail:
    """A server that listens from the start. `silence` suspends every conversation until `go_on`."""

    def __init__(self) -> None:
        self._speaks = threading.Event()
        self._speaks.set()
        speaks = self._speaks
        self.taken = taken = [0]

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    self._talk()

            def _say(self, text: str) -> None:
                speaks.wait()
                self.wfile.write(f"{text}\r\n".encode())

            def _talk(self) -> None:
                self._say("220 chaos")
                while line := self.rfile.readline():
                    match line[:4].upper():
                        case b"DATA":
                            self._say("354 go on")
                            while self.rfile.readline().strip() not in (b".", b""):
                                pass
                            taken[0] += 1
                            self._say("250 taken")
                        case b"QUIT":
                            self._say("221 bye")
                            return
                        case _:
                            self._say("250 ok")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Server(("127.0.0.1", 0), Conversation)
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def silence(self) -> None:
        self._speaks.clear()

    def go_on(self) -> None:
        self._speaks.set()

    def close(self) -> None:
        self.go_on()
        self._server.shutdown()
        self._server.server_close()
