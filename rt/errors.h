/* errors.h - error values beyond what vk.h says: their text and report. */
#ifndef VK_ERRORS_H
#define VK_ERRORS_H
#include "strings.h"

/* "Error: message (:kind)" and the lines of the trace, each with a newline. */
void vk_error_text(VkBuf *b, V err);
/* The same on standard error, after flushing standard output. */
void vk_error_report(vk *c, V err);
#endif
