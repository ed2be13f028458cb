#!/usr/bin/env python3
"""run.py - runs random programs in several ways and reports where they differ.

    run.py [--count=N] [--seed=N] [--modes=run,eval] [--valkc=build/valkc] [--keep=DIR]
           [--size=N] [--reduce] [--stop-after=N] [--traces] [FILE...]

The way all others are measured by is `ref`: every optional pass left out, compiled by TinyCC in
process. A program differs if stdout, exit status or the error it ended with do, if a line marked by
a `;=` comment is not what generate.py computed, or if anything crashes. Traces are compared only with
--traces. Differing programs are kept as DIR/SEED.valk, made small by --reduce (reduce.py). With FILEs,
those are run instead of generated ones.

Ways (--modes): run (the default passes, TinyCC), eval (the evaluator), skip-PASS and only-PASS
(TinyCC, one optional pass left out, or all others), O0 O1 O2 O3 clang (an executable), asan (needs
`make asan`), stress (a collection at every allocation), ref-O0 (as ref, by gcc). With a w behind the name of one that makes an executable (O1w), warnings of the C
compiler count as well.

Last line: "N programs, N differ, N too slow, N not valid". Exit status 1 if any differ or are not
valid.
"""
import argparse
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import generate
import reduce

ASAN = {"ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0:handle_segv=0:"
                        "allow_user_segv_handler=1:exitcode=99",
        "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99"}
SECONDS = 5
OUTPUT_MAX = 1 << 20
FILE_MAX = 64 << 20  # executables too
BUG = re.compile(r"bug in the compiler|AddressSanitizer|runtime error:|Assertion|segmentation|corrupt", re.I)


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err
        own = [l for l in err.splitlines() if not re.match(r"\S+:\d+:\d+: (warning|note):|note:|\s+\d* *\|", l)]
        self.trace = "\n".join(own)
        self.error = next((l for l in own if l.startswith("Error")), "")
        self.is_slow = status is None or "stack-overflow" in err or "out-of-memory" in err
        self.is_crash = status is not None and (status < 0 or status in (70, 99) or bool(BUG.search(err)))
        self.is_invalid = status == 1 and bool(re.search(r":\d+:\d+: error:", err))

    def key(self, traces=False):
        return (self.status, self.out, self.trace if traces else self.error)


def run(command, env=None, seconds=SECONDS):
    """Output goes to files, whose size main() limits: a program may print without end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=seconds, env=env)
        except subprocess.TimeoutExpired:
            return Result(None, "", "")
        if p.returncode == -signal.SIGXFSZ or out.tell() > OUTPUT_MAX:
            return Result(None, "", "")
        texts = []
        for f in (out, err):
            f.seek(0)
            texts.append(f.read(OUTPUT_MAX).decode("utf-8", "replace"))
        return Result(p.returncode, *texts)


class Runner:
    """Runs a file in a mode."""

    def __init__(self, valkc, directory):
        self.valkc, self.directory = valkc, directory
        text = subprocess.run([valkc, "--list-passes"], capture_output=True, text=True).stdout
        self.optional = [l.split()[0] for l in text.splitlines() if "optional" in l or "(--skip)" in l]
        if not self.optional:
            self.optional = ["simplify", "flow", "represent"]
        self.env = dict(os.environ, VALKC_CHECK="1", VALK_HEAP_LIMIT=str(512 << 20))

    def run(self, mode, path, seconds=SECONDS):
        if mode == "ref":
            return self.in_process(path, self.optional, seconds)
        if mode == "run":
            return self.in_process(path, [], seconds)
        if mode == "eval":
            return run([self.valkc, "run", "--eval", path], self.env, seconds)
        if mode.startswith("skip-"):
            return self.in_process(path, [mode[5:]], seconds)
        if mode.startswith("only-"):
            return self.in_process(path, [p for p in self.optional if p != mode[5:]], seconds)
        if mode == "stress":
            return run([self.valkc, "run", path], dict(self.env, VALK_GC_STRESS="1"), 20 * seconds)
        if mode == "ref-stress":
            return run([self.valkc, "run", "--skip=" + ",".join(self.optional), path],
                       dict(self.env, VALK_GC_STRESS="1"), 20 * seconds)
        return self.by_executable(mode, path, seconds)

    def in_process(self, path, skip, seconds):
        option = ["--skip=" + ",".join(skip)] if skip else []
        return run([self.valkc, "run"] + option + [path], self.env, seconds)

    def by_executable(self, mode, path, seconds):
        valkc, env = self.valkc, self.env
        warn, mode = mode.endswith("w"), mode.rstrip("w")
        options = {"clang": ["-O1", "--cc=clang"], "asan": ["-O1", "--sanitize"],
                   "ref-O0": ["-O0", "--skip=" + ",".join(self.optional)]}.get(mode, ["-" + mode])
        if mode == "asan":
            valkc, env = os.path.join(os.path.dirname(valkc), "asan", "valkc"), dict(env, **ASAN)
        if warn:
            options.append("--warn-c")
        program = os.path.join(self.directory, "program")
        built = run([valkc, "build", path, "-o", program] + options, env, 60)
        if built.status != 0:
            return built if built.is_crash or built.is_invalid else Result(-1, "", "valkc build failed\n" + built.err)
        result = run([program], env, 4 * seconds)
        os.unlink(program)
        return result


def expected_lines(text):
    return [l[3:] for l in text.splitlines() if l.startswith(";= ")]


def wrong_lines(text, out):
    """The lines that are not as a comment of the program says."""
    wrong = []
    for line in expected_lines(text):
        tag = line.split(" ", 1)[0] + " "
        wrong += ["%s (should be %s)" % (l, line) for l in out.split("\n") if l.startswith(tag) and l != line]
    return wrong


class Report:
    """What is wrong with a program: (mode, what), or nothing."""

    def __init__(self, runner, path, modes, traces=False):
        self.kind = "same"
        self.mode = self.detail = ""
        text = open(path, encoding="utf-8").read()
        ref = self.ref = runner.run("ref", path)
        if ref.is_invalid:
            self.kind, self.detail = "invalid", ref.err
            return
        if ref.is_slow:
            self.kind = "slow"
            return
        if ref.is_crash:
            self.found("ref", "crash", "status %s\n%s" % (ref.status, ref.err[-2000:]))
            return
        wrong = wrong_lines(text, ref.out)
        if wrong:
            self.found("ref", "arithmetic", "\n".join(wrong))
            return
        for mode in modes:
            got = runner.run(mode, path)
            if got.status is None:
                got = runner.run(mode, path, 10 * SECONDS)
            if got.is_crash:
                self.found(mode, "crash", "status %s\n%s" % (got.status, got.err[-2000:]))
            elif got.key() != ref.key():
                self.found(mode, "differ", difference(ref, got))
            elif traces and got.key(True) != ref.key(True):
                self.found(mode, "trace", "--- ref\n%s\n--- %s\n%s" % (ref.trace, mode, got.trace))
            else:
                continue
            return

    def found(self, mode, what, detail):
        self.kind, self.mode, self.what, self.detail = "differ", mode, what, detail

    def is_like(self, other):
        return self.kind == "differ" and self.mode == other.mode and self.what == other.what


def difference(ref, got):
    a, b = ref.out.split("\n"), got.out.split("\n")
    for i in range(max(len(a), len(b))):
        x, y = a[i] if i < len(a) else "(end)", b[i] if i < len(b) else "(end)"
        if x != y:
            return "line %d\n  ref: %s\n  got: %s" % (i + 1, x[:300], y[:300])
    return "ref: status %s %s\ngot: status %s %s\n%s" % (ref.status, ref.error, got.status, got.error,
                                                         got.err[-500:] if got.status != ref.status else "")


def expected_forms(path):
    """The forms that must stay as they are when arithmetic is wrong."""
    text = open(path, encoding="utf-8").read()
    tags = ['"%s"' % l.split(" ", 1)[0] for l in expected_lines(text)]
    return [l for l in text.splitlines() if any(t in l for t in tags)]


def reduced(runner, path, report, modes):
    """The text made small while the same mode differs in the same manner."""
    small = path + ".small"

    kept = expected_forms(path) if report.what == "arithmetic" else []

    def still_differs(text):
        if any(form not in text for form in kept):
            return False
        with open(small, "w", encoding="utf-8") as f:
            f.write(text)
        return Report(runner, small, [m for m in modes if m == report.mode]).is_like(report)
    text = reduce.reduce_text(open(path, encoding="utf-8").read(), still_differs)
    with open(small, "w", encoding="utf-8") as f:
        f.write(text)
    return text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modes", default="run,eval")
    parser.add_argument("--valkc", default="build/valkc")
    parser.add_argument("--keep")
    parser.add_argument("--size", type=int)
    parser.add_argument("--reduce", action="store_true")
    parser.add_argument("--traces", action="store_true")
    parser.add_argument("--stop-after", type=int, default=20)
    parser.add_argument("files", nargs="*")
    o = parser.parse_args()
    modes = [m for m in o.modes.split(",") if m]
    keep = o.keep or os.path.join(os.path.dirname(os.path.abspath(o.valkc)), "random")
    os.makedirs(keep, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MAX, FILE_MAX))
    counts = {"same": 0, "differ": 0, "slow": 0, "invalid": 0}
    start = time.time()
    with tempfile.TemporaryDirectory() as directory:
        runner = Runner(os.path.abspath(o.valkc), directory)
        names = o.files or range(o.seed, o.seed + o.count)
        for name in names:
            path = name if o.files else os.path.join(directory, "%d.valk" % name)
            if not o.files:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(generate.generate(name, o.size))
            report = Report(runner, path, modes, o.traces)
            counts[report.kind] += 1
            if report.kind in ("differ", "invalid"):
                kept = path
                if not o.files:
                    kept = os.path.join(keep, "%d.valk" % name)
                    os.replace(path, kept)
                    path = kept
                print("%s: %s %s\n%s" % (kept, report.kind, report.mode, report.detail), flush=True)
                if o.reduce and report.kind == "differ":
                    print("reduced to\n" + reduced(runner, path, report, modes), flush=True)
            elif not o.files:
                os.unlink(path)
            if counts["differ"] + counts["invalid"] >= o.stop_after:
                break
    print("%.0f s, modes ref,%s" % (time.time() - start, o.modes))
    print("%d programs, %d differ, %d too slow, %d not valid" % (sum(counts.values()), counts["differ"], counts["slow"],
                                                              counts["invalid"]))
    sys.exit(1 if counts["differ"] or counts["invalid"] else 0)


if __name__ == "__main__":
    main()
