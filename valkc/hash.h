/* hash.h - SHA-256 (FIPS 180-4), for names in the cache. */
#ifndef VALKC_HASH_H
#define VALKC_HASH_H
#include <stddef.h>
#include <stdint.h>

typedef struct Hash {
  uint32_t state[8];
  uint64_t byte_count;
  uint8_t block[64];
} Hash;

enum { HASH_HEX_BYTES = 65 };
void hash_start(Hash *h);
void hash_add(Hash *h, const void *bytes, size_t len);
/* Adds a string with its length, so that neighbours cannot be taken for each other. */
void hash_add_text(Hash *h, const char *text);
void hash_finish(Hash *h, char hex[HASH_HEX_BYTES]); /* 64 lower-case digits and NUL */
#endif
