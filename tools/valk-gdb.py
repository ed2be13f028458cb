# valk-gdb.py - Valk values and names in gdb, for programs built with `valkc build -g`.
#
#   (gdb) source PREFIX/lib/valkc/valk-gdb.py
#
# Then every variable of type V prints as Valk text, a backtrace shows functions by their Valk names,
# and there are two commands:
#
#   valk-print EXPRESSION   the value in full, however long it is
#   valk-break NAME         a breakpoint on the Valk function NAME
#
# Breakpoints by line need none of this: break FILE.valk:LINE. The layout of values is that of
# rt/vk.h; the kinds below are its VK_KINDS in order, which tests/cli/gdb.sh checks.

import os
import re
import struct

import gdb
from gdb.FrameDecorator import FrameDecorator

KINDS = [None, 'string', 'symbol', 'bigint', 'float', 'closure', 'partial', 'box', 'sexpr', 'block',
         'vector', 'store', 'map', 'error', 'atom', 'handle', 'raw']
NIL, UNBOUND, MARK = 2, 10, 6
ELEMENTS_SHOWN, DEPTH_SHOWN, BYTES_SHOWN = 20, 4, 200
NO_LIMIT = 1 << 30


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def words(address, count):
    return struct.unpack('<%dQ' % count, read(address, 8 * count)) if count else ()


def float_text(bits):
    return repr(struct.unpack('<d', struct.pack('<Q', bits))[0])


def is_immediate_float(v):
    return 0x98989898 >> (v & 31) & 1


class Show:
    """One value as text; limits keep what is shown by itself short."""

    def __init__(self, elements=ELEMENTS_SHOWN, depth=DEPTH_SHOWN, size=BYTES_SHOWN):
        self.elements, self.depth, self.size = elements, depth, size

    def value(self, v, depth=0):
        v &= (1 << 64) - 1
        tag = v & 7
        if tag == 0:
            return str((v - (1 << 64) if v >> 63 else v) >> 3)
        if is_immediate_float(v):
            bits = v ^ 7
            return float_text((bits >> 4 | bits << 60) & ((1 << 64) - 1))
        if v == NIL:
            return '()'
        if v == UNBOUND:
            return '<unbound>'
        if v == MARK:
            return '<tail call>'
        if depth > self.depth:
            return '...'
        try:
            if tag == 1:
                return '{%s}' % self.items(self.list_values(v), depth)
            if tag in (5, 6):
                return self.object(v, depth)
        except gdb.MemoryError:
            pass
        return '<not a value: 0x%x>' % v

    def list_values(self, v):
        for _ in range(NO_LIMIT):
            if v & 7 != 1:
                return
            head, v = words(v - 1, 2)
            yield head

    def items(self, values, depth):
        parts = []
        for v in values:
            if len(parts) == self.elements:
                parts.append('...')
                break
            parts.append(self.value(v, depth + 1))
        return ' '.join(parts)

    def text(self, address):
        size = words(address + 8, 1)[0]
        shown = read(address + 16, min(size, self.size)).decode('utf-8', 'replace')
        return shown + ('...' if size > self.size else '')

    def object(self, v, depth):
        address = v & ~7
        header = words(address, 1)[0]
        number = header & 255
        kind = KINDS[number] if number < len(KINDS) else None
        method = getattr(self, 'show_%s' % kind, None)
        return method(address, header, depth) if method else '<%s>' % (kind or 'no object')

    def show_string(self, address, header, depth):
        text = self.text(address)
        for plain, escaped in (('\\', '\\\\'), ('"', '\\"'), ('\n', '\\n'), ('\t', '\\t')):
            text = text.replace(plain, escaped)
        return '"%s"' % text

    def show_symbol(self, address, header, depth):
        return self.text(address)

    def show_bigint(self, address, header, depth):
        digits = words(address + 8, header >> 32 & 0xFFFFFF)
        number = sum(digit << 60 * i for i, digit in enumerate(digits))
        return str(-number if header >> 58 & 1 else number)

    def show_float(self, address, header, depth):
        return float_text(words(address + 8, 1)[0])

    def show_closure(self, address, header, depth):
        fn = words(address + 16, 1)[0]
        name = words(fn, 1)[0]
        text = gdb.Value(name).cast(gdb.lookup_type('char').pointer()).string() if name else ''
        return '<lambda%s>' % (' ' + text if text else '')

    def show_partial(self, address, header, depth):
        count = header >> 32 & 0xFFFFFF
        return '<partial %s>' % self.items(words(address + 8, count + 1), depth)

    def show_box(self, address, header, depth):
        return '<variable %s>' % self.value(words(address + 8, 1)[0], depth + 1)

    def show_atom(self, address, header, depth):
        return '<atom %s>' % self.value(words(address + 8, 1)[0], depth + 1)

    def show_sexpr(self, address, header, depth):
        return '(%s)' % self.items(self.list_values(words(address + 8, 1)[0]), depth)

    def show_block(self, address, header, depth):
        return '{%s}' % self.items(self.list_values(words(address + 8, 1)[0]), depth)

    def show_vector(self, address, header, depth):
        length, store = words(address + 8, 2)
        elements, data, shown = header >> 16 & 0xFFFF, (store & ~7) + 16, min(length, self.elements)
        if elements == 0:
            parts = [self.value(v, depth + 1) for v in words(data, shown)]
        elif elements == 1:
            parts = [str(n) for n in struct.unpack('<%db' % shown, read(data, shown) if shown else b'')]
        elif elements == 2:
            parts = [float_text(bits) for bits in words(data, shown)]
        else:
            parts = []
        return '[%s%s]' % (' '.join(parts), ' ...' if length > shown else '')

    def show_map(self, address, header, depth):
        length, used, entries = words(address + 8, 3)
        parts = []
        for i in range(used):
            key, value = words((entries & ~7) + 16 + 16 * i, 2)
            if key == UNBOUND:
                continue
            if len(parts) == self.elements:
                parts.append('...')
                break
            parts.append('%s %s' % (self.value(key, depth + 1), self.value(value, depth + 1)))
        return '<map %s>' % ' '.join(parts)

    def show_error(self, address, header, depth):
        message, kind, data = words(address + 8, 3)
        return '<error %s %s>' % (self.value(kind, depth + 1), self.value(message, depth + 1))


class ValuePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return Show().value(int(self.value))


def find_printer(value):
    return ValuePrinter(value) if value.type.name == 'V' else None


gdb.pretty_printers.insert(0, find_printer)


# ---- names -------------------------------------------------------------------------------------

# As put_mangled of valkc/emit_text.c: what stands in C for characters that C has not.
WORDS = {'?': '_p', '!': '_x', '*': '_star', '+': '_plus', '<': '_lt', '>': '_gt', '=': '_eq',
         '%': '_pct', '.': '_dot', '&': '_and', '^': '_hat', '~': '_tilde', '@': '_at', '|': '_bar',
         '$': '_dollar', '#': '_hash', '\\': '_lambda', '-': '_', '/': '_', ':': '_'}
CHARACTERS = {word: character for character, word in WORDS.items() if word != '_'}


def c_name(name):
    out = ''
    for byte in name.encode()[:48]:
        character = chr(byte)
        if re.match(r'[A-Za-z0-9_]', character):
            out += character
        else:
            out += WORDS.get(character, 'x%02X' % byte)
    return out


def valk_name(symbol):
    """f_empty_p_0 is empty?; an underscore by itself is most likely a hyphen."""
    match = re.fullmatch(r'f_(.*)_\d+', symbol or '')
    if match:
        pattern = '(%s)(?=_|$)' % '|'.join(sorted(map(re.escape, CHARACTERS), key=len, reverse=True))
        return re.sub(pattern, lambda m: CHARACTERS[m.group(1)], match.group(1)).replace('_', '-')
    return 'top level' if re.fullmatch(r'top_\d+', symbol or '') else None


class ValkFrame(FrameDecorator):
    def function(self):
        name = super().function()
        return valk_name(name) if isinstance(name, str) and valk_name(name) else name


class ValkFrames:
    def __init__(self):
        self.name, self.priority, self.enabled = 'valk', 100, True
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        return (ValkFrame(frame) for frame in frames)


ValkFrames()


class ValkPrint(gdb.Command):
    """valk-print EXPRESSION: the value of the expression as Valk text, in full."""

    def __init__(self):
        super().__init__('valk-print', gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        value = int(gdb.parse_and_eval(argument))
        print(Show(NO_LIMIT, NO_LIMIT, NO_LIMIT).value(value))


class ValkBreak(gdb.Command):
    """valk-break NAME: a breakpoint on the Valk function NAME."""

    def __init__(self):
        super().__init__('valk-break', gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        gdb.execute('rbreak ^f_%s_[0-9][0-9]*$' % c_name(argument.strip()))


ValkPrint()
ValkBreak()

# std/FILE is beside this script where valkc is installed, else in the tree above it.
HERE = os.path.dirname(os.path.abspath(__file__))
for directory in (HERE, os.path.dirname(HERE)):
    if os.path.exists(os.path.join(directory, 'std', 'INDEX')):
        gdb.execute('directory "%s"' % directory, to_string=True)
