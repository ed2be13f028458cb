/* log.h - the server's lines on standard error: "valk: http2: ..." */
#ifndef NET_LOG_H
#define NET_LOG_H
/* One line, written at once; standard output is flushed before. A log that cannot be written (a
 * full disk, a closed pipe) loses lines, never the server. */
void net_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
#endif
