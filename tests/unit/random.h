/* random.h - the same numbers at every run: xorshift64 (Marsaglia, "Xorshift RNGs", 2003). */
#ifndef TESTS_UNIT_RANDOM_H
#define TESTS_UNIT_RANDOM_H
#include <stdint.h>

static uint64_t random_state = 88172645463325252u; /* any but 0 */

static inline uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}
static inline unsigned below(unsigned n) { return (unsigned)(next_random() >> 32) % n; }
#endif
