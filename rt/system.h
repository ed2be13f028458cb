/* system.h - process-wide settings a program can change. */
#ifndef VK_SYSTEM_H
#define VK_SYSTEM_H
#include "vk.h"

/* A number of milliseconds, at most a century, in nanoseconds; nil, or the error about argument
 * `index` of `who`. */
V vk_duration(vk *c, const char *who, int index, V ms, int64_t *ns);

/* Messages up to this level go to stderr: (sys/log/set-level l). */
typedef enum VkLogLevel {
  VK_LOG_NONE,
  VK_LOG_ERROR,
  VK_LOG_WARN,
  VK_LOG_INFO,
  VK_LOG_DEBUG,
  VK_LOG_TRACE,
} VkLogLevel;
extern _Atomic int vk_log_level;
#endif
