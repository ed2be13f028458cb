/* system.h - process-wide settings a program can change. */
#ifndef VK_SYSTEM_H
#define VK_SYSTEM_H

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
