"""Run `tarn window` on a terminal of our own and say what stands on it.

    window_terminal.py SCENE TARN WORK    prints 'ok', or what is wrong

The terminal understands what tarn may use: CR, LF, cursor up, clear to the end of the line or the
screen, colour. Anything else is an error, and so is a view wider than the terminal.
"""
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

scene, tarn, work = sys.argv[1:4]
CODE = re.compile(rb"\x1b\[([0-9;]*)([A-Za-z])")


class Screen:
    """Lines written so far, without end and without a width: only what tarn clears is gone."""

    def __init__(self):
        self.lines, self.row, self.column = [""], 0, 0
        self.raw = b""
        self.clears = 0
        self.coloured = False

    def feed(self, data):
        self.raw += data
        at = 0
        while at < len(data):
            code = CODE.match(data, at)
            if code:
                self.control(code.group(1), code.group(2))
                at = code.end()
            else:
                self.character(data[at : at + 1])
                at += 1

    def control(self, number, letter):
        if letter == b"A":
            self.row = max(0, self.row - int(number or b"1"))
        elif letter == b"J" and number in (b"", b"0"):
            self.clears += 1
            self.lines = self.lines[: self.row + 1]
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif letter == b"K" and number in (b"", b"0"):
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif letter == b"m":
            self.coloured = True
        else:
            raise SystemExit("an escape sequence that is not allowed: %r%r" % (number, letter))

    def character(self, byte):
        if byte == b"\n":
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
        elif byte == b"\r":
            self.column = 0
        elif byte < b" ":
            raise SystemExit("a control character on the terminal: %r" % byte)
        else:
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + byte.decode("latin-1") + line[self.column + 1 :]
            self.column += 1

    def text(self):
        return "\n".join(self.lines)


def set_size(terminal, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))


def start(arguments, standard_input=None, errors_only=False, columns=100, **environment):
    """The command on a terminal; answers (process, our end of it)."""
    ours, theirs = pty.openpty()
    set_size(ours, columns)
    settings = dict(os.environ, TERM="xterm")
    settings.pop("NO_COLOR", None)
    settings.update(environment)
    process = subprocess.Popen(
        [tarn, "window"] + arguments,
        stdin=standard_input if standard_input is not None else subprocess.DEVNULL,
        stdout=open(work + "/out", "wb") if errors_only else theirs,
        stderr=theirs,
        env=settings,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in the background
    )
    os.close(theirs)
    return process, ours


def read_until(ours, screen, condition, seconds=20):
    """Feed the screen until the condition holds, or nothing can come any more."""
    end = time.time() + seconds
    while not condition():
        if time.time() > end:
            raise SystemExit("not seen in time: %r" % screen.text())
        if select.select([ours], [], [], 0.05)[0]:
            try:
                data = os.read(ours, 65536)
            except OSError as error:
                if error.errno == errno.EIO:
                    return False
                raise
            if not data:
                return False
            screen.feed(data)
    return True


def read_all(ours, screen):
    read_until(ours, screen, lambda: False, 60)


def expect(condition, what):
    if not condition:
        raise SystemExit(what)


BASE = ["--time", "t", "--time-format", "ms", "--every", "1s", "--times", "ms", "--by", "k"]


def rows(first, last):
    return b"".join(b"%d,key%d\n" % (t, t % 7) for t in range(first, last, 100))


def piped(table):
    done = subprocess.run(
        [tarn, "window", "-i", "csv", "-o", "pretty"] + BASE, input=table, stdout=subprocess.PIPE
    )
    return done.stdout.decode()


def view():
    """A view stands below the table while rows come; what stays is what a pipe gets."""
    process, ours = start(["-i", "csv", "-o", "pretty"] + BASE, subprocess.PIPE)
    screen = Screen()
    table = b"t,k\n" + rows(0, 5000)
    process.stdin.write(table)
    process.stdin.flush()
    read_until(ours, screen, lambda: "50 rows" in screen.text() and "in the last window" in screen.text())
    text = screen.text()
    expect("watermark 1970-01-01T00:00:04.899Z" in text, "no watermark: " + text)
    expect("behind the clock" in text and "0 late" in text and "1 open" in text, "no facts: " + text)
    expect(re.search(r"window: key\d \d, key", text), "no groups: " + text)
    expect("window_start" in text and "3000" in text, "no table above it: " + text)
    more = rows(5000, 9000)
    process.stdin.write(more)
    process.stdin.flush()
    read_until(ours, screen, lambda: "90 rows" in screen.text())
    process.stdin.close()
    read_all(ours, screen)
    expect(process.wait() == 0, "exit %d" % process.returncode)
    expect(screen.clears > 1, "never redrawn")
    expect(screen.text().split() == piped(table + more).split(), "left: " + screen.text())
    expect(screen.coloured, "no colour")


def interrupted():
    """Control-C: exit 130, the view is gone, complete lines, open windows not printed."""
    process, ours = start(["-i", "csv", "-o", "pretty"] + BASE, subprocess.PIPE)
    screen = Screen()
    process.stdin.write(b"t,k\n" + rows(0, 5000))
    process.stdin.flush()
    read_until(ours, screen, lambda: "50 rows" in screen.text())
    process.send_signal(signal.SIGINT)
    read_all(ours, screen)
    expect(process.wait() == 130, "exit %d" % process.returncode)
    left = screen.text()
    expect("rows" not in left and "watermark" not in left, "the view is left: " + left)
    expect(left.endswith("\n"), "half a line: " + left)
    expect(not re.search(r"^ *4000 ", left, re.M), "an open window was printed: " + left)
    expect(re.search(r"^ *3000 +4000 ", left, re.M), "a complete one was not: " + left)


def plain():
    """NO_COLOR: no colour. TERM=dumb: no view at all."""
    for settings, view_wanted in (({"NO_COLOR": "1"}, True), ({"TERM": "dumb"}, False)):
        process, ours = start(["-i", "csv", "-o", "pretty"] + BASE, subprocess.PIPE, **settings)
        screen = Screen()
        process.stdin.write(b"t,k\n" + rows(0, 5000))
        process.stdin.flush()
        read_until(ours, screen, lambda: "3000" in screen.text())
        time.sleep(0.6)
        process.stdin.close()
        read_all(ours, screen)
        expect(process.wait() == 0, "exit %d" % process.returncode)
        expect(not screen.coloured, "colour")
        expect((b"watermark" in screen.raw) == view_wanted, "the view: %r" % screen.raw)
        expect((b"\x1b" in screen.raw) == view_wanted, "escape sequences: %r" % screen.raw)


def narrow():
    """The view is never wider than the terminal, also after that was resized."""
    process, ours = start(["-i", "csv", "-o", "pretty"] + BASE, subprocess.PIPE, columns=120)
    screen = Screen()
    process.stdin.write(b"t,k\n" + rows(0, 5000))
    process.stdin.flush()
    read_until(ours, screen, lambda: "behind the clock" in screen.text())
    set_size(ours, 30)
    seen = screen.clears
    # A chunk may end between a view taken off and the next one.
    read_until(ours, screen, lambda: screen.clears > seen + 1 and "watermark 1970" in screen.text())
    text = screen.text()
    expect("watermark 1970" in text, "no view: " + text)
    lines = [line for line in text.split("\n") if "rows" in line or "watermark" in line]
    expect(lines and all(len(line) < 30 for line in lines), "too wide: " + text)
    process.stdin.close()
    read_all(ours, screen)
    expect(process.wait() == 0, "exit %d" % process.returncode)


def followed():
    """A file that grows: the view goes on, SIGTERM takes it off."""
    path = work + "/grows.csv"
    with open(path, "wb") as file:
        file.write(b"t,k\n" + rows(0, 2000))
    process, ours = start(["--follow", "-o", "pretty"] + BASE + [path])
    screen = Screen()
    read_until(ours, screen, lambda: "20 rows" in screen.text())
    with open(path, "ab") as file:
        file.write(rows(2000, 4000))
    read_until(ours, screen, lambda: "40 rows" in screen.text())
    process.send_signal(signal.SIGTERM)
    read_all(ours, screen)
    expect(process.wait() == 143, "exit %d" % process.returncode)
    expect("rows" not in screen.text() and screen.text().endswith("\n"), "left: " + screen.text())


def messages():
    """A bad row is told between table and view, and nothing is drawn over."""
    process, ours = start(["-i", "csv", "-o", "pretty"] + BASE, subprocess.PIPE)
    screen = Screen()
    process.stdin.write(b"t,k\n" + rows(0, 3000))
    process.stdin.flush()
    read_until(ours, screen, lambda: "30 rows" in screen.text())
    process.stdin.write(b"x,a\n")
    process.stdin.flush()
    read_until(ours, screen, lambda: "1 bad" in screen.text())
    expect("standard input:32: bad row" in screen.text(), "not told: " + screen.text())
    process.stdin.close()
    read_all(ours, screen)
    process.wait()
    text = screen.text()
    expect("standard input:32: bad row" in text and "1 of 31 rows were bad" in text, "gone: " + text)
    expect("watermark" not in text, "left: " + text)


def progress():
    """Output elsewhere: a bar on standard error, which is gone at the end. Pretty or not."""
    path = work + "/many.csv"
    with open(path, "wb") as file:
        file.write(b"t,k\n")
        block = b"".join(b"%d,%s\n" % (t, b"k" * 60) for t in range(1000, 2000))
        for _ in range(6000):
            file.write(block)
    process, ours = start(BASE + [path], errors_only=True, columns=60)
    screen = Screen()
    read_until(ours, screen, lambda: re.search(r"\[=*> *\] +\d+ %", screen.text()))
    expect(len(screen.lines[-1]) < 60, "too wide: " + screen.lines[-1])
    read_all(ours, screen)
    expect(process.wait() == 0, "exit %d" % process.returncode)
    expect(screen.text().strip() == "", "left: " + screen.text())
    os.unlink(path)


def piped_progress():
    """Where the end is not known: rows and bytes. Nothing for TERM=dumb."""
    for kind, wanted in (("xterm", True), ("dumb", False)):
        process, ours = start(["-i", "csv"] + BASE, subprocess.PIPE, errors_only=True, TERM=kind)
        screen = Screen()
        process.stdin.write(b"t,k\n")
        seen = False
        for round in range(40):
            process.stdin.write(b"5000,a\n" * 8192)
            process.stdin.flush()
            time.sleep(0.03)
        process.stdin.close()
        read_all(ours, screen)
        expect(process.wait() == 0, "exit %d" % process.returncode)
        expect((b" rows, " in screen.raw) == wanted, "it says %r" % screen.raw)
        expect(screen.text().strip() == "", "left: " + screen.text())


SCENES = [view, interrupted, plain, narrow, followed, messages, progress, piped_progress]
{function.__name__: function for function in SCENES}[scene]()
print("ok")
