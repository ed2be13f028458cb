/* datum_value.h - data of the compiler's front end (lang/) as values, and back. */
#ifndef VK_DATUM_VALUE_H
#define VK_DATUM_VALUE_H
#include "../lang/datum.h"
#include "vk.h"

/* Which datum a value was made from. Holds only as long as the values are alive. */
typedef struct DatumLinks {
  PtrMap datums; /* address of a pair or object -> Datum; of a symbol, where it stood first */
} DatumLinks;

/* The value of data; vectors and maps are frozen. An error if a symbol is too long. links, if not
 * NULL, gets an entry for every list, vector and map. */
V vk_datum_value(vk *c, const Datum *d, DatumLinks *links);

/* The datum of a value, its parts in `a`, its names in `names`: what vk_datum_value would give
 * the value for. Pairs, S-expressions and frozen vectors and maps become data; so does what a
 * literal block shows. Other values that have no text, functions and mutable vectors among them,
 * become DATUM_VALUEs. A part that links know is the datum it came from; what has no place in the
 * text gets `span`. NULL if it is endless or nested deeper than anything that is read. */
typedef struct DatumMaker {
  Arena *arena;
  Names *names;
  Span span;
  const DatumLinks *links;
  PtrMap *blocks; /* not NULL: gets datum -> value of each literal block */
  bool all_data;  /* mutable vectors and maps become data too */
} DatumMaker;
Datum *vk_value_datum(const DatumMaker *m, V v);
#endif
