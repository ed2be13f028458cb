"""containers.py - vectors, maps and shared variables that what is made on the way is stored into: directly, by
other names, by functions, in loops, in each other; kept, given back or dropped, and looked at after other
things have used the memory.

A container has a level; it holds strings, lists and containers of lower levels, so there are no cycles."""
from groups import Groups

HELPERS = {
    "scrub": "(fun {scrub n} {if (> n 0) {do (str (map (\\ {i} {list i (str i)}) (range 0 30)) n) (scrub (- n 1))} {0}})",
    "put": '(fun {put c i x} {if (vec? c) {if (< i (vec/len c)) {vec/set! c i x} {vec/push! c x}}'
           ' {if (map? c) {map/put! c (str "k" i) x} {nil}}})',
    "got": '(fun {got c i} {if (vec? c) {if (< i (vec/len c)) {vec/get c i} {nil}} {if (map? c) {map/get c (str "k" i)} {c}}})',
    "add-new": '(fun {add-new v n} {if (> n 0) {do (vec/push! v (list n (str "n" n))) (add-new v (- n 1))} {v}})',
    "add-all": '(fun {add-all c l} {if (nil? l) {nil} {do (put c (len l) (list (head l))) (add-all c (tail l)) (put c 0 (str "l" (len l)))}})',
    "walk": '(fun {walk v n} {if (> n 0) {do (walk v (- n 2)) (vec/push! v (str "w" n)) (walk v (- n 1))} {v}})',
    "made": '(fun {made n} {let {v (vec/make 2 (str "m" n))} {do (vec/set! v 0 (list n (str n))) v}})',
    "made-map": '(fun {made-map n x} {let {m (map/new)} {do (map/put! m (str "k" n) x) (map/put! m "k0" (list (str n) x)) m}})',
    "either": "(fun {either a b n} {if (> (mod n 2) 0) {a} {b}})",
    "both": "(fun {both a b} {do (put a 1 b) (put b 1 (list (str 7 8))) b})",
    "even": '(fun {even v n} {if (> n 0) {do (put v 0 (list "even" n)) (odd v (- n 1))} {v}})',
    "odd": '(fun {odd v n} {if (> n 0) {do (put v 1 (str "odd" n)) (even v (- n 1))} {nil}})',
    "of-first": '(fun {of-first c x} {let {d (got c 0)} {do (if (or (vec? d) (map? d)) (put d 2 x)) d}})',
}


class Containers(Groups):
    def containers(self):
        """Helpers not there yet, a function that works on containers, and calls of it."""
        r = self.r
        self.begin(200)
        forms = []
        if not getattr(self, "has_containers", False):
            self.has_containers = True
            forms += [HELPERS[h] for h in HELPERS] + ["(def {kept} nil)"]
        name, n = self.fresh("work"), self.fresh("n")
        self.cs, self.acc = [], None
        body = [self.container_step(n, 3) for _ in range(r.randint(3, 9))]
        result = r.choice([lambda: self.stored_value(n, 3), lambda: "(str %s)" % self.container(),
                           lambda: "(list %s %s)" % (self.container(), self.container())])()
        bindings = " ".join("%s %s" % (c, make) for c, _, _, make in self.cs)
        if self.acc:
            bindings += " %s (list 0)" % self.acc
        forms.append("(fun {%s %s} {let {%s} {do\n  %s\n  %s}})" % (name, n, bindings, "\n  ".join(body), result))
        tag, keep = self.fresh("#"), self.fresh("gl")
        forms.append('(def {%s} (%s %d)) (scrub 20) (print "%s" %s)' % (keep, name, r.randint(0, 5), tag, keep))
        calls = ['(print "%s" (str (%s %d)))' % (tag, name, r.randint(0, 5)),
                 '(print "%s" (len (str (%s %d))))' % (tag, name, r.randint(0, 5)),
                 '(print "%s" (map %s (range 0 3)))' % (tag, name),
                 '(for {j (range 0 4)} (print "%s" (str (%s j))))' % (tag, name)]
        forms += r.sample(calls, 2) + ["(scrub 20)", '(print "%s" %s kept)' % (tag, keep)]
        self.work += 500
        return "\n".join(forms)

    def container(self, below=9, kind=None):
        """One of the local variables, or a new one."""
        r = self.r
        fitting = [c for c, level, k, _ in self.cs if level < below and (not kind or k == kind)]
        if fitting and (self.chance(0.7) or len(self.cs) > 5):
            return r.choice(fitting)
        if below <= 0:
            return "(vec/make 2 nil)" if kind != "map" else "(map/new)"
        level = r.randint(0, min(below - 1, 2))
        kind = kind or r.choice(["vec", "vec", "map"])
        makes = {"vec": ["(vec)", "(vec/make 3 nil)", "(vec/make 2 (list 1 2))", '(vec "a" (str 1 2))', "(vec 1 2)", "(vec 1.5)", "(vec 1e300)"],
                 "map": ["(map/new)", '(map/of "k0" (list 1))', '(map/of 1 "one")']}
        c = self.fresh("c")
        self.cs.append((c, level, kind, r.choice(makes[kind])))
        return c

    def level_of(self, c):
        return next((level for name, level, _, _ in self.cs if name == c), 0)

    def kind_of(self, c):
        return next((kind for name, _, kind, _ in self.cs if name == c), "map" if "map" in c else "vec")

    def stored_value(self, n, level):
        """What containers of that level may hold."""
        r = self.r
        x = lambda: self.stored_value(n, level)
        rows = [lambda: "(str %s %d)" % (n, r.randint(0, 99)), lambda: "(list %s (str %s))" % (n, n),
                lambda: '(cons "c" (list %s))' % n, lambda: n, lambda: '"text"',
                lambda: "(* (+ %s 3) 1152921504606846975)" % n, lambda: "(* 1e300 (+ %s 1))" % n, lambda: "(made %s)" % n if level > 0 else n,
                lambda: "(list %s %s)" % (x(), n), lambda: "(got %s %d)" % (self.container(level + 1), r.randint(0, 2))]
        if level > 0:
            rows += [lambda: self.container(level), lambda: self.container(level), lambda: "(vec %s)" % x(),
                     lambda: "(list %s)" % self.container(level), lambda: "(made-map %s %s)" % (n, self.stored_value(n, level - 1)),
                     lambda: "(either %s %s %s)" % (self.container(level), self.container(level), n),
                     lambda: "(add-new %s %d)" % (self.container(level, "vec"), r.randint(0, 4)),
                     lambda: "(vec/slice %s 0 2)" % self.container(level, "vec")]
        return r.choice(rows)()

    def direct_store(self, c, n):
        x, i = self.stored_value(n, self.level_of(c)), self.r.randint(0, 2)
        if self.kind_of(c) == "map":
            return "(map/put! %s %s %s)" % (c, self.r.choice(['"k0"', '"k1"', '(str "k" %s)' % n, n]), x)
        return self.r.choice(["(vec/push! %s %s)" % (c, x), "(if (< %d (vec/len %s)) (vec/set! %s %d %s))" % (i, c, c, i, x)])

    def container_step(self, n, d):
        r = self.r
        c = self.container()
        level = self.level_of(c)
        x = lambda: self.stored_value(n, level)
        i = self.fresh("i")
        rows = [
            (5, lambda: self.direct_store(c, n)), (3, lambda: "(put %s %d %s)" % (c, r.randint(0, 2), x())),
            (1, lambda: "(add-new %s %d)" % (self.container(kind="vec"), r.randint(0, 9))),
            (1, lambda: "(add-all %s (range 0 %d))" % (c, r.randint(0, 4))),
            (1, lambda: "(walk %s %d)" % (self.container(kind="vec"), r.randint(0, 4))),
            (1, lambda: "(%s %s %d)" % (r.choice(["even", "odd"]), c, r.randint(0, 5))),
            (1, lambda: '(of-first %s (str "o" %s))' % (c, n)), (1, lambda: "(scrub 3)"),
            (1, lambda: '(print "s" (str %s))' % c),
            (1, lambda: "(if (len %s) (print (vec/pop! %s)))" % ((self.container(kind="vec"),) * 2)),
            (0.5, lambda: '(map/del! %s "k1")' % self.container(kind="map")),
            (0.5, lambda: "(def {kept} (list %s))" % c),
            (1, lambda: "((\\ {y} {put %s 0 y}) %s)" % (c, x())),
            (1, lambda: "(vec/each (\\ {y} {put %s 1 (list y)}) (vec 1 2))" % c),
            (1, self.assign_shared(c, n)), (0.1, lambda: "(freeze %s)" % c),
            (0.5, lambda: '(try {error (str "e" %s)} {e9 (put %s 0 (error-message e9))})' % (n, c)),
        ]
        lower = self.container(level) if level > 0 else None
        if lower and lower[0] == "c":
            rows.append((1, lambda: "(both %s %s)" % (c, lower)))
        if d > 0:
            def in_let():
                alias, mark = self.fresh("c"), len(self.cs)
                self.cs.append((alias, level, self.kind_of(c), None))
                steps = " ".join(self.container_step(n, d - 1) for _ in range(r.randint(1, 3)))
                del_at = next(k for k, row in enumerate(self.cs) if row[0] == alias)
                del self.cs[del_at]
                what = r.choice([c, "(either %s %s %s)" % (c, c, n), "(head (list %s))" % c, "(got (list %s) 0)" % c])
                return "(let {%s %s} (if (or (vec? %s) (map? %s)) (do %s)))" % (alias, c if "got" in what else what, alias, alias, steps)
            def of_round():
                """Made and filled in each round, kept by something older or by a list of all."""
                own, k, kind = self.fresh("c"), self.fresh("i"), r.choice(["vec", "map"])
                self.cs.append((own, 0, kind, None))
                steps = [self.direct_store(own, k) if self.chance(0.6) else self.container_step(k, d - 1)
                         for _ in range(r.randint(1, 3))]
                self.cs = [row for row in self.cs if row[0] != own]
                make = r.choice(["(vec/make 2 nil)", "(vec)", "(vec (list %s))" % k]) if kind == "vec" else "(map/new)"
                if level > 0:
                    steps.append("(put %s 1 %s)" % (c, own))
                inner = "(let {%s %s} (do %s %s))" % (own, make, " ".join(steps), own)
                loop = r.choice(["(for {%s (range 0 %d)} %s)", '(print "m" (str (map (\\ {%s} {do (range 0 %d) %s}) (range 0 3))))'])
                return loop % (k, r.randint(0, 4), inner)
            rows += [
                (3, of_round), (3, lambda: "(for {%s (range 0 %d)} (do %s))" % (i, r.randint(0, 5), self.container_step(i, d - 1))),
                (2, lambda: "(loop {%s 0} (if (< %s %d) (do %s (recur (+ %s 1)))))" % (i, i, r.randint(1, 20), self.container_step(i, d - 1), i)),
                (1, lambda: "(if (> %s 1) %s %s)" % (n, self.container_step(n, d - 1), self.container_step(n, d - 1))),
                (2, in_let)]
        return r.choices([row[1] for row in rows], [row[0] for row in rows])[0]()

    def assign_shared(self, c, n):
        def text():
            self.acc = self.acc or self.fresh("acc")
            return "(let {f (\\ {y} {= {%s} (list y %s)})} (do (f (str %s)) (put %s 0 %s)))" % (
                self.acc, self.r.choice(["1", "(head %s)" % self.acc]), n, c, self.r.choice([self.acc, "1"]))
        return text
