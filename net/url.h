/* url.h - an http or https URL in its parts (RFC 3986; user names and fragments are not
 * sent). */
#ifndef NET_URL_H
#define NET_URL_H
#include <stdbool.h>
#include <stddef.h>

enum { NET_HOST_BYTES = 256 };
typedef struct NetUrl {
  bool is_tls;
  char host[NET_HOST_BYTES]; /* lower case, without the brackets of an IPv6 address */
  int port;                  /* 443 and 80 if it names none */
  const char *authority;     /* host and port as written, in the text */
  size_t authority_len;
  const char *target; /* path and query, in the text; empty: "/" is meant */
  size_t target_len;
} NetUrl;

/* NULL, or why text[len] is no URL we can ask for. */
const char *net_url_parse(NetUrl *u, const char *text, size_t len);
#endif
