#!/usr/bin/env python3
"""large.py - how valkc's time grows with the size of a program, for programs of many shapes.

    bench/large.py [--lines=50000] [--smaller=4] [--valkc=build/valkc] [--most=8] [SHAPE...]

Prints for each shape the user seconds of `valkc emit` (valkc's own passes, no C compiler) at LINES / SMALLER
lines and at LINES, their ratio, and the memory. Exit status 1 if a ratio is above MOST: a pass takes more
than nearly linear time. Ratios of runs shorter than 0.05 s mean nothing and do not count; what does not fit
the caches any more costs up to twice as much as before.
"""
import argparse
import os
import resource
import subprocess
import sys
import tempfile


def functions(n):
    out = ["(fun {f%d x y}\n  {if (< x %d)\n    {+ x (* y 2)}\n    {let {z (- x %d)}\n      {f%d z (+ y 1)}}})"
           % (i, i % 97 + 1, i % 13 + 1, max(0, i - 1 - i % 7)) for i in range(n // 5)]
    return out + ["(print (f%d 100 2))" % (n // 5 - 1)]


def closures(n):
    """Through one function, which is inlined; and through one that is not."""
    out = ["(fun {each g l} {loop {l l s 0} {if (nil? l) s {recur (tail l) (+ s (g (head l)))}}})",
           "(fun {all g l} {if (nil? l) 0 {+ (g (head l)) (all g (tail l))}})"]
    out += ["(fun {t%d k}\n  {%s (\\ {x}\n     {+ (* x %d) (+ k (len (str x)))})\n   (range 0 %d)})"
            % (i, "all" if i % 2 else "each", i, i % 9) for i in range(n // 4)]
    return out + ["(print (+ %s))" % " ".join("(t%d 1)" % i for i in range(0, n // 4, 50))]


def stored(n):
    """Closures in a map."""
    out = ["(= {table} (map/new))"]
    out += ["(map/put! table %d (\\ {x}\n  {if (> x %d)\n    {list x %d}\n    {(map/get table %d) (+ x 1)}}))\n"
            % (i, i, i, max(0, i - 1)) for i in range(n // 5)]
    return out + ["(print ((map/get table 5) 3))"]


def data(n):
    out = ["(def {rows} {"] + ['  {%d "name-%d" %d.5 :k%d {a b %d}}' % (i, i, i, i % 7, i) for i in range(n - 3)]
    return out + ["})\n(fun {total l} {foldl (\\ {s r} {+ s (fst r)}) 0 l})\n(print (total rows) (len rows))"]


def lets(n):
    """One function of all."""
    out = ["(fun {g a}\n  {let {"]
    out += ["    x%d (+ %s %d)" % (i, "x%d" % (i - 1) if i % 3 else "a", i) for i in range(n - 6)]
    return out + ["    } {+ x%d a}})" % (n - 7), "(print (g 1) (g 2))"]


def assigned(n):
    out = ["(fun {g a}\n  {"]
    out += ["   (= {x%d} (+ a %d))\n   (if (> x%d 3) {= {x%d} (- a 1)})" % (i % 2000, i, i % 2000, i % 2000)
            for i in range((n - 6) // 2)]
    return out + ["    (list x3 x4)})", "(print (g 1) (g 2))"]


def branches(n):
    k, out = 400, ["(fun {g a}\n  {"]
    out.append(" ".join("(= {x%d} a)" % i for i in range(k)))
    for j in range((n - 6) // (2 * k)):
        out.append("  (if (> a %d) {do" % j)
        out += ["     (= {x%d} (+ x%d %d))" % (i, (i + 1) % k, j) for i in range(k)]
        out.append("   } {do ")
        out += ["     (= {x%d} (- x%d %d))" % (i, (i + 3) % k, j) for i in range(k)]
        out.append("  })")
    return out + [" x3})\n(print (g 4) (g 5))"]


def records(n):
    """Maps made at one place, their fields read and written in functions that call each other."""
    out = ["(fun {item name price} {map/of :name name :price price :tags (vec)})"]
    out += ["(fun {use%d r}\n  {let {p (map/get r :price)}\n    {(map/put! r :price (+ p %d))\n"
            "     (vec/push! (map/get r :tags) :t%d)\n     (if (> (map/get r :price) %d) {use%d r} {r})}})"
            % (i, i % 11, i % 5, i * 3, max(0, i - 1)) for i in range(n // 5)]
    return out + ["(print (map/get (use%d (item \"a\" 5)) :price))" % (n // 5 - 1)]


def clauses(n):
    out = ["(fun {big s x}\n  {cond"] + ["    {(== s %d) (+ x %d)}" % (i, i) for i in range(n - 4)]
    return out + ["    {otherwise (- x)}})\n(print (big 3 4) (big 17 5))"]


def lists(n):
    """Lists through functions that call themselves and others at random."""
    out = ["(fun {wrap x l} {cons x (cons (list x) l)})"]
    out += ["(fun {h%d l n}\n  {if (nil? l)\n    {list n %d}\n    {if (> n %d) {h%d (tail l) (+ n (len l))}\n"
            "      {wrap n (h%d (tail l) (- n 1))}}})" % (i, i, i % 5, max(0, i - 1), i * 7919 % max(1, i))
            for i in range(n // 5)]
    return out + ["(print (len (h%d {1 2 3} 4)))" % (n // 5 - 1)]


def forms(n):
    """Top-level variables."""
    out = ["(= {v0} 1)"]
    return out + ["(= {v%d} (+ v%d %d))\n(if (> v%d 1000000000) {print \"big\" v%d})" % (i, i * 31 % i, i % 3, i, i)
                  for i in range(1, n // 2)]


def states(n):
    """One circle of tail calls."""
    m = n // 6
    out = ["(fun {s%d i acc}\n  {select\n    {(> i 1000) acc}\n    {(== (%% i %d) 0) (s%d (+ i 1) (+ acc 1))}\n"
           "    {(== (%% i %d) 1) (s%d (+ i 1) acc)}\n    {otherwise (s%d (+ i 2) (+ acc i))}})"
           % (i, i % 7 + 2, (i * 17 + 1) % m, i % 5 + 2, (i * 5 + 3) % m, (i + 1) % m) for i in range(m)]
    return out + ["(print (s0 0 0))"]


def pages(n):
    out = ["(fun {page%d user items}\n  {str \"<h1>\" user \"</h1>\"\n"
           "    (str/join \",\" (map (\\ {x} {str \"<li>\" x \"</li>\"}) items))\n    (if (> (len items) %d) \"many\" \"few\")\n"
           "    (try {(str (nth %d items))} {e (error-message e)})})" % (i, i % 9, i % 4) for i in range(n // 5)]
    return out + ["(print (len (page3 \"u\" {1 2 3})))"]


def loops(n):
    """In one function."""
    out = ["(fun {g a}\n  {"]
    out += ["   (= {s%d} (loop {i 0 s a}\n     {if (< i %d)\n       {recur (+ i 1) (+ s i)} s}))\n" % (i, i % 50)
            for i in range(n // 4)]
    return out + ["   (+ s1 s2)})\n(print (g 1) (g 2))"]


def vectors(n):
    """A thousand bytes of state each."""
    m = n // 4
    out = ["(def {tab%d} (vec/make %d %d))" % (i, i % 10 + 1, i) for i in range(m)]
    out += ["(fun {get%d i} {do (vec/set! tab%d i (+ i %d))\n  (vec/get tab%d (%% i %d))})"
            % (i, i, i, i * 7 % m, i % 10 + 1) for i in range(m)]
    return out + ["(print (get%d 0))" % i for i in range(m)]


def nested(n):
    """Branches in branches."""
    d, out = n // 50, []
    for k in range(50):
        out.append("(fun {n%d x} " % k + "\n".join("{if (> x %d) {+ x %d} " % (i, i) for i in range(d)) + "x" + "}" * d
                   + ")\n(print (n%d 7))" % k)
    return out


def local(n):
    """Local functions that call each other."""
    out = []
    for k in range(n // 200):
        out.append("(fun {m%d a}\n {" % k)
        out += ["   (= {p%d} (\\ {i x} {if (< i 1) {+ x a} {p%d (- i 1)\n      (+ x %d)}}))" % (i, (i * 13 + 1) % 97, i)
                for i in range(97)]
        out.append("  (p0 10 1)})\n(print (m%d 1) (m%d 2))" % (k, k))
    return out


def elements(n):
    return ["(fun {mk a} {list"] + ["   (+ a %d)" % i for i in range(n - 5)] + \
        ["})\n(print (foldl + 0 (mk 1)) (foldl + 0 (mk 2)))\n(print (len (map (\\ {x} {* x 2}) (mk 3))))"]


def generic(n):
    """A few functions called from everywhere with several types."""
    out = ["(fun {total l} {loop {l l s 0} {if (nil? l) s {recur (tail l) (+ s (head l))}}})",
           "(fun {twice a b} {if (< a b) {+ a (* b 2)} {twice (- a b) b}})"]
    for i in range(n // 4):
        v = ["%d" % i, "%d.5" % i, "(str %d)" % i, "(list %d)" % i][i % 4]
        out.append("(fun {u%d x}\n  {if (> x %d)\n    {total (list x %s)}\n    {twice x %s}})" % (i, i, v, v))
    return out + ["(print (u1 0) (u4 100))"] + ["(u%d 1)" % i for i in range(0, n // 4, 4)]


SHAPES = [functions, closures, stored, data, lets, assigned, branches, records, clauses, lists, forms, states, pages,
          loops, vectors, nested, local, elements, generic]


def measure(valkc, shape, lines, work):
    path = os.path.join(work, "%s.valk" % shape.__name__)
    with open(path, "w") as f:
        f.write("\n".join(shape(lines)) + "\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([valkc, "emit", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit("%s: %s" % (path, done.stderr.decode()[-500:]))
    return after.ru_utime - before.ru_utime, after.ru_maxrss >> 10


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=50000)
    parser.add_argument("--smaller", type=int, default=4)
    parser.add_argument("--most", type=float, default=8)
    parser.add_argument("--valkc", default="build/valkc")
    parser.add_argument("shapes", nargs="*")
    o = parser.parse_args()
    print("| shape | s at %d lines | s at %d | ratio | MB, at most so far |\n|---|---:|---:|---:|---:|" % (o.lines // o.smaller, o.lines))
    worse = []
    with tempfile.TemporaryDirectory() as work:
        for shape in SHAPES:
            if o.shapes and shape.__name__ not in o.shapes:
                continue
            small, _ = measure(o.valkc, shape, o.lines // o.smaller, work)
            large, size = measure(o.valkc, shape, o.lines, work)
            ratio = large / max(small, 0.001)
            if ratio > o.most and large > 0.05 * o.most:
                worse.append(shape.__name__)
            print("| %s | %.2f | %.2f | %.1f | %d |" % (shape.__name__, small, large, ratio, size), flush=True)
    if worse:
        sys.exit("more than %g times as long for %d times the lines: %s" % (o.most, o.smaller, ", ".join(worse)))


main()
