"""basis.py - what all of the generator stands on: names in scope, room for work, constants.

generate.py explains the whole. Every choice is made by `self.r`.
"""
import random

import numbers_of

NAMES = "a b c d e k m n p q r s t u v w x y z acc f g h lo hi i tmp new total first rest o".split()
LIBRARY_NAMES = "list len sum id head tail map max min not str range reverse filter take".split()
KINDS = ":a :b :missing :range :type :deep".split()
DATA = ["int", "float", "num", "str", "kw", "nil", ("list", "int"), ("list", "any"), ("vec", "any"), "bool"]
FEATURES = """wrong float big string vector map closure set loop while for partial rest library error
block quasi narrow case redefine unbound effect shadow higher local_rec any atom eval finally sort match
vector_loop define stored thread group generic container""".split()
PREDICATES = {"int": "int?", "float": "float?", "num": "number?", "str": "string?", "kw": "keyword?",
              "nil": "nil?", "error": "error?"}
WORK_MAX = 4000      # estimated expressions evaluated by one top form or call
PROGRAM_WORK_MAX = 40000


class Fn:
    """A top-level function: parameter types ("fuel" counts down), result, cost of a call."""

    def __init__(self, name, params, result, cost, rest=False):
        self.name, self.params, self.result, self.cost, self.rest = name, params, result, cost, rest


class Basis:
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
