#!/usr/bin/env python3
"""programs.py DIR - writes the programs of about 1,000 lines that bench/compile/run builds.

joined-1 and joined-2 are examples one after the other, with the names each defines made its own; mixed is
made of the same small pieces over and over, with other names and numbers: lists, strings, maps, vectors,
floats, match, closures, errors, forms at the top level."""

import os
import re
import sys

JOINED = {
    "joined-1": ["bank", "json", "adventure", "calculator", "wordcount"],
    "joined-2": ["life", "queens", "raytracer", "calculator", "api", "parallel"],
}
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|;[^\n]*|[^\s(){}\[\]"\';,&]+')
DEFINED = re.compile(r"^\((?:fun|def|macro|=) \{([^}]*)\}", re.M)


def own_names(tag, text):
    """The program with the names it defines at the top level, and what the library may call alike, made unique."""
    names = set()
    for match in DEFINED.finditer(text):
        words = match.group(1).split()
        names.update(words[:1] if match.group(0).startswith(("(fun", "(macro")) else words)
    return TOKEN.sub(lambda m: f"{tag}-{m.group(0)}" if m.group(0) in names else m.group(0), text)


def joined(examples, names):
    parts = []
    for name in names:
        with open(os.path.join(examples, name + ".valk"), encoding="utf-8") as source:
            parts.append(own_names(name, source.read()))
    return "\n".join(parts)


PIECE = """; ---- piece @ ----

(fun {squares-@ n} {map (\\ {x} {* x (+ x @)}) (range 1 n)})

(fun {sum-of-@ l}
  {foldl (\\ {a x} {if (== 0 (mod x @)) (+ a x) (- a 1)}) 0 (filter (\\ {x} {> x @}) l)})

(fun {shape-@ s}
  {match s
    {{:circle r} (* 3.14159 r r)}
    {{:box w h} (* w h)}
    {{:named name inner} (str name "-@: " (shape-@ inner))}
    {_ (error :no-shape (str "not a shape: " s) s)}})

(fun {word-@ text}
  {let {words (str/split text " ")
        counts #{}}
    {(for {w words} (map/put! counts w (+ 1 (map/get counts w 0))))
     (sort (map/keys counts))}})

(fun {steps-@ x n}
  {if (== n 0) x {steps-@ (- (* x 1.5) (/ x (+ n 2.5))) (- n 1)}})

(fun {counter-@ start}
  {let {n start}
    {list
      :next (\\ {} {do (= {n} (+ n @)) n})
      :reset (\\ {to} {= {n} to})}})

(fun {fill-@ v n}
  {do
    (for {i (range 0 n)} (vec/push! v (* i @)))
    (vec/set! v 0 (+ (vec/get v 1) (vec/get v 2)))
    (vec/len v)})

(fun {account-@ book name amount}
  {cond
    {(not (int? amount)) (error :bad-amount "an amount is a number" amount)}
    {(< amount 0) (error :bad-amount (str "less than nothing: " amount))}
    {(> amount @000) (do (map/put! book name @000) :full)}
    {otherwise (do (map/put! book name (+ amount (map/get book name 0))) :booked)}})

(def {book-@} #{:rent 100 :food @})
(print "squares" (squares-@ 5) (sum-of-@ (squares-@ 20)))
(print (shape-@ {:circle 2.0}) (shape-@ {:named "box" {:box 2 @}}))
(print (try {shape-@ {:line @}} {e (error-message e)}))
(print (word-@ "to be or not to be @") (steps-@ 1.5 30) (fill-@ (vec) 9))
(print ((plist/get (counter-@ 5) :next)) (account-@ book-@ :food 20) (try {account-@ book-@ :rent "much"} {e (error-kind e)}))
"""


NAMES = [*JOINED, "mixed"]


def write(directory):
    examples = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
    texts = {name: joined(examples, names) for name, names in JOINED.items()}
    texts["mixed"] = "\n".join(PIECE.replace("@", str(n)) for n in range(3, 23))
    for name in NAMES:
        with open(os.path.join(directory, name + ".valk"), "w", encoding="utf-8") as out:
            out.write(texts[name])


if __name__ == "__main__":
    write(sys.argv[1])
