/* request.c - memory of requests (contract: request.h). */
#include "request.h"
#include "heap.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- slots ------------------------------------------------------------------------------- */

/* Values of an earlier run of the process, or of another isolate, name nothing here. */
static NetRequests *requests_of(NetLoop *l) {
  if (l->requests) return l->requests;
  NetRequests *all = calloc(1, sizeof *all);
  if (!all) return NULL;
  all->serial = (uint32_t)((uintptr_t)all >> 4) * 2654435761u ^ (uint32_t)uv_hrtime();
  return l->requests = all;
}

void net_requests_free(NetLoop *l) {
  NetRequests *all = l->requests;
  if (!all) return;
  for (uint32_t i = 0; i < all->count; i++) {
    vk_root_remove(l->isolate, &all->slots[i]->result);
    free(all->slots[i]);
  }
  free(all->slots);
  free(all);
  l->requests = NULL;
}

static NetRequest *add_slot(NetLoop *l, NetRequests *all) {
  if (all->count == NET_REQUESTS_MAX) return NULL;
  if (all->count == all->capacity) {
    uint32_t capacity = all->capacity ? 2 * all->capacity : 64;
    NetRequest **slots = realloc(all->slots, capacity * sizeof *slots);
    if (!slots) return NULL;
    all->slots = slots;
    all->capacity = capacity;
  }
  NetRequest *r = malloc(sizeof *r);
  if (!r) return NULL;
  r->slot = all->count;
  r->result = VK_NIL;
  vk_root_add(l->isolate, &r->result);
  all->slots[all->count++] = r;
  return r;
}

static void reset(NetRequest *r, uint32_t serial) {
  r->next = r->previous = r->next_ready = NULL;
  r->server = NULL;
  r->conn = NULL;
  r->runner = NULL;
  r->serial = serial;
  r->state = NET_ARRIVING;
  r->has_fields = r->is_head = r->is_rejected = r->is_logged = false;
  r->method = r->scheme = r->authority = r->target = (NetText){"", 0};
  r->fields = NULL;
  r->field_count = r->field_capacity = 0;
  r->list_bytes = 0;
  r->announced = -1;
  r->body = NULL;
  r->body_len = r->body_capacity = 0;
  r->status = 0;
  r->sent_bytes = 0;
  r->free = r->bytes;
  r->end = r->bytes + sizeof r->bytes;
  r->chunks = NULL;
}

NetRequest *net_request_take(NetLoop *l) {
  NetRequests *all = requests_of(l);
  if (!all) return NULL;
  NetRequest *r = all->free;
  if (r)
    all->free = r->next;
  else if (!(r = add_slot(l, all)))
    return NULL;
  if (++all->used > all->used_max) all->used_max = all->used;
  reset(r, ++all->serial);
  return r;
}

void net_request_give(NetLoop *l, NetRequest *r) {
  NetRequests *all = l->requests;
  assert(all->slots[r->slot] == r);
  for (NetChunk *chunk; (chunk = r->chunks);) {
    r->chunks = chunk->next;
    free(chunk);
  }
  free(r->body);
  r->body = NULL;
  r->result = VK_NIL;
  r->serial = 0; /* its value names nothing any more */
  r->next = all->free;
  all->free = r;
  all->used--;
}

/* worker and slot in 8 + 16 bits are enough to find it, 32 of serial to know that it is that
 * one. */
V net_request_value(NetLoop *l, const NetRequest *r) {
  (void)l;
  return VK_REQUEST((uint64_t)r->slot << 32 | r->serial);
}

NetRequest *net_request_of(vk *c, V v) {
  NetLoop *l = c->net;
  if (!VK_IS_REQUEST(v) || !l || !l->requests) return NULL;
  uint64_t payload = VK_REQUEST_PAYLOAD(v), slot = payload >> 32;
  if (slot >= l->requests->count) return NULL;
  NetRequest *r = l->requests->slots[slot];
  return r->serial == (uint32_t)payload && r->serial ? r : NULL;
}

/* ---- texts ------------------------------------------------------------------------------- */

static char *more_bytes(NetRequest *r, size_t len) {
  size_t bytes = len > NET_CHUNK_BYTES / 2 ? len : NET_CHUNK_BYTES;
  NetChunk *chunk = malloc(sizeof *chunk + bytes);
  if (!chunk) return NULL;
  chunk->next = r->chunks;
  r->chunks = chunk;
  if (bytes == len) return chunk->bytes; /* the current one has room for smaller ones */
  r->free = chunk->bytes + len;
  r->end = chunk->bytes + bytes;
  return chunk->bytes;
}

char *net_request_bytes(NetRequest *r, size_t len) {
  char *p = r->free;
  if ((size_t)(r->end - p) < len) return more_bytes(r, len);
  r->free = p + len;
  return p;
}

static bool keep(NetRequest *r, NetText *text, const uint8_t *bytes, size_t len) {
  char *p = net_request_bytes(r, len);
  if (!p) return false;
  memcpy(p, bytes, len);
  *text = (NetText){p, len};
  return true;
}

static NetText *pseudo_field(NetRequest *r, size_t name_len) {
  switch (name_len) {
  case 5: return &r->target; /* :path */
  case 7: return NULL;       /* :method and :scheme: the third byte tells */
  case 10: return &r->authority;
  default: return NULL;
  }
}

static bool grow_fields(NetRequest *r) {
  enum { FIRST = 8 };
  unsigned capacity = r->field_capacity ? 2 * r->field_capacity : FIRST;
  size_t misaligned = (uintptr_t)r->free & 7;
  if (misaligned && (size_t)(r->end - r->free) >= 8) r->free += 8 - misaligned;
  char *p = net_request_bytes(r, capacity * sizeof(NetField) + 8);
  if (!p) return false;
  p += -(uintptr_t)p & 7;
  if (r->field_count) memcpy(p, r->fields, r->field_count * sizeof(NetField));
  r->fields = (NetField *)p;
  r->field_capacity = capacity;
  return true;
}

bool net_request_field(NetRequest *r, const uint8_t *name, size_t name_len,
                       const uint8_t *value, size_t value_len) {
  if (name_len && name[0] == ':') {
    NetText *text = pseudo_field(r, name_len);
    if (name_len == 7) text = name[1] == 'm' ? &r->method : &r->scheme;
    return !text || keep(r, text, value, value_len);
  }
  if (r->field_count == r->field_capacity && !grow_fields(r)) return false;
  NetField *f = &r->fields[r->field_count];
  if (!keep(r, &f->name, name, name_len) || !keep(r, &f->value, value, value_len)) return false;
  r->field_count++;
  return true;
}

/* ---- the body ---------------------------------------------------------------------------- */

/* Doubling, but no more than was announced: most bodies are copied once. */
static bool grow_body(NetRequest *r, size_t needed) {
  enum { FIRST = 4 << 10 };
  size_t capacity = r->body_capacity ? 2 * r->body_capacity : FIRST;
  if (r->announced > 0 && (size_t)r->announced >= needed && (size_t)r->announced < capacity)
    capacity = (size_t)r->announced;
  if (capacity < needed) capacity = needed;
  uint8_t *body = realloc(r->body, capacity);
  if (!body) return false;
  r->body = body;
  r->body_capacity = capacity;
  return true;
}

bool net_request_body(NetRequest *r, const uint8_t *bytes, size_t len) {
  if (len > r->body_capacity - r->body_len && !grow_body(r, r->body_len + len)) return false;
  memcpy(r->body + r->body_len, bytes, len);
  r->body_len += len;
  return true;
}
