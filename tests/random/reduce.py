"""reduce.py - makes a Valk program small while a property holds.

    reduce_text(text, holds) -> the smallest text found; holds(text) is the property

The text is read into trees of lists and atoms (brackets and prefixes kept), and these are tried again
and again, big pieces first: leave forms out (in halves, quarters, ... one by one: Zeller's delta
debugging), put a child in the place of its parent, put a plain atom in the place of a subtree, leave
children out. It ends when nothing of that helps.
"""
import re

TOKEN = re.compile(r'''\s+|;[^\n]*|(#\{|,@|[(){}\[\]'`,])|("(?:\\.|[^"\\])*")|([^\s(){}\[\]'`,";]+)''')
CLOSER = {"(": ")", "{": "}", "[": "]", "#{": "}"}
TRIES_MAX = 6000


class Node:
    """A list: opener and items; a prefixed form: the prefix as opener and one item."""

    def __init__(self, opener, items):
        self.opener, self.items = opener, items


def parse(text):
    """The forms of a text, and its `;=` comments."""
    stack = [Node("", [])]

    def add(node):
        stack[-1].items.append(node)
        while stack[-1].opener in ("'", "`", ",", ",@"):
            stack.pop()
    for m in TOKEN.finditer(text):
        mark, string, atom = m.groups()
        if mark in CLOSER:
            stack.append(Node(mark, []))
        elif mark in ("'", "`", ",", ",@"):
            node = Node(mark, [])
            stack[-1].items.append(node)
            stack.append(node)
        elif mark:
            node = stack.pop()
            add(node)
        elif string or atom:
            add(string or atom)
    return stack[0].items, [l for l in text.splitlines() if l.startswith(";= ")]


def show(node):
    if isinstance(node, str):
        return node
    inner = " ".join(map(show, node.items))
    return node.opener + inner + CLOSER.get(node.opener, "")


class Reducer:
    def __init__(self, text, holds):
        self.forms, self.comments = parse(text)
        self.holds = holds
        self.tries = 0
        self.seen = set()

    def text(self):
        body = "\n".join(map(show, self.forms)) + "\n"
        tags = [c for c in self.comments if '"%s"' % c.split()[1] in body]
        return "".join(c + "\n" for c in tags) + body

    def test(self):
        text = self.text()
        if text in self.seen or self.tries > TRIES_MAX:
            return False
        self.seen.add(text)
        self.tries += 1
        return self.holds(text)

    def drop_items(self, items, fixed=0):
        """Leaves out runs of items, long ones first; those before `fixed` stay."""
        changed, size = False, max(1, len(items) - fixed)
        while size >= 1:
            i = len(items) - size
            while i >= fixed:
                old = items[i:i + size]
                del items[i:i + size]
                if self.test():
                    changed = True
                else:
                    items[i:i] = old
                i -= size
            size //= 2
        return changed

    def replace(self, items, i):
        """Something simpler in the place of items[i]."""
        old = items[i]
        if isinstance(old, str):
            choices = ["1", "0", "nil"] if old not in ("0", "1", "nil") and not old.startswith('"#') else []
        else:
            choices = list(old.items) + ["1", "0", "nil"]
            choices += [g for x in old.items if isinstance(x, Node) for g in x.items][:12]
        for new in choices:
            if show(new) == show(old):
                continue
            items[i] = new
            if self.test():
                return True
        items[i] = old
        return False

    def walk(self, node):
        changed = self.drop_items(node.items)
        for i in range(len(node.items)):
            while i < len(node.items) and self.replace(node.items, i):
                changed = True
            if i < len(node.items) and isinstance(node.items[i], Node):
                changed |= self.walk(node.items[i])
        return changed

    def run(self):
        top = Node("", self.forms)
        while self.tries <= TRIES_MAX:
            changed = self.drop_items(self.forms)
            changed |= self.walk(top)
            if not changed:
                break
        return self.text()


def reduce_text(text, holds):
    return Reducer(text, holds).run()
