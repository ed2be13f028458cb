/* time.c - the calendar: microseconds since 1970-01-01 00:00:00 UTC, and their text. */
#include "fns.h"
#include "numbers.h"
#include "strings.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

V vk_time_now(vk *c) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return vk_int_from_i64(c, (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

/* Years 0 to 9999, the ones ISO 8601 writes with four digits. */
static const int64_t second_min = -62167219200, second_max = 253402300799;

/* strftime gives 0 both for no room and for no text: `format` ends in a byte that is dropped
 * again, so that 0 means no room. */
static V format_time(vk *c, const char *format, const struct tm *tm) {
  VkBuf b = {0};
  for (size_t room = 128; room <= (size_t)1 << 24; room *= 4) {
    vk_buf_grow(&b, room);
    size_t n = strftime(b.data, b.capacity, format, tm);
    if (!n) continue;
    b.len = n - 1;
    return vk_buf_string(c, &b);
  }
  vk_buf_free(&b);
  return vk_errorf(c, VK_SYM(range), "time/format: the text is too long");
}

V vk_time_format(vk *c, size_t n, const V *args) {
  int64_t us;
  if (!VK_IS_INT(args[0]))
    return vk_arg_error(c, "time/format", 1, args[0], "an integer (microseconds since 1970)");
  if (n > 1 && !VK_IS_STRING(args[1]))
    return vk_arg_error(c, "time/format", 2, args[1], "a string");
  bool fits = vk_to_i64(args[0], &us);
  time_t seconds = fits ? us / 1000000 - (us % 1000000 < 0) : 0;
  if (!fits || seconds < second_min || seconds > second_max)
    return vk_errorf(c, VK_SYM(range), "time/format: outside the years 0 to 9999");
  struct tm tm;
  gmtime_r(&seconds, &tm);
#ifdef __GLIBC__
  tm.tm_zone = "UTC"; /* its %Z would say GMT; musl says UTC, but nothing to a name not its own */
#endif
  if (n < 2) return format_time(c, "%Y-%m-%dT%H:%M:%SZ.", &tm);
  const VkString *s = VK_STR(args[1]);
  if (strlen(s->bytes) != s->len)
    return vk_errorf(c, VK_SYM(range), "time/format: the format contains a NUL byte");
  VkBuf format = {0};
  vk_buf_put(&format, s->bytes, s->len);
  vk_buf_putc(&format, '.');
  V text = format_time(c, vk_buf_z(&format), &tm);
  vk_buf_free(&format);
  return text;
}
