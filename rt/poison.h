/* poison.h - memory given back that nothing may look at, until it is given out again.
 *
 * Debug builds (VK_DEBUG) fill it with words that look like an object at an address that cannot
 * be; AddressSanitizer is told, too, and reports whoever looks. Other builds do nothing. */
#ifndef VK_POISON_H
#define VK_POISON_H
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define VK_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VK_HAS_ASAN 1
#endif
#endif

#ifdef VK_HAS_ASAN
#include <sanitizer/asan_interface.h>
#define vk_unpoison(p, bytes) __asan_unpoison_memory_region(p, bytes)
#else
#define vk_unpoison(p, bytes) ((void)0)
#endif

#define VK_POISON UINT64_C(0xDEADBEEFDEADBEED)
#if defined(VK_DEBUG) || defined(VK_HAS_ASAN)
/* p and bytes are multiples of 8. */
static inline void vk_poison(void *p, size_t bytes) {
  vk_unpoison(p, bytes); /* parts may be poisoned already */
#ifdef VK_DEBUG
  for (uint64_t *w = p; w < (uint64_t *)p + bytes / 8; w++) *w = VK_POISON;
#endif
#ifdef VK_HAS_ASAN
  __asan_poison_memory_region(p, bytes);
#endif
}
#else
#define vk_poison(p, bytes) ((void)(p), (void)(bytes))
#endif
#endif
