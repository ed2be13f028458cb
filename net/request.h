/* request.h - requests a server holds: their fields, body and answer, in memory of their own.
 *
 * A NetRequest lives from the first header field of a stream until the stream is closed and its
 * handler has returned, whichever is later. Its memory is then reset at once and used for
 * another one: the first kilobytes are part of it, longer requests get chunks that go back to
 * malloc.
 *
 * For Valk a request is an immediate value (VK_REQUEST) that names slot and serial number: a
 * handler that keeps one longer than the request lives gets an error from req/..., never
 * another request. Strings are made when asked for. */
#ifndef NET_REQUEST_H
#define NET_REQUEST_H
#include "loop.h"
#include "session.h"

typedef struct NetText { /* not terminated */
  const char *bytes;
  size_t len;
} NetText;

typedef struct NetField { /* a header field; name in lower case */
  NetText name, value;
} NetField;

typedef struct NetChunk {
  struct NetChunk *next;
  char bytes[];
} NetChunk;

enum {
  NET_REQUEST_BYTES = 1024, /* that most requests fit in */
  NET_CHUNK_BYTES = 8 << 10,
  NET_REQUESTS_MAX = 1 << 16, /* of a worker, at one time: slots are numbers of 16 bits */
};

typedef enum NetRequestState {
  NET_ARRIVING, /* fields or body still come */
  NET_READY,    /* in its connection's queue */
  NET_RUNNING,  /* the handler has it */
  NET_ANSWERED, /* the response is submitted */
} NetRequestState;

typedef struct NetRequest {
  struct NetRequest *next, *previous; /* the connection's; free ones: next */
  struct NetRequest *next_ready;
  struct NetServer *server;
  struct NetConn *conn;     /* NULL once its stream is closed */
  struct NetRunner *runner; /* NULL unless its handler runs or waits */
  int32_t stream_id;
  uint32_t slot, serial;
  NetRequestState state;
  bool has_fields; /* complete: the end of the first HEADERS was seen */
  bool is_head, is_rejected, is_logged;
  uint64_t started_ms, active_ms; /* its first field; its latest bytes */

  NetText method, scheme, authority, target;
  NetField *fields;
  unsigned field_count, field_capacity;
  size_t list_bytes;   /* as RFC 9113, 10.5.1 counts: 32 more for each field */
  long long announced; /* content-length, -1: none */
  uint8_t *body;
  size_t body_len, body_capacity;

  V result; /* a root: what the handler gave or a part of it, in which strings of the answer are */
  int status;
  NetBody answer;
  size_t sent_bytes;

  char *free, *end; /* of the memory for texts */
  NetChunk *chunks;
  char bytes[NET_REQUEST_BYTES];
} NetRequest;

typedef struct NetRequests { /* all of a loop's: a slot is an index */
  NetRequest **slots;
  NetRequest *free;
  uint32_t count, capacity, used, used_max;
  uint32_t serial;
} NetRequests;

void net_requests_free(NetLoop *l);       /* all: the loop ends */
NetRequest *net_request_take(NetLoop *l); /* NULL: too many, or no memory */
void net_request_give(NetLoop *l, NetRequest *r);

/* len bytes that live as long as the request; NULL without memory. */
char *net_request_bytes(NetRequest *r, size_t len);
/* Adds a field, or a pseudo-field. False without memory. */
bool net_request_field(NetRequest *r, const uint8_t *name, size_t name_len,
                       const uint8_t *value, size_t value_len);
/* Adds to the body. False without memory. */
bool net_request_body(NetRequest *r, const uint8_t *bytes, size_t len);

V net_request_value(NetLoop *l, const NetRequest *r);
/* The live request behind a value; NULL if v is none or it is over. */
NetRequest *net_request_of(vk *c, V v);
#endif
