"""control.py - forms that have any type: branches, bindings, sequences, tests of types, errors caught,
values taken out of collections. What calls functions and makes loops is in calls.py."""
from basis import DATA, KINDS, PREDICATES
from calls import Calls


class Control(Calls):
    def control(self, t, d):
        rows = [
            (8, None, lambda: self.if_form(t, d)), (5, None, lambda: self.let_form(t, d)),
            (3, None, lambda: self.sequence(t, d)), (5, None, lambda: self.call_global(t, d)),
            (2, None, lambda: self.call_lambda(t, d)), (3, "higher", lambda: self.call_variable(t, d)),
            (2, "loop", lambda: self.loop_form(t, d)), (1.5, "while", lambda: self.while_form(t, d)),
            (1.5, "for", lambda: self.for_form(t, d)), (2, "higher", lambda: self.fold_form(t, d)),
            (4, "narrow", lambda: self.narrow(t, d)), (2, "case", lambda: self.case_form(t, d)),
            (1, None, lambda: self.cond_form(t, d)), (1.5, "error", lambda: self.try_form(t, d)),
            (2, None, lambda: self.element(t, d)), (1, "atom", lambda: self.atom_form(t, d)),
            (1.5, "partial", lambda: self.partial_call(t, d)), (1, "eval", lambda: self.eval_form(t, d)),
            (1, "local_rec", lambda: self.local_recursion(t, d)), (1.2, "closure", lambda: self.closure_form(t, d)),
            (1, "group", lambda: self.local_group(t, d)),
            (0.5, None, lambda: "(id %s)" % self.expr(t, d - 1)),
            (1.5, "match", lambda: self.match_form(t, d)), (1, "stored", lambda: self.stored_call(t, d)),
            (0.7, "thread", lambda: self.thread_form(t, d)), (0.7, "closure", lambda: self.closures_of_loop(t, d)),
        ]
        if t in ("int", "num", "float", "any") or isinstance(t, tuple) and t[0] == "vec":
            rows.append((2.5, "vector_loop", lambda: self.vector_loop(t, d)))
        return self.pick(*rows)

    def match_form(self, t, d):
        u = self.r.choice(["any", "int", ("list", "int"), ("list", "any"), ("vec", "any")])
        clauses = []
        for _ in range(self.r.randint(1, 3)):
            mark = len(self.env)
            n, o = self.fresh("y"), self.fresh("y")
            pattern, bound = self.r.choice([
                ("0", []), ("1", []), (":a", []), ('"a"', []), ("nil", []), ("_", []), (n, [(n, u)]),
                ("{%s}" % n, [(n, "any")]), ("{%s & %s}" % (n, o), [(n, "any"), (o, ("list", "any"))]),
                ("{%s %s}" % (n, n), [(n, "any")]), ("[%s & %s]" % (n, o), [(n, "any"), (o, ("vec", "any"))]),
                ("{1 %s _}" % n, [(n, "any")]), ("#{:a %s}" % n, [(n, "any")])])
            self.env += bound
            guard = "(when %s) " % self.condition(d - 2) if self.chance(0.25) and d > 2 else ""
            clauses.append("{%s %s%s}" % (pattern, guard, self.branch(self.expr(t, d - 1))))
            del self.env[mark:]
        if self.chance(0.8):
            clauses.append("{_ %s}" % self.branch(self.expr(t, d - 1)))
        return "(match %s %s)" % (self.expr(u, d - 1), " ".join(clauses))

    def thread_form(self, t, d):
        if t in ("int", "num"):
            steps = self.r.choices(["(+ 1)", "(* 2)", "-", "(- 7)", "abs", "(min 100)", "id"], k=self.r.randint(1, 3))
            return "(%s %s %s)" % (self.r.choice(["->", "->>"]), self.expr(t, d - 1), " ".join(steps))
        if isinstance(t, tuple) and t[0] == "list":
            steps = self.r.choices(["reverse", "(take 3)", "(drop 1)", "(filter int?)", "(map id)"], k=self.r.randint(1, 3))
            return "(->> %s %s)" % (self.expr(t, d - 1), " ".join(steps))
        return self.if_form(t, d)

    def if_form(self, t, d):
        c = self.condition(d - 1)
        if self.chance(0.05):
            c = self.r.choice(["0", "1", "nil", "(== 1 1)", "(< 2 1)", "(not 1)", "true", '""'])
        a = self.scoped(lambda: self.expr(t, d - 1))
        if t == "nil" and self.chance(0.5):
            return "(if %s %s)" % (c, self.branch(a))
        return "(if %s %s %s)" % (c, self.branch(a), self.branch(self.scoped(lambda: self.expr(t, d - 1))))

    def scoped(self, make):
        mark, banned = len(self.env), set(self.banned)
        text = make()
        if self.chance(0.9):
            del self.env[mark:]
        self.banned = banned
        return text

    def let_form(self, t, d):
        mark = len(self.env)
        bindings = []
        for _ in range(self.r.choice([1, 1, 1, 2, 3])):
            u = self.fn_type() if "closure" in self.on and self.chance(0.15) else self.data_type()
            n = self.name()
            bindings.append("%s %s" % (n, self.expr(u, d - 1)))
            self.env.append((n, u))
        if "set" in self.on and self.chance(0.35):
            statements, e = self.statements(d - 1), self.expr(t, d - 1)
            body = self.body(e, statements)
        else:
            body = self.body(self.expr(t, d - 1))
        del self.env[mark:]
        return "(let {%s} %s)" % (" ".join(bindings), body)

    def statements(self, d):
        """Statements of a sequence that bind and print; what they bind stays in scope."""
        out = []
        for _ in range(self.r.randint(1, 3)):
            k = self.r.random()
            if k < 0.6:
                out.append(self.assignment(d))
            elif k < 0.75:
                out.append("(if %s %s)" % (self.condition(d), self.branch(self.assignment(d))))
            else:
                out.append(self.effect(d))
        return out

    def assignment(self, d):
        u = self.data_type()
        vs = [n for n, have in self.env if have != "counter"]
        n = self.r.choice(vs) if vs and self.chance(0.5) else self.name()
        if self.type_of(n) == "counter" or n in self.banned or self.is_function(n):
            n = self.fresh("s")
        elif self.type_of(n) and self.chance(0.6) and not isinstance(self.type_of(n), tuple):
            u = self.type_of(n)
        e = self.expr(u, d)
        self.env.append((n, u))
        if self.chance(0.1):
            other = self.name()
            if other != n and self.type_of(other) != "counter" and not self.is_function(other):
                self.env.append((other, "int"))
                return "(= {%s %s} %s %s)" % (n, other, e, self.expr("int", d - 1))
        return "(= {%s} %s)" % (n, e)

    def is_function(self, n):
        t = self.type_of(n)
        return isinstance(t, tuple) and t[0] in ("fn", "block")

    def sequence(self, t, d):
        mark = len(self.env)
        first = self.statements(d - 1) if "set" in self.on and self.chance(0.4) else [self.effect(d - 1)]
        e = self.expr(t, d - 1)
        if self.chance(0.6):
            del self.env[mark:]
        return "(do %s %s)" % (" ".join(first), e)

    def narrow(self, t, d):
        """A test of a variable's type, and uses of the variable that rely on it."""
        wide = [n for n in self.variables("any") if self.type_of(n) in ("any", "num")]
        others = [n for n in self.variables("any") if not isinstance(self.type_of(n), tuple)]
        vs = wide or others
        if not vs:
            n = self.name()
            init = self.expr("any", d - 1)
            mark = len(self.env)
            self.env.append((n, "any"))
            text = self.narrow_on(n, t, d)
            del self.env[mark:]
            return "(let {%s %s} %s)" % (n, init, self.body(text))
        return self.narrow_on(self.r.choice(vs), t, d)

    def with_type(self, n, u, t, d):
        mark = len(self.env)
        self.env.append((n, u))
        e = self.expr(t, d - 1)
        del self.env[mark:]
        return e

    def narrow_on(self, n, t, d):
        r = self.r
        u = r.choice(["int", "int", "float", "num", "str", "nil", "error", ("list", "any"), ("vec", "any")])
        test = "(%s %s)" % (PREDICATES.get(u) or {"list": "list?", "vec": "vec?"}[u[0]], n)
        if u == "int" and self.chance(0.5):
            edge = self.int_const() if self.chance(0.5) else str(r.randint(-2, 9))
            op = r.choice(["<", ">", "<=", ">=", "==", "!="])
            more = "(%s %s %s)" % ((op, n, edge) if self.chance(0.7) else (op, edge, n))
            test = r.choice(["(and %s %s)" % (test, more), more, "(and %s %s (< %s 100))" % (test, more, n)])
        if u == "nil" and self.chance(0.3):
            test = "(== %s nil)" % n
        a = self.with_type(n, u, t, d)
        b = self.with_type(n, self.type_of(n), t, d)
        if self.chance(0.2):
            return "(if (not %s) %s %s)" % (test, self.branch(b), self.branch(a))
        if self.chance(0.2):
            test = "(or %s %s)" % (test, self.test(max(d - 1, 1)))
        return "(if %s %s %s)" % (test, self.branch(a), self.branch(b))

    def case_form(self, t, d):
        u = self.r.choice(["int", "kw", "any"])
        keys = {"int": ["0", "1", "2", "3", "-1", "1152921504606846976"], "kw": KINDS,
                "any": ["0", "1.0", ":a", '"a"', "nil", "{{1 2}}"]}[u]
        clauses = ["{{%s} %s}" % (k if k[0] != "{" else k[1:-1], self.branch(self.expr(t, d - 1)))
                   for k in self.r.sample(keys, self.r.randint(1, 3))]
        if self.chance(0.8):
            clauses.append("{{otherwise} %s}" % self.branch(self.expr(t, d - 1)))
        value = self.expr(u, d - 1)
        return "(case %s %s)" % (value, " ".join(clauses))

    def cond_form(self, t, d):
        form = self.r.choice(["cond", "select"])
        clauses = ["{%s %s}" % (self.condition(d - 1), self.branch(self.expr(t, d - 1)))
                   for _ in range(self.r.randint(1, 3))]
        if self.chance(0.8):
            clauses.append("{otherwise %s}" % self.branch(self.expr(t, d - 1)))
        return "(%s %s)" % (form, " ".join(clauses))

    def try_form(self, t, d):
        e = self.error_made(d - 1) if self.chance(0.4) else self.expr(t, d - 1)
        if "finally" in self.on and self.chance(0.25):
            return "(finally %s %s)" % (self.branch(e), self.branch(self.effect(d - 1)))
        n = self.name()
        mark = len(self.env)
        self.env.append((n, "error"))
        handler = self.expr(t, d - 1)
        if self.chance(0.4):
            handler = '(do (print "caught" (error-kind %s) (error-message %s)) %s)' % (n, n, handler)
        del self.env[mark:]
        return "(try %s {%s %s})" % (self.branch(e), n, self.branch(handler))

    def element(self, t, d):
        """A t taken out of something."""
        r = self.r
        e = lambda u: self.expr(u, d - 1)
        rows = [
            (3, None, lambda: "(%s %s)" % (r.choice(["head", "last", "fst", "snd"]), e(("list", t)))),
            (1, None, lambda: "(nth %d %s)" % (r.randint(1, 3), e(("list", t)))),
            (2, "vector", lambda: "(vec/get %s %s)" % (e(("vec", t)), r.choice(["0", "1", e("int")]))),
            (1, "map", lambda: "(map/get %s %s %s)" % (e(("map", "any", t)), r.choice(KINDS), e(t))),
            (1, "higher", lambda: "(find %s %s)" % (self.lambda_of([t], "bool", d - 1, 4), e(("list", t)))),
            (0.5, None, lambda: "(get (list :a %s :b %s) %s %s)" % (e(t), e(t), r.choice(KINDS), e(t)))]
        return self.pick(*rows)

    def atom_form(self, t, d):
        n = self.fresh("at")
        init = self.expr(t, d - 1)
        mark = len(self.env)
        self.env.append((n, ("ref", t)))
        u = self.data_type() if self.chance(0.2) else t
        change = self.pick(
            (1, None, lambda: "(reset! %s %s)" % (n, self.expr(u, d - 1))),
            (1, None, lambda: "(swap! %s %s)" % (n, self.lambda_of([t], u, d - 1, 1))))
        del self.env[mark:]
        return "(let {%s %s} {%s (deref %s)})" % (n, "(atom %s)" % init, change, n)

    def eval_form(self, t, d):
        e = self.expr(t, d - 1)
        if self.chance(0.5):
            b = self.branch(e)
            return "(eval %s)" % (b if b[0] == "{" else "{do %s}" % e)
        if "block" not in self.on:
            return "(eval {do %s})" % e
        n = self.fresh("k")
        block = "{%s}" % e[1:-1] if e[0] == "(" and " " in e and e[1] not in "({[" else "{do %s}" % e
        how = self.r.choice(["(let {%s %s} {eval %s})", "((\\ {%s} {eval %s}) %s)", "(eval (head (list %s)))"])
        if how[1] == "l":
            return how % (n, block, n)
        if how[1] == "(":
            return how % (n, n, block)
        return how % block
