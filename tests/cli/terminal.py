"""terminal.py - a program in a pseudo-terminal, for tests of `valkc repl`.

t = Terminal([argv...], env={...}); t.send(text); t.expect(text); t.close() gives the exit status.
What the program writes is kept without escape sequences in t.seen, and as it came in t.raw."""
import os
import pty
import re
import select
import signal
import sys
import termios
import time

ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[a-zA-Z]|[()][0-9A-B]|[=>78])|\r|\x0f")


class Terminal:
    def __init__(self, argv, env, prompts=()):
        self.raw = b""
        self.prompts = prompts  # behind these a line editor reads
        self.at = 0  # in the text: behind what was expected last
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, dict(os.environ, **env))

    @property
    def seen(self):
        return ESCAPES.sub(b"", self.raw).decode("utf-8", "replace")

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self.raw += data
        return bool(data)

    def send(self, text):
        os.write(self.fd, text.encode())

    def expect(self, text, seconds=10):
        """Waits for text behind what was expected before."""
        end = time.time() + seconds
        while True:
            found = self.seen.find(text, self.at)
            if found >= 0:
                self.at = found + len(text)
                if text in self.prompts:
                    self.wait_for_editor()
                return
            if time.time() > end or not self.read(0.05) and self.is_over():
                self.read(0.05)
                found = self.seen.find(text, self.at)
                if found >= 0:
                    continue
                sys.exit(f"expected {text!r} after {self.seen[:self.at][-80:]!r}, "
                         f"got {self.seen[self.at:]!r}")

    def wait_for_editor(self, seconds=3):
        """A line editor shows its prompt and takes over the terminal; a key between the two is the terminal's."""
        end = time.time() + seconds
        while termios.tcgetattr(self.fd)[3] & termios.ICANON and time.time() < end:
            time.sleep(0.002)

    def settle(self, seconds=0.3):
        """Waits until nothing more is written: a signal would discard keys that are not read yet."""
        while self.read(seconds):
            pass

    def is_over(self):
        if hasattr(self, "status"):
            return True
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.status = status
        return hasattr(self, "status")

    def signal(self, number):
        os.kill(self.pid, number)

    def close(self, seconds=10):
        """Waits for the end; the exit status."""
        end = time.time() + seconds
        while not self.is_over():
            self.read(0.02)
            if time.time() > end:
                os.kill(self.pid, signal.SIGKILL)
                sys.exit(f"it does not end; last: {self.seen[-200:]!r}")
        while self.read(0):
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(self.status)
