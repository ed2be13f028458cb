"""calls.py - functions made, passed, stored and called; loops in all their forms; closures."""
from basis import DATA, WORK_MAX
from operations import Operations


class Calls(Operations):
    def call_global(self, t, d):
        if t == "any":
            t = self.r.choice(DATA)
        fits = [f for f in self.fns if self.fits(t, f.result) and f.name not in self.banned
                and self.work + self.mult * f.cost < WORK_MAX]
        if not fits:
            return self.operation(t, d) if t not in ("any", "kw", "nil", "error") else self.leaf(t)
        f = self.r.choice(fits[-4:] if self.chance(0.6) else fits)
        self.work += self.mult * f.cost
        args = [self.expr(p, d - 1) for p in f.params]
        if f.rest:
            args += [self.expr("any", d - 1) for _ in range(self.r.choice([0, 1, 2, 3]))]
        if self.chance(0.01):
            args.append(self.const("any"))
        if not args:
            return "(%s)" % f.name
        return self.applied(f.name, args, f.rest)

    def applied(self, fn, args, rest=False):
        if "partial" in self.on and len(args) > 1 and not rest and self.chance(0.1):
            k = self.r.randint(1, len(args) - 1)
            return "((%s %s) %s)" % (fn, " ".join(args[:k]), " ".join(args[k:]))
        if "library" in self.on and len(args) == 2 and self.chance(0.04) and not rest:
            return "(flip %s %s %s)" % (fn, args[1], args[0])
        if "library" in self.on and self.chance(0.04):
            return "(unpack %s (list %s))" % (fn, " ".join(args))
        return "(%s %s)" % (fn, " ".join(args))

    def call_lambda(self, t, d):
        params = [self.data_type() for _ in range(self.r.choice([0, 1, 1, 2, 3]))]
        fn = self.lambda_of(params, t, d - 1, 1)
        if not params:
            return "(%s)" % fn
        return self.applied(fn, [self.expr(p, d - 1) for p in params])

    def call_variable(self, t, d):
        found = []
        seen = set()
        for n, have in reversed(self.env):
            if n in seen or n in self.banned:
                continue
            seen.add(n)
            if isinstance(have, tuple) and have[0] == "fn" and self.fits(t, have[2]):
                found.append((n, have))
        if not found or self.work + 60 * self.mult > WORK_MAX:
            return self.if_form(t, d)
        n, have = self.r.choice(found)
        self.work += 60 * self.mult
        if not have[1]:
            return "(%s)" % n
        return self.applied(n, [self.expr(p, d - 1) for p in have[1]])

    def function(self, t, d):
        vs = self.variables(t)
        if vs and self.chance(0.4):
            return self.r.choice(vs)
        return self.callable(t, d, 3)

    def callable(self, t, d, times):
        """A function value of type ("fn", params, result)."""
        params, result = t[1], t[2]
        fits = [f for f in self.fns if len(f.params) == len(params) and not f.rest and self.fits(result, f.result)
                and all(p != "fuel" and self.fits(p, q) for p, q in zip(f.params, params)) and f.name not in self.banned
                and self.work + self.mult * times * f.cost < WORK_MAX]
        if fits and self.chance(0.3):
            f = self.r.choice(fits)
            self.work += self.mult * times * f.cost
            return f.name
        if "higher" in self.on and self.chance(0.25):
            if params == ("int",) and result in ("int", "num", "any"):
                return self.r.choice(["-", "abs", "(+ 1)", "(* 2)", "(flip - 3)", "id", "(- 10)", "bit/not", "not",
                                      "(comp (+ 1) (* 2))", "(max 3)", "(bit/and 7)"])
            if params == ("num",) and result in ("num", "any"):
                return self.r.choice(["abs", "id", "(* 1.5)", "(comp - abs)", "(+ 0)"])
            if len(params) == 2 and result in ("int", "num") and params[0] in ("int", "num"):
                return self.r.choice(["+", "-", "*", "max", "min", "(flip -)", "%", "mod", "/"])
            if params == ("any",) and result in ("bool", "int"):
                return self.r.choice(["int?", "nil?", "not", "list?", "number?", "error?"])
            if len(params) == 1 and result == "str":
                return self.r.choice(["str", "repr"])
        return self.lambda_of(list(params), result, d, times)

    def lambda_of(self, params, result, d, times):
        """(\\ {..} ..), called about so many times where it is."""
        if not self.room(times) or d <= 0:
            names = [self.fresh("u") for _ in params]
            mark = len(self.env)
            self.env += zip(names, params)
            e = self.leaf(result)
            del self.env[mark:]
            return "(\\ {%s} %s)" % (" ".join(names), self.body(e))
        mark, mult = len(self.env), self.mult
        self.mult *= times
        names = []
        for p in params:
            n = self.name()
            while n in names:
                n = self.fresh("u")
            names.append(n)
            self.env.append((n, p))
        text_names = list(names)
        if "rest" in self.on and self.chance(0.04):
            n = self.fresh("r")
            text_names += ["&", n]
            self.env.append((n, ("list", "any")))
        statements = self.statements(d - 1) if "set" in self.on and self.chance(0.2) else []
        body = self.body(self.expr(result, d - 1), statements)
        del self.env[mark:]
        self.mult = mult
        return "(\\ {%s} %s)" % (" ".join(text_names), body)

    def counted(self):
        if not self.room(2):
            return 0
        n = self.r.choice([1, 2, 3, 3, 5, 8, 12])
        while n > 1 and not self.room(n):
            n //= 2
        if self.mult == 1 and self.chance(0.03):
            n = 100
        return n

    def loop_form(self, t, d):
        n = self.counted()
        if not n or d < 2:
            return self.leaf(t)
        r, mark, mult = self.r, len(self.env), self.mult
        i = self.fresh("i")
        start, down = r.choice([(0, False), (0, False), (1, False), (n, True)]) if n < 100 else (0, False)
        u = t if self.chance(0.7) else "any" if t == "num" and "any" in self.on else t
        loop_vars = [(self.name() if self.chance(0.5) else self.fresh("a"), u)]
        for _ in range(r.choice([0, 0, 1, 2])):
            loop_vars.append((self.fresh("b"), self.data_type(1)))
        inits = [self.expr(x, d - 2) for _, x in loop_vars]
        self.env.append((i, "counter"))
        self.env += loop_vars
        self.mult *= n
        step = lambda: "(recur (%s %s 1) %s)" % ("-" if down else "+", i,
                                                 " ".join(self.expr(x, d - 2) for _, x in loop_vars))
        recur = step()
        if self.chance(0.3):
            recur = "(if %s %s %s)" % (self.condition(d - 2), self.branch(recur), self.branch(step()))
        elif self.chance(0.15):
            recur = "(if %s %s %s)" % (self.condition(d - 2), self.branch(recur), self.branch(self.expr(t, d - 2)))
        if self.chance(0.2):
            recur = "(do %s %s)" % (self.effect(d - 2), recur)
        if self.chance(0.15):
            w = self.name()
            recur = "(let {%s %s} %s)" % (w, self.expr(self.data_type(), d - 2), self.body(recur))
        self.mult = mult
        done = self.leaf(t) if self.chance(0.7) else self.expr(t, d - 2)
        test = "(< 0 %s)" % i if down else r.choice(["(< %s %d)", "(<= %s %d)", "(!= %s %d)"]) % (i, start + n)
        if self.chance(0.2):
            body = "(if (not %s) %s %s)" % (test, self.branch(done), self.branch(recur))
        else:
            body = "(if %s %s %s)" % (test, self.branch(recur), self.branch(done))
        del self.env[mark:]
        pairs = " ".join("%s %s" % (v, e) for (v, _), e in zip(loop_vars, inits))
        return "(loop {%s %d %s} %s)" % (i, start, pairs, self.body(body))

    def while_form(self, t, d):
        n = self.counted()
        if not n or d < 2:
            return self.leaf(t)
        mark, mult = len(self.env), self.mult
        i, a = self.fresh("i"), self.name()
        init = self.expr(t, d - 2)
        self.env += [(i, "counter"), (a, t)]
        self.mult *= n
        steps = ["(= {%s} %s)" % (a, self.expr(t, d - 2))]
        if self.chance(0.4):
            steps.insert(0, self.assignment(d - 2))
        if self.chance(0.3):
            steps.append("(if %s %s)" % (self.condition(d - 2), self.branch("(= {%s} %s)" % (a, self.expr(t, d - 2)))))
        if self.chance(0.3):
            steps.append(self.effect(d - 2))
        self.mult = mult
        steps.append("(= {%s} (+ %s 1))" % (i, i))
        if self.chance(0.2):
            self.r.shuffle(steps)
        after = a if self.chance(0.7) else self.expr(t, d - 2)
        del self.env[mark:]
        text = "(while (< %s %d) %s)" % (i, n, " ".join(self.branch(s) for s in steps))
        return "(let {%s 0 %s %s} {%s %s})" % (i, a, init, text, after)

    def for_form(self, t, d):
        if not self.room(5) or d < 2:
            return self.leaf(t)
        mark, mult = len(self.env), self.mult
        x, a = self.name(), self.fresh("a")
        u = self.r.choice(["int", "num", "any"])
        init, l = self.expr(t, d - 2), self.expr(("list", u), d - 2)
        self.env += [(a, t), (x, u)]
        self.mult *= 5
        step = "(= {%s} %s)" % (a, self.expr(t, d - 2))
        if self.chance(0.4):
            step = "(if %s %s)" % (self.condition(d - 2), self.branch(step))
        more = " " + self.branch(self.effect(d - 2)) if self.chance(0.3) else ""
        self.mult = mult
        del self.env[mark:]
        loop = "(for {%s %s} %s%s)" % (x, l, self.branch(step), more)
        return "(let {%s %s} {%s %s})" % (a, init, loop, a)

    def fold_form(self, t, d):
        u = self.r.choice(["int", "num", "any", "int"])
        kind = self.r.choice(["foldl", "foldl", "foldr"])
        params = [t, u] if kind == "foldl" else [u, t]
        fn = self.callable(("fn", tuple(params), t), d - 1, 5)
        return "(%s %s %s %s)" % (kind, fn, self.expr(t, d - 1), self.expr(("list", u), d - 1))

    def partial_call(self, t, d):
        params = [self.data_type() for _ in range(self.r.choice([2, 2, 3]))]
        fn = self.lambda_of(params, t, d - 1, 2)
        args = [self.expr(p, d - 1) for p in params]
        k = self.r.randint(1, len(params) - 1)
        n = self.fresh("p")
        if self.chance(0.4):
            return "((%s %s) %s)" % (fn, " ".join(args[:k]), " ".join(args[k:]))
        return "(let {%s (%s %s)} {%s %s})" % (n, fn, " ".join(args[:k]), n, " ".join(args[k:]))

    def stored_call(self, t, d):
        """A function out of a list, vector or map, called."""
        p = self.data_type()
        fns = [self.callable(("fn", (p,), t), d - 1, 1) for _ in range(self.r.randint(1, 3))]
        how = self.r.randrange(4)
        if how == 0:
            f = "(vec/get [%s] %s)" % (" ".join(fns), self.r.choice(["0", "1", "(bit/and %s 1)" % self.expr("int", 1)]))
        elif how == 1:
            f = "(map/get #{%s} :a)" % " ".join("%s %s" % (k, f) for k, f in zip([":a", ":b", ":c"], fns))
        elif how == 2:
            f = "(nth %d (list %s))" % (self.r.randint(1, len(fns)), " ".join(fns))
        else:
            n = self.fresh("h")
            return "(last (map (\\ {%s} {%s %s}) (list %s)))" % (n, n, self.expr(p, d - 1), " ".join(fns))
        return "(%s %s)" % (f, self.expr(p, d - 1))

    def local_recursion(self, t, d):
        n = self.counted()
        if not n or d < 2:
            return self.leaf(t)
        mark, mult = len(self.env), self.mult
        f, i, a = self.fresh("f"), self.fresh("i"), self.name()
        init = self.expr(t, d - 2)
        self.env += [(i, "counter"), (a, t)]
        self.mult *= n
        step = self.expr(t, d - 2)
        call = "(%s (- %s 1) %s)" % (f, i, step)
        if self.chance(0.3) and t in ("int", "num", "float"):
            call = "(%s %s %s)" % (self.r.choice("+-"), self.expr(t, d - 2), call)
        self.mult = mult
        done = self.leaf(t)
        del self.env[mark:]
        text = "(if (<= %s 0) %s %s)" % (i, self.branch(done), self.branch(call))
        return "(let {%s (\\ {%s %s} %s)} {%s %d %s})" % (f, i, a, self.body(text), f, n, init)

    def closure_form(self, t, d):
        """A closure made before its variable gets another value."""
        x, g = self.name(), self.fresh("g")
        u = self.data_type()
        first = self.expr(u, d - 1)
        mark = len(self.env)
        self.env.append((x, u))
        p = self.data_type()
        fn = self.lambda_of([p], t, d - 1, 2)
        self.env.append((g, ("fn", (p,), t)))
        again = "(= {%s} %s)" % (x, self.expr(u if self.chance(0.7) else self.data_type(), d - 1))
        if self.chance(0.3):
            again = "(if %s %s)" % (self.condition(d - 1), self.branch(again))
        call = "(%s %s)" % (g, self.expr(p, d - 1))
        shown = '(print "%s" (%s %s))' % (self.fresh("g"), g, self.expr(p, d - 1))
        del self.env[mark:]
        statements = ["(= {%s} %s)" % (x, first), "(= {%s} %s)" % (g, fn)]
        if self.chance(0.6):
            statements.append(shown)
        statements.append(again)
        return "(let {%s %s})" % ("{" + " ".join(statements), call + "}")

    def vector_loop(self, t, d):
        """A vector filled and changed in a loop by index; its elements, their sum or the vector."""
        n = self.counted()
        if not n or d < 2:
            return self.leaf(t)
        item = t[1] if isinstance(t, tuple) else t
        mark, mult = len(self.env), self.mult
        v, i = self.fresh("v"), self.fresh("i")
        init = self.leaf(item) if self.chance(0.6) else self.r.choice(["0", "0.0", "nil", "127", "1"])
        self.env += [(i, "counter"), (v, ("vec", item))]
        self.banned.add(v)
        self.mult *= n
        at = "(vec/get %s %s)" % (v, self.r.choice([i, i, "0", "(- %s 1)" % i, "(mod (* 7 %s) %d)" % (i, n)]))
        x = self.fresh("x")
        self.env.append((x, item))
        kind = item if self.chance(0.8) else self.data_type()
        new = self.expr(kind, d - 2)
        store = "(vec/set! %s %s %s)" % (v, self.r.choice([i, i, "(- %d %s)" % (n - 1, i), "0"]), new)
        if self.chance(0.25):
            store = "(vec/push! %s %s)" % (v, new)
        if self.chance(0.3):
            store = "(if %s %s)" % (self.condition(d - 2), self.branch(store))
        store = "(let {%s %s} %s)" % (x, at, self.body(store))
        self.mult = mult
        self.banned.discard(v)
        del self.env[mark:]
        make = "(vec/make %d %s)" % (n, init) if self.chance(0.7) else "[%s]" % " ".join([init] * min(n, 4))
        if self.chance(0.5):
            loop = "(while (< %s %d) %s (= {%s} (+ %s 1)))" % (i, n, store, i, i)
            start = "%s 0 " % i
        else:
            loop = "(loop {%s 0} {if (< %s %d) {do %s (recur (+ %s 1))}})" % (i, i, n, store, i)
            start = ""
        result = v
        if t in ("int", "num", "float"):
            result = self.r.choice(["(sum %s)", "(vec/get %s 0)", "(foldl + 0 %s)", "(vec/get %%s %d)" % (n - 1),
                                    "(vec/pop! %s)"]) % v
        elif t == "any":
            result = self.r.choice(["%s", "(vec/get %s 0)", "(vec/->list %s)"]) % v
        return "(let {%s%s %s} {%s %s})" % (start, v, make, loop, result)

    def closures_of_loop(self, t, d):
        """Closures made in rounds of a loop, called after it."""
        n = self.counted()
        if not n or d < 2:
            return self.leaf(t)
        mark, mult = len(self.env), self.mult
        i, fs, g, p = self.fresh("i"), self.fresh("fs"), self.fresh("g"), self.data_type()
        self.env.append((i, "counter"))
        w = self.name()
        u = self.data_type()
        self.mult *= n
        init = self.expr(u, d - 2)
        self.env.append((w, u))
        fn = self.lambda_of([p], t, d - 2, 1)
        self.mult = mult
        del self.env[mark:]
        arg = self.expr(p, d - 2)
        if self.chance(0.5):
            loop = "(loop {%s 0 %s nil} {if (< %s %d) {let {%s %s} {recur (+ %s 1) (cons %s %s)}} %s})" % (
                i, fs, i, n, w, init, i, fn, fs, fs)
        else:
            loop = "(let {%s 0 %s nil} {(while (< %s %d) (= {%s} %s) (= {%s} (cons %s %s)) (= {%s} (+ %s 1))) %s})" % (
                i, fs, i, n, w, init, fs, fn, fs, i, i, fs)
        return "(%s (map (\\ {%s} {%s %s}) %s))" % (self.r.choice(["head", "last"]), g, g, arg, loop)
