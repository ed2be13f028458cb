/* system.c - primitives about the running program: clock, sleep, exit, globals, environment. */
#include "fiber.h"
#include "fns.h"
#include "lists.h"
#include "numbers.h"
#include "out.h"
#include "process.h"
#include "strings.h"
#include "system.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- time --------------------------------------------------------------------------------- */

V vk_time_us(vk *c, size_t n, const V *args) {
  (void)n, (void)args;
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return vk_int_from_i64(c, (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

/* A wait longer than a century counts as one: sums of nanoseconds must fit. */
static const double duration_ms_max = 100 * 366 * 86400e3;

V vk_duration(vk *c, const char *who, int index, V ms, int64_t *ns) {
  if (!vk_is_number(ms)) return vk_arg_error(c, who, index, ms, "a number of milliseconds");
  double wanted = vk_num_to_double(ms);
  if (!(wanted >= 0)) return vk_errorf(c, VK_SYM(range), "%s: the time must not be below 0", who);
  if (wanted > duration_ms_max) wanted = duration_ms_max;
  *ns = (int64_t)(wanted * 1e6);
  return VK_NIL;
}

/* Of a program without fibers, which does not link the scheduler. */
static void sleep_alone(vk *c, int64_t ns) {
  vk_out_flush(); /* who waits wants to see what was printed before */
  struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
  while (nanosleep(&t, &t) && errno == EINTR && !VK_IS_STOPPING(c)) continue;
}

V vk_fiber_sleep(vk *c, int64_t ns) __attribute__((weak));

V vk_sleep(vk *c, V ms) {
  int64_t ns;
  V error = vk_duration(c, "sleep", 1, ms, &ns);
  if (!VK_IS_NIL(error)) return error;
  if (c->fibers) return vk_fiber_sleep(c, ns);
  sleep_alone(c, ns);
  return VK_NIL;
}

/* ---- the program -------------------------------------------------------------------------- */

V vk_stack_depth(vk *c) {
  return VK_FIX(c->fiber->stack_base - (char *)__builtin_frame_address(0));
}

V vk_exit(vk *c, size_t n, const V *args) {
  if (n && !VK_IS_FIX(args[0])) return vk_arg_error(c, "exit", 1, args[0], "an exit status");
  vk_process_exit(n ? (int)(VK_INT(args[0]) & 0xFF) : 0);
}

V vk_penv(vk *c) {
  const VkProgram *p = c->program;
  VkListBuilder all = VK_LIST_BUILDER;
  for (size_t i = 0; i < p->global_count; i++) {
    const char *name = p->global_names[i];
    if (c->globals[i] == VK_UNBOUND || name[0] == '%') continue; /* the library's own */
    V symbol = vk_intern(c, name, strlen(name));
    if (VK_IS_ABN(symbol)) return symbol;
    vk_list_add(c, &all, vk_cons(c, symbol, vk_cons(c, c->globals[i], VK_NIL)));
  }
  return vk_list_end(c, &all, VK_NIL);
}

/* ---- log level ------------------------------------------------------------------------------ */

static const char *const log_level_names[] = {"none", "error", "warn",
                                              "info", "debug", "trace"};
_Atomic int vk_log_level = VK_LOG_WARN;

V vk_log_set_level(vk *c, V level) {
  bool is_name = VK_IS_STRING(level) || VK_IS_KIND(level, VK_SYMBOL);
  if (!is_name) return vk_arg_error(c, "sys/log/set-level", 1, level, "a string or keyword");
  const VkString *s = VK_STR(level); /* a symbol has the same layout */
  const char *name = s->bytes[0] == ':' ? s->bytes + 1 : s->bytes;
  for (int i = 0; i <= VK_LOG_TRACE; i++)
    if (!strcmp(name, log_level_names[i])) {
      vk_log_level = i;
      return VK_NIL;
    }
  return vk_errorf(c, VK_SYM(range),
                   "sys/log/set-level: no such level: %s (none error warn info debug trace)",
                   name);
}

/* ---- what is printed, kept -------------------------------------------------------------------- */

V vk_capture_start(vk *c) {
  if (vk_out_capture_start()) return VK_NIL;
  return vk_errorf(c, VK_SYM(error), "output is being captured already");
}

V vk_capture_stop(vk *c) {
  VkBuf text = {0};
  if (vk_out_capture_stop(&text)) return vk_buf_string(c, &text);
  return vk_errorf(c, VK_SYM(error), "output is not being captured");
}

/* ---- symbols made up ---------------------------------------------------------------------------- */

V vk_gensym(vk *c, size_t n, const V *args) {
  if (n && !VK_IS_STRING(args[0])) return vk_arg_error(c, "gensym", 1, args[0], "a string");
  static _Atomic uint64_t counter; /* of the process, as the table is */
  V made = VK_NIL;
  VkBuf name = {0};
  do { /* a program may have spelled such a name itself */
    name.len = 0;
    if (n)
      vk_buf_put(&name, VK_STR(args[0])->bytes, VK_STR(args[0])->len);
    else
      vk_buf_putc(&name, 'g');
    vk_buf_putf(&name, "#%llu", (unsigned long long)++counter);
  } while (vk_symbol_find(c, name.data, name.len) != VK_UNBOUND);
  made = vk_intern(c, name.data, name.len);
  vk_buf_free(&name);
  return made;
}

/* ---- the operating system ------------------------------------------------------------------------ */

V vk_os_args(vk *c) {
  VkListBuilder all = VK_LIST_BUILDER;
  for (int i = 1; i < vk_process.argc; i++)
    vk_list_add(c, &all, vk_string_z(c, vk_process.argv[i]));
  return vk_list_end(c, &all, VK_NIL);
}

static V whole_environment(vk *c) {
  VkListBuilder all = VK_LIST_BUILDER;
  for (char **p = environ; p && *p; p++) {
    const char *equals = strchr(*p, '=');
    if (!equals) continue; /* not a variable; execve does not check */
    V name = vk_string(c, *p, (size_t)(equals - *p));
    V value = vk_string_z(c, equals + 1);
    vk_list_add(c, &all, vk_cons(c, name, vk_cons(c, value, VK_NIL)));
  }
  return vk_list_end(c, &all, VK_NIL);
}

V vk_os_env(vk *c, size_t n, const V *args) {
  if (!n) return whole_environment(c);
  if (!VK_IS_STRING(args[0])) return vk_arg_error(c, "os/env", 1, args[0], "a string");
  const char *value = getenv(VK_STR(args[0])->bytes);
  return value ? vk_string_z(c, value) : VK_NIL;
}

V vk_os_cwd(vk *c) {
  char *path = getcwd(NULL, 0);
  if (!path) return vk_errorf(c, VK_SYM(io), "os/cwd: %s", strerror(errno));
  V s = vk_string_z(c, path);
  free(path);
  return s;
}
