# `valkc repl` in a terminal: editing, history, completion, interrupts, colours; and in a dumb one.
unset NO_COLOR
echo '(def {loaded} 1)' >some-file.valk
PYTHONPATH=$TREE/tests/cli python3 - <<'END'
import os
import re
import signal
import subprocess
import sys
import threading
import time
from terminal import Terminal

def session(term="xterm", **env):
    env = dict({"TERM": term, "XDG_STATE_HOME": os.getcwd() + "/state", "HOME": os.getcwd()}, **env)
    t = Terminal([os.environ["VALKC"], "repl"], env, () if term == "dumb" else ("valk> ", "  ... "))
    t.expect("valk> ")
    return t

def enter(t, text, answer=""):
    t.send(text + "\n")
    t.expect(answer + "\n" if answer else "\n")
    t.expect("valk> ")

t = session()
enter(t, "(+ 1 2)", "\n3")
if b"\x1b[36m3" not in t.raw:
    sys.exit("values have no colour")
# Entries of several lines; editing by the usual keys.
t.send("(fun {double x}\n")
t.expect("  ... ")
enter(t, "{* x 2})")
enter(t, "(doublX\x7fe 4)", "\n8")
enter(t, "double 5)\x01(", "\n10")
enter(t, '"äöü"', '\n"äöü"')
# History: the last entry, and searching.
t.send("\x1b[A")
t.expect('"äöü"')
enter(t, "", '\n"äöü"')
t.send("\x12{doub")
t.expect("(fun")
t.settle()
t.send("\x03")
t.expect("^C")
t.expect("valk> ")
# Completion: user's names, the library's, keywords, commands, files, what is ambiguous.
enter(t, "(def {apple-pie} 70)")
enter(t, "(+ 1 apple\t)", "\n71")
enter(t, "(str/rep\tla\t \"aa\" \"a\" \"b\")", '\n"bb"')
enter(t, "(def {k} :some-keyword)")
enter(t, ":some-k\t", "\n:some-keyword")
enter(t, '(len (read-file "some-f\t"))', "\n17")
t.send("(vec/s\t")
t.expect("vec/set!")
t.expect("vec/slice")
t.settle()
t.send("\x03")
t.expect("^C")
t.expect("valk> ")
enter(t, ":loa\t some-f\t")
enter(t, "loaded", "\n1")
# Control-C: while typing, in an entry of several lines, while something runs.
t.send("(abc")
t.expect("(abc")
t.settle()
t.send("\x03")
t.expect("^C")
t.expect("valk> ")
t.send("(abc\n")
t.expect("  ... ")
t.send("\x03")
t.expect("^C")
t.expect("valk> ")
enter(t, "(fun {spin n} {spin (+ n 1)})")
for endless in ["(while 1 {1})", "(spin 1)", "(loop {x 1} {(recur (+ x 1))})", "(sleep 100000)",
                "(while 1 {try {spin 1} {e 1}})", "(map spin (range 0 10))",
                "(await (spawn (sleep 100000)))", "(await (future (spin 1)))",
                "(map (\\ {x} {* x x}) (range 0 100000000))"]:
    t.send(endless + "\n")
    t.expect(endless + "\n")
    time.sleep(0.3)
    t.send("\x03")
    t.expect("interrupted")
    t.expect("valk> ")
enter(t, "(+ 2 2)", "\n4")
# Output without a newline does not lose the prompt.
enter(t, '(printf "no newline")', "no newline")
t.send("\x04")
status = t.close()
if status != 0:
    sys.exit(f"exit status {status}")

# The next session has the history of the first; two at once keep both their entries.
t, other = session(), session()
t.send("\x1b[A")
t.expect('(printf "no newline")')
t.settle()
t.send("\x03")
t.expect("^C")
t.expect("valk> ")
enter(t, "(list :first)")
enter(other, "(list :second)")
t.send(":quit\n")
other.send("(exit 7)\n")
if t.close() != 0 or other.close() != 7:
    sys.exit("the sessions end wrong")
history = open("state/valkc/history").read()
for entry in ["(fun {double x}\\n{* x 2})", "(list :first)", "(list :second)", "(exit 7)"]:
    if entry + "\n" not in history:
        sys.exit(f"the history lacks {entry}: {history}")
if os.stat("state/valkc/history").st_mode & 0o077:
    sys.exit("others may read the history")

# A dumb terminal: a prompt, no escape sequences.
t = session("dumb")
enter(t, "(+ 1 2)", "\n3")
t.send("(list 1\n")
t.expect("  ... ")
enter(t, "2)", "\n{1 2}")
t.send("(while 1 {1})\n")
time.sleep(0.2)
t.send("\x03")
t.expect("interrupted")
t.expect("valk> ")
t.send("\x04")
if t.close() != 0 or b"\x1b" in t.raw:
    sys.exit(f"a dumb terminal gets {t.raw}")

# A server, and whatever else waits, goes on while a line is waited for, and sees new definitions; control-C stops a
# handler that does not end.
def get(path):
    return subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "--max-time", "10", "-w", " %{http_code}",
                           f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True).stdout

for term in "xterm", "dumb":
    t = session(term)
    enter(t, '(fun {handle r} {if (== (req/path r) "/loop") {while 1 nil} {str "hello " x}})')
    enter(t, '(= {s} (http2/listen "127.0.0.1" 0 handle))')
    enter(t, "(def {x} 1)")
    enter(t, '(spawn {do (sleep 50) (print "from a fiber")})')
    t.expect("from a fiber")
    t.send('(print "port" (http2/server-port s) "is open")\n')
    t.expect("is open\n")
    port = re.findall(r"\nport (\d+) is open", t.seen)[-1]
    t.expect("valk> ")
    if get("/") != "hello 1 200":
        sys.exit(f"{term}: it does not serve: {get('/')}")
    enter(t, "(def {x} 2)")
    if get("/") != "hello 2 200":
        sys.exit("it serves what was")
    loops = threading.Thread(target=lambda: answers.append(get("/loop")))
    answers = []
    loops.start()
    time.sleep(0.3)
    t.send("\x03")
    t.expect("interrupted")
    loops.join()
    if answers != [" 500"] or get("/") != "hello 2 200":
        sys.exit(f"a handler that was stopped: {answers}")
    t.expect("valk> ")
    enter(t, "(+ 1 2)", "\n3")
    t.send("\x04")
    if t.close() != 0:
        sys.exit("a session with a server does not end")

# NO_COLOR; a signal ends the process while it waits for a line.
t = session(NO_COLOR="1")
enter(t, "(+ 1 2)", "\n3")
if b"\x1b[36m" in t.raw or b"\x1b[1;32m" in t.raw:
    sys.exit("colours in spite of NO_COLOR")
t.signal(signal.SIGTERM)
if t.close() != -signal.SIGTERM:
    sys.exit("SIGTERM does not end it")
END
