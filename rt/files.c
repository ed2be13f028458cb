/* files.c - primitives on files and directories. They block the calling thread.
 *
 * Paths are strings without NUL bytes, relative to the working directory. Whatever the system
 * refuses is an error of kind :io, "cannot read notes.txt: No such file or directory". */
#include "fns.h"
#include "heap.h"
#include "lists.h"
#include "numbers.h"
#include "strings.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* deed: "read"; the reason is errno. */
static V io_error(vk *c, const char *deed, V path) {
  return vk_errorf(c, VK_SYM(io), "cannot %s %s: %s", deed, VK_STR(path)->bytes,
                   strerror(errno));
}

/* VK_NIL if v can be given to the system as a path, else the error to return. */
static V check_path(vk *c, const char *who, V v) {
  if (!VK_IS_STRING(v)) return vk_arg_error(c, who, 1, v, "a string (a path)");
  if (strlen(VK_STR(v)->bytes) == VK_STR(v)->len) return VK_NIL;
  return vk_errorf(c, VK_SYM(io), "%s: a path cannot contain a NUL byte", who);
}
#define CHECK_PATH(c, who, v)                                                                  \
  do {                                                                                         \
    V bad_ = check_path(c, who, v);                                                            \
    if (VK_UNLIKELY(VK_IS_ABN(bad_))) return bad_;                                             \
  } while (0)

/* ---- reading -------------------------------------------------------------------------------- */

static ssize_t read_some(int fd, char *to, size_t most) {
  ssize_t n;
  do n = read(fd, to, most);
  while (n < 0 && errno == EINTR);
  return n;
}

/* Until the end, into b; false with errno set on failure. */
static bool read_rest(int fd, VkBuf *b) {
  for (;;) {
    vk_buf_grow(b, 64 << 10);
    ssize_t n = read_some(fd, b->data + b->len, b->capacity - b->len);
    if (n < 0) return false;
    if (n == 0) return true;
    b->len += (size_t)n;
  }
}

/* A file that says its size: read straight into the string. Gives VK_UNBOUND where the file
 * turns out shorter, and VK_UNBOUND with its whole content in b where it is longer. */
static V read_sized(vk *c, int fd, size_t size, VkBuf *b, bool *failed) {
  VkString *s = vk_string_new(c, size);
  if (!s) return vk_out_of_memory(c, size);
  size_t done = 0;
  while (done < size) {
    ssize_t n = read_some(fd, s->bytes + done, size - done);
    if (n < 0) *failed = true;
    if (n <= 0) break;
    done += (size_t)n;
  }
  char more;
  ssize_t extra = done == size && !*failed ? read_some(fd, &more, 1) : 0;
  if (done == size && extra == 0) return VK_FROM_OBJ(s);
  vk_buf_put(b, s->bytes, done); /* it changed under our hands */
  if (extra > 0) vk_buf_putc(b, more);
  return VK_UNBOUND;
}

static V read_open(vk *c, int fd, V path) {
  struct stat st;
  if (fstat(fd, &st)) return io_error(c, "read", path);
  if (S_ISDIR(st.st_mode)) {
    errno = EISDIR;
    return io_error(c, "read", path);
  }
  VkBuf b = {0};
  bool failed = false;
  if (S_ISREG(st.st_mode) && st.st_size > 0) {
    V s = read_sized(c, fd, (size_t)st.st_size, &b, &failed);
    if (s != VK_UNBOUND) return s;
  }
  if (!failed && read_rest(fd, &b)) return vk_buf_string(c, &b);
  V error = io_error(c, "read", path);
  vk_buf_free(&b);
  return error;
}

V vk_read_file(vk *c, V path) {
  CHECK_PATH(c, "read-file", path);
  int fd = open(VK_STR(path)->bytes, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_error(c, "read", path);
  V result = read_open(c, fd, path);
  close(fd);
  return result;
}

/* ---- writing -------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t len) {
  while (len) {
    ssize_t n = write(fd, bytes, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes += n;
    len -= (size_t)n;
  }
  return true;
}

static V write_file(vk *c, const char *who, V path, V text, int how) {
  CHECK_PATH(c, who, path);
  if (!VK_IS_STRING(text)) return vk_arg_error(c, who, 2, text, "a string");
  int fd = open(VK_STR(path)->bytes, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666);
  if (fd < 0) return io_error(c, "write", path);
  bool ok = write_all(fd, VK_STR(text)->bytes, VK_STR(text)->len);
  int write_errno = errno;
  if (close(fd) && ok)
    return io_error(c, "write", path); /* some file systems report only here */
  errno = write_errno;
  return ok ? VK_NIL : io_error(c, "write", path);
}

V vk_file_write(vk *c, V path, V text) {
  return write_file(c, "file/write", path, text, O_TRUNC);
}
V vk_file_append(vk *c, V path, V text) {
  return write_file(c, "file/append", path, text, O_APPEND);
}

V vk_file_delete(vk *c, V path) {
  CHECK_PATH(c, "file/delete", path);
  const char *name = VK_STR(path)->bytes;
  if (!unlink(name)) return VK_NIL;
  /* A directory: EISDIR on Linux, EPERM by POSIX. Its own failure is the one to tell. */
  if (errno != EISDIR && errno != EPERM) return io_error(c, "delete", path);
  return rmdir(name) ? io_error(c, "delete", path) : VK_NIL;
}

/* ---- asking --------------------------------------------------------------------------------- */

V vk_file_exists(vk *c, V path) {
  CHECK_PATH(c, "file/exists?", path);
  struct stat st;
  return VK_FIX(stat(VK_STR(path)->bytes, &st) == 0);
}

V vk_file_stat(vk *c, V path) {
  CHECK_PATH(c, "file/stat", path);
  struct stat st;
  if (stat(VK_STR(path)->bytes, &st)) return io_error(c, "examine", path);
  V type = S_ISREG(st.st_mode)   ? VK_SYM(file)
           : S_ISDIR(st.st_mode) ? VK_SYM(directory)
                                 : VK_SYM(other);
  V plist[] = {VK_SYM(size),  vk_int_from_i64(c, st.st_size),
               VK_SYM(mtime), vk_int_from_i64(c, st.st_mtim.tv_sec),
               VK_SYM(type),  type};
  return vk_list_from(c, sizeof plist / sizeof *plist, plist);
}

/* Names in one buffer, each ended by NUL; false with errno set if reading them fails. */
static bool read_names(DIR *dir, VkBuf *names, size_t *count) {
  struct dirent *entry;
  for (errno = 0; (entry = readdir(dir)); errno = 0) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    vk_buf_put(names, entry->d_name, strlen(entry->d_name) + 1);
    ++*count;
  }
  return errno == 0;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b); /* bytes as unsigned */
}

static V sorted_names(vk *c, const VkBuf *names, size_t count) {
  const char **sorted = malloc((count + 1) * sizeof *sorted);
  if (!sorted) return vk_errorf(c, VK_SYM(out_of_memory), "file/list: too many names");
  const char *p = names->data;
  for (size_t i = 0; i < count; i++, p += strlen(p) + 1) sorted[i] = p;
  qsort(sorted, count, sizeof *sorted, compare_names);
  V list = VK_NIL;
  for (size_t i = count; i-- > 0;) list = vk_cons(c, vk_string_z(c, sorted[i]), list);
  free(sorted);
  return list;
}

V vk_file_list(vk *c, V path) {
  CHECK_PATH(c, "file/list", path);
  DIR *dir = opendir(VK_STR(path)->bytes);
  if (!dir) return io_error(c, "list", path);
  VkBuf names = {0};
  size_t count = 0;
  bool ok = read_names(dir, &names, &count);
  V result = ok ? sorted_names(c, &names, count) : io_error(c, "list", path);
  vk_buf_free(&names);
  closedir(dir);
  return result;
}
