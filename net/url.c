/* url.c - URLs (contract: url.h). */
#include "url.h"
#include <string.h>

typedef struct Text {
  const char *at, *end;
} Text;

static bool starts(Text *t, const char *word) {
  size_t n = strlen(word);
  if ((size_t)(t->end - t->at) < n || strncmp(t->at, word, n)) return false;
  t->at += n;
  return true;
}

/* Blanks and control characters are nowhere in a URL; a request must not be split by them. */
static bool is_clean(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] <= ' ' || text[i] == 0x7F) return false;
  return true;
}

static const char *take_host(NetUrl *u, const char *host, size_t len) {
  if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
    host++;
    len -= 2;
  }
  if (!len) return "it names no host";
  if (len >= NET_HOST_BYTES) return "its host name is too long";
  for (size_t i = 0; i < len; i++)
    u->host[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] + 32) : host[i];
  u->host[len] = 0;
  return NULL;
}

/* digits are a port; none at all leave the usual one. */
static const char *take_port(NetUrl *u, const char *digits, const char *end) {
  if (digits == end) return NULL;
  u->port = 0;
  for (; digits < end; digits++) {
    if (*digits < '0' || *digits > '9' || u->port > 65535) return "its port is no number";
    u->port = u->port * 10 + (*digits - '0');
  }
  return u->port < 1 || u->port > 65535 ? "its port is not from 1 to 65535" : NULL;
}

static const char *take_authority(NetUrl *u) {
  const char *at = u->authority, *end = at + u->authority_len;
  if (memchr(at, '@', u->authority_len)) return "user names in URLs are not supported";
  const char *bracket = memchr(at, ']', u->authority_len);
  const char *from = bracket ? bracket : at;
  const char *colon = memchr(from, ':', (size_t)(end - from));
  const char *why = take_host(u, at, (size_t)((colon ? colon : end) - at));
  return why || !colon ? why : take_port(u, colon + 1, end);
}

const char *net_url_parse(NetUrl *u, const char *text, size_t len) {
  Text t = {text, text + len};
  *u = (NetUrl){0};
  if (!is_clean(text, len)) return "it has blanks or control characters";
  u->is_tls = starts(&t, "https://");
  if (!u->is_tls && !starts(&t, "http://")) return "it does not begin with https:// or http://";
  u->port = u->is_tls ? 443 : 80;
  const char *end = memchr(t.at, '#', (size_t)(t.end - t.at));
  if (!end) end = t.end;
  u->authority = t.at;
  while (t.at < end && *t.at != '/' && *t.at != '?') t.at++;
  u->authority_len = (size_t)(t.at - u->authority);
  u->target = t.at;
  u->target_len = (size_t)(end - t.at);
  return take_authority(u);
}
