"""operations.py - expressions by their type: arithmetic, tests, strings, collections, errors."""
from basis import DATA, KINDS, WORK_MAX, Basis


class Operations(Basis):
    def expr(self, t, d):
        r = self.r
        self.spend()
        if self.wrong and self.chance(self.wrong) and not (isinstance(t, tuple) and t[0] in ("fn", "block")):
            t = r.choice(DATA)
        if t == "fuel":
            return self.fuel(d)
        if t == "any":
            t = self.data_type() if self.chance(0.6) else "any"
        if d <= 0 or self.budget <= 0 or self.work > WORK_MAX or self.chance(0.12):
            return self.leaf(t)
        if isinstance(t, tuple) and t[0] in ("fn", "block", "ref"):
            return self.function(t, d) if t[0] == "fn" else self.leaf(t) if self.chance(0.5) else self.wrapped(t, d)
        if self.chance(0.42):
            return self.control(t, d)
        return self.operation(t, d)

    def wrapped(self, t, d):
        if t[0] == "block":
            e = self.expr(t[1], d - 1)
            return "{do %s}" % e if e[0] != "(" or e[1] in "({[" or " " not in e else "{%s}" % e[1:-1]
        return "(atom %s)" % self.expr(t[1], d - 1)

    def fuel(self, d):
        k = self.r.random()
        if k < 0.7 or d <= 0:
            return str(self.r.randint(0, 5))
        e = self.expr("int", d - 1)
        return "((\\ {x} {if (int? x) {mod x 5} 2}) %s)" % e

    def operation(self, t, d):
        if t == "num":
            t = "float" if "float" in self.on and self.chance(0.4) else "int"
            if self.chance(0.2):
                op = self.r.choice(["+", "-", "*", "/", "min", "max", "%", "mod"])
                return "(%s %s %s)" % (op, self.expr("int", d - 1), self.expr("float", d - 1))
        if t == "int":
            return self.int_operation(d)
        if t == "float":
            return self.float_operation(d)
        if t == "bool":
            return self.test(d)
        if t == "str":
            return self.string_operation(d)
        if isinstance(t, tuple) and t[0] == "list":
            return self.list_operation(t, d)
        if isinstance(t, tuple) and t[0] == "vec":
            return self.vector_operation(t, d)
        if isinstance(t, tuple) and t[0] == "map":
            return self.map_operation(t, d)
        if t == "nil" and "effect" in self.on and self.chance(0.5):
            return '(print "%s" %s)' % (self.fresh("."), self.expr("any", d - 1))
        if t == "error":
            return self.error_made(d)
        return self.control(t, d)

    def int_operation(self, d):
        e = lambda t="int": self.expr(t, d - 1)
        f = lambda text: (lambda: text % tuple(e() for _ in range(text.count("%s"))))
        return self.pick(
            (8, None, f("(+ %s %s)")), (6, None, f("(- %s %s)")), (5, None, f("(* %s %s)")),
            (2, None, f("(/ %s %s)")), (2, None, lambda: "(%% %s %s)" % (e(), e())), (2, None, f("(mod %s %s)")),
            (1, None, f("(+ %s %s %s)")), (1, None, f("(- %s)")), (1, None, f("(abs %s)")),
            (1, None, f("(min %s %s)")), (1, None, f("(max %s %s)")), (1, None, f("(+ %s 1)")), (1, None, f("(- %s 1)")),
            (1, None, f("(* 2 %s)")), (1, None, f("(bit/and %s %s)")), (1, None, f("(bit/or %s %s)")),
            (1, None, f("(bit/xor %s %s)")), (0.5, None, f("(bit/not %s)")),
            (1, None, f("(bit/and %s 255)")), (0.5, "big", f("(bit/shl %s (bit/and %s 63))")),
            (1, None, f("(bit/shr %s (bit/and %s 63))")), (0.5, None, f("(gcd %s %s)")),
            (0.4, "big", f("(pow %s (bit/and %s 7))")), (0.5, None, f("(ord %s %s)")),
            (1, None, lambda: self.test(d)),
            (1, "float", lambda: "(%s %s)" % (self.r.choice(["floor", "ceil", "round", "trunc", "int"]), e("float"))),
            (1, None, lambda: "(len %s)" % e(("list", "any"))),
            (0.6, "string", lambda: "(len %s)" % e("str")),
            (0.4, "string", lambda: "(str->num (str %s))" % e()),
            (0.4, "vector", lambda: "(%s %s)" % (self.r.choice(["len", "vec/len"]), e(("vec", "any")))),
            (1, None, lambda: "(%s %s)" % (self.r.choice(["sum", "product"]), e(("list", "int")))),
            (1, None, lambda: "(do %s %s)" % (self.effect(d - 1), e())))

    def float_operation(self, d):
        e = lambda t="float": self.expr(t, d - 1)
        two = lambda: (e(), e(self.r.choice(["float", "float", "int"])))
        return self.pick(
            (6, None, lambda: "(%s %s %s)" % ((self.r.choice("+-*/"),) + two())),
            (2, None, lambda: "(%s %s %s)" % ((self.r.choice("+-*/"),) + two()[::-1])),
            (1, None, lambda: "(%s %s %s)" % ((self.r.choice(["min", "max", "%", "mod"]),) + two())),
            (1, None, lambda: "(%s %s)" % (self.r.choice(["-", "abs", "sqrt", "float"]), e())),
            (1, None, lambda: "(float %s)" % e("int")), (0.5, None, lambda: "(sqrt (float %s))" % e("int")),
            (0.3, "library", lambda: "(%s %s)" % (self.r.choice(["sin", "cos", "exp", "log", "atan"]), e())),
            (0.3, None, lambda: "(+ %s %s %s)" % (e("num"), e(), e("num"))))

    def test(self, d):
        """A condition: gives 0 or 1."""
        r = self.r
        e = lambda t: self.expr(t, d - 1)

        def numbers():
            t = r.choice(["int", "int", "num", "float"] if "float" in self.on else ["int"])
            vs = self.variables(t)
            a = r.choice(vs) if vs and self.chance(0.5) else e(t)
            return "(%s %s %s)" % (r.choice(["<", ">", "<=", ">=", "==", "!=", "<"]), a, e(t))

        def predicate():
            p = r.choice(["int?", "float?", "number?", "string?", "keyword?", "nil?", "error?", "list?", "vec?", "map?",
                          "function?", "symbol?"])
            vs = self.variables("any")
            return "(%s %s)" % (p, r.choice(vs) if vs and self.chance(0.8) else e("any"))

        return self.pick(
            (8, None, numbers), (2, None, predicate), (1, None, lambda: "(not %s)" % e("any")),
            (1.5, None, lambda: "(%s %s %s)" % (r.choice(["==", "!="]), e("any"), e("any"))),
            (1, None, lambda: "(%s %s %s)" % (r.choice(["and", "or"]), self.test(d - 1), self.test(d - 1)))
            if d > 1 else (0.1, None, lambda: r.choice("01")),
            (0.5, None, lambda: "(not %s)" % self.test(d - 1)) if d > 1 else (0.1, None, lambda: "0"),
            (0.5, None, lambda: "(exists %s %s)" % (e("int"), e(("list", "any")))),
            (0.4, "map", lambda: "(map/has? %s %s)" % (e(("map", "any", "any")), e("any"))),
            (0.4, "string", lambda: "(str/%s %s %s)" % (r.choice(["contains?", "starts?", "ends?"]), e("str"), e("str"))))

    def condition(self, d):
        """Any value as a condition; tests mostly."""
        if self.chance(0.75):
            return self.test(max(d, 1))
        return self.expr(self.data_type(), d - 1)

    def string_operation(self, d):
        e = lambda t="str": self.expr(t, d - 1)
        small = lambda: "(mod %s 9)" % e("int") if self.chance(0.4) else str(self.r.randint(-2, 9))
        return self.pick(
            (4, None, lambda: "(str %s)" % e("any")), (4, None, lambda: "(str %s %s)" % (e(), e("any"))),
            (1, None, lambda: "(str/%s %s)" % (self.r.choice(["upper", "lower", "trim"]), e())),
            (1, None, lambda: "(str/slice %s %s %s)" % (e(), small(), small())),
            (0.5, None, lambda: "(str/replace %s %s %s)" % (e(), e(), e())),
            (0.5, None, lambda: "(str/repeat %s %s)" % (e(), self.r.randint(0, 3))),
            (0.5, None, lambda: "(str/join (str/split %s %s) %s)" % (e(), e(), e())),
            (0.5, None, lambda: "(str/pad %s %s)" % (e(), small())),
            (0.5, None, lambda: "(num->str %s)" % e("num")), (0.5, None, lambda: "(repr %s)" % e("any")))

    def list_operation(self, t, d):
        r, item = self.r, t[1]
        e = lambda u=None: self.expr(u or t, d - 1)
        small = lambda: "(mod %s 5)" % e("int") if self.chance(0.3) else str(r.randint(0, 4))
        rows = [
            (5, None, lambda: "(list %s)" % " ".join(self.expr(item, d - 1) for _ in range(r.randint(1, 4)))),
            (4, None, lambda: "(cons %s %s)" % (e(item), e())), (1, None, lambda: "(tail %s)" % e()),
            (1, None, lambda: "(%s %s %s)" % (r.choice(["take", "drop"]), small(), e())),
            (1, None, lambda: "(reverse %s)" % e()),
            (1, None, lambda: "(%s %s %s)" % (r.choice(["join", "append"]), e(), e())),
            (0.5, None, lambda: "(init %s)" % e()), (0.4, None, lambda: "(uniq %s)" % e()),
            (3, "higher", lambda: self.over_list("(map %s %s)", lambda u: ("fn", (u,), item), d)),
            (2, "higher", lambda: "(filter %s %s)" % (self.lambda_of([item], "bool", d - 1, 5), e())),
            (1, "higher", lambda: "(repeat %s %d)" % (self.lambda_of(["int"], item, d - 1, 4), r.randint(0, 4))),
            (0.5, "quasi", lambda: self.quasi(item, d)),
        ]
        if item == "int":
            rows += [(2, None, lambda: "(range %d %d)" % (r.randint(-2, 2), r.randint(0, 6))),
                     (0.5, None, lambda: "(range %s (+ %s 3))" % ((r.choice(self.variables("int") or ["1"]),) * 2)),
                     (1, "sort", lambda: "(sort %s)" % e())]
        if item in ("int", "num", "float"):
            rows += [(0.5, "sort", lambda: "(sort %s %s)" % (r.choice(["<", ">"]), e())),
                     (0.5, "sort", lambda: "(sort-by %s %s)" % (self.lambda_of([item], "num", d - 1, 5), e()))]
        if item == "any":
            rows += [(0.6, None, lambda: "(zip %s %s)" % (e(("list", "any")), e(("list", "int")))),
                     (0.4, None, lambda: "(flatten %s)" % e()),
                     (0.4, "higher", lambda: "(partition %s %s)" % (self.lambda_of(["any"], "bool", d - 1, 5), e())),
                     (0.4, "map", lambda: "(map/%s %s)" % (r.choice(["keys", "vals"]), e(("map", "any", "any"))))]
        if item == "str":
            rows += [(1, "string", lambda: "(str/split %s %s)" % (e("str"), r.choice(['","', '"a"', '" "'])))]
        if "vector" in self.on:
            rows += [(0.5, None, lambda: "(vec/->list %s)" % e(("vec", item)))]
        return self.pick(*rows)

    def over_list(self, text, fn_of, d):
        u = self.r.choice(["int", "num", "any", "int"])
        l = self.expr(("list", u), d - 1)
        t = fn_of(u)
        return text % (self.callable(t, d - 1, 5), l)

    def quasi(self, item, d):
        parts = []
        for _ in range(self.r.randint(1, 4)):
            k = self.r.random()
            if k < 0.4:
                parts.append("," + self.expr(item, d - 1))
            elif k < 0.6:
                parts.append(",@" + self.expr(("list", item), d - 1))
            else:
                parts.append(self.r.choice(["1", "x", ":k", "(+ 1 2)", "{a b}"]) if item == "any" else self.const(item))
        return "`%s%s%s" % (("(", " ".join(parts), ")") if self.chance(0.6) else ("{", " ".join(parts), "}"))

    def vector_operation(self, t, d):
        item = t[1]
        e = lambda u=None: self.expr(u or t, d - 1)

        def changed():
            v = self.fresh("v")
            init = e()
            mark = len(self.env)
            self.env.append((v, t))
            self.banned.add(v)  # no cycles: they have no text
            statements = [self.vector_change(v, item, d - 1) for _ in range(self.r.randint(1, 3))]
            self.banned.discard(v)
            del self.env[mark:]
            return "(let {%s %s} %s)" % (v, init, self.body(v, statements))
        return self.pick(
            (3, None, lambda: "[%s]" % " ".join(e(item) for _ in range(self.r.randint(0, 3)))),
            (1, None, lambda: "(vec/make %d %s)" % (self.r.randint(0, 4), e(item))),
            (0.7, "higher", lambda: "(vec/map %s %s)" % (self.lambda_of([item], item, d - 1, 5), e())),
            (0.5, None, lambda: "(vec/slice %s %d)" % (e(), self.r.randint(0, 2))), (3, None, changed))

    def vector_change(self, v, item, d):
        kind = item if self.chance(0.7) else self.data_type()
        return self.pick(
            (3, None, lambda: "(vec/push! %s %s)" % (v, self.expr(kind, d))),
            (3, None, lambda: "(if (< 0 (len %s)) (vec/set! %s 0 %s))" % (v, v, self.expr(kind, d))),
            (1, None, lambda: "(vec/set! %s %d %s)" % (v, self.r.randint(0, 2), self.expr(kind, d))),
            (1, None, lambda: '(if (len %s) (print "pop" (vec/pop! %s)))' % (v, v)))

    def map_operation(self, t, d):
        value = t[2]
        e = lambda u=None: self.expr(u or t, d - 1)
        key = lambda: e("any") if self.chance(0.5) else self.r.choice(KINDS)

        def changed():
            m = self.fresh("m")
            init = e()
            mark = len(self.env)
            self.env.append((m, t))
            self.banned.add(m)
            statements = ["(map/put! %s %s %s)" % (m, key(), e(value)) for _ in range(self.r.randint(1, 3))]
            if self.chance(0.3):
                statements.append("(map/del! %s %s)" % (m, key()))
            self.banned.discard(m)
            del self.env[mark:]
            return "(let {%s %s} %s)" % (m, init, self.body(m, statements))
        return self.pick(
            (3, None, lambda: "#{%s}" % " ".join("%s %s" % (key(), e(value)) for _ in range(self.r.randint(0, 3)))),
            (0.5, None, lambda: "(map/merge %s %s)" % (e(), e())),
            (0.5, "higher", lambda: "(group-by %s %s)" % (self.lambda_of(["int"], "any", d - 1, 5), e(("list", "int"))))
            if value == ("list", "int") else (0.1, None, lambda: "(map/new)"), (2, None, changed))

    # ---- errors and effects -----------------------------------------------------------------

    def error_made(self, d):
        r = self.r
        e = lambda t: self.expr(t, d - 1) if d > 0 else self.const(t)
        return self.pick(
            (3, None, lambda: '(error "%s")' % r.choice(["one", "two", "three"])),
            (1, None, lambda: '(error %s "k" %s)' % (r.choice(KINDS), e("any"))),
            (1, None, lambda: "(head nil)"), (1, None, lambda: "(/ %s 0)" % e("int")),
            (1, None, lambda: "(vec/get [1 2] %s)" % r.choice(["2", "-1", "1152921504606846976"])),
            (1, None, lambda: "(+ %s %s)" % (e("str"), e("int"))), (0.5, None, lambda: "(5 %s)" % e("int")),
            (0.5, None, lambda: "(nth %d %s)" % (r.choice([0, 9]), e(("list", "any")))),
            (0.5, None, lambda: "((\\ {x} {x}) 1 2)"), (0.5, "unbound", lambda: "(nobody %s)" % e("int")),
            (0.5, "unbound", lambda: "nowhere"))

    def effect(self, d):
        """A statement done for its effect."""
        if "effect" in self.on and self.chance(0.7):
            return '(print "%s" %s)' % (self.fresh("."), self.expr("any", d))
        if "define" in self.on and self.globals and self.chance(0.4):
            n, u = self.r.choice(self.globals)
            return "(def {%s} %s)" % (n, self.expr(u if self.chance(0.7) else self.data_type(), d))
        if self.fns and self.chance(0.3):  # what it gives is for nobody
            return self.call_global(self.r.choice(self.fns).result, d)
        vs = [n for n in self.variables(("vec", "any"))]
        if vs and self.chance(0.5):
            v = self.r.choice(vs)
            self.banned.add(v)
            text = self.vector_change(v, self.type_of(v)[1], d)
            self.banned.discard(v)
            return text
        return self.expr("any", d)
