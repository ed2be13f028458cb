"""groups.py - functions that call each other in circles, at top level and local, and functions of any type
that are called with several."""
from basis import Fn
from control import Control


class Groups(Control):
    def define_group(self):
        """Two to five functions with parameters of their own, each counting down and going on to any of them."""
        r = self.r
        names = [self.fresh("fn") for _ in range(r.choice([2, 2, 3, 3, 4, 5]))]
        result = self.data_type()
        own = {f: [self.data_type() for _ in range(r.choice([0, 1, 1, 2, 3, 4]))] for f in names}
        cost, forms = 1, []
        for f in names:
            forms.append(self.member(f, names, own, result, True))
            cost = max(cost, self.work + 1)
        for f in names:
            if self.chance(0.6) or f == names[0]:
                self.fns.append(Fn(f, ["fuel"] + own[f], result, 8 * cost))
        return "\n".join(forms)

    def member(self, f, names, own, result, is_global):
        r, mark = self.r, len(self.env)
        n, shown = self.fresh("i"), []
        for p in own[f]:
            x = self.name() if self.chance(0.5) else self.fresh("q")
            shown.append(self.fresh("u") if x in shown else x)
        self.env.append((n, "counter"))
        self.env += list(zip(shown, own[f]))

        def go_on():
            g = r.choice(names)
            return "(%s (- %s %d) %s)" % (g, n, r.choice([1, 1, 2]), " ".join(self.expr(p, 1) for p in own[g]))

        step = go_on()
        k = r.random()
        if k < 0.1 and result in ("int", "num", "float"):
            step = "(%s %s %s)" % (r.choice("+-*"), self.leaf(result), step)
        elif k < 0.15 and isinstance(result, tuple) and result[0] == "list":
            step = "(cons %s %s)" % (self.expr(result[1], 1), step)
        elif k < 0.65:
            step = "(if %s %s %s)" % (self.condition(2), self.branch(step), self.branch(go_on()))
        elif k < 0.75:
            step = "(do %s %s)" % (self.effect(1), step)
        elif k < 0.8:
            step = "(let {%s %s} %s)" % (self.fresh("w"), self.expr(self.data_type(), 1), self.body(step))
        if "set" in self.on and shown and self.chance(0.15):
            step = "(do (= {%s} %s) %s)" % (shown[0], self.expr(own[f][0], 1), step)
        done = self.expr(result, 2)
        del self.env[mark:]
        body = self.body("(if (< %s 1) %s %s)" % (n, self.branch(done), self.branch(step)))
        if is_global:
            return "(fun {%s} %s)" % (" ".join([f, n] + shown), body)
        return "(= {%s} (\\ {%s} %s))" % (f, " ".join([n] + shown), body)

    def local_group(self, t, d):
        """The same, local, with what is around captured."""
        n = self.counted()
        if not n or d < 2 or not self.room(6):
            return self.leaf(t)
        r, mark, mult = self.r, len(self.env), self.mult
        names = [self.fresh("f") for _ in range(r.choice([2, 2, 3]))]
        own = {f: [self.data_type(1) for _ in range(r.choice([0, 1, 1, 2]))] for f in names}
        self.mult *= 6
        bindings = [self.member(f, names, own, t, False) for f in names]
        self.mult = mult
        if self.chance(0.3):
            bindings.insert(r.randint(0, len(bindings)), self.assignment(1))
        if self.chance(0.1):
            bindings.append("(= {%s} %s)" % (self.fresh("k"), names[-1]))
        calls = ["(%s %d %s)" % (f, r.randint(0, 6), " ".join(self.expr(p, 1) for p in own[f]))
                 for f in r.choices(names, k=r.choice([1, 1, 2]))]
        if self.chance(0.1):
            bindings.insert(1, '(print "early" (try %s {e8 (error-kind e8)}))' % self.branch(calls[0]))
        if len(calls) > 1:
            calls[0] = '(print "%s" %s)' % (self.fresh("."), calls[0])
        del self.env[mark:]
        return "(let {%s})" % " ".join(bindings + calls)

    def define_generic(self):
        """A function that means something for several types, noted with each."""
        name = self.fresh("ge")
        numbers = ["int", "float" if "float" in self.on else "num"]
        text, makes = self.r.choice([
            ("(fun {%s a b} {+ (* a b) a})", lambda u: ([u, u], u)),
            ("(fun {%s a b} {if (< a b) {- b a} {- a b}})", lambda u: ([u, u], u)),
            ("(fun {%s l} {loop {l l s 0} {if (nil? l) s {recur (tail l) (+ s (head l))}}})", lambda u: ([("list", u)], "num")),
            ("(fun {%s l x} {if (nil? l) {x} {cons (* x (head l)) (%s (tail l) x)}})", lambda u: ([("list", u), u], ("list", "num"))),
            ("(fun {%s v w} {loop {i 0 s 0} {if (< i (min (vec/len v) (vec/len w))) {recur (+ i 1) (+ s (* (vec/get v i) (vec/get w i)))} s}})",
             lambda u: ([("vec", u), ("vec", u)], "num")),
            ("(fun {%s v x} {let {w (vec/make (vec/len v) x)} {loop {i 0} {if (< i (vec/len v)) {do (vec/set! w i (+ x (vec/get v i))) (recur (+ i 1))} w}}})",
             lambda u: ([("vec", u), u], ("vec", "num"))),
            ("(fun {%s x n} {if (< n 1) {x} {%s (+ x x) (- n 1)}})", lambda u: ([u, "fuel"], u)),
            ("(fun {%s l} {do (map (\\ {x} {print \"each\" x}) l) (reverse l)})", lambda u: ([("list", u)], ("list", u))),
        ])
        for u in numbers + ["num"]:
            params, result = makes(u)
            if all(not isinstance(p, tuple) or p[0] != "vec" or "vector" in self.on for p in params):
                self.fns.append(Fn(name, params, result, 30))
        return text.replace("%s", name)
