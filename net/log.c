/* log.c - see log.h. */
#include "log.h"
#include "out.h"
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

void net_log(const char *format, ...) {
  char line[LINE_BYTES];
  va_list args;
  int start = snprintf(line, sizeof line, "valk: http2: ");
  va_start(args, format);
  int n = vsnprintf(line + start, sizeof line - (size_t)start - 1, format, args);
  va_end(args);
  size_t len = (size_t)start + (n < 0 ? 0 : (size_t)n);
  if (len > sizeof line - 2) len = sizeof line - 2;
  line[len++] = '\n';
  vk_out_flush();
  if (write(STDERR_FILENO, line, len) < 0) return;
}
