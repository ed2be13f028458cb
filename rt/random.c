/* random.c - rand: xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2018), seeded by the system. Fast and fair, not for secrets: see crypto/random.
 *
 * The state is the thread's, which is the isolate's: one isolate runs on one thread. */
#include "bigint.h"
#include "fns.h"
#include <errno.h>
#include <sys/random.h>
#include <time.h>

static _Thread_local struct {
  uint64_t s[4];
  bool is_seeded;
} state;

/* Blocks only while a booting system has no entropy yet; never fails for 32 bytes after that.
 * A kernel without the call gives the clock, mixed: rand promises no secrecy. */
static void seed(void) {
  while (getrandom(state.s, sizeof state.s, 0) != sizeof state.s) {
    if (errno == EINTR) continue;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (int i = 0; i < 4; i++)
      state.s[i] = ((uint64_t)now.tv_nsec + (uint64_t)now.tv_sec * 1000000007u + (uint64_t)i) *
                   0x9E3779B97F4A7C15u;
    break;
  }
  state.s[0] |= 1; /* all zeros would stay zeros */
  state.is_seeded = true;
}

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static uint64_t next(void) {
  if (!state.is_seeded) seed();
  uint64_t *s = state.s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

/* Below n, each equally likely (Lemire, "Fast Random Integer Generation in an Interval",
 * ACM TOMACS 2019). */
static uint64_t below(uint64_t n) {
  unsigned __int128 product = (unsigned __int128)next() * n;
  if ((uint64_t)product < n) {
    uint64_t unfair = -n % n;
    while ((uint64_t)product < unfair) product = (unsigned __int128)next() * n;
  }
  return (uint64_t)(product >> 64);
}

/* Digits at random, as many bits as n has, until they are below n: two rounds on average. */
static V below_big(vk *c, V n) {
  BigView w;
  const mp_int *limit = big_view(&w, n);
  mp_int r;
  int top_bits = mp_count_bits(limit) - (limit->used - 1) * MP_DIGIT_BIT;
  mp_err e = mp_init_size(&r, limit->used);
  if (e != MP_OKAY) return vk_errorf(c, VK_SYM(out_of_memory), "out of memory");
  do {
    for (int i = 0; i < limit->used; i++) r.dp[i] = next() & MP_MASK;
    r.dp[limit->used - 1] >>= MP_DIGIT_BIT - top_bits;
    r.used = limit->used;
    mp_clamp(&r);
  } while (mp_cmp(&r, limit) != MP_LT);
  return big_take(c, e, &r);
}

V vk_rand_n(vk *c, size_t n, const V *args) {
  if (n == 0) return vk_from_double(c, (double)(next() >> 11) * 0x1p-53);
  if (!VK_IS_INT(args[0])) return vk_arg_error(c, "rand", 1, args[0], "an integer");
  if (big_sign(args[0]) <= 0)
    return vk_errorf(c, VK_SYM(range), "rand: the limit must be above 0");
  return VK_IS_FIX(args[0]) ? VK_FIX(below((uint64_t)VK_INT(args[0]))) : below_big(c, args[0]);
}
