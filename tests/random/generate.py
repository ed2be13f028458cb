#!/usr/bin/env python3
"""generate.py - random closed Valk programs that end.

    generate.py SEED [SIZE]        prints the program of that seed

Every program is decided by its seed alone. It prints many intermediate values, so that two ways of
running it can be compared by what they print. Comments `;= TAG TEXT` say what the line that starts
with TAG must be: arithmetic that Python computed as well.

How it ends: functions call only functions above them or count a literal down; loops count; an
estimate of the work bounds nesting. A program in a few hundred does not end in time; the driver
leaves it out.

What is favoured is what optimisers get wrong: values at the edges of ranges, variables that change
their type in a loop, tests of types, dead branches, one call site or several, shadowed names, and the
order of effects. Each program switches a random part of the features on (swarm testing: Groce et
al., ISSTA 2012), so that rare ones meet each other more often.

Expressions are made by type; a few of a wrong type are put in to see the errors. A type is a word,
or a tuple: ("list", T) ("vec", T) ("map", K, V) ("fn", (T...), R) ("ref", T) ("block", T).
"""
import random
import sys

import numbers_of

NAMES = "a b c d e k m n p q r s t u v w x y z acc f g h lo hi i tmp new total first rest o".split()
LIBRARY_NAMES = "list len sum id head tail map max min not str range reverse filter take".split()
KINDS = ":a :b :missing :range :type :deep".split()
DATA = ["int", "float", "num", "str", "kw", "nil", ("list", "int"), ("list", "any"), ("vec", "any"), "bool"]
FEATURES = """wrong float big string vector map closure set loop while for partial rest library error
block quasi narrow case redefine unbound effect shadow higher local_rec any atom eval finally sort match
vector_loop define stored thread""".split()
PREDICATES = {"int": "int?", "float": "float?", "num": "number?", "str": "string?", "kw": "keyword?",
              "nil": "nil?", "error": "error?"}
WORK_MAX = 4000      # estimated expressions evaluated by one top form or call
PROGRAM_WORK_MAX = 40000


class Fn:
    """A top-level function: parameter types ("fuel" counts down), result, cost of a call."""

    def __init__(self, name, params, result, cost, rest=False):
        self.name, self.params, self.result, self.cost, self.rest = name, params, result, cost, rest


class Generator:
    def __init__(self, seed, size=None):
        self.r = random.Random(seed)
        r = self.r
        share = r.choice([0.3, 0.5, 0.7, 0.9])
        self.on = {f for f in FEATURES if r.random() < share}
        self.size = size or r.choice([30, 60, 120, 120, 250, 400])
        self.env = []          # (name, type), innermost last
        self.fns = []
        self.globals_later = []  # names of globals defined further down
        self.globals = []        # (name, type) of data
        self.budget = 0
        self.work, self.mult = 0, 1
        self.total_work = 0
        self.counter = 0
        self.banned = set()
        self.names = r.sample(NAMES, r.choice([3, 6, 12]))
        self.wrong = r.choice([0.005, 0.02, 0.06]) if "wrong" in self.on else 0
        self.checks = []
        self.redefined = set()  # library functions

    # ---- small helpers ----------------------------------------------------------------------

    def chance(self, p):
        return self.r.random() < p

    def pick(self, *rows):
        """rows of (weight, feature or None, function): one of those switched on, called."""
        rows = [x for x in rows if x[1] is None or x[1] in self.on]
        return self.r.choices([x[2] for x in rows], [x[0] for x in rows])[0]()

    def fresh(self, prefix):
        self.counter += 1
        return prefix + str(self.counter)

    def name(self):
        if "shadow" in self.on and self.chance(0.04):
            n = self.r.choice(LIBRARY_NAMES)
        else:
            n = self.r.choice(self.names)
        return n if n not in self.banned else self.fresh("v")

    def fits(self, want, have):
        if want == have:
            return True
        if want == "any":
            return not (isinstance(have, tuple) and have[0] in ("fn", "block", "ref")) and have != "counter"
        if want == "num":
            return have in ("int", "float", "bool", "counter")
        if want == "int":
            return have in ("bool", "counter")
        if want == "bool":
            return have == "int"
        if isinstance(want, tuple) and isinstance(have, tuple) and want[0] == have[0]:
            return want[0] in ("list", "vec", "map") and want[-1] == "any"
        return False

    def variables(self, want):
        seen, found = set(), []
        for name, have in reversed(self.env):
            if name in seen or name in self.banned:
                continue
            seen.add(name)
            if self.fits(want, have):
                found.append(name)
        return found

    def type_of(self, name):
        for n, t in reversed(self.env):
            if n == name:
                return t
        return None

    def data_type(self, d=2):
        r = self.r
        k = r.random()
        if k < 0.45:
            return "int"
        if k < 0.57:
            return "float" if "float" in self.on else "int"
        if k < 0.67:
            return "num"
        if k < 0.74:
            return "str" if "string" in self.on else "int"
        if k < 0.84 and d > 0:
            return ("list", self.data_type(d - 1))
        if k < 0.88 and d > 0 and "vector" in self.on:
            return ("vec", self.data_type(d - 1))
        if k < 0.91 and d > 0 and "map" in self.on:
            return ("map", "any", self.data_type(d - 1))
        if k < 0.96 and "any" in self.on:
            return "any"
        return r.choice(["bool", "kw", "nil"])

    def fn_type(self):
        n = self.r.choice([0, 1, 1, 1, 2, 2, 3])
        return ("fn", tuple(self.r.choice(["int", "int", "num", "any", "float"]) for _ in range(n)),
                self.data_type(1))

    def branch(self, e):
        """e as a branch: braces are a call there."""
        if e[0] in "{'":
            return "(do %s)" % e
        if e[0] == "(" and len(e) > 2 and self.chance(0.6):
            if self.chance(0.3):
                return "{%s}" % e
            inner = e[1:-1]
            return "{%s}" % inner if " " in inner and inner[0] not in "({[#'`" else e
        return e

    def body(self, e, statements=()):
        if statements or (e[0] == "(" and self.chance(0.2)):
            return "{%s}" % " ".join(list(statements) + [e])
        if e[0] in "{'":
            return "(do %s)" % e
        if e[0] == "(" and self.chance(0.7):
            inner = e[1:-1]
            if " " in inner and inner[0] not in "({[#'`":
                return "{%s}" % inner
        return e

    def spend(self, n=1):
        self.budget -= n
        self.work += self.mult * n

    def room(self, times):
        """Is there room for something done that many times?"""
        return self.mult * times <= 300 and self.work + self.mult * times * 8 < WORK_MAX

    # ---- constants and leaves ---------------------------------------------------------------

    def int_const(self):
        return str(numbers_of.random_int(self.r, "big" in self.on))

    def float_const(self):
        return numbers_of.random_float_text(self.r)

    def string_const(self):
        return self.r.choice(['""', '"a"', '"b"', '"abc"', '"a,b,,c"', '"12"', '"Hello World"', '"-7.5"', '"\\n"',
                              '"\xe9"', '"zz"', '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"'])

    def leaf(self, t):
        vs = self.variables(t)
        if vs and self.chance(0.75):
            return self.r.choice(vs[:6])
        return self.const(t)

    def const(self, t):
        r = self.r
        if t == "any":
            return self.const(r.choice(DATA))
        if t == "num":
            return self.const("float" if "float" in self.on and self.chance(0.4) else "int")
        if t in ("int", "counter"):
            return self.int_const()
        if t == "fuel":
            return str(r.randint(0, 6))
        if t == "bool":
            return r.choice(["0", "1"])
        if t == "float":
            return self.float_const()
        if t == "str":
            return self.string_const()
        if t == "kw":
            return r.choice(KINDS)
        if t == "nil":
            return "nil"
        if t == "error":
            return self.error_made(0)
        kind = t[0]
        if kind == "list":
            n = r.choice([0, 1, 2, 3, 3, 5])
            if n == 0:
                return "nil"
            items = [self.const(t[1]) for _ in range(n)]
            if all(x[0] not in "([#" and x != "nil" for x in items) and self.chance(0.6):
                return "{%s}" % " ".join(items)
            return "(list %s)" % " ".join(items)
        if kind == "vec":
            return "[%s]" % " ".join(self.const(t[1]) for _ in range(r.choice([0, 1, 2, 3, 4])))
        if kind == "map":
            keys = r.sample(["1", "2", ":a", ":b", '"k"', "nil", "1.5"], r.choice([0, 1, 2, 3]))
            return "#{%s}" % " ".join("%s %s" % (k, self.const(t[2])) for k in keys)
        if kind == "fn":
            return self.function(t, 0)
        if kind == "ref":
            return "(atom %s)" % self.const(t[1])
        if kind == "block":
            e = self.const(t[1])
            return "{do %s}" % e
        raise AssertionError(t)

    # ---- expressions ------------------------------------------------------------------------

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
        vs = [n for n in self.variables(("vec", "any"))]
        if vs and self.chance(0.5):
            v = self.r.choice(vs)
            self.banned.add(v)
            text = self.vector_change(v, self.type_of(v)[1], d)
            self.banned.discard(v)
            return text
        return self.expr("any", d)

    # ---- control ----------------------------------------------------------------------------

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
            (0.5, None, lambda: "(id %s)" % self.expr(t, d - 1)),
            (1.5, "match", lambda: self.match_form(t, d)), (1, "stored", lambda: self.stored_call(t, d)),
            (0.7, "thread", lambda: self.thread_form(t, d)), (0.7, "closure", lambda: self.closures_of_loop(t, d)),
        ]
        if t in ("int", "num", "float", "any") or isinstance(t, tuple) and t[0] == "vec":
            rows.append((2.5, "vector_loop", lambda: self.vector_loop(t, d)))
        return self.pick(*rows)

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

    def thread_form(self, t, d):
        if t in ("int", "num"):
            steps = self.r.choices(["(+ 1)", "(* 2)", "-", "(- 7)", "abs", "(min 100)", "id"], k=self.r.randint(1, 3))
            return "(%s %s %s)" % (self.r.choice(["->", "->>"]), self.expr(t, d - 1), " ".join(steps))
        if isinstance(t, tuple) and t[0] == "list":
            steps = self.r.choices(["reverse", "(take 3)", "(drop 1)", "(filter int?)", "(map id)"], k=self.r.randint(1, 3))
            return "(->> %s %s)" % (self.expr(t, d - 1), " ".join(steps))
        return self.if_form(t, d)

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

    def partial_call(self, t, d):
        params = [self.data_type() for _ in range(self.r.choice([2, 2, 3]))]
        fn = self.lambda_of(params, t, d - 1, 2)
        args = [self.expr(p, d - 1) for p in params]
        k = self.r.randint(1, len(params) - 1)
        n = self.fresh("p")
        if self.chance(0.4):
            return "((%s %s) %s)" % (fn, " ".join(args[:k]), " ".join(args[k:]))
        return "(let {%s (%s %s)} {%s %s})" % (n, fn, " ".join(args[:k]), n, " ".join(args[k:]))

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

    # ---- top forms --------------------------------------------------------------------------

    def begin(self, budget):
        self.budget, self.work, self.mult = budget, 0, 1

    def define_function(self):
        r = self.r
        self.begin(r.choice([15, 30, 60]))
        name = self.fresh("fn")
        n = r.choice([0, 1, 1, 2, 2, 3])
        params = [self.fn_type() if "higher" in self.on and self.chance(0.12) else self.data_type() for _ in range(n)]
        rest = "rest" in self.on and self.chance(0.12)
        result = self.data_type()
        kind = r.random()
        mark = len(self.env)
        if kind < 0.25:
            return self.define_recursive(name, params, result)
        if kind < 0.35:
            return self.define_walk(name, result)
        names = []
        for p in params:
            x = self.name()
            while x in names:
                x = self.fresh("u")
            names.append(x)
            self.env.append((x, p))
        shown = list(names)
        if rest:
            shown += ["&", "more"]
            self.env.append(("more", ("list", "any")))
        statements = self.statements(2) if "set" in self.on and self.chance(0.3) else []
        text = "(fun {%s} %s)" % (" ".join([name] + shown), self.body(self.expr(result, r.choice([2, 3, 4])), statements))
        del self.env[mark:]
        self.fns.append(Fn(name, params, result, self.work + 1, rest))
        return text

    def define_recursive(self, name, params, result):
        """Counts its first parameter down; now and then two functions that call each other."""
        r = self.r
        params = [p for p in params if not (isinstance(p, tuple) and p[0] == "fn")][:2] + [result]
        mark = len(self.env)
        names = []
        for p in params:
            x = self.fresh("q") if self.chance(0.5) else self.name()
            while x in names:
                x = self.fresh("u")
            names.append(x)
        n = self.fresh("i")

        def make(own, other):
            self.env.append((n, "counter"))
            self.env.extend(zip(names, params))
            call = lambda: "(%s (- %s 1) %s)" % (other, n, " ".join(self.expr(p, 1) for p in params))
            k = r.random()
            step = call()
            if k < 0.15 and result in ("int", "num", "float"):
                step = "(%s %s %s)" % (r.choice("+-*"), self.leaf(result), step)
            elif k < 0.25 and isinstance(result, tuple) and result[0] == "list":
                step = "(cons %s %s)" % (self.expr(result[1], 1), step)
            elif k < 0.4:
                step = "(if %s %s %s)" % (self.condition(2), self.branch(step), self.branch(call()))
            elif k < 0.5:
                step = "(do %s %s)" % (self.effect(1), step)
            done = self.expr(result, 2)
            test = r.choice(["(<= %s 0)", "(< %s 1)"]) % n
            del self.env[mark:]
            return "(fun {%s} %s)" % (" ".join([own, n] + names),
                                      self.body("(if %s %s %s)" % (test, self.branch(done), self.branch(step))))
        if self.chance(0.3):
            twin = name + "b"
            text = make(name, twin) + "\n" + make(twin, name)
        else:
            text = make(name, name)
        self.fns.append(Fn(name, ["fuel"] + params, result, 6 * (self.work + 1)))
        return text

    def define_walk(self, name, result):
        """Recursion over a list."""
        u = self.r.choice(["int", "num", "any"])
        mark = len(self.env)
        l, a, x = self.fresh("l"), self.name(), self.fresh("x")
        self.env += [(l, ("list", u)), (a, result)]
        done = self.leaf(result)
        self.env.append((x, u))
        step = self.expr(result, 2)
        del self.env[mark:]
        call = "(%s (tail %s) %s)" % (name, l, step)
        if result in ("int", "num", "float") and self.chance(0.3):
            call = "(%s %s %s)" % (self.r.choice("+-*"), x, call)
        body = "(if (nil? %s) %s (let {%s (head %s)} %s))" % (l, self.branch(done), x, l, self.body(call))
        self.fns.append(Fn(name, [("list", u), result], result, 6 * (self.work + 1)))
        return "(fun {%s %s %s} %s)" % (name, l, a, self.body(body))

    def define_global(self):
        self.begin(25)
        t = self.fn_type() if "closure" in self.on and self.chance(0.15) else self.data_type()
        name = self.globals_later.pop(0) if self.globals_later and self.chance(0.5) else self.fresh("gl")
        e = self.expr(t, 3)
        self.env.append((name, t))
        if not (isinstance(t, tuple) and t[0] == "fn"):
            self.globals.append((name, t))
        return "(%s {%s} %s)" % (self.r.choice(["def", "="]), name, e)

    def redefine(self):
        """A library function, or a function above, with a simple new meaning."""
        if self.fns and self.chance(0.5):
            f = self.r.choice(self.fns)
            if f.rest:
                return self.observe()
            names = [self.fresh("u") for _ in f.params]
            return "(fun {%s} %s)" % (" ".join([f.name] + names), self.body(self.const(f.result)))
        n = self.r.choice(["sum", "id", "max", "reverse", "abs", "len"])
        self.redefined.add(n)
        body = {"sum": "{+ 1000 (len u)}", "id": "{list u}", "max": "{+ u w}", "reverse": "{tail u}", "abs": "{- u}",
                "len": "{str u}"}[n]
        return "(fun {%s u%s} %s)" % (n, " w" if n == "max" else "", body)

    def observe(self):
        self.begin(self.r.choice([10, 20, 40]))
        t = "error" if "error" in self.on and self.chance(0.06) else self.data_type()
        e = self.expr(t, self.r.choice([2, 3, 4, 5]))
        tag = self.fresh("#")
        if self.chance(0.12):
            return '(print "%s" (try %s {e9 (list :kind (error-kind e9) (error-message e9))}))' % (tag, self.branch(e))
        if self.chance(0.1) and t != "error":
            return "(show %s)" % e
        return '(print "%s" %s)' % (tag, e)

    def check(self):
        """Arithmetic that Python does too, in several forms."""
        tag = self.fresh("=")
        made = numbers_of.random_check(self.r, "float" in self.on)
        if not made:
            return self.observe()
        text, value = made
        if any("(%s " % n in text for n in self.redefined):
            return self.observe()
        self.checks.append(";= %s %s" % (tag, value))
        return '(print "%s" %s)' % (tag, text)

    def program(self):
        r = self.r
        forms = ["(fun {show x} {do (print (type x) x) x})"]
        if "unbound" in self.on:
            self.globals_later = [self.fresh("late") for _ in range(2)]
            for n in self.globals_later:
                self.env.append((n, "any"))
        while sum(map(len, forms)) < self.size * 10 and self.total_work < PROGRAM_WORK_MAX:
            k = r.random()
            if k < 0.3 and len(self.fns) < 12:
                forms.append(self.define_function())
            elif k < 0.42:
                forms.append(self.define_global())
            elif k < 0.45 and "redefine" in self.on:
                forms.append(self.redefine())
            elif k < 0.55:
                forms.append(self.check())
            else:
                forms.append(self.observe())
                self.total_work += self.work
        if "error" in self.on and self.chance(0.1):
            self.begin(5)
            forms.append(self.error_made(1))
            forms.append('(print "not reached?")')
        return "\n".join(self.checks + forms) + "\n"


def generate(seed, size=None):
    return Generator(seed, size).program()


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(generate(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
