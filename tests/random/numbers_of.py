"""numbers_of.py - numbers where arithmetic goes wrong, and arithmetic that Python checks.

Integers lie around the edges of fixnums (2^60), of machine words and of exact doubles; floats
around zero, the ends of their range and the integers they cannot tell apart. random_check makes an
expression of constants in one of several forms and says how Valk must print its value.
"""
import math

EDGES = [0, 1, 2, 10, 1 << 29, 1 << 30, 1 << 31, 1 << 32, 1 << 52, 1 << 53, 1 << 59, 1 << 60, 1 << 61, 1 << 62, 1 << 63,
         1 << 64, 10 ** 18, 3037000499, 1073741824]
FLOATS = ["0.0", "-0.0", "1.0", "-1.0", "0.5", "1.5", "2.5", "-2.5", "0.1", "0.2", "3.14159", "100.0", "1e15", "1e16",
          "1e22", "-1e22", "1e300", "-1e300", "1e-300", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308",
          "9007199254740992.0", "9007199254740994.0", "1152921504606846976.0", "1152921504606846848.0",
          "-1152921504606846976.0", "9223372036854775808.0", "1e19", "+inf.0", "-inf.0", "+nan.0", "1e-5", "1e-7"]


def random_int(r, big=True):
    k = r.random()
    if k < 0.65:
        return r.randint(-4, 12)
    if k < 0.75:
        return r.choice([100, 1000, -100, 127, 128, -128, -129, 255, 256, 65536])
    n = r.choice(EDGES if big else EDGES[:12]) + r.randint(-2, 2)
    if k > 0.985 and big:
        n = r.choice([10 ** 25, 1 << 127, (1 << 128) - 1, 3 ** 60])
    return -n if r.random() < 0.35 else n


def random_float_text(r):
    return r.choice(FLOATS)


def float_of(text):
    return {"+inf.0": math.inf, "-inf.0": -math.inf, "+nan.0": math.nan}.get(text) if text in (
        "+inf.0", "-inf.0", "+nan.0") else float(text)


def show(x):
    """As Valk prints it: LANGUAGE.md 2."""
    if isinstance(x, int):
        return str(int(x))
    if math.isnan(x):
        return "+nan.0"
    if math.isinf(x):
        return "+inf.0" if x > 0 else "-inf.0"
    text = repr(x)
    mantissa, _, exponent = text.partition("e")
    if x == 0 or 1e-5 <= abs(x) < 1e16:
        if not exponent:
            return text
        digits = mantissa.replace(".", "").lstrip("-")
        e = int(exponent)
        if e < 0:
            body = "0." + "0" * (-e - 1) + digits
        else:
            body = digits + "0" * (e - len(digits) + 1) + ".0"
        return ("-" if x < 0 else "") + body
    if not exponent:
        sign = "-" if x < 0 else ""
        whole, _, part = text.lstrip("-").partition(".")
        if whole != "0":
            digits = (whole + part).rstrip("0")
            e = len(whole) - 1
        else:
            digits = part.lstrip("0")
            e = -(len(part) - len(digits) + 1)
        digits = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return "%s%se%d" % (sign, digits, e)
    return "%se%d" % (mantissa[:-2] if mantissa.endswith(".0") else mantissa, int(exponent))


class Unknown(Exception):
    """Left to the other comparisons."""


def to_float(x):
    try:
        return float(x)
    except OverflowError:
        raise Unknown


def divide(a, b):
    if isinstance(a, int) and isinstance(b, int):
        if b == 0:
            return "Error"
        q = abs(a) // abs(b)
        return q if (a < 0) == (b < 0) else -q
    a, b = to_float(a), to_float(b)
    if b == 0:
        if a == 0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b


def mixed(op):
    def apply(a, b):
        if isinstance(a, float) or isinstance(b, float):
            a, b = to_float(a), to_float(b)
        try:
            return op(a, b)
        except OverflowError:
            raise Unknown
    return apply


def compare(op):
    def apply(a, b):
        return int(op(a, b))
    return apply


def ints(op):
    def apply(a, b):
        if not (isinstance(a, int) and isinstance(b, int)):
            raise Unknown
        return op(a, b)
    return apply


def remainder(a, b):
    return "Error" if b == 0 else a - b * divide(a, b)


def modulo(a, b):
    return "Error" if b == 0 else a % b


BINARY = {
    "+": mixed(lambda a, b: a + b), "-": mixed(lambda a, b: a - b), "*": mixed(lambda a, b: a * b), "/": divide,
    "%": ints(remainder), "mod": ints(modulo), "<": compare(lambda a, b: a < b), ">": compare(lambda a, b: a > b),
    "<=": compare(lambda a, b: a <= b), ">=": compare(lambda a, b: a >= b), "==": compare(lambda a, b: a == b),
    "!=": compare(lambda a, b: a != b), "bit/and": ints(lambda a, b: a & b), "bit/or": ints(lambda a, b: a | b),
    "bit/xor": ints(lambda a, b: a ^ b),
}
UNARY = {"-": lambda a: -a, "abs": abs, "bit/not": lambda a: ~a if isinstance(a, int) else unknown()}


def unknown():
    raise Unknown


def random_operand(r, floats):
    if floats and r.random() < 0.3:
        text = random_float_text(r)
        return text, float_of(text)
    n = random_int(r) if r.random() < 0.5 else r.choice([-1, 1]) * (r.choice(EDGES) + r.randint(-2, 2))
    return str(n), n


def tree(r, depth, floats, leaves):
    """(template, value): %d stands for a leaf, an index into leaves."""
    if depth == 0 or r.random() < 0.2:
        text, value = random_operand(r, floats)
        leaves.append((text, value))
        return "{%d}" % (len(leaves) - 1), value
    if r.random() < 0.15:
        op = r.choice(list(UNARY))
        t, v = tree(r, depth - 1, floats, leaves)
        if v == "Error":
            raise Unknown
        return "(%s %s)" % (op, t), UNARY[op](v)
    op = r.choice(["+", "-", "*"] * 3 + list(BINARY))
    (t, v), (u, w) = tree(r, depth - 1, floats, leaves), tree(r, depth - 1, floats, leaves)
    if v == "Error" or w == "Error":
        raise Unknown
    return "(%s %s %s)" % (op, t, u), BINARY[op](v, w)


def random_check(r, floats):
    """(text of an expression, how its value is printed), or None."""
    leaves = []
    try:
        template, value = tree(r, r.choice([1, 1, 2, 3]), floats, leaves)
    except Unknown:
        return None
    text = "Error: /: division by zero" if value == "Error" else show(value)
    if value == "Error":
        return None
    constants = [t for t, _ in leaves]
    names = ["x%d" % i for i in range(len(leaves))]
    form = r.randrange(5)
    if form == 0:
        return template.format(*constants), text
    inner = template.format(*names)
    if inner[0] != "(":
        return None
    if form == 1:
        return "((\\ {%s} %s) %s)" % (" ".join(names), inner, " ".join(constants)), text
    if form == 2:
        return "(unpack (\\ {%s} %s) (list %s))" % (" ".join(names), inner, " ".join(constants)), text
    if form == 3:
        bindings = " ".join("%s (deref (atom %s))" % p for p in zip(names, constants))
        return "(let {%s} %s)" % (bindings, inner), text
    bindings = " ".join("%s %s" % p for p in zip(names, constants))
    return "(loop {k 0 %s} {if (< k 3) {recur (+ k 1) %s} %s})" % (bindings, " ".join(names), inner), text
