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
import sys

sys.dont_write_bytecode = True
import numbers_of
from basis import PROGRAM_WORK_MAX, Fn
from containers import Containers


class Generator(Containers):
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
        if kind < 0.5 and "group" in self.on:
            return self.define_group()
        if kind < 0.62 and "generic" in self.on:
            return self.define_generic()
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
            elif k < 0.65 and "container" in self.on:
                forms.append(self.containers())
                self.total_work += self.work
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
