/* hash_test.c - SHA-256 against the examples of FIPS 180-4 and against being fed in pieces. */
#include "../../valkc/hash.h"
#include "check.h"
#include <string.h>

static void expect(const char *text, size_t len, const char *hex) {
  char got[HASH_HEX_BYTES];
  Hash h;
  hash_start(&h);
  hash_add(&h, text, len);
  hash_finish(&h, got);
  CHECK_TEXT(got, hex);
}

int main(void) {
  expect("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  char block[200], whole[HASH_HEX_BYTES], pieces[HASH_HEX_BYTES];
  memset(block, 'x', sizeof block);
  for (size_t len = 0; len <= sizeof block; len++) {
    Hash a, b;
    hash_start(&a);
    hash_add(&a, block, len);
    hash_finish(&a, whole);
    hash_start(&b);
    for (size_t i = 0; i < len; i++) hash_add(&b, block + i, 1);
    hash_finish(&b, pieces);
    CHECK_TEXT(pieces, whole);
  }
  return check_done();
}
