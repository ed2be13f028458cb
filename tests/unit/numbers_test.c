/* numbers_test.c - integers of any size and floats, by laws that must hold of random operands:
 * edges of fixnums, digits and words, runs of ones, sizes up to where each algorithm starts. */
#include "../../rt/bigint.h"
#include "../../rt/float_text.h"
#include "../../rt/fns.h"
#include "../../rt/vk.h"
#include "check.h"
#include "random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20000, LARGE_ROUNDS = 60 };

/* An integer of about that many digits of 60 bits, often with runs of zeros and ones. */
static V random_integer(vk *c, int digits) {
  mp_digit parts[2000];
  for (int i = 0; i < digits; i++) {
    static const mp_digit patterns[] = {0, 1, MP_MASK, (mp_digit)1 << 59, MP_MASK >> 1};
    parts[i] = below(3) ? next_random() & MP_MASK : patterns[below(5)];
  }
  return big_from_parts(c, parts, digits, below(2));
}

static V random_edge(vk *c) {
  V n = vk_bit_shl(c, VK_FIX(1), VK_FIX(58 + below(8)));
  n = vk_add(c, n, VK_FIX((int64_t)below(5) - 2));
  return below(2) ? vk_sub(c, VK_FIX(0), n) : n;
}

static V random_operand(vk *c) {
  switch (below(4)) {
  case 0: return VK_FIX((int64_t)next_random() >> (4 + below(60)));
  case 1: return random_edge(c);
  default: return random_integer(c, 1 + (int)below(6));
  }
}

static bool equal(V a, V b) { return VK_IS_INT(a) && VK_IS_INT(b) && vk_num_equal(a, b); }
static V absolute(vk *c, V a) { return big_sign(a) < 0 ? vk_sub(c, VK_FIX(0), a) : a; }

/* One representation each: a fixnum if it fits, no leading zero digits. */
static bool is_normal(V v) {
  if (VK_IS_FIX(v)) return true;
  BigView w;
  const mp_int *m = big_view(&w, v);
  int64_t n;
  if (m->used < 2 || m->dp[m->used - 1] == 0) return false;
  return !vk_to_i64(v, &n) || n < VK_FIX_MIN || n > VK_FIX_MAX;
}

static void check_division(vk *c, V a, V b) {
  if (b == VK_FIX(0)) return;
  V q = vk_div(c, a, b), r = vk_rem(c, a, b), m = vk_mod(c, a, b);
  CHECK(is_normal(q) && is_normal(r) && is_normal(m));
  CHECK(equal(vk_add(c, vk_mul(c, q, b), r), a));
  CHECK(vk_num_compare(absolute(c, r), absolute(c, b)) < 0);
  CHECK(r == VK_FIX(0) || big_sign(r) == big_sign(a));
  CHECK(m == VK_FIX(0) || big_sign(m) == big_sign(b));
  CHECK(equal(m, r) || equal(m, vk_add(c, r, b)));
}

static void check_sums(vk *c, V a, V b) {
  V sum = vk_add(c, a, b), difference = vk_sub(c, a, b);
  CHECK(is_normal(sum) && is_normal(difference));
  CHECK(equal(vk_sub(c, sum, b), a));
  CHECK(equal(vk_add(c, difference, b), a));
  CHECK(big_sign(difference) == vk_num_compare(a, b));
  /* (a + b)(a - b) = aa - bb */
  CHECK(equal(vk_mul(c, sum, difference), vk_sub(c, vk_mul(c, a, a), vk_mul(c, b, b))));
}

static void check_bits(vk *c, V a, V b) {
  V both = vk_bit_and(c, a, b), any = vk_bit_or(c, a, b), one = vk_bit_xor(c, a, b);
  V shift = VK_FIX(below(200));
  CHECK(equal(vk_add(c, both, any), vk_add(c, a, b)));
  CHECK(equal(vk_sub(c, any, both), one));
  CHECK(equal(vk_bit_not(c, any), vk_bit_and(c, vk_bit_not(c, a), vk_bit_not(c, b))));
  V up = vk_bit_shl(c, a, shift), power = vk_pow(c, VK_FIX(2), shift);
  CHECK(is_normal(up) && equal(up, vk_mul(c, a, power)));
  CHECK(equal(vk_bit_shr(c, up, shift), a));
  CHECK(equal(vk_bit_shr(c, a, shift), vk_div(c, vk_sub(c, a, vk_mod(c, a, power)), power)));
}

static void check_digits(vk *c, V a) {
  VkBuf b = {0};
  unsigned radix = 2 + below(35);
  big_put_radix(&b, a, radix);
  bool is_negative = b.data[0] == '-';
  CHECK(equal(big_from_digits(c, is_negative, b.data + is_negative, b.len - is_negative, radix),
              a));
  b.len = 0;
  big_put_radix(&b, a, 10);
  CHECK(equal(vk_big_from_decimal(c, b.data, b.len), a));
  CHECK(equal(vk_parse_number(c, b.data, b.len), a));
  vk_buf_free(&b);
}

/* x, the double nearest to a, and its neighbours: ordered as exact integers are. */
static void check_doubles(vk *c, V a) {
  double x = vk_num_to_double(a);
  V exact = vk_int_from_double(c, x), gap = absolute(c, vk_sub(c, exact, a));
  CHECK(vk_num_equal(exact, vk_from_double(c, x)));
  CHECK(vk_num_hash(exact) == vk_num_hash(vk_from_double(c, x)));
  CHECK(vk_num_compare(a, vk_from_double(c, x)) == vk_num_compare(a, exact));
  for (int up = 0; up < 2; up++) {
    double beside = nextafter(x, up ? INFINITY : -INFINITY);
    if (fabs(x) < 0x1p53) continue; /* neighbours are whole above */
    V other = vk_int_from_double(c, beside);
    CHECK(vk_num_compare(gap, absolute(c, vk_sub(c, other, a))) <= 0);
    CHECK(vk_num_compare(exact, vk_from_double(c, beside)) == (up ? -1 : 1));
  }
}

static void test_laws(vk *c) {
  for (int i = 0; i < ROUNDS; i++) {
    V a = random_operand(c), b = random_operand(c);
    check_sums(c, a, b);
    check_division(c, a, b);
    check_bits(c, a, b);
    check_digits(c, a);
    check_doubles(c, a);
    V g = vk_gcd(c, a, b);
    CHECK(g == VK_FIX(0) || vk_rem(c, a, g) == VK_FIX(0));
  }
}

/* Sizes around the thresholds of multiplication, division and text conversion. */
static void test_large(vk *c) {
  for (int i = 0; i < LARGE_ROUNDS; i++) {
    V a = random_integer(c, 1 + (int)below(900)), b = random_integer(c, 1 + (int)below(500));
    check_sums(c, a, b);
    check_division(c, a, b);
    check_division(c, vk_mul(c, a, b), b);
    check_division(c, vk_sub(c, vk_mul(c, a, b), VK_FIX(1)), b);
    check_digits(c, a);
  }
}

static void check_float_text(double x, const char *expected) {
  char text[VK_FLOAT_TEXT_MAX];
  size_t len = vk_float_text(text, x);
  CHECK_TEXT(text, expected);
  CHECK(len == strlen(expected));
}

static int significant_digits(const char *text) {
  int count = 0, zeros = 0;
  for (; *text && *text != 'e'; text++) {
    if (*text == '-' || *text == '.' || (*text == '0' && count == 0)) continue;
    count++;
    zeros = *text == '0' ? zeros + 1 : 0;
  }
  return count - zeros;
}

/* The fewest digits with which printf's rounding of x reads back. */
static int digits_needed(double x) {
  for (int count = 1;; count++) {
    char text[40];
    snprintf(text, sizeof text, "%.*e", count - 1, x);
    if (strtod(text, NULL) == x) return count;
  }
}

static void test_float_text(void) {
  check_float_text(1, "1.0");
  check_float_text(-0.0, "-0.0");
  check_float_text(0.1, "0.1");
  check_float_text(1e-5, "0.00001");
  check_float_text(9.9e-6, "9.9e-6");
  check_float_text(1e15, "1000000000000000.0");
  check_float_text(9999999999999998, "9999999999999998.0");
  check_float_text(1e16, "1e16");
  check_float_text(1.5e20, "1.5e20");
  check_float_text(1e23, "1e23");
  check_float_text(0x1p-44, "5.684341886080802e-14"); /* beside a power of two */
  check_float_text(5e-324, "5e-324");
  check_float_text(0x1p-1022, "2.2250738585072014e-308");
  check_float_text(0x1.fffffffffffffp1023, "1.7976931348623157e308");
  check_float_text(-INFINITY, "-inf.0");
  check_float_text(NAN, "+nan.0");
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t bits = next_random();
    char text[VK_FLOAT_TEXT_MAX];
    double x;
    memcpy(&x, &bits, sizeof x);
    if (!isfinite(x)) continue;
    vk_float_text(text, x);
    CHECK(strtod(text, NULL) == x);
    CHECK(significant_digits(text) <= digits_needed(x));
  }
}

static V run_tests(vk *c) {
  test_laws(c);
  test_large(c);
  test_float_text();
  return VK_NIL;
}

static const VkTop tops[] = {run_tests};
static const VkProgram program = {.name = "test", .tops = tops, .top_count = 1};

int main(int argc, char **argv) {
  if (vk_main(argc, argv, &program) != 0) return 1;
  return check_done();
}
